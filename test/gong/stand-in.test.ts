// The stand-in's own contract: discovery (D), the challenge (C), the request log (L). Other areas have their own file.
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, basic, driver, PERSONAL, readJson, TOOLS_LIST } from "./driver.ts";
import { requestLog } from "./ledger.ts";
import { createStandIn } from "./stand-in.ts";

const MCP = "https://mcp.gong.test";
const APP = "https://app.gong.test";
const gong = createStandIn({ mcpOrigin: MCP, appOrigin: APP });
const client = driver((request) => gong.fetch(request), gong);
const get = (url: string): Promise<Response> => gong.fetch(new Request(url));
const PRM = `${MCP}/.well-known/oauth-protected-resource/mcp`;

beforeEach(() => gong.reset());

describe(verifies("stand_in.discovery", "discovery"), () => {
  test("D1: RFC 8414 metadata has Gong's fields in Gong's order", async () => {
    const response = await get(`${MCP}/.well-known/oauth-authorization-server`);
    expect(await response.text()).toBe(
      `{"grant_types_supported":["authorization_code","refresh_token"],"issuer":"${MCP}","response_types_supported":["code"],"authorization_endpoint":"${APP}/oauth2/authorize","token_endpoint":"${APP}/oauth2/generate-mcp-token","token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],"scopes_supported":["mcp:ai-ask:read","mcp:ai-briefer:read","mcp:ai-assistant:read"],"code_challenge_methods_supported":["S256"]}`,
    );
  });

  test("D2: registration_endpoint is absent, and present by knob", async () => {
    const url = `${MCP}/.well-known/oauth-authorization-server`;
    expect(await readJson(await get(url))).not.toHaveProperty("registration_endpoint");
    gong.setKnobs({ registrationEndpoint: true });
    expect(await readJson(await get(url))).toHaveProperty("registration_endpoint", `${APP}/oauth2/register`);
  });

  test("D3: RFC 9728 metadata is at the path-inserted URL, in Gong's order", async () => {
    const body = await (await get(PRM)).text();
    expect(body).toBe(
      `{"authorization_servers":["${MCP}"],"resource":"${MCP}/mcp","scopes_supported":["mcp:ai-ask:read","mcp:ai-briefer:read","mcp:ai-assistant:read"]}`,
    );
  });

  test.each([
    "/.well-known/oauth-protected-resource",
    "/.well-known/openid-configuration",
    "/.well-known/agent-card.json",
    "/.well-known/oauth-authorization-server/mcp",
  ])("D4: the MCP origin answers 401, not 404, for %s", async (path) => {
    expect((await get(`${MCP}${path}`)).status).toBe(401);
  });

  test.each(["oauth-authorization-server", "oauth-protected-resource", "openid-configuration"])(
    "D5: the app origin answers 404 for %s",
    async (name) => {
      expect((await get(`${APP}/.well-known/${name}`)).status).toBe(404);
    },
  );

  test("D6: authorize and token are not at the issuer's origin, nor the MCP endpoint at the app's", async () => {
    expect((await get(`${MCP}/oauth2/authorize`)).status).toBe(401);
    expect((await gong.fetch(new Request(`${APP}/mcp`, { method: "POST", body: "{}" }))).status).toBe(404);
  });

  test("a request to any other origin is answered 501 and noted", async () => {
    expect((await get("https://elsewhere.test/x")).status).toBe(501);
    expect(gong.ledger()[0]).toMatchObject({ kind: "request", side: "elsewhere", host: "elsewhere.test" });
  });
});

describe(verifies("stand_in.discovery", "the challenge"), () => {
  test.each(["POST", "GET", "DELETE"])(
    "C1: %s without a token gets 401 and an unquoted URL",
    async (method) => {
      const response = await gong.fetch(new Request(`${MCP}/mcp`, { method }));
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe(`Bearer realm="mcp", resource_metadata=${PRM}`);
    },
  );

  test("C1: the URL is quoted by knob", async () => {
    gong.setKnobs({ challengeUrlQuoted: true });
    const response = await client.post(TOOLS_LIST, undefined);
    expect(response.headers.get("www-authenticate")).toBe(`Bearer realm="mcp", resource_metadata="${PRM}"`);
  });

  test("C2: an unknown token gets the same 401, and error=invalid_token by knob", async () => {
    const plain = await client.post(TOOLS_LIST, "made-up");
    expect(plain.status).toBe(401);
    expect(plain.headers.get("www-authenticate")).not.toContain("error");
    gong.setKnobs({ challengeNamesInvalidToken: true });
    const named = await client.post(TOOLS_LIST, "made-up");
    expect(named.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await client.post(TOOLS_LIST, undefined)).headers.get("www-authenticate")).not.toContain("error");
  });

  test("C2: an access token works until it expires", async () => {
    gong.setKnobs({ expiresInSeconds: 60 });
    const { access_token } = await client.connect();
    gong.setKnobs({ clockOffsetSeconds: 59 });
    expect((await client.post(TOOLS_LIST, access_token)).status).toBe(200);
    gong.setKnobs({ clockOffsetSeconds: 61 });
    expect((await client.post(TOOLS_LIST, access_token)).status).toBe(401);
  });

  test("C3: a token of the REST surface is refused on MCP", async () => {
    expect((await client.post(TOOLS_LIST, gong.restToken("ada"))).status).toBe(401);
  });

  test("C4: a token in the query string is refused", async () => {
    const { access_token } = await client.connect();
    const url = `${MCP}/mcp?access_token=${access_token}`;
    expect((await gong.fetch(new Request(url, { method: "POST", body: "{}" }))).status).toBe(401);
  });

  test.each([
    ["token", 403, 200],
    ["mcp", 200, 403],
    ["everywhere", 403, 403],
  ] as const)("C5: an address refused at %s gets 403 and no JSON", async (at, tokenStatus, mcpStatus) => {
    const tokens = await client.connect();
    gong.setKnobs({ refusedAddressAt: at });
    const answers = [
      await client.refresh(tokens.refresh_token),
      await client.post(TOOLS_LIST, tokens.access_token),
    ];
    expect(answers.map(({ status }) => status)).toEqual([tokenStatus, mcpStatus]);
    for (const answer of answers.filter(({ status }) => status === 403)) {
      expect(answer.headers.get("content-type")).toBe("text/html");
    }
  });
});

describe(verifies("stand_in.ledger", "the ledger"), () => {
  test("L1: the request log has method, path, grant type and whether Authorization was there; no value", async () => {
    const tokens = await client.connect();
    await client.post(ASK_ACCOUNT, tokens.access_token);
    const log = requestLog(gong.ledger());
    expect(
      log.map(({ method, path, grantType, hasAuthorization, tool }) => ({
        method,
        path,
        grantType,
        hasAuthorization,
        tool,
      })),
    ).toEqual([
      { method: "GET", path: "/oauth2/authorize", hasAuthorization: false },
      {
        method: "POST",
        path: "/oauth2/generate-mcp-token",
        grantType: "authorization_code",
        hasAuthorization: true,
      },
      { method: "POST", path: "/mcp", hasAuthorization: true, tool: "ask_account" },
    ]);
    const text = JSON.stringify(log);
    for (const secret of [tokens.access_token, "gong_code", "gong_refresh", basic(PERSONAL)]) {
      expect(text).not.toContain(secret);
    }
  });

  test("L1: entries are in order and cannot be changed", async () => {
    await client.connect();
    const entries = gong.ledger();
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => at + 1));
    expect(entries.every((entry) => Object.isFrozen(entry))).toBe(true);
  });

  test("knobs that do not exist, and values of a wrong type, are refused", () => {
    expect(() => gong.setKnobs(JSON.parse('{"nope":1}'))).toThrow("nope");
    expect(() => gong.setKnobs(JSON.parse('{"refreshMode":"sometimes"}'))).toThrow("refreshMode");
  });

  test("two stand-ins share nothing", async () => {
    const other = createStandIn({ mcpOrigin: MCP, appOrigin: APP });
    const { access_token } = await client.connect();
    const elsewhere = driver((request) => other.fetch(request), other);
    expect((await elsewhere.post(TOOLS_LIST, access_token)).status).toBe(401);
    expect(other.ledger().map(({ kind }) => kind)).toEqual(["request"]);
  });
});
