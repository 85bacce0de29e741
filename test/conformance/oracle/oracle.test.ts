// The same black-box checks against the gateway and against the field's library for Workers, both in workerd behind
// real sockets. The gateway must answer as each check says; where the library does not, differences.ts says why.

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PERSONAL_CLIENT_ID } from "../../gong/integrations.ts";
import { serveStandIn, type ServedStandIn } from "../../gong/serve.ts";
import { buildWorker, freePort, type Gateway, startGateway } from "../../support/workerd.ts";
import { verifies } from "../verifies.ts";
import { ENTRANCE_CHECKS } from "./checks-entrance.ts";
import { TOKEN_CHECKS } from "./checks-tokens.ts";
import { DIFFERENCES } from "./differences.ts";

const CHECKS = [...ENTRANCE_CHECKS, ...TOKEN_CHECKS];
const GONG_CLIENT_SECRET = "oracle-gong-client-secret";

let gong: ServedStandIn;
let gateway: Gateway;
let oracle: Gateway;

beforeAll(async () => {
  const port = await freePort();
  gong = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: [`http://localhost:${port}/callback`],
  });
  gong.standIn.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: GONG_CLIENT_SECRET });
  const settings = {
    SEALING_KEYS: `k1:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`,
    GONG_MCP_URL: `${gong.mcpOrigin}/mcp`,
    GONG_CLIENT_ID: PERSONAL_CLIENT_ID,
    GONG_CLIENT_SECRET,
    ACCESS_CACHE_SECONDS: "0",
  };
  gateway = await startGateway({ build: await buildWorker(), settings, port });
  const build = await buildWorker(path.join(import.meta.dirname, "wrangler.toml"));
  oracle = await startGateway({ build, settings: {} });
});
afterAll(async () => {
  await Promise.all([gateway.stop(), oracle.stop()]);
  await gong.close();
});

describe(verifies("oracle.differences", "the gateway beside @cloudflare/workers-oauth-provider"), () => {
  const named = CHECKS.map((check) => [check.source, check.name, check] as const);
  it.each(named)("%s: %s", async (_source, name, { outcome, run }) => {
    const outcomes = { gateway: await run(gateway), library: await run(oracle) };
    expect(outcomes).toEqual({ gateway: outcome, library: DIFFERENCES[name]?.library ?? outcome });
  });

  it("gateway: each listed difference is one of a check, is a difference, and has a reason", () => {
    for (const [name, { library, reason }] of Object.entries(DIFFERENCES)) {
      const check = CHECKS.find((candidate) => candidate.name === name);
      expect([name, check?.outcome]).not.toEqual([name, undefined]);
      expect([name, library]).not.toEqual([name, check?.outcome]);
      expect(reason.length).toBeGreaterThan(20);
    }
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
  });
});
