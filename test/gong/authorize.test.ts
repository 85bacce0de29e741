// The stand-in's contract: integrations (I) and the authorize page (A).
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  basic,
  CALLBACK,
  callbackOf,
  driver,
  PERSONAL,
  pkce,
  readJson,
  SHARED,
  TOOLS_LIST,
} from "./driver.ts";
import { createStandIn } from "./stand-in.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);
const SCOPE_LIST = ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"];

beforeEach(() => gong.reset());

async function errorOf(changes: Record<string, string | undefined>): Promise<string | null> {
  return callbackOf(await client.authorize(changes)).searchParams.get("error");
}

describe(verifies("stand_in.integrations", "integrations"), () => {
  test("I1: two are registered, one personal and one shared, with awkward secrets", () => {
    expect(gong.integrations()).toMatchObject([
      { clientId: PERSONAL.id, clientSecret: PERSONAL.secret, access: "personal", registration: "manual" },
      { clientId: SHARED.id, clientSecret: SHARED.secret, access: "shared", scopes: SCOPE_LIST },
    ]);
  });

  test.each([{ access: "shared" }, { registration: "automatic" }, { clientId: "other" }] as const)(
    "I2: %o is fixed for good",
    (change) => {
      expect(() => gong.editIntegration(PERSONAL.id, change)).toThrow("is fixed");
    },
  );

  test("I3: an edited redirect URI works on the next authorize, and the old one no more", async () => {
    gong.editIntegration(PERSONAL.id, { redirectUris: ["https://gateway.test/new"], name: "Renamed" });
    expect((await client.authorize({ redirect_uri: "https://gateway.test/new" })).status).toBe(302);
    expect((await client.authorize()).status).toBe(400);
  });

  test.each(["http://gateway.test/callback", "http://localhost:8787/callback", "https://127.0.0.1/callback"])(
    "I4: %s is refused at save, and taken by knob",
    (redirectUri) => {
      const draft = { redirectUris: [redirectUri] };
      expect(() => gong.createIntegration(draft)).toThrow("public https");
      gong.setKnobs({ httpRedirectsTaken: true });
      expect(gong.createIntegration(draft).redirectUris).toEqual([redirectUri]);
    },
  );

  test.each([
    ["dies_at_once", 401],
    ["lives_to_expiry", 200],
  ] as const)("I5: after a deactivation an access token %s", async (accessAfterRemoval, status) => {
    gong.setKnobs({ accessAfterRemoval });
    const { access_token } = await client.connect();
    gong.changePerson("ada", { active: false });
    expect((await client.post(TOOLS_LIST, access_token)).status).toBe(status);
  });

  test.each([
    ["invalid_grant", 400],
    ["invalid_client", 401],
  ] as const)("I5: after a deletion a refresh answers %s by knob", async (error, status) => {
    gong.setKnobs({ refreshAfterRemoval: error });
    const { refresh_token } = await client.connect();
    gong.deleteIntegration(PERSONAL.id);
    const response = await client.refresh(refresh_token);
    expect([response.status, await response.json()]).toEqual([status, { error }]);
  });

  test("I6: an old secret gets 401 invalid_client; the new one refreshes", async () => {
    const { refresh_token } = await client.connect();
    gong.editIntegration(PERSONAL.id, { clientSecret: "new" });
    expect((await client.refresh(refresh_token)).status).toBe(401);
    const fields = { grant_type: "refresh_token", refresh_token };
    const renewed = await client.token(fields, { authorization: basic({ id: PERSONAL.id, secret: "new" }) });
    expect(renewed.status).toBe(200);
  });

  test("I6: a refresh token from another client id gets 400 invalid_grant and stays good", async () => {
    const { refresh_token } = await client.connect();
    const fields = { grant_type: "refresh_token", refresh_token };
    const foreign = await client.token(fields, { authorization: basic(SHARED) });
    expect([foreign.status, await foreign.json()]).toEqual([400, { error: "invalid_grant" }]);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  const register = (body: unknown): Promise<Response> =>
    gong.fetch(
      new Request("https://app.gong.test/oauth2/register", { method: "POST", body: JSON.stringify(body) }),
    );
  const REGISTRATION = { redirect_uris: ["https://approved-client.test/callback"] };

  test("I7: registration is 404 by default; switched on it gives a confidential client (RFC 7591)", async () => {
    expect((await register(REGISTRATION)).status).toBe(404);
    gong.setKnobs({ registrationEndpoint: true });
    const response = await register(REGISTRATION);
    expect(response.status).toBe(201);
    expect((await readJson<{ client_secret: string }>(response)).client_secret.length).toBeGreaterThan(20);
  });

  test.each([
    [{ redirect_uris: [CALLBACK] }, "invalid_redirect_uri"],
    [{ ...REGISTRATION, token_endpoint_auth_method: "none" }, "invalid_client_metadata"],
  ])("I7: %o is refused with %s", async (body, error) => {
    gong.setKnobs({ registrationEndpoint: true });
    const response = await register(body);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });
});

describe(verifies("stand_in.authorize", "authorize"), () => {
  test.each([
    `${CALLBACK}/`,
    `${CALLBACK}?a=1`,
    "https://GATEWAY.test/callback",
    "https://gateway.test/",
    undefined,
  ])("A1: redirect URI %s is not the saved line: an error page, no redirect", async (redirectUri) => {
    const response = await client.authorize({ redirect_uri: redirectUri });
    expect(response.status).toBe(400);
    expect(response.headers.get("location")).toBeNull();
    expect(response.headers.get("content-type")).toContain("text/html");
  });

  test("A1: an unknown client gets an error page, no redirect", async () => {
    expect((await client.authorize({ client_id: "nobody" })).status).toBe(400);
  });

  test("A2: without a paid seat authorize refuses", async () => {
    gong.setKnobs({ signedInAs: "collaborator" });
    expect(await errorOf({})).toBe("access_denied");
  });

  test("A2: by knob the token endpoint or the call refuses instead", async () => {
    gong.setKnobs({ signedInAs: "collaborator", seatRefusedAt: "token" });
    expect((await client.redeem(await client.code())).status).toBe(400);
    gong.setKnobs({ seatRefusedAt: "call" });
    const { access_token } = await client.connect();
    expect((await client.post(TOOLS_LIST, access_token)).status).toBe(403);
  });

  test("A3: denial comes back as access_denied with state", async () => {
    gong.setKnobs({ authorizePage: "deny" });
    expect(callbackOf(await client.authorize()).search).toBe("?error=access_denied&state=s-1");
  });

  test("A4: state comes back exactly, whatever it holds", async () => {
    const state = "a+b/c=d%20e&f #g é";
    expect(callbackOf(await client.authorize({ state })).searchParams.get("state")).toBe(state);
    expect(callbackOf(await client.authorize({ state: undefined })).searchParams.has("state")).toBe(false);
  });

  test("A5: a subset is granted, none asked means all, an unknown scope is invalid_scope", async () => {
    expect((await client.connect({ scope: "mcp:ai-ask:read" })).scope).toBe("mcp:ai-ask:read");
    expect((await client.connect()).scope).toBe(SCOPE_LIST.join(" "));
    expect(await errorOf({ scope: "mcp:ai-ask:read api:calls:read" })).toBe("invalid_scope");
  });

  test("A6: a scope the integration lacks is invalid_scope, or left out by knob", async () => {
    gong.editIntegration(PERSONAL.id, { scopes: ["mcp:ai-ask:read"] });
    const scope = "mcp:ai-ask:read mcp:ai-briefer:read";
    expect(await errorOf({ scope })).toBe("invalid_scope");
    gong.setKnobs({ scopeNotOnIntegration: "left_out" });
    expect((await client.connect({ scope })).scope).toBe("mcp:ai-ask:read");
  });

  test("A7: S256 is verified when a challenge was sent (RFC 7636 §4.6)", async () => {
    const { verifier, challenge } = pkce();
    const asked = { code_challenge: challenge, code_challenge_method: "S256" };
    expect((await client.redeem(await client.code(asked), { code_verifier: verifier })).status).toBe(200);
    expect((await client.redeem(await client.code(asked), { code_verifier: pkce().verifier })).status).toBe(
      400,
    );
    expect((await client.redeem(await client.code(asked))).status).toBe(400);
  });

  test("A7: plain is refused; no challenge is taken, and refused by knob", async () => {
    const { verifier } = pkce();
    expect(await errorOf({ code_challenge: verifier, code_challenge_method: "plain" })).toBe(
      "invalid_request",
    );
    expect(await errorOf({})).toBeNull();
    gong.setKnobs({ pkceRequired: true });
    expect(await errorOf({})).toBe("invalid_request");
  });

  test("A8: a foreign resource is taken, or invalid_target by knob", async () => {
    const resource = "https://other.test/mcp";
    expect(await errorOf({ resource })).toBeNull();
    gong.setKnobs({ resource: "must_be_mcp_url" });
    expect(await errorOf({ resource })).toBe("invalid_target");
    expect(await errorOf({ resource: "https://mcp.gong.test/mcp" })).toBeNull();
  });

  test.each([
    ["accepted", "https://mcp.gong.test/mcp"],
    ["ignored", undefined],
  ] as const)("A8: resource is %s", async (resource, recorded) => {
    gong.setKnobs({ resource });
    await client.code({ resource: "https://mcp.gong.test/mcp" });
    const issued = gong.ledger().find((entry) => entry.kind === "code_issued");
    expect(issued?.resource).toBe(recorded);
  });

  test("A9: the callback can carry a wrong state, extra and repeated parameters, and iss", async () => {
    const callback = async (): Promise<URLSearchParams> => callbackOf(await client.authorize()).searchParams;
    expect((await callback()).has("iss")).toBe(false);
    gong.setKnobs({ callbackState: "wrong", callbackExtra: "code_twice", callbackIss: "own" });
    const spoiled = await callback();
    expect(spoiled.get("state")).not.toBe("s-1");
    expect(spoiled.getAll("code")).toHaveLength(2);
    expect(spoiled.get("iss")).toBe("https://mcp.gong.test");
    gong.setKnobs({ callbackState: "missing", callbackExtra: "unknown_parameter", callbackIss: "foreign" });
    expect([...(await callback()).keys()]).toEqual(["code", "unasked", "iss"]);
  });

  test("RFC 6749 §3.1: a repeated parameter and another response type are refused", async () => {
    expect(await errorOf({ response_type: "token" })).toBe("unsupported_response_type");
    const url = `https://app.gong.test/oauth2/authorize?response_type=code&state=a&state=b&client_id=${PERSONAL.id}&redirect_uri=${CALLBACK}`;
    expect(callbackOf(await gong.fetch(new Request(url))).searchParams.get("error")).toBe("invalid_request");
  });
});

describe(verifies("stand_in.authorize", "the page"), () => {
  const decide = async (page: Response, fields: Record<string, string>): Promise<Response> => {
    const ticket = /name="ticket" value="([^"]+)"/.exec(await page.clone().text())?.[1] ?? "";
    const body = new URLSearchParams({ ticket, ...fields });
    return gong.fetch(new Request("https://app.gong.test/oauth2/authorize", { method: "POST", body }));
  };

  beforeEach(() => void gong.setKnobs({ authorizePage: "page" }));

  test("shows Allow and Deny; Allow leads back with a code, once", async () => {
    const page = await client.authorize();
    expect(await page.clone().text()).toMatch(/>Allow<[^]*>Deny</);
    const allowed = await decide(page, { decision: "allow" });
    expect(callbackOf(allowed).searchParams.get("code")).toMatch(/^gong_code_/);
    expect((await decide(page, { decision: "allow" })).status).toBe(400);
  });

  test("A3: Deny leads back with access_denied", async () => {
    const denied = await decide(await client.authorize(), { decision: "deny" });
    expect(callbackOf(denied).searchParams.get("error")).toBe("access_denied");
  });

  test("the person chosen on the page signs in, and the cookie remembers them", async () => {
    const allowed = await decide(await client.authorize(), { decision: "allow", person: "grace" });
    const cookie = allowed.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    expect(await (await client.authorize({}, { cookie })).text()).toMatch(/value="grace"\s+selected/);
  });

  test("by knob a returning person is not asked again", async () => {
    await decide(await client.authorize(), { decision: "allow" });
    expect((await client.authorize()).status).toBe(200);
    gong.setKnobs({ skipConsentForReturningPerson: true });
    expect((await client.authorize()).status).toBe(302);
  });
});
