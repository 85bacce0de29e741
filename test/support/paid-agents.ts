// Agents beside a client of one person, each with a way to end it. Used by the tests of paid calls whose caller is
// revoked.

import { env } from "cloudflare:workers";
import { connectionOf, makeKey } from "./agent-key.ts";
import { rows } from "./connection.ts";
import { ask } from "./flow.ts";
import type { Connected } from "./mcp.ts";
import { twoClients } from "./paid.ts";

export interface Agent {
  readonly client: Pick<Connected, "tokens">;
  readonly revoke: () => Promise<void>;
}

/**
 * An agent of the person behind `beside`: a client that an admin ends, one that ends its own access token, or a key.
 */
export async function agentBeside(beside: Connected, kind: "grant" | "token" | "key"): Promise<Agent> {
  const id = await connectionOf(beside.tokens.access_token);
  const connection = env.CONNECTIONS.getByName(id);
  if (kind === "key") {
    const made = await makeKey(id);
    const revokeKey = async (): Promise<void> => {
      if (!(await connection.revokeAgentKey(made.id, "ada"))) throw new Error("There is no such key");
    };
    return { client: { tokens: { ...beside.tokens, access_token: made.key } }, revoke: revokeKey };
  }
  const [client] = await twoClients();
  const revokeToken = async (): Promise<void> => {
    const body = new URLSearchParams({ client_id: client.clientId, token: client.tokens.access_token });
    const revoked = await ask("/revoke", { method: "POST", body });
    if (revoked.status !== 200) throw new Error(`/revoke answered ${revoked.status}`);
  };
  const endGrant = async (): Promise<void> => {
    const grants = await rows<{ id: string; client_id: string }>(connection, "grants");
    const grant = grants.find(({ client_id: owner }) => owner === client.clientId);
    if (!(await connection.endGrant(grant?.id ?? "", "ended"))) throw new Error("There is no such grant");
  };
  return { client, revoke: kind === "token" ? revokeToken : endGrant };
}
