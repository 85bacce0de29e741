// Thousands of tokens, states and client ids that prove nothing, at the real Worker: what its objects have on disk
// stays as it is. test/integration/storage-flood.test.ts counts rows; this one counts files, as a bill would.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { startWorld, type World } from "./gateway.ts";
import { askGong, signIn, type SignedIn } from "./raw-call.ts";
import { oneAnswerEach, written } from "./raw-socket.ts";
import { filesAround } from "./state-files.ts";

const EACH = 500;
const REGISTRY_SHARDS = 16;
const OUR_CLIENT = { client_id: "prepared-public" };

let world: World;
let signedIn: SignedIn;

beforeAll(async () => {
  world = await startWorld();
  signedIn = await signIn(world.mcpUrl);
});
afterAll(() => world.stop());

/** A genuine credential with another prefix, or with its tag, its secret or all of it replaced. */
function forged(prefix: string, at: number): string {
  const genuine = Buffer.from(signedIn.refreshToken.slice("grt_".length), "base64url");
  const from = [0, 45, 77, genuine.length][at % 4] ?? 0;
  randomBytes(genuine.length - from).copy(genuine, from);
  return prefix + genuine.toString("base64url");
}

const id = (): string => randomBytes(16).toString("base64url");

function get(target: string, header: string): string {
  return written(`GET ${target} HTTP/1.1`, [`Host: localhost:${world.gateway.port}`, header]);
}

function post(target: string, fields: Record<string, string>): string {
  const body = new URLSearchParams(fields).toString();
  const type = "Content-Type: application/x-www-form-urlencoded";
  const headers = [`Host: localhost:${world.gateway.port}`, type, `Content-Length: ${body.length}`];
  return written(`POST ${target} HTTP/1.1`, headers, body);
}

async function statusesOf(make: (at: number) => string): Promise<readonly number[]> {
  const requests = Array.from({ length: EACH }, (_, at) => make(at));
  const answers = await oneAnswerEach(world.gateway.port, requests);
  return [...new Set(answers.map((answer) => answer?.status ?? 0))];
}

const redemption = (code: string): Record<string, string> => ({
  ...OUR_CLIENT,
  grant_type: "authorization_code",
  code,
  code_verifier: "v".repeat(43),
  redirect_uri: "http://127.0.0.1:1/callback",
});
const refresh = (clientId: string, token: string): Record<string, string> => ({
  grant_type: "refresh_token",
  client_id: clientId,
  refresh_token: token,
});

type Flood = readonly [what: string, make: (at: number) => string, status: number];

const FLOODS: readonly Flood[] = [
  ["access tokens", (at) => get("/mcp", `Authorization: Bearer ${forged("gat_", at)}`), 401],
  ["refresh tokens", (at) => post("/token", refresh("prepared-public", forged("gru_", at))), 400],
  ["codes", (at) => post("/token", redemption(forged("gac_", at))), 400],
  // RFC 7009 §2.2: an invalid token is no error.
  ["tokens to revoke", (at) => post("/revoke", { ...OUR_CLIENT, token: forged("gat_", at) }), 200],
  [
    "states",
    (at) => get(`/callback?code=x&state=${forged("gst_", at)}`, `Cookie: __Host-txn-${id()}=${id()}`),
    400,
  ],
  [
    "approvals to wait for",
    (at) => {
      const transaction = id();
      return get(
        `/authorize/waiting/${transaction}`,
        `Cookie: __Host-txn-${transaction}=${forged("gbc_", at)}`,
      );
    },
    400,
  ],
  ["admin sessions", () => get("/admin", `Cookie: __Host-admin=${id()}${id()}`), 401],
];

const CLIENT_FLOODS: readonly Flood[] = [
  ["at the authorization endpoint", () => get(`/authorize?client_id=gcl_${id()}`, "Accept: */*"), 400],
  ["at the token endpoint", () => post("/token", refresh(`gcl_${id()}`, signedIn.refreshToken)), 401],
];

describe(verifies("operations.no_object_for_strangers", "credentials that prove nothing"), () => {
  it.each(FLOODS)("OWASP ASVS 5.0 2.4.1: %s that are made up touch no file", async (_, make, status) => {
    const flood = async (): Promise<void> => expect(await statusesOf(make)).toEqual([status]);
    const { before, after } = await filesAround(world.gateway, flood);
    expect(after).toEqual(before);
  });

  it.each(CLIENT_FLOODS)(
    "gateway: made-up client ids %s reach the sixteen shards at most, and leave them empty",
    async (_, make, status) => {
      const flood = async (): Promise<void> => expect(await statusesOf(make)).toEqual([status]);
      const { before, after } = await filesAround(world.gateway, flood);
      for (const [name, size] of before) expect(after.get(name), `in ${name}`).toBe(size);
      const fresh = [...after].filter(([name]) => !before.has(name));
      for (const [name, size] of fresh) {
        expect(name).toMatch(/^gateway-RegistryObject\//);
        // Without a page in the write-ahead log nothing was written; the first page is SQLite's own.
        expect(size, `in ${name}`).toBe(name.endsWith(".sqlite") ? 4096 : name.endsWith("-wal") ? 0 : 32_768);
      }
      const shards = [...after.keys()].filter((name) =>
        /^gateway-RegistryObject\/[0-9a-f]{64}\.sqlite$/.test(name),
      );
      expect(shards.length).toBeLessThanOrEqual(REGISTRY_SHARDS);
      const again = await filesAround(world.gateway, flood);
      expect(again.after).toEqual(again.before);
    },
  );

  it("gateway: whoever was signed in before still is", async () => {
    expect((await askGong(world.mcpUrl, signedIn.accessToken)).status).toBe(200);
  });
});
