// The world of the end-to-end tests: the built Worker in workerd and the stand-in Gong, both on real sockets, with both
// integrations, an admin and two pre-registered clients. Called by every *.test.ts here; started once per file.

import { createHash, randomBytes } from "node:crypto";
import { PERSONAL_CLIENT_ID, SHARED_CLIENT_ID } from "../gong/integrations.ts";
import type { KnobChanges } from "../gong/knobs.ts";
import { serveStandIn } from "../gong/serve.ts";
import type { StandIn } from "../gong/stand-in.ts";
import { buildWorker, freePort, type Gateway, startGateway } from "../support/workerd.ts";

/** Where pre-registered clients want their answer. RFC 8252 §7.3: any port of it is theirs. */
export const LOOPBACK_REDIRECT = "http://127.0.0.1:43110/callback";

/** The clients of the CLIENTS setting, as their makers know them. */
export const PUBLIC_CLIENT = { clientId: "prepared-public" } as const;
export const CONFIDENTIAL_CLIENT = { clientId: "prepared-confidential", clientSecret: secret() } as const;

/** Everything in the gateway's settings that must never be seen again, by name. */
export const SECRETS = {
  SEALING_KEYS: `k1:${randomBytes(32).toString("base64url")}`,
  ADMIN_TOKEN: secret(),
  GONG_CLIENT_SECRET: secret(),
  GONG_SHARED_CLIENT_SECRET: secret(),
} as const;

export interface World {
  readonly gateway: Gateway;
  readonly gong: StandIn;
  /** Gong's sign-in pages. */
  readonly gongAppOrigin: string;
  readonly mcpUrl: string;
  readonly sharedMcpUrl: string;
  /** Another gateway at the same Gong, with other settings; `stop` ends it too. */
  another(settings: Readonly<Record<string, string>>): Promise<Gateway>;
  /** Ends every process and server. */
  stop(): Promise<void>;
}

/**
 * Starts the stand-in and a gateway. The stand-in lives at 127.0.0.1 and the gateway at localhost: two sites, as in
 * life (RFC 6265bis §5.2).
 */
export async function startWorld(options: { readonly knobs?: KnobChanges } = {}): Promise<World> {
  const ports = [await freePort(), await freePort()] as const;
  const served = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: ports.map((port) => `http://localhost:${port}/callback`),
    knobs: options.knobs ?? {},
  });
  const { standIn: gong } = served;
  gong.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: SECRETS.GONG_CLIENT_SECRET });
  gong.editIntegration(SHARED_CLIENT_ID, { clientSecret: SECRETS.GONG_SHARED_CLIENT_SECRET });
  const build = await buildWorker();
  const base = {
    ...SECRETS,
    GONG_MCP_URL: `${served.mcpOrigin}/mcp`,
    GONG_CLIENT_ID: PERSONAL_CLIENT_ID,
    GONG_ACCESS: "personal",
    GONG_SHARED_CLIENT_ID: SHARED_CLIENT_ID,
    CLIENTS: JSON.stringify(preregistered()),
  };
  const gateway = await startGateway({ build, settings: base, port: ports[0] });
  const others: Gateway[] = [];
  return {
    gateway,
    gong,
    gongAppOrigin: served.appOrigin,
    mcpUrl: `${gateway.origin}/mcp`,
    sharedMcpUrl: `${gateway.origin}/shared/mcp`,
    async another(settings) {
      if (others.length > 0) throw new Error("Gong knows the redirect URIs of two gateways only");
      const other = await startGateway({ build, settings: { ...base, ...settings }, port: ports[1] });
      others.push(other);
      return other;
    },
    async stop() {
      await Promise.all([gateway, ...others].map((each) => each.stop()));
      await served.close();
    },
  };
}

function preregistered(): readonly object[] {
  // Without a port, as an admin writes down a program that listens on another one each time.
  const redirectUris = ["http://127.0.0.1/callback", "http://localhost/oauth/callback"];
  const shared = { redirect_uris: redirectUris, grant_types: ["authorization_code", "refresh_token"] };
  return [
    { ...shared, client_id: PUBLIC_CLIENT.clientId, client_name: "Prepared public client" },
    {
      ...shared,
      client_id: CONFIDENTIAL_CLIENT.clientId,
      client_name: "Prepared confidential client",
      token_endpoint_auth_method: "client_secret_basic",
      client_secret_sha256: createHash("sha256").update(CONFIDENTIAL_CLIENT.clientSecret).digest("base64url"),
    },
  ];
}

function secret(): string {
  return `canary-${randomBytes(24).toString("base64url")}`;
}
