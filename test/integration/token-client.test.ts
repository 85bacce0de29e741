// How clients prove themselves at POST /token and POST /revoke: RFC 6749 §2.3, RFC 7617.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ask,
  askToken,
  CLIENT_REDIRECT,
  PKCE,
  register,
  type Registration,
  signIn,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith } from "../support/settings.ts";

beforeEach(() => gong.reset());

const METHODS = ["none", "client_secret_basic", "client_secret_post"] as const;
type Method = (typeof METHODS)[number];

const basic = (userPass: string): Record<string, string> => ({ authorization: `Basic ${btoa(userPass)}` });

/** What a client of `registration` sends when it authenticates by `method`. */
function proof(
  method: Method,
  { client_id: id, client_secret: secret = "no-secret" }: Registration,
): { fields: Record<string, string>; headers: Record<string, string> } {
  if (method === "none") return { fields: { client_id: id }, headers: {} };
  if (method === "client_secret_post")
    return { fields: { client_id: id, client_secret: secret }, headers: {} };
  return { fields: {}, headers: basic(`${id}:${secret}`) };
}

async function redemption(
  code: string,
  { fields, headers }: { fields: Record<string, string>; headers: Record<string, string> },
): Promise<Response> {
  const form = { grant_type: "authorization_code", code, code_verifier: PKCE.verifier, ...fields };
  return askToken(form, headers);
}

const codeFor = async (id: string): Promise<string> => (await signIn(id)).searchParams.get("code") ?? "";

describe(verifies("token.client_authentication", "the method of a client"), () => {
  const pairs = METHODS.flatMap((registered) =>
    METHODS.filter((each) => each !== registered).map((presented) => [registered, presented] as const),
  );

  it.each(METHODS)("RFC 6749 §2.3: a client registered for %s proves itself by it", async (registered) => {
    const client = await register({ token_endpoint_auth_method: registered });
    const answer = await redemption(await codeFor(client.client_id), proof(registered, client));
    expect(answer.status).toBe(200);
  });

  it.each(pairs)("RFC 6749 §2.3: registered for %s, %s is refused", async (registered, presented) => {
    const client = await register({ token_endpoint_auth_method: registered });
    const code = await codeFor(client.client_id);
    const answer = await redemption(code, proof(presented, client));
    await expectOAuthError(answer, "invalid_client", 401);
    const challenge = presented === "client_secret_basic" ? 'Basic realm="token"' : null;
    expect(answer.headers.get("www-authenticate")).toBe(challenge);
    expect((await redemption(code, proof(registered, client))).status).toBe(200);
  });

  it.each<[string, (client: Registration) => ReturnType<typeof proof>, string, number]>([
    [
      "a wrong secret by Basic",
      ({ client_id: id }) => ({ fields: {}, headers: basic(`${id}:wrong`) }),
      "invalid_client",
      401,
    ],
    [
      "an empty secret",
      ({ client_id: id }) => ({ fields: {}, headers: basic(`${id}:`) }),
      "invalid_client",
      401,
    ],
    [
      "Basic and the secret in the body too",
      (client) => ({
        ...proof("client_secret_post", client),
        headers: proof("client_secret_basic", client).headers,
      }),
      "invalid_request",
      400,
    ],
    [
      "another client id in the body",
      (client) => ({
        ...proof("client_secret_basic", client),
        fields: { client_id: "gcl_AAAAAAAAAAAAAAAAAAAAAA" },
      }),
      "invalid_client",
      401,
    ],
    [
      "an assertion",
      ({ client_id: id }) => ({
        fields: {
          client_id: id,
          client_assertion: "eyJhbGciOiJub25lIn0.e30.",
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        },
        headers: {},
      }),
      "invalid_client",
      401,
    ],
    ["nothing", () => ({ fields: {}, headers: {} }), "invalid_client", 401],
  ])("RFC 6749 §5.2: %s is refused, and the code stays good", async (_, made, error, status) => {
    const client = await register({ token_endpoint_auth_method: "client_secret_basic" });
    const code = await codeFor(client.client_id);
    await expectOAuthError(await redemption(code, made(client)), error, status);
    expect((await redemption(code, proof("client_secret_basic", client))).status).toBe(200);
  });

  it("RFC 6749 §2.3.1: Basic with an equal client_id in the body is taken", async () => {
    const client = await register({ token_endpoint_auth_method: "client_secret_basic" });
    const both = { ...proof("client_secret_basic", client), fields: { client_id: client.client_id } };
    expect((await redemption(await codeFor(client.client_id), both)).status).toBe(200);
  });

  it("RFC 6749 §2.3: headers that proxies set for client certificates prove nothing", async () => {
    const client = await register({ token_endpoint_auth_method: "client_secret_basic" });
    const forged = {
      fields: { client_id: client.client_id },
      headers: { "cf-client-cert-sha256": "x", "x-client-cert": "x", dpop: "eyJ" },
    };
    await expectOAuthError(await redemption("x", forged), "invalid_client", 401);
  });
});

describe(verifies("token.basic", "HTTP Basic"), () => {
  const SECRET = ":%+ é=&";
  const tricky = async (): Promise<ReturnType<typeof gatewayWith>> => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace("=", "");
    const client = {
      client_id: "tricky",
      client_secret_sha256: hash,
      token_endpoint_auth_method: "client_secret_basic",
      redirect_uris: [CLIENT_REDIRECT],
    };
    return gatewayWith({ CLIENTS: JSON.stringify([client]) });
  };
  /** With the right proof the endpoint goes on to the code, which is unknown. */
  const tryWith = async (authorization: string): Promise<Response> =>
    (await tricky())("/token", {
      method: "POST",
      headers: { authorization },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: "x",
        code_verifier: PKCE.verifier,
      }),
    });
  const encoded = new URLSearchParams([["", SECRET]]).toString().slice(1);

  it.each(["Basic", "basic", "BASIC"])("RFC 6749 §2.3.1: a secret of %s is form-decoded", async (scheme) => {
    await expectOAuthError(await tryWith(`${scheme} ${btoa(`tricky:${encoded}`)}`), "invalid_grant");
  });

  it.each([
    ["nothing after the scheme", "Basic"],
    ["only a space", "Basic "],
    ["no base64", "Basic ***"],
    ["base64url", "Basic dHJpY2t5Oi_-"],
    ["no colon", `Basic ${btoa("tricky")}`],
    ["only a colon", `Basic ${btoa(":")}`],
    ["no id", `Basic ${btoa(`:${encoded}`)}`],
    ["bytes that are not UTF-8", `Basic ${btoa("tricky:\xff\xfe")}`],
    ["a broken percent escape", `Basic ${btoa("tricky:%zz")}`],
    ["an escaped NUL", `Basic ${btoa("tricky:%00")}`],
    ["a NUL", `Basic ${btoa("tricky:\u0000")}`],
    ["the secret not encoded", `Basic ${btoa("tricky::%+ ")}`],
    ["the secret with something after it", `Basic ${btoa(`tricky:${encoded}x`)}`],
    ["an id in another case", `Basic ${btoa(`TRICKY:${encoded}`)}`],
    ["an escaped line end in the id", `Basic ${btoa(`tricky%0a:${encoded}`)}`],
    ["Bearer", `Bearer ${btoa(`tricky:${encoded}`)}`],
    ["Digest", "Digest username=tricky"],
    ["two schemes", `Basic ${btoa(`tricky:${encoded}`)}, Basic ${btoa("x:y")}`],
    ["10 kB", `Basic ${btoa(`tricky:${"x".repeat(10_000)}`)}`],
    ["an empty header", " "],
  ])("RFC 7617 §2: %s is 401", async (_, authorization) => {
    await expectOAuthError(await tryWith(authorization), "invalid_client", 401);
  });
});

describe(verifies("token.client_authentication", "every refusal sounds the same"), () => {
  it("OWASP ASVS 16.5.1: wrong secret, wrong method and no secret get one and the same description", async () => {
    const client = await register({ token_endpoint_auth_method: "client_secret_basic" });
    const attempts = [
      { fields: {}, headers: basic(`${client.client_id}:wrong`) },
      { fields: { client_id: client.client_id }, headers: {} },
      proof("client_secret_post", client),
    ];
    const descriptions = new Set<string>();
    for (const attempt of attempts)
      descriptions.add(await expectOAuthError(await redemption("x", attempt), "invalid_client", 401));
    expect(descriptions.size).toBe(1);
  });

  it("gateway: /revoke asks for the same proof", async () => {
    const client = await register({ token_endpoint_auth_method: "client_secret_post" });
    for (const [method, status] of [
      ["none", 401],
      ["client_secret_basic", 401],
      ["client_secret_post", 200],
    ] as const) {
      const { fields, headers } = proof(method, client);
      const body = new URLSearchParams({ token: "x", ...fields });
      expect((await ask("/revoke", { method: "POST", headers, body })).status).toBe(status);
    }
  });
});
