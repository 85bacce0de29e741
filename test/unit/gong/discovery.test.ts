// src/gong/discovery.ts: Gong's endpoints from its MCP URL, and what is refused on the way.
import { describe, expect, test, vi } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { cachedDiscovery, discoverGong } from "../../../src/gong/discovery.ts";
import { kindOf, playingGong } from "./playing-gong.ts";

const MCP_URL = "https://mcp.gong.test/mcp";
const RESOURCE_METADATA = "https://mcp.gong.test/.well-known/oauth-protected-resource/mcp";
const SERVER_METADATA = "https://mcp.gong.test/.well-known/oauth-authorization-server";
const OPENID_METADATA = "https://mcp.gong.test/.well-known/openid-configuration";

/** Gong's own documents, with test hosts. */
const RESOURCE = {
  authorization_servers: ["https://mcp.gong.test"],
  resource: MCP_URL,
  scopes_supported: ["mcp:ai-ask:read", "mcp:ai-briefer:read"],
};
const SERVER = {
  grant_types_supported: ["authorization_code", "refresh_token"],
  issuer: "https://mcp.gong.test",
  response_types_supported: ["code"],
  authorization_endpoint: "https://app.gong.test/oauth2/authorize",
  token_endpoint: "https://app.gong.test/oauth2/generate-mcp-token",
  token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  scopes_supported: ["mcp:ai-ask:read"],
  code_challenge_methods_supported: ["S256"],
};

type Documents = Readonly<Record<string, (() => Response | Promise<Response>) | undefined>>;

/** Gong as it is (401 for well-knowns it lacks), with some documents changed. */
function gongWith(changes: Documents = {}): ReturnType<typeof playingGong> {
  const documents: Documents = {
    [RESOURCE_METADATA]: () => Response.json(RESOURCE),
    [SERVER_METADATA]: () => Response.json(SERVER),
    ...changes,
  };
  return playingGong((url) => documents[url]?.() ?? new Response(null, { status: 401 }));
}

async function failureOf(changes: Documents, mcpUrl: string = MCP_URL): Promise<string> {
  return await kindOf(() => discoverGong(new URL(mcpUrl), gongWith(changes).fetcher));
}

describe(verifies("gong.discovery", "discovering Gong's endpoints"), () => {
  test("RFC 9728 §3, RFC 8414 §3: two documents lead from the MCP URL to the endpoints", async () => {
    const { fetcher, asked } = gongWith();
    expect(await discoverGong(new URL(MCP_URL), fetcher)).toEqual({
      issuer: "https://mcp.gong.test",
      authorizationEndpoint: new URL("https://app.gong.test/oauth2/authorize"),
      tokenEndpoint: new URL("https://app.gong.test/oauth2/generate-mcp-token"),
      tokenEndpointAuthMethods: ["client_secret_basic", "client_secret_post"],
      issuesIss: false,
      scopes: ["mcp:ai-ask:read", "mcp:ai-briefer:read"],
      source: "discovered",
    });
    expect(asked.map(({ url, method, redirect }) => [url, method, redirect])).toEqual([
      [RESOURCE_METADATA, "GET", "manual"],
      [SERVER_METADATA, "GET", "manual"],
    ]);
  });

  test("MCP 2026-07-28 Authorization Server Discovery: metadata where OpenID Connect has it is found", async () => {
    const { fetcher, asked } = gongWith({
      [SERVER_METADATA]: undefined,
      [OPENID_METADATA]: () => Response.json(SERVER),
    });
    expect(await discoverGong(new URL(MCP_URL), fetcher)).toMatchObject({ issuer: SERVER.issuer });
    expect(asked.map(({ url }) => url)).toEqual([RESOURCE_METADATA, SERVER_METADATA, OPENID_METADATA]);
  });

  test("RFC 8414 §3: a server that fails is not asked for the same document elsewhere", async () => {
    const { fetcher, asked } = gongWith({ [SERVER_METADATA]: () => new Response(null, { status: 500 }) });
    expect(await kindOf(() => discoverGong(new URL(MCP_URL), fetcher))).toBe("unavailable");
    expect(asked.map(({ url }) => url)).toEqual([RESOURCE_METADATA, SERVER_METADATA]);
  });

  test("RFC 9207 §3, RFC 8414 §2: iss is expected when announced, and Basic and the server's scopes are the default", async () => {
    const { token_endpoint_auth_methods_supported: _methods, ...rest } = SERVER;
    const { scopes_supported: _scopes, ...resource } = RESOURCE;
    const { fetcher } = gongWith({
      [RESOURCE_METADATA]: () => Response.json(resource),
      [SERVER_METADATA]: () =>
        Response.json({ ...rest, authorization_response_iss_parameter_supported: true }),
    });
    expect(await discoverGong(new URL(MCP_URL), fetcher)).toMatchObject({
      issuesIss: true,
      tokenEndpointAuthMethods: ["client_secret_basic"],
      scopes: ["mcp:ai-ask:read"],
    });
  });

  test.each([
    ["401", () => new Response(null, { status: 401 })],
    ["404", () => new Response("no", { status: 404 })],
    ["500", () => Response.json(RESOURCE, { status: 500 })],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: SERVER_METADATA } })],
    ["no answer", () => Promise.reject(new TypeError("Network connection lost."))],
  ])("RFC 9728 §3: with %s there is no metadata", async (_, answer) => {
    expect(await failureOf({ [RESOURCE_METADATA]: answer })).toBe("unavailable");
    expect(await failureOf({ [SERVER_METADATA]: answer })).toBe("unavailable");
  });

  test.each([
    ["another resource", { ...RESOURCE, resource: "https://mcp.gong.test/other" }],
    ["no resource", { authorization_servers: RESOURCE.authorization_servers }],
    ["no authorization server", { ...RESOURCE, authorization_servers: [] }],
    ["an authorization server without TLS", { ...RESOURCE, authorization_servers: ["http://mcp.gong.test"] }],
    ["an authorization server that is no URL", { ...RESOURCE, authorization_servers: ["gong"] }],
    ["scopes that no request can carry", { ...RESOURCE, scopes_supported: ["two words"] }],
    ["an array", [RESOURCE]],
  ])("RFC 9728 §3.3: resource metadata with %s is refused", async (_, document) => {
    expect(await failureOf({ [RESOURCE_METADATA]: () => Response.json(document) })).toBe("malformed");
  });

  test.each([
    ["another issuer", { ...SERVER, issuer: "https://evil.test" }],
    ["an issuer that differs by a slash", { ...SERVER, issuer: "https://mcp.gong.test/" }],
    ["an issuer that differs by case", { ...SERVER, issuer: "https://MCP.gong.test" }],
    ["a token endpoint without TLS", { ...SERVER, token_endpoint: "http://app.gong.test/token" }],
    ["a token endpoint on loopback without TLS", { ...SERVER, token_endpoint: "http://127.0.0.1/token" }],
    [
      "an authorization endpoint without TLS",
      { ...SERVER, authorization_endpoint: "http://app.gong.test/a" },
    ],
    [
      "an authorization endpoint that is a script",
      { ...SERVER, authorization_endpoint: "javascript:alert(1)" },
    ],
    ["an endpoint with a fragment", { ...SERVER, authorization_endpoint: "https://app.gong.test/a#b" }],
    ["an endpoint with credentials", { ...SERVER, token_endpoint: "https://a:b@app.gong.test/token" }],
    ["no token endpoint", { ...SERVER, token_endpoint: undefined }],
    ["PKCE without S256", { ...SERVER, code_challenge_methods_supported: ["plain"] }],
    ["no PKCE", { ...SERVER, code_challenge_methods_supported: undefined }],
    ["public clients only", { ...SERVER, token_endpoint_auth_methods_supported: ["none"] }],
  ])("RFC 8414 §3.3, MCP 2026-07-28: server metadata with %s is refused", async (_, document) => {
    expect(await failureOf({ [SERVER_METADATA]: () => Response.json(document) })).toBe("malformed");
  });

  test.each([
    ["HTML", "<!doctype html><title>Sign in</title>"],
    ["a repeated key", JSON.stringify(SERVER).replace("{", '{"issuer":"https://evil.test",')],
    ["nothing", ""],
  ])("RFC 8414 §3.2: %s in place of the document is refused", async (_, text) => {
    const headers = { "content-type": "application/json" };
    expect(await failureOf({ [SERVER_METADATA]: () => new Response(text, { headers }) })).toBe("malformed");
  });

  test("a document of 64 KiB is read, and a longer one is not read to its end", async () => {
    const padded = (length: number): Response => {
      const text = JSON.stringify(SERVER);
      return new Response(text + " ".repeat(length - text.length), {
        headers: { "content-type": "application/json" },
      });
    };
    expect(await failureOf({ [SERVER_METADATA]: () => padded(65_536) })).toBe("none");
    expect(await failureOf({ [SERVER_METADATA]: () => padded(65_537) })).toBe("malformed");
  });

  test("RFC 8414 §2: http is for loopback only, and only when the MCP URL is there too", async () => {
    const local = "http://127.0.0.1:9001";
    const changes = (tokenEndpoint: string): Documents => ({
      [`${local}/.well-known/oauth-protected-resource/mcp`]: () =>
        Response.json({ resource: `${local}/mcp`, authorization_servers: [local] }),
      [`${local}/.well-known/oauth-authorization-server`]: () =>
        Response.json({ ...SERVER, issuer: local, token_endpoint: tokenEndpoint }),
    });
    expect(await failureOf(changes("http://localhost:9002/token"), `${local}/mcp`)).toBe("none");
    expect(await failureOf(changes("http://app.gong.test/token"), `${local}/mcp`)).toBe("malformed");
    expect(await failureOf({}, "http://mcp.gong.test/mcp")).toBe("malformed");
  });
});

describe(verifies("gong.discovery_kept", "keeping a discovery"), () => {
  test("Gong's published values stand in for metadata that can't be read, for Gong's own MCP URL only", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const endpoints = await discoverGong(new URL("https://mcp.gong.io/mcp"), gongWith().fetcher);
    expect(endpoints).toMatchObject({
      source: "published",
      issuer: "https://mcp.gong.io",
      tokenEndpoint: new URL("https://app.gong.io/oauth2/generate-mcp-token"),
    });
    expect(warn.mock.calls.flat().join("")).toContain('"event":"discovery.failed"');
    warn.mockRestore();
    expect(await failureOf({}, "https://mcp.gong.io/mcp/")).toBe("unavailable");
    expect(await failureOf({}, "https://mcp.gong.test/other")).toBe("unavailable");
  });

  test("a discovery is kept for an hour", async () => {
    const { fetcher, asked } = gongWith();
    const ask = (now: number): Promise<unknown> => cachedDiscovery(new URL(MCP_URL), fetcher, now);
    const first = await ask(1_000_000);
    expect(await ask(1_003_599)).toBe(first);
    expect(asked).toHaveLength(2);
    await ask(1_003_600);
    expect(asked).toHaveLength(4);
  });

  test("a failed discovery is kept for ten seconds, and each MCP URL has its own", async () => {
    const missing = new URL("https://mcp.gong.test/missing");
    const { fetcher, asked } = gongWith();
    const ask = (now: number): Promise<string> => kindOf(() => cachedDiscovery(missing, fetcher, now));
    expect(await ask(1_000_000)).toBe("unavailable");
    expect(await ask(1_000_009)).toBe("unavailable");
    expect(asked).toHaveLength(1);
    expect(await ask(1_000_010)).toBe("unavailable");
    expect(asked).toHaveLength(2);
  });

  test("published values are tried again after ten seconds", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { fetcher, asked } = gongWith();
    const ask = (now: number): Promise<unknown> =>
      cachedDiscovery(new URL("https://mcp.gong.io/mcp"), fetcher, now);
    await ask(1_000_000);
    await ask(1_000_009);
    expect(asked).toHaveLength(1);
    expect(await ask(1_000_010)).toMatchObject({ source: "published" });
    expect(asked).toHaveLength(2);
    warn.mockRestore();
  });
});
