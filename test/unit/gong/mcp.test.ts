// src/gong/mcp.ts: what of a client's request reaches Gong. Gong's answers are in mcp-answers.test.ts.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { type GongMcpCall, gongRefusal, requestGongMcp } from "../../../src/gong/mcp.ts";
import { type Asked, kindOf, playingGong } from "./playing-gong.ts";

const ACCESS_TOKEN = "gong-access-canary/1";

const CALL: GongMcpCall = {
  mcpUrl: new URL("https://mcp.gong.test/mcp"),
  method: "POST",
  headers: new Headers({ "content-type": "application/json" }),
  body: new TextEncoder().encode('{"jsonrpc":"2.0"}'),
  authorization: `Bearer ${ACCESS_TOKEN}`,
  sessionId: undefined,
};

async function sent(changes: Partial<GongMcpCall> = {}): Promise<Asked> {
  const { fetcher, asked } = playingGong(() => Response.json({}));
  await requestGongMcp({ ...CALL, ...changes }, fetcher);
  const [request] = asked;
  if (request === undefined) throw new Error("Nothing was sent.");
  return request;
}

describe(verifies("proxy.request_headers", "proxy.bytes_unchanged", "requests to Gong"), () => {
  test("MCP 2026-07-28 Streamable HTTP: MCP's own headers reach Gong unchanged, any Mcp-Param included", async () => {
    const headers = {
      accept: "text/event-stream, application/json",
      "content-type": "application/json; charset=utf-8",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "=?base64?YXNr?=",
      "mcp-param-region": "eu ",
      "mcp-param-x": "1",
      "last-event-id": "e-9",
    };
    const request = await sent({ headers: new Headers(headers) });
    expect(request.redirect).toBe("manual");
    expect(Object.fromEntries(request.headers)).toEqual({
      ...headers,
      "mcp-param-region": "eu",
      "user-agent": "gong-mcp-gateway",
      authorization: `Bearer ${ACCESS_TOKEN}`,
    });
  });

  test("RFC 9110 §7.6.1, MCP Security Best Practices: nothing else of the client's reaches Gong", async () => {
    const others = [
      "cookie referer origin forwarded x-forwarded-for x-forwarded-host x-real-ip cf-connecting-ip",
      "cf-ray te trailer upgrade proxy-authorization keep-alive range if-none-match if-match expect via",
      "traceparent x-api-key accept-language mcp-session-id mcp-other x-mcp-param-a user-agent",
      "authorization",
    ].flatMap((line) => line.split(" "));
    const headers = new Headers(others.map((name) => [name, "client-canary"]));
    headers.set("connection", "authorization, mcp-protocol-version");
    headers.set("mcp-protocol-version", "2025-11-25");
    const request = await sent({ headers });
    expect(Object.fromEntries(request.headers)).toEqual({
      "mcp-protocol-version": "2025-11-25",
      "user-agent": "gong-mcp-gateway",
      authorization: `Bearer ${ACCESS_TOKEN}`,
    });
  });

  test("MCP 2025-11-25 Session Management: Gong's session id comes from our records", async () => {
    const request = await sent({
      headers: new Headers({ "mcp-session-id": "the client's" }),
      sessionId: "gong-s-1",
    });
    expect(request.headers.get("mcp-session-id")).toBe("gong-s-1");
  });

  test("RFC 8259: the bytes that were checked are the bytes that Gong gets", async () => {
    const text = '{"jsonrpc":"2.0", "id":9007199254740993,"x":1e400,"y":"\\u00e9é"}';
    expect((await sent({ body: new TextEncoder().encode(text) })).body).toBe(text);
  });

  test.each(["GET", "DELETE"])("MCP 2025-11-25: %s reaches Gong without a body", async (method) => {
    const request = await sent({ method, body: undefined });
    expect([request.url, request.method, request.body]).toEqual(["https://mcp.gong.test/mcp", method, ""]);
  });

  test("no answer from Gong, and a call that the client gave up, are Gong being unavailable", async () => {
    const lost = playingGong(() => Promise.reject(new TypeError("Network connection lost."))).fetcher;
    expect(await kindOf(() => requestGongMcp(CALL, lost))).toBe("unavailable");
    const silent = playingGong(() => new Promise<Response>(() => undefined)).fetcher;
    const signal = AbortSignal.timeout(20);
    expect(await kindOf(() => requestGongMcp({ ...CALL, signal }, silent))).toBe("unavailable");
  });

  test.each([
    [401, undefined, "unauthorized"],
    [403, 'Bearer error="insufficient_scope", scope="a"', "insufficient_scope"],
    [403, "Bearer scope=a, error=insufficient_scope", "insufficient_scope"],
    [403, 'Bearer error="insufficient_scopes"', undefined],
    [403, 'Bearer error_description="insufficient_scope"', undefined],
    [403, undefined, undefined],
    [400, 'Bearer error="insufficient_scope"', undefined],
  ])("RFC 6750 §3.1: status %i with challenge %s is refusal %s", (status, challenge, refusal) => {
    const headers = new Headers(challenge === undefined ? [] : [["www-authenticate", challenge]]);
    expect(gongRefusal(new Response(null, { status, headers }))).toBe(refusal);
  });
});
