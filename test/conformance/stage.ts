// The real gateway with somebody else's MCP server behind it. Called by referee.test.ts, and for the settings by
// run-sign-in.ts.

import { randomBytes } from "node:crypto";
import { PERSONAL_CLIENT_ID } from "../gong/integrations.ts";
import { type ServedStandIn, serveStandIn } from "../gong/serve.ts";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import { type Build, freePort, type Gateway, startGateway } from "../support/workerd.ts";
import { type Relay, serveRelay } from "./relay.ts";

/** A client that the gateway's admin wrote down, for the authorization server's suite. */
export const PUBLIC_CLIENT_ID = "prepared-public";

export interface Stage {
  readonly gateway: Gateway;
  readonly mcpUrl: string;
  /** An access token of the gateway with every scope. */
  readonly accessToken: string;
  /** Puts another MCP server behind the gateway. */
  pointAt(upstream: URL): void;
  /**
   * Ends every request of the gateway to the server behind it. workerd notices that a client has left a silent stream
   * when the next byte is written to it, and the runner's servers wait for their last connection.
   */
  hangUp(): void;
  stop(): Promise<void>;
}

/**
 * Starts a gateway whose MCP server is `upstream` and whose sign-in is the stand-in Gong's, and signs in through all of
 * it: the upstream only ever sees Gong access tokens that the stand-in has issued.
 */
export async function startStage(build: Build, upstream: URL): Promise<Stage> {
  const port = await freePort();
  const clientSecret = secret();
  const adminToken = secret();
  const served = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: [`http://localhost:${port}/callback`],
  });
  served.standIn.editIntegration(PERSONAL_CLIENT_ID, { clientSecret });
  let current = upstream;
  const front = await serveFront(served, () => current);
  const gateway = await startGateway({
    build,
    port,
    settings: {
      ...gatewaySettings({ mcpUrl: `${front.origin}/mcp`, clientId: PERSONAL_CLIENT_ID, clientSecret }),
      ADMIN_TOKEN: adminToken,
    },
  });
  const mcpUrl = `${gateway.origin}/mcp`;
  const stop = async (): Promise<void> => {
    await Promise.all([gateway.stop(), front.close(), served.close()]);
  };
  try {
    await holdNothingBack(gateway.origin, adminToken);
    const agent = createAgent({ mcpUrl, person: createPerson() });
    await agent.signIn();
    return {
      gateway,
      mcpUrl,
      accessToken: agent.tokens?.access_token ?? "",
      pointAt: (next) => void (current = next),
      hangUp: () => front.hangUp(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The runner's tools are new to the gateway: as an admin, lets them through without approving each. */
async function holdNothingBack(origin: string, token: string): Promise<void> {
  const admin = createPerson();
  await admin.press(await admin.open(`${origin}/admin`), "Sign in", { token });
  const policy = await admin.open(`${origin}/admin/policy/access`);
  const saved = await admin.press(policy, "Save the tool rules", { holdBack: "none" });
  if (!saved.text.includes("Saved."))
    throw new Error(`The policy was not saved: ${saved.text.slice(0, 500)}`);
}

/** The settings of a gateway at "Gong", with one public client written down. */
export function gatewaySettings(gong: {
  readonly mcpUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}): Readonly<Record<string, string>> {
  const client = {
    client_id: PUBLIC_CLIENT_ID,
    client_name: "Prepared public client",
    redirect_uris: ["http://127.0.0.1/callback"],
    grant_types: ["authorization_code", "refresh_token"],
  };
  return {
    SEALING_KEYS: `k1:${randomBytes(32).toString("base64url")}`,
    ADMIN_TOKEN: secret(),
    GONG_MCP_URL: gong.mcpUrl,
    GONG_CLIENT_ID: gong.clientId,
    GONG_CLIENT_SECRET: gong.clientSecret,
    GONG_ACCESS: "personal",
    CLIENTS: JSON.stringify([client]),
  };
}

/** Copies everything to the gateway and adds the access token, which the runner has no option for. */
export function serveForwarder(stage: Stage): Promise<Relay> {
  const headers = { authorization: `Bearer ${stage.accessToken}` };
  return serveRelay(({ url = "/" }) => ({ to: new URL(url, stage.gateway.origin), headers }));
}

/** "Gong's" MCP origin: RFC 9728 metadata that names the stand-in, and `/mcp` for those with one of its tokens. */
function serveFront({ standIn }: ServedStandIn, upstream: () => URL): Promise<Relay> {
  const isIssued = (authorization: string | undefined): boolean =>
    standIn
      .ledger()
      .some((entry) => entry.kind === "tokens_issued" && authorization === `Bearer ${entry.accessToken}`);
  return serveRelay((request) => {
    const origin = `http://${request.headers.host}`;
    if (request.url === "/.well-known/oauth-protected-resource/mcp") {
      const document = { resource: `${origin}/mcp`, authorization_servers: [standIn.mcpOrigin] };
      return { status: 200, document };
    }
    if (request.url !== "/mcp") return { status: 404, document: { error: "not_found" } };
    if (!isIssued(request.headers.authorization)) return { status: 401, document: { error: "unauthorized" } };
    return { to: upstream(), headers: { host: upstream().host } };
  });
}

function secret(): string {
  return randomBytes(24).toString("base64url");
}
