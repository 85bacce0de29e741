// POST /register from outside: what strangers may say about a client, and what they are told back. RFC 7591.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, authorizationQuery, CLIENT_REDIRECT, register } from "../support/flow.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith } from "../support/settings.ts";

beforeEach(() => gong.reset());

const send = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  ask("/register", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const metadata = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  client_name: "Test client",
  redirect_uris: [CLIENT_REDIRECT],
  token_endpoint_auth_method: "none",
  ...changes,
});

describe(verifies("registration.endpoint", "what the body may decide"), () => {
  it("OWASP ASVS 15.3.3: fields of the server's are chosen by the server, unknown ones are dropped", async () => {
    const planted = {
      client_id: "mine",
      client_secret: "mine",
      client_secret_hash: "mine",
      client_id_issued_at: 1,
      client_secret_expires_at: 1,
      registration: "preregistered",
      registration_access_token: "mine",
      trusted: true,
      verified: true,
      is_admin: true,
      scope: "admin",
      expires_at: 9_999_999_999,
      jwks_uri: "https://169.254.169.254/",
      logo_uri: "javascript:alert(1)",
      client_uri: "http://internal/",
      policy_uri: "javascript:alert(1)",
      tos_uri: "data:text/html,x",
      constructor: { prototype: { polluted: true } },
    };
    const answer = await send(metadata(planted));
    expect(answer.status).toBe(201);
    const body: Record<string, unknown> = await answer.json();
    expect(Object.keys(body).sort()).toEqual([
      "client_id",
      "client_id_issued_at",
      "client_name",
      "grant_types",
      "redirect_uris",
      "response_types",
      "token_endpoint_auth_method",
    ]);
    expect(body["client_id"]).not.toBe("mine");
    const rows = await rowsOf("REGISTRY", "clients");
    const row = rows.find(({ id }) => id === body["client_id"]);
    expect(row).toMatchObject({ auth_method: "none", secret_hash: null });
    expect(JSON.stringify(row)).not.toMatch(/mine|trusted|evil|169\.254|javascript|9999999999/);
    expect("polluted" in {}).toBe(false);
    expect(await gong.requests()).toEqual([]);
    const page = await ask(`/authorize?${authorizationQuery(String(body["client_id"]))}`);
    expect(await page.text()).not.toMatch(/169\.254|javascript:|internal|Set up by your admin/);
  });

  it("OWASP ASVS 15.3.6: __proto__ as a member is refused", async () => {
    const body = `{"redirect_uris":["${CLIENT_REDIRECT}"],"__proto__":{"registration":"preregistered"}}`;
    await expectOAuthError(await send(body), "invalid_client_metadata");
  });

  it.each<[string, string, number]>([
    ["nothing", "", 400],
    ["no JSON", "{", 400],
    ["an array", "[]", 400],
    ["null", "null", 400],
    [
      "a member twice",
      `{"redirect_uris":["${CLIENT_REDIRECT}"],"redirect_uris":["https://evil.test/"]}`,
      400,
    ],
    ["ten thousand levels", "[".repeat(10_000) + "]".repeat(10_000), 400],
    ["a lone surrogate in the name", `{"redirect_uris":["${CLIENT_REDIRECT}"],"client_name":"\\ud800"}`, 400],
    ["a huge number", `{"redirect_uris":["${CLIENT_REDIRECT}"],"client_name":1e999}`, 400],
    ["a name of 201 characters", JSON.stringify(metadata({ client_name: "x".repeat(201) })), 400],
    ["a name that is a list", JSON.stringify(metadata({ client_name: ["x"] })), 400],
    ["33 kB", JSON.stringify(metadata({ x: "y".repeat(33_000) })), 413],
    ["10 MB", JSON.stringify(metadata({ x: "y".repeat(10_000_000) })), 413],
  ])("OWASP ASVS 2.2.1: %s is refused quickly", async (_, body, status) => {
    const started = performance.now();
    const answer = await send(body);
    expect(performance.now() - started).toBeLessThan(2000);
    await expectOAuthError(answer, status === 413 ? "invalid_request" : "invalid_client_metadata", status);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "text/json",
  ])("RFC 7591 §3.1: %s is not JSON", async (type) => {
    await expectOAuthError(await send(metadata(), { "content-type": type }), "invalid_client_metadata", 415);
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "Bearer \u00ff",
    "Basic x",
    "Basic Og==",
    "Negotiate",
    "Bearer a, Bearer b",
    ",",
  ])("RFC 7591 §3: Authorization %j is ignored", async (authorization) => {
    expect((await send(metadata(), { authorization })).status).toBe(201);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ grant_types: ["implicit"] }, "invalid_client_metadata"],
    [{ grant_types: ["password"] }, "invalid_client_metadata"],
    [{ grant_types: ["client_credentials"] }, "invalid_client_metadata"],
    [{ grant_types: ["refresh_token"] }, "invalid_client_metadata"],
    [{ grant_types: "authorization_code" }, "invalid_client_metadata"],
    [{ response_types: ["token"] }, "invalid_client_metadata"],
    [{ token_endpoint_auth_method: "private_key_jwt" }, "invalid_client_metadata"],
    [{ software_statement: "eyJhbGciOiJub25lIn0.e30." }, "invalid_software_statement"],
  ])("RFC 7591 §3.2.2: %j is refused", async (changes, error) => {
    await expectOAuthError(await send(metadata(changes)), error);
  });

  it("RFC 7591 §3.2.1: grant types beyond ours are left out of the answer", async () => {
    const body: { grant_types: string[] } = await (
      await send(metadata({ grant_types: ["authorization_code", "password", "implicit"] }))
    ).json();
    expect(body.grant_types).toEqual(["authorization_code"]);
  });
});

describe(verifies("registration.client_id", "ids and secrets of clients"), () => {
  it(
    "RFC 7591 §3.2.1: two hundred ids are random, of one form, and no URL",
    { timeout: 120_000 },
    async () => {
      const ids = await Promise.all(Array.from({ length: 200 }, async () => (await register()).client_id));
      expect(new Set(ids).size).toBe(200);
      for (const id of ids) expect(id).toMatch(/^gcl_[\w-]{22}$/);
    },
  );

  it("RFC 7591 §3.2.1: a client registered as public gets no secret; others get one that is stored as a hash", async () => {
    expect(await register({ token_endpoint_auth_method: "none" })).not.toHaveProperty("client_secret");
    const { client_secret: secret = "" } = await register({
      token_endpoint_auth_method: "client_secret_post",
    });
    expect(secret).toMatch(/^gcs_[\w-]{43}$/);
    expect(await everythingStored()).not.toContain(secret.slice(4));
  });

  it.each(["GET", "PUT", "DELETE", "PATCH", "POST"])(
    "RFC 7592 §2: %s on somebody's registration is not offered",
    async (method) => {
      const { client_id: id } = await register();
      expect((await ask(`/register/${id}`, { method })).status).toBe(404);
      expect((await ask(`/authorize?${authorizationQuery(id)}`)).status).toBe(200);
    },
  );

  it("gateway: under the policy `listed` a host that is not on the list can't register", async () => {
    const gateway = gatewayWith({ CLIENT_POLICY: "listed", ALLOWED_REDIRECT_HOSTS: "client.example" });
    const post = (uri: string): Promise<Response> =>
      gateway("/register", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(metadata({ redirect_uris: [uri] })),
      });
    expect((await post("https://client.example/cb")).status).toBe(201);
    await expectOAuthError(await post("https://evil.test/cb"), "invalid_redirect_uri");
    await expectOAuthError(await post("http://127.0.0.1/cb"), "invalid_redirect_uri");
  });
});
