// src/gong/mcp.ts: what of Gong's answer reaches the client.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { type ExposedAnswer, passGongResponse } from "../../../src/gong/mcp.ts";

const ACCESS_TOKEN = "gong-access-canary/1";

const EXPOSED: ExposedAnswer = { sessionId: undefined, cors: undefined, accessToken: ACCESS_TOKEN };

async function passed(response: Response, exposed: Partial<ExposedAnswer> = {}): Promise<Response> {
  return await passGongResponse(response, { ...EXPOSED, ...exposed });
}

const JSON_TYPE = { "content-type": "application/json" };

describe(verifies("proxy.answer_headers", "proxy.streams", "proxy.errors_pass", "answers from Gong"), () => {
  test("RFC 9110 §7.6.1, RFC 9700 §4.4: of Gong's headers only the allow-list passes", async () => {
    const names = [
      "set-cookie location www-authenticate access-control-allow-origin etag age server vary",
      "x-powered-by strict-transport-security content-security-policy clear-site-data connection",
      "keep-alive proxy-authenticate trailer link refresh last-modified expires mcp-session-id",
      "content-disposition x-request-id",
    ].flatMap((line) => line.split(" "));
    const headers = new Headers(names.map((name) => [name, "gong-canary"]));
    headers.set("cache-control", "public, max-age=600");
    headers.set("content-type", "application/json;charset=utf-8");
    headers.set("x-accel-buffering", "no");
    headers.set("retry-after", "99999");
    const expected = {
      "content-type": "application/json;charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-accel-buffering": "no",
      "retry-after": "3600",
    };
    for (const status of [200, 404]) {
      const answer = await passed(new Response("{}", { status, headers }));
      expect(Object.fromEntries(answer.headers)).toEqual(expected);
    }
    const { "content-type": _type, "x-accel-buffering": _buffering, ...rest } = expected;
    const failed = await passed(new Response("{}", { status: 503, headers }));
    expect(Object.fromEntries(failed.headers)).toEqual({ ...rest, ...JSON_TYPE });
  });

  test("our session id and our CORS headers go with every answer", async () => {
    const exposed = {
      sessionId: "ours-1",
      cors: { "access-control-allow-origin": "https://app.test", vary: "Origin" },
    };
    for (const status of [200, 202, 404, 503, 302]) {
      const answer = await passed(
        new Response(status === 202 ? null : "{}", { status, headers: JSON_TYPE }),
        exposed,
      );
      expect(answer.headers.get("mcp-session-id")).toBe("ours-1");
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.test");
      expect(answer.headers.get("vary")).toBe("Origin");
    }
  });

  test.each(["application/json", "text/event-stream", "Text/Event-Stream; charset=utf-8"])(
    "MCP 2026-07-28 Streamable HTTP: a %s answer passes byte for byte",
    async (type) => {
      const text = 'data: {"a":9007199254740993}\r\n\r\n: keep-alive\n';
      const answer = await passed(new Response(text, { headers: { "content-type": type } }));
      expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
        200,
        type,
        text,
      ]);
    },
  );

  test("MCP 2026-07-28 Streamable HTTP: a stream reaches the client event by event, and its end reaches Gong", async () => {
    const stream = new TransformStream<Uint8Array, Uint8Array>();
    const writer = stream.writable.getWriter();
    const headers = { "content-type": "text/event-stream" };
    const answer = await passed(new Response(stream.readable, { headers }));
    const reader = answer.body?.getReader();
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      const [, read] = await Promise.all([writer.write(new TextEncoder().encode(event)), reader?.read()]);
      expect(new TextDecoder().decode(read?.value)).toBe(event);
    }
    await reader?.cancel("the client left");
    await expect(writer.write(new Uint8Array(1))).rejects.toThrow(/cancel|left|closed|terminated/i);
  });

  test.each([
    ["202 to a notification", () => new Response(null, { status: 202 }), 202],
    [
      "202 with a body",
      () => new Response("Accepted", { status: 202, headers: { "content-type": "text/plain" } }),
      202,
    ],
    ["204 to DELETE", () => new Response(null, { status: 204 }), 204],
    ["200 without a body to DELETE", () => new Response(null, { status: 200 }), 200],
    [
      "200 with an empty body",
      () => new Response("", { status: 200, headers: { "content-type": "text/plain" } }),
      200,
    ],
  ])("MCP 2025-11-25 Streamable HTTP: %s reaches the client with no body", async (_, answering, status) => {
    const answer = await passed(answering());
    expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([
      status,
      "",
      null,
    ]);
  });

  test.each([
    ["HTML", "text/html"],
    ["XML", "application/xml"],
    ["JavaScript", "text/javascript"],
    ["text", "text/plain"],
    ["two types at once", "application/json; a=b, text/html"],
    ["a type that starts like JSON", "application/json-patch+json"],
  ])("OWASP ASVS 4.1.1: a good answer in %s becomes 502 with our words", async (_, type) => {
    const answer = await passed(new Response("<b>gong-canary</b>", { headers: { "content-type": type } }), {
      requestId: 7,
    });
    expect(answer.status).toBe(502);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.json()).toEqual({
      jsonrpc: "2.0",
      id: 7,
      error: { code: -32_000, message: expect.not.stringContaining("canary") },
    });
  });

  test.each([400, 402, 403, 404, 405, 409, 422, 429, 499])(
    "MCP 2026-07-28 Backward Compatibility: status %i passes with its JSON byte for byte",
    async (status) => {
      const text = '{"jsonrpc":"2.0", "id":null,"error":{"code":-32022,"message":"é"}}\n';
      const answer = await passed(new Response(text, { status, headers: JSON_TYPE }));
      expect([answer.status, await answer.text()]).toEqual([status, text]);
    },
  );

  test("MCP 2025-11-25: an error without a body stays one", async () => {
    const answer = await passed(
      new Response(null, { status: 405, headers: { "content-type": "text/plain" } }),
    );
    expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([405, "", null]);
  });

  const LONG = `"${"x".repeat(65_536 - 2)}"`;

  test("an error body of 64 KiB passes", async () => {
    expect(await (await passed(new Response(LONG, { status: 400, headers: JSON_TYPE }))).text()).toBe(LONG);
  });

  const broken = (): ReadableStream =>
    new ReadableStream({ start: (controller) => controller.error(new Error("Network connection lost.")) });

  test.each([
    ["one byte longer", () => new Response(`${LONG} `, { status: 400, headers: JSON_TYPE })],
    ["that breaks off", () => new Response(broken(), { status: 400, headers: JSON_TYPE })],
    ["in HTML", () => new Response("{}", { status: 400, headers: { "content-type": "text/html" } })],
    [
      "in an event stream",
      () => new Response("{}", { status: 400, headers: { "content-type": "text/event-stream" } }),
    ],
    ["without a type", () => new Response(new TextEncoder().encode("{}"), { status: 400 })],
    [
      "with the Gong access token",
      () => new Response(`"${ACCESS_TOKEN}"`, { status: 400, headers: JSON_TYPE }),
    ],
    [
      "with the Gong access token in escapes",
      () => new Response('"gong-\\u0061ccess-canary\\/1"', { status: 400, headers: JSON_TYPE }),
    ],
  ])("OWASP ASVS 16.5.1: an error body %s is replaced, and the status stays", async (_, answering) => {
    const answer = await passed(answering());
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32_000 } });
  });

  test.each([
    [301, 502],
    [302, 502],
    [304, 502],
    [307, 502],
    [401, 502],
    [500, 502],
    [501, 502],
    [502, 502],
    [503, 503],
    [504, 504],
    [599, 502],
  ])("RFC 9110 §15: status %i of Gong's becomes %i with our body", async (status, expected) => {
    const headers = { ...JSON_TYPE, location: "https://evil.test/" };
    const answer = await passed(new Response(status === 304 ? null : '"gong-canary"', { status, headers }));
    expect(answer.status).toBe(expected);
    expect(await answer.text()).not.toContain("gong-canary");
    expect(answer.headers.has("location")).toBe(false);
  });
});
