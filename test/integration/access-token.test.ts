// The token of Cloudflare Access in front of /authorize: what is believed, and thirty forgeries that are not. Each
// differs from the good one in one thing. Cloudflare Access, Validate JWTs; RFC 8725 §3.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exportSPKI, importJWK, SignJWT } from "jose";
import { verifies } from "../conformance/verifies.ts";
import {
  ACCESS_HEADER,
  AUDIENCE,
  newAccessTeam,
  newSigningKey,
  type AccessTeam,
  type Claims,
} from "../support/access.ts";
import { clientSites } from "../support/client-site.ts";
import { authorizationQuery, register } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

let team: AccessTeam;
let gateway: Ask;
let path = "";

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
  team = await newAccessTeam();
  gateway = gatewayWith(team.settings);
  path = `/authorize?${authorizationQuery((await register()).client_id)}`;
});
afterEach(() => {
  vi.useRealTimers();
});

const withToken = (token: string, headers: Record<string, string> = {}): Promise<Response> =>
  gateway(path, { headers: { [ACCESS_HEADER]: token, ...headers } });

const base64url = (value: unknown): string =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const hour = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600;

/** Claims that are changed in one thing, under a good signature. */
const CLAIMS: ReadonlyArray<readonly [name: string, changes: () => Claims]> = [
  ["for another application", () => ({ aud: ["0".repeat(64)] })],
  ["for no application", () => ({ aud: undefined })],
  ["for a part of our audience", () => ({ aud: AUDIENCE.slice(0, 32) })],
  ["issued by another team", () => ({ iss: "https://other.cloudflareaccess.com" })],
  ["issued by a host that begins like ours", () => ({ iss: `${team.issuer}.evil.test` })],
  ["issued by our host without its scheme", () => ({ iss: team.domain })],
  ["issued by nobody", () => ({ iss: undefined })],
  ["that has expired", () => ({ exp: hour(-1) })],
  ["that never expires", () => ({ exp: undefined })],
  ["whose expiry is text", () => ({ exp: String(hour(1)) })],
  ["that is not in force yet", () => ({ nbf: hour(1) })],
  ["that is not dated", () => ({ iat: undefined })],
  ["of the team's own sign-in", () => ({ type: "org" })],
  ["without a type", () => ({ type: undefined })],
  [
    "of a service",
    () => ({ email: undefined, sub: "", common_name: "e367826f93b8d71185e03fe518aff3b4.access" }),
  ],
  ["with an empty address", () => ({ email: "" })],
  ["with a list of addresses", () => ({ email: ["ada@example.com"] })],
  ["with two addresses in one", () => ({ email: "ada@example.com,grace@example.com" })],
  ["with an invisible character in the address", () => ({ email: "ada\u200B@example.com" })],
];

/** Tokens that are not signed as they must be. */
const SIGNATURES: ReadonlyArray<readonly [name: string, forge: () => Promise<string>]> = [
  [
    "with alg none",
    async () => {
      const [, claims] = (await team.token("ada@example.com")).split(".");
      return `${base64url({ alg: "none", typ: "JWT" })}.${claims}.`;
    },
  ],
  [
    "with alg none and its old signature",
    async () => {
      const [, claims, signature] = (await team.token("ada@example.com")).split(".");
      return `${base64url({ alg: "none", kid: team.key.kid })}.${claims}.${signature}`;
    },
  ],
  ["signed HS256 with the public key in PEM", () => hmacWith((pem) => pem)],
  ["signed HS256 with the public key in JSON", () => hmacWith(() => JSON.stringify(team.key.publicJwk))],
  ["signed HS256 with nothing", () => hmacWith(() => "\0")],
  [
    "signed RS512",
    async () => {
      const claims = { aud: AUDIENCE, iss: team.issuer, email: "ada@example.com", type: "app" };
      const key = await importJWK({ ...(await privateJwk()), alg: "RS512" }, "RS512");
      return new SignJWT(claims)
        .setIssuedAt()
        .setExpirationTime("1h")
        .setProtectedHeader({ alg: "RS512", kid: team.key.kid })
        .sign(key);
    },
  ],
  [
    "of another team, under our kid",
    async () =>
      team.token("ada@example.com", {}, { key: await newSigningKey(), header: { kid: team.key.kid } }),
  ],
  [
    "that brings its own key",
    async () => {
      const key = await newSigningKey();
      return team.token("ada@example.com", {}, { key, header: { kid: team.key.kid, jwk: key.publicJwk } });
    },
  ],
  [
    "that names its own key set",
    async () => {
      const key = await newSigningKey();
      const jku = "https://evil-client.test/keys";
      await clientSites.serve(jku, { keys: [key.publicJwk] });
      return team.token("ada@example.com", {}, { key, header: { jku } });
    },
  ],
  ["with changed claims", async () => withClaims({ email: "grace@example.com" })],
  ["without its signature", async () => (await team.token("ada@example.com")).replace(/[^.]*$/, "")],
  ["with another type", () => team.token("ada@example.com", {}, { header: { typ: "at+jwt" } })],
  ["that is no token", async () => "ada@example.com"],
  ["that is too long", () => team.token("ada@example.com", { custom: "x".repeat(20_000) })],
  ["twice", async () => `${await team.token("ada@example.com")}, ${await team.token("ada@example.com")}`],
];

async function withClaims(changes: Claims): Promise<string> {
  const [header, claims = "", signature] = (await team.token("ada@example.com")).split(".");
  const decoded = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as Claims;
  return `${header}.${base64url({ ...decoded, ...changes })}.${signature}`;
}

async function privateJwk() {
  return (await crypto.subtle.exportKey("jwk", team.key.privateKey)) as Record<string, string>;
}

/** CVE-2015-9235: a verifier that lets the token choose takes the public key for an HMAC secret. */
async function hmacWith(secretOf: (pem: string) => string): Promise<string> {
  const publicKey = await crypto.subtle.importKey(
    "jwk",
    team.key.publicJwk as JsonWebKey,
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    true,
    ["verify"],
  );
  const secret = new TextEncoder().encode(secretOf(await exportSPKI(publicKey)));
  return new SignJWT({ email: "ada@example.com", type: "app" })
    .setIssuer(team.issuer)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime("1h")
    .setProtectedHeader({ alg: "HS256", kid: team.key.kid })
    .sign(secret);
}

async function expectRefused(answer: Response): Promise<void> {
  expect(answer.status).toBe(403);
  expect(answer.headers.getSetCookie()).toEqual([]);
  expect(readText(await answer.text())).toContain("did not say who you are");
}

describe(verifies("access.token", "the token that Cloudflare Access adds"), () => {
  it("Cloudflare Access: a good one opens the consent page; Access is off without the settings", async () => {
    expect((await withToken(await team.token("ada@example.com"))).status).toBe(200);
    expect((await withToken(await team.token("ada@example.com", { aud: AUDIENCE }))).status).toBe(200);
    expect((await gatewayWith({})(path)).status).toBe(200);
  });

  it.each(CLAIMS)("RFC 8725 §3.8, §3.9: one %s is refused", async (_, changes) => {
    await expectRefused(await withToken(await team.token("ada@example.com", changes())));
  });

  it.each(SIGNATURES)("RFC 8725 §3.1: one %s is refused", async (_, forge) => {
    await expectRefused(await withToken(await forge()));
    expect(await clientSites.asked("https://evil-client.test/keys")).toEqual([]);
  });

  it("Cloudflare Access: the cookie alone, and headers that name a person without a signature, count for nothing", async () => {
    const token = await team.token("ada@example.com");
    const answers = [
      await gateway(path),
      await gateway(path, { headers: { [ACCESS_HEADER]: "" } }),
      await gateway(path, { headers: { cookie: `CF_Authorization=${token}` } }),
      await gateway(path, { headers: { "cf-access-authenticated-user-email": "ada@example.com" } }),
      await gateway(path, { headers: { authorization: `Bearer ${token}`, "cf-access-token": token } }),
      await gateway(`${path}&cf_access_token=${token}`),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(403);
      expect(readText(await answer.text())).toContain("Cloudflare Access is not in front of this page");
    }
  });

  it("RFC 7519 §4.1.4: thirty seconds of clock difference are forgiven, a minute is not", async () => {
    expect((await withToken(await team.token("ada@example.com", { exp: hour(0) - 20 }))).status).toBe(200);
    await expectRefused(await withToken(await team.token("ada@example.com", { exp: hour(0) - 60 })));
  });
});

describe(verifies("access.keys", "the keys of the team"), () => {
  it("RFC 7517 §4.5: a rotated key is found at once, and the old one still works while it is published", async () => {
    expect((await withToken(await team.token("ada@example.com"))).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    const next = await newSigningKey();
    await team.publish(next, team.key);
    expect((await withToken(await team.token("ada@example.com", {}, { key: next }))).status).toBe(200);
    expect((await withToken(await team.token("ada@example.com"))).status).toBe(200);
    expect(await team.fetches()).toBe(2);
  });

  it("gateway: fifty made-up keys make us ask the team once in thirty seconds", async () => {
    await withToken(await team.token("ada@example.com"));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    const key = await newSigningKey();
    const forged = await team.token("ada@example.com", {}, { key });
    const answers = await Promise.all(Array.from({ length: 50 }, () => withToken(forged)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(await team.fetches()).toBe(2);
  });

  it("RFC 9111 §4.2.4: while the team's keys can't be read, the last ones serve for a day", async () => {
    expect((await withToken(await team.token("ada@example.com"))).status).toBe(200);
    await clientSites.answer(`${team.issuer}/cdn-cgi/access/certs`, { status: 503 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 3600_000 });
    expect((await withToken(await team.token("ada@example.com"))).status).toBe(200);
    vi.setSystemTime(Date.now() + 5 * 3600_000);
    const late = await withToken(await team.token("ada@example.com"));
    expect(late.status).toBe(503);
    expect(readText(await late.text())).toContain("can't be checked right now");
  });

  it.each([
    ["nowhere", { status: 404 }],
    ["not JSON", { body: "<html>", headers: { "content-type": "text/html" } }],
    [
      "too long",
      { body: `{"keys":[],"x":"${"x".repeat(70_000)}"}`, headers: { "content-type": "application/json" } },
    ],
    ["without a usable key", { body: '{"keys":[]}', headers: { "content-type": "application/json" } }],
    ["elsewhere", { status: 302, headers: { location: "https://evil-client.test/keys" } }],
  ])("gateway: keys that are %s let nobody in", async (_, answer) => {
    const other = await newAccessTeam();
    await clientSites.answer(`${other.issuer}/cdn-cgi/access/certs`, answer);
    const refused = await gatewayWith(other.settings)(path, {
      headers: { [ACCESS_HEADER]: await other.token("ada@example.com") },
    });
    expect(refused.status).toBe(503);
    expect(refused.headers.getSetCookie()).toEqual([]);
  });
});
