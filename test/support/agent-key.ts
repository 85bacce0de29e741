// Agent keys inside workerd: made by the domain's own functions for the connection behind an access token.

import { env } from "cloudflare:workers";
import { readCredential } from "../../src/crypto/credential.ts";
import { createAgentKey, type AgentKeyWish } from "../../src/domain/agent-keys.ts";
import { openGateway, resourcesOf, type Gateway } from "../../src/domain/gateway.ts";
import { actorNamed } from "./actor.ts";
import { connectAs, type Connected } from "./mcp.ts";

/** The gateway's stories without a request around them. */
export function gatewayHere(): Gateway {
  return openGateway(env, { waitUntil: (work) => void work });
}

/** The connection that an access token is for. */
export async function connectionOf(accessToken: string): Promise<string> {
  const { keyring, config, now } = gatewayHere();
  const claims = await readCredential(keyring, "access", accessToken, resourcesOf(config), now());
  if (claims === undefined) throw new Error("That is no access token of this gateway");
  return claims.connectionId;
}

export interface MadeKey {
  readonly id: string;
  readonly key: string;
}

let made = 0;

/** A key of this connection, for every tool and thirty days unless `changes` say otherwise, by a name of its own. */
export async function makeKey(connectionId: string, changes: Partial<AgentKeyWish> = {}): Promise<MadeKey> {
  made += 1;
  const wish = {
    name: `Nightly job ${made}`,
    tools: undefined,
    expiresInDays: 30,
    createdBy: actorNamed("ada"),
    ...changes,
  };
  const key = await createAgentKey(gatewayHere(), connectionId, wish);
  if (!key.ok) throw new Error(`No key was made: ${key.reason}`);
  return key;
}

/** A person who is connected, with a client, and a key of their connection. */
export async function personWithKey(
  person: string,
  changes: Partial<AgentKeyWish> = {},
): Promise<MadeKey & { readonly connectionId: string; readonly client: Connected }> {
  const client = await connectAs(person);
  const connectionId = await connectionOf(client.tokens.access_token);
  return { ...(await makeKey(connectionId, changes)), connectionId, client };
}
