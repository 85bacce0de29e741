// Headers of /mcp, both ways: who may call from a browser, what of a request reaches Gong, and what of Gong's answer
// reaches the client.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { HOSTILE_HEADERS } from "../gong/knobs.ts";
import { ask, ASK_ACCOUNT, call, connect, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { gatewayWith } from "../support/settings.ts";
import { atGong, connectAs } from "../support/mcp.ts";

beforeEach(() => gong.reset());

const OTHER_ORIGINS = [
  "https://evil.test",
  "null",
  "http://gateway.test",
  "https://gateway.test:8443",
  "https://gateway.test.evil.test",
  "https://GATEWAY.test",
  "https://gateway.test/",
];

describe(verifies("resource.origin", "pages of other origins can't call"), () => {
  it.each(OTHER_ORIGINS)(
    "MCP Streamable HTTP, Security: Origin %j gets 403, token or not",
    async (origin) => {
      const { tokens } = await connect();
      const answers = [
        await call(tokens.access_token, TOOLS_LIST, { headers: { origin } }),
        await ask("/mcp", { method: "POST", headers: { origin } }),
        await ask("/mcp", {
          method: "OPTIONS",
          headers: { origin, "access-control-request-method": "POST" },
        }),
      ];
      for (const response of answers) {
        expect(response.status).toBe(403);
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
      expect(await atGong()).toEqual([]);
    },
  );

  it.each([undefined, ORIGIN])("MCP Streamable HTTP, Security: Origin %j may call", async (origin) => {
    const { tokens } = await connect();
    const response = await call(
      tokens.access_token,
      TOOLS_LIST,
      origin === undefined ? {} : { headers: { origin } },
    );
    expect(response.status).toBe(200);
  });

  it("gateway: an origin in ALLOWED_ORIGINS may call, and one beside it may not", async () => {
    const gateway = gatewayWith({ ALLOWED_ORIGINS: "https://inspector.test" });
    const from = (origin: string): Promise<Response> =>
      gateway("/mcp", { method: "POST", headers: { origin } });
    expect((await from("https://inspector.test")).status).toBe(401);
    expect((await from("https://inspector.test.evil.test")).status).toBe(403);
  });

  it("MCP Streamable HTTP, Security: a gateway on loopback answers to loopback names only", async () => {
    const gateway = gatewayWith({ PUBLIC_URL: "http://localhost:8787" });
    expect((await gateway("http://localhost:8787/mcp", { method: "POST" })).status).toBe(401);
    expect((await gateway("http://127.0.0.1:8787/mcp", { method: "POST" })).status).toBe(401);
    expect((await gateway("http://rebound.evil.test:8787/mcp", { method: "POST" })).status).toBe(403);
    const origin = "http://rebound.evil.test:8787";
    const rebound = await gateway("http://localhost:8787/mcp", { method: "POST", headers: { origin } });
    expect(rebound.status).toBe(403);
  });
});

describe(verifies("resource.cors", "a page that may call can read what it needs, and no more"), () => {
  const preflight = (headers: Record<string, string>): Promise<Response> =>
    ask("/mcp", {
      method: "OPTIONS",
      headers: { origin: ORIGIN, "access-control-request-method": "POST", ...headers },
    });
  const listOf = (response: Response, name: string): string[] =>
    (response.headers.get(name) ?? "").split(",").map((value) => value.trim());

  it("Fetch §4.8: a preflight needs no token and allows each header of MCP by its name", async () => {
    const response = await preflight({});
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(listOf(response, "access-control-allow-headers").sort()).toEqual([
      "accept",
      "authorization",
      "content-type",
      "last-event-id",
      "mcp-method",
      "mcp-name",
      "mcp-protocol-version",
      "mcp-session-id",
    ]);
    expect(listOf(response, "access-control-allow-methods").sort()).toEqual(["DELETE", "GET", "POST"]);
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("MCP 2026-07-28: Mcp-Param headers are allowed by the name asked for; other names are not", async () => {
    const asked = "content-type, Mcp-Param-Account, mcp-param-a b, mcp-param-, x-evil, cookie";
    const allowed = listOf(
      await preflight({ "access-control-request-headers": asked }),
      "access-control-allow-headers",
    );
    expect(allowed).toContain("mcp-param-account");
    expect(allowed).not.toContain("x-evil");
    expect(allowed).not.toContain("cookie");
    expect(allowed).not.toContain("*");
    expect(allowed.filter((name) => name.startsWith("mcp-param"))).toEqual(["mcp-param-account"]);
  });

  it("RFC 6750 §3: a page can read the challenge, and later Gong's answer and the session id", async () => {
    const challenged = await ask("/mcp", { method: "POST", headers: { origin: ORIGIN } });
    const { tokens } = await connect();
    const answered = await call(tokens.access_token, TOOLS_LIST, { headers: { origin: ORIGIN } });
    for (const response of [challenged, answered]) {
      expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(response.headers.get("vary")).toBe("Origin");
      expect(listOf(response, "access-control-expose-headers").sort()).toEqual([
        "mcp-session-id",
        "www-authenticate",
      ]);
    }
  });
});

/** One hundred headers that a client, a proxy or an attacker could send. */
function manyHeaders(): Record<string, string> {
  const hostile = {
    cookie: "admin=1",
    referer: "https://evil.test/",
    forwarded: "for=10.0.0.1;host=evil.test",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-host": "evil.test",
    "x-forwarded-proto": "http",
    "x-forwarded-user": "grace",
    "x-real-ip": "10.0.0.1",
    "x-user-id": "grace",
    "x-original-url": "/admin",
    "x-rewrite-url": "/admin",
    "x-http-method-override": "DELETE",
    "x-middleware-subrequest": "src/middleware",
    "mcp-init-host": "evil.test",
    "router-key": "evil",
    "cf-access-jwt-assertion": "eyJhbGciOiJub25lIn0.e30.",
    "cf-access-authenticated-user-email": "admin@gateway.test",
    "cf-connecting-ip": "10.0.0.1",
    "cf-ray": "1",
    "true-client-ip": "10.0.0.1",
    "proxy-authorization": "Basic eDp5",
    connection: "authorization, mcp-protocol-version",
    "keep-alive": "timeout=9",
    te: "trailers",
    trailer: "x-evil",
    "proxy-connection": "keep-alive",
    range: "bytes=0-1",
    "if-none-match": '"x"',
    "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT",
    "accept-language": "tlh",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    baggage: "user=grace",
    expect: "nothing",
    via: "1.1 evil",
    priority: "u=0",
  };
  const fill = Array.from({ length: 100 }, (_, at) => [`x-secret-${at}`, `secret-${at}`] as const);
  return Object.fromEntries([...Object.entries(hostile), ...fill].slice(0, 100));
}

const MCP_HEADERS = {
  "mcp-protocol-version": "2025-06-18",
  "mcp-method": "tools/list",
  "mcp-name": "=?base64?eA==?=",
  "mcp-param-account": "Globex",
  "last-event-id": "7",
};

/** What the runtime and miniflare, which carries it to the stand-in, add to every request. */
const OF_THE_RUNTIME = [
  "accept-encoding",
  "cf-worker",
  "connection",
  "content-length",
  "host",
  "mf-custom-node-service",
  "mf-loopback-secret",
  "transfer-encoding",
];

describe(verifies("proxy.request_headers", "of a request only MCP's own headers reach Gong"), () => {
  it("RFC 9110 §7.6.1: of one hundred and five headers Gong gets seven, and our authorization", async () => {
    const { tokens } = await connect();
    const headers = { ...manyHeaders(), ...MCP_HEADERS };
    expect(Object.keys(headers)).toHaveLength(105);
    expect((await call(tokens.access_token, TOOLS_LIST, { headers })).status).toBe(200);
    const [arrived, ...more] = await atGong();
    expect(more).toEqual([]);
    const names = Object.keys(arrived?.headers ?? {}).filter((name) => !OF_THE_RUNTIME.includes(name));
    expect(names.sort()).toEqual(
      ["accept", "authorization", "content-type", "user-agent", ...Object.keys(MCP_HEADERS)].sort(),
    );
    expect(arrived?.headers).toMatchObject({
      ...MCP_HEADERS,
      "user-agent": "gong-mcp-gateway",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      host: "mcp.gong.test",
    });
    expect(arrived?.headers["connection"] ?? "").not.toContain("authorization");
  });

  it("MCP authorization, Access Token Privilege Restriction: Gong gets its own token, never the client's", async () => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    const answer = await response.text();
    const ledger = await gong.ledger();
    const [issued] = ledger.filter((entry) => entry.kind === "tokens_issued");
    const [arrived] = await atGong();
    expect(arrived?.headers["authorization"]).toBe(`Bearer ${issued?.accessToken}`);
    expect(JSON.stringify(ledger)).not.toContain(tokens.access_token);
    const seen = answer + JSON.stringify([...response.headers]);
    expect(seen).not.toContain(issued?.accessToken);
    expect(seen).not.toContain(issued?.refreshToken);
  });

  it("gateway: headers that other systems trust change neither the person nor the way", async () => {
    const { tokens } = await connectAs("ada");
    await connectAs("grace");
    const response = await call(tokens.access_token, ASK_ACCOUNT, { headers: manyHeaders() });
    expect(await response.text()).toContain("CANARY-ada-7f3a90");
    expect((await ask("/mcp", { method: "POST", body: "{}", headers: manyHeaders() })).status).toBe(401);
    expect((await ask("/admin", { headers: manyHeaders() })).status).toBe(401);
    expect((await atGong()).map(({ method, path, query }) => [method, path, query])).toEqual([
      ["POST", "/mcp", ""],
    ]);
  });

  it("gateway: a query of the client does not reach Gong", async () => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, TOOLS_LIST, { path: "/mcp?x=1&access_token=y" });
    expect(response.status).toBe(200);
    expect((await atGong()).map(({ query }) => query)).toEqual([""]);
  });
});

describe(
  verifies("proxy.answer_headers", "of Gong's answer only the content type and three more headers pass"),
  () => {
    it("RFC 9110 §7.6.1: hostile headers of Gong do not reach the client", async () => {
      const { tokens } = await connect();
      await gong.knobs({
        extraHeaders: [
          ...HOSTILE_HEADERS,
          ["content-security-policy", "default-src *"],
          ["strict-transport-security", "max-age=0"],
          ["server", "gong"],
          ["age", "9"],
          ["last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"],
          ["link", "<https://evil.test/>; rel=preload"],
          ["refresh", "0;url=https://evil.test/"],
          ["x-accel-buffering", "no"],
          ["retry-after", "9"],
        ],
      });
      const response = await call(tokens.access_token, ASK_ACCOUNT);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("CANARY-ada-7f3a90");
      const headers = Object.fromEntries(response.headers);
      delete headers["content-length"];
      expect(headers).toEqual({
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-accel-buffering": "no",
        "retry-after": "9",
      });
    });

    it("RFC 9111 §5.2.2.5: nothing that comes from Gong may be stored, also not an event stream", async () => {
      const { tokens } = await connect();
      await gong.knobs({ answerAs: "sse", extraHeaders: [["cache-control", "public, max-age=31536000"]] });
      const response = await call(tokens.access_token, ASK_ACCOUNT);
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      expect(response.headers.get("cache-control")).toBe("no-store");
      await response.text();
    });
  },
);
