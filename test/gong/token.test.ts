// The stand-in's contract: codes, client authentication and answers of the token endpoint (T).
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { basic, CALLBACK, driver, PERSONAL, pkce, readJson, SHARED, type TokenAnswer } from "./driver.ts";
import { doubleRedemptions, redemptionsOf } from "./ledger-questions.ts";
import { createStandIn } from "./stand-in.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);
const REFUSED = [400, { error: "invalid_grant" }];

beforeEach(() => gong.reset());

async function outcome(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

describe(verifies("stand_in.token", "the code"), () => {
  test("T1: redirect_uri must be the one of authorize", async () => {
    const code = await client.code();
    expect(await outcome(await client.redeem(code, { redirect_uri: `${CALLBACK}/` }))).toEqual(REFUSED);
    expect((await client.redeem(code)).status).toBe(200);
  });

  test("T2: a code works once; the tokens it gave live on, or end by knob", async () => {
    for (const [codeReuse, status] of [
      ["refused", 200],
      ["refused_and_revokes", 400],
    ] as const) {
      gong.setKnobs({ codeReuse });
      const code = await client.code();
      const tokens = await readJson<TokenAnswer>(await client.redeem(code));
      expect(await outcome(await client.redeem(code))).toEqual(REFUSED);
      expect((await client.refresh(tokens.refresh_token)).status).toBe(status);
      expect(redemptionsOf(gong.ledger(), code).map(({ result }) => result)).toEqual(["accepted", "reused"]);
    }
  });

  test("T2: a code expires after 600 s", async () => {
    const [early, late] = [await client.code(), await client.code()];
    gong.setKnobs({ clockOffsetSeconds: 599 });
    expect((await client.redeem(early)).status).toBe(200);
    gong.setKnobs({ clockOffsetSeconds: 601 });
    expect(await outcome(await client.redeem(late))).toEqual(REFUSED);
  });

  test("T2: 20 requests at once with one code: one gets tokens", async () => {
    const code = await client.code();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.redeem(code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(doubleRedemptions(gong.ledger())).toEqual([code]);
  });

  test("another integration's code is refused", async () => {
    const code = await client.code();
    const fields = { grant_type: "authorization_code", code, redirect_uri: CALLBACK };
    expect(await outcome(await client.token(fields, { authorization: basic(SHARED) }))).toEqual(REFUSED);
  });

  test("A7: a verifier without a challenge is refused", async () => {
    expect((await client.redeem(await client.code(), { code_verifier: pkce().verifier })).status).toBe(400);
  });
});

describe(verifies("stand_in.token", "client authentication (RFC 6749 §2.3.1)"), () => {
  const redeemWith = async (
    fields: Record<string, string>,
    headers: Record<string, string>,
  ): Promise<Response> => {
    const code = await client.code();
    return client.token(
      { grant_type: "authorization_code", code, redirect_uri: CALLBACK, ...fields },
      headers,
    );
  };
  const posted = { client_id: PERSONAL.id, client_secret: PERSONAL.secret };

  test("T3: Basic works, also with an equal client_id in the body; post works", async () => {
    expect((await redeemWith({}, { authorization: basic(PERSONAL) })).status).toBe(200);
    expect((await redeemWith({ client_id: PERSONAL.id }, { authorization: basic(PERSONAL) })).status).toBe(
      200,
    );
    expect((await redeemWith(posted, {})).status).toBe(200);
  });

  test("T3: no authentication gets 401 invalid_client and a Basic challenge", async () => {
    const response = await redeemWith({ client_id: PERSONAL.id }, {});
    expect(response.headers.get("www-authenticate")).toMatch(/^Basic /);
    expect(await outcome(response)).toEqual([401, { error: "invalid_client" }]);
  });

  test("T3: a wrong secret gets 401; both methods at once get 400 invalid_request", async () => {
    const wrong = { authorization: basic({ ...PERSONAL, secret: `${PERSONAL.secret}x` }) };
    expect(await outcome(await redeemWith({}, wrong))).toEqual([401, { error: "invalid_client" }]);
    const both = await redeemWith(posted, { authorization: basic(PERSONAL) });
    expect(await outcome(both)).toEqual([400, { error: "invalid_request" }]);
  });

  test("T4: a secret that was not form-encoded before Basic is refused", async () => {
    const raw = `Basic ${btoa(`${PERSONAL.id}:${PERSONAL.secret}`)}`;
    expect((await redeemWith({}, { authorization: raw })).status).toBe(401);
  });
});

describe(verifies("stand_in.token", "the request"), () => {
  test("T5: JSON is refused; query parameters only by knob", async () => {
    const url = new URL("https://app.gong.test/oauth2/generate-mcp-token");
    const headers = { authorization: basic(PERSONAL) };
    const fields = { grant_type: "authorization_code", code: await client.code(), redirect_uri: CALLBACK };
    const json = { ...headers, "content-type": "application/json" };
    const body = JSON.stringify(fields);
    expect((await gong.fetch(new Request(url, { method: "POST", headers: json, body }))).status).toBe(400);
    url.search = new URLSearchParams(fields).toString();
    expect((await gong.fetch(new Request(url, { method: "POST", headers }))).status).toBe(400);
    gong.setKnobs({ queryParametersTaken: true });
    expect((await gong.fetch(new Request(url, { method: "POST", headers }))).status).toBe(200);
  });

  test("RFC 6749 §5.2: another grant type and a missing one have their own errors", async () => {
    expect(await outcome(await client.token({ grant_type: "password" }))).toEqual([
      400,
      { error: "unsupported_grant_type" },
    ]);
    expect(await outcome(await client.token({ code: "x" }))).toEqual([400, { error: "invalid_request" }]);
  });

  test("A8: a foreign resource at the token endpoint is invalid_target by knob", async () => {
    const code = await client.code();
    gong.setKnobs({ resource: "must_be_mcp_url" });
    const refused = await client.redeem(code, { resource: "https://other.test/mcp" });
    expect(await outcome(refused)).toEqual([400, { error: "invalid_target" }]);
    expect((await client.redeem(code, { resource: "https://mcp.gong.test/mcp" })).status).toBe(200);
  });
});

describe(verifies("stand_in.token", "the answer"), () => {
  test("T6: JWT with uid, refresh token, 86400, lower-case bearer, scope, no-store", async () => {
    const response = await client.redeem(await client.code());
    expect(response.headers.get("cache-control")).toBe("no-store");
    const tokens = await readJson<TokenAnswer>(response);
    expect(tokens).toMatchObject({ expires_in: 86_400, token_type: "bearer" });
    const claims: unknown = JSON.parse(
      Buffer.from(tokens.access_token.split(".")[1] ?? "", "base64url").toString(),
    );
    expect(claims).toMatchObject({ uid: "4815162342000000001" });
  });

  test.each([
    [{ apiBaseUrlInAnswer: true }, { api_base_url_for_customer: expect.stringContaining("https://") }],
    [{ expiresInForm: "string" }, { expires_in: "86400" }],
    [{ expiresInForm: "absent" }, { expires_in: undefined }],
    [{ scopeInAnswer: false }, { scope: undefined }],
    [{ accessTokenForm: "opaque" }, { access_token: expect.stringMatching(/^gong_access_[^.]+$/) }],
    [{ accessTokenForm: "jwt_4kb" }, { access_token: expect.stringMatching(/^.{4096,}$/) }],
    [{ tokenAnswer: "no_access_token" }, { access_token: undefined }],
    [{ expiresInSeconds: 1 }, { expires_in: 1 }],
  ] as const)("T7, T8: %o", async (knobs, fields) => {
    gong.setKnobs(knobs);
    const tokens: Record<string, unknown> = { ...(await client.connect()) };
    const answered = Object.keys(fields).map((name) => [name, tokens[name]]);
    expect(Object.fromEntries(answered)).toEqual(fields);
  });

  test("T7: 200 with HTML by knob", async () => {
    gong.setKnobs({ tokenAnswer: "html" });
    const response = await client.redeem(await client.code());
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html"]);
  });

  test.each([
    ["rfc", "application/json", '{"error":"invalid_grant"}'],
    ["gong_rest", "application/json", '"errors":["invalid_grant"]'],
    ["html", "text/html", "<h1>400</h1>"],
    ["text", "text/plain", "invalid_grant"],
    ["empty", null, ""],
  ] as const)("T9: an error body in form %s", async (errorBody, type, body) => {
    gong.setKnobs({ errorBody });
    const response = await client.refresh("unknown");
    expect([response.status, response.headers.get("content-type")]).toEqual([400, type]);
    expect(await response.text()).toContain(body);
  });

  test("T10: 429 with Retry-After by fault; the refresh token is not spent", async () => {
    const { refresh_token } = await client.connect();
    gong.fault({ endpoint: "token", fault: { kind: "rate_limited", retryAfter: "7" } });
    const limited = await client.refresh(refresh_token);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(limited.headers.has("x-ratelimit-limit")).toBe(false);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  test.each([500, 502, 503, 504])("T11: %i by fault; the refresh token is not spent", async (status) => {
    const { refresh_token } = await client.connect();
    gong.fault({ endpoint: "token", fault: { kind: "status", status } });
    expect((await client.refresh(refresh_token)).status).toBe(status);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  test("T12: there is no revocation endpoint", async () => {
    const request = new Request("https://app.gong.test/oauth2/revoke", { method: "POST" });
    expect((await gong.fetch(request)).status).toBe(404);
  });
});
