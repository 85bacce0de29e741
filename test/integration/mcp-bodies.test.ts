// Bodies of /mcp: how long, in which encoding, one strict message whose headers agree with it, and forwarded as the
// very bytes that were checked.

import { json, sample } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { call, connect } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, errorCode, PING, post } from "../support/mcp.ts";

let token = "";

beforeEach(async () => {
  await gong.reset();
  token = (await connect()).tokens.access_token;
});

/** A ping of exactly this many bytes. */
function messageOf(bytes: number): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify({ ...PING, params: { fill: "" } });
  return new TextEncoder().encode(text.replace('""', `"${"x".repeat(bytes - text.length)}"`));
}

/** The same bytes without a length that is known before (RFC 9112 §7.1). */
function chunked(bytes: Uint8Array<ArrayBuffer>, chunk: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunk));
      at += chunk;
    },
  });
}

const LIMIT = 1_048_576;

describe(verifies("proxy.body_limit", "a body has a limit, counted in real bytes"), () => {
  it.each([
    [LIMIT - 1, 200],
    [LIMIT, 200],
    [LIMIT + 1, 413],
    [LIMIT * 4, 413],
  ])("RFC 9110 §15.5.14: %i bytes, with a length or in chunks: %i", async (bytes, status) => {
    const body = messageOf(bytes);
    expect(body).toHaveLength(bytes);
    for (const sent of [body, chunked(body, 65_536)]) {
      const response = await post(token, sent);
      await response.text();
      expect(response.status).toBe(status);
    }
    const arrived = await atGong();
    expect(arrived.map((request) => request.body.length)).toEqual(status === 200 ? [bytes, bytes] : []);
  });

  it("RFC 9112 §7.1: single-byte chunks add up to the same message", async () => {
    expect((await post(token, chunked(messageOf(300), 1))).status).toBe(200);
    expect((await atGong())[0]?.body).toHaveLength(300);
  });
});

describe(verifies("proxy.body_encoding", "a body is plain UTF-8"), () => {
  it.each(["gzip", "br", "deflate", "zstd", "identity, gzip", "x-unknown"])(
    "RFC 9110 §8.4: Content-Encoding %s gets 415",
    async (encoding) => {
      const response = await post(token, JSON.stringify(PING), { "content-encoding": encoding });
      expect(response.status).toBe(415);
      expect(await atGong()).toEqual([]);
    },
  );

  it("RFC 9110 §8.4: Content-Encoding identity is none", async () => {
    expect((await post(token, JSON.stringify(PING), { "content-encoding": "identity" })).status).toBe(200);
  });

  it.each(["utf-16", "UTF-7", "iso-8859-1", '"utf-16le"', "utf-8-x", " utf-16"])(
    "RFC 8259 §8.1: charset=%s gets 415, so that Gong can't read another message",
    async (charset) => {
      const type = `application/json; charset=${charset}`;
      expect((await post(token, JSON.stringify(PING), { "content-type": type })).status).toBe(415);
      expect(await atGong()).toEqual([]);
    },
  );

  it.each(["utf-8", "UTF-8", '"utf-8"', "utf8"])("RFC 8259 §8.1: charset=%s is read", async (charset) => {
    const type = `application/json; charset=${charset}`;
    expect((await post(token, JSON.stringify(PING), { "content-type": type })).status).toBe(200);
  });
});

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const one = JSON.stringify(PING);

const REFUSED: ReadonlyArray<readonly [name: string, body: BodyInit, code: number]> = [
  ["nothing", "", PARSE_ERROR],
  ["half a message", one.slice(0, -1), PARSE_ERROR],
  ["two messages", one + one, PARSE_ERROR],
  ["a byte order mark", `\uFEFF${one}`, PARSE_ERROR],
  [
    "bytes that are not UTF-8",
    new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xff, 0x22, 0x7d]),
    PARSE_ERROR,
  ],
  [
    "UTF-16",
    new Uint8Array(Uint16Array.from(one, (character) => character.charCodeAt(0)).buffer),
    PARSE_ERROR,
  ],
  ["a comment", `${one}//`, PARSE_ERROR],
  ["an empty batch", "[]", INVALID_REQUEST],
  ["a batch of one", `[${one}]`, INVALID_REQUEST],
  ["a batch of two", `[${one},${one}]`, INVALID_REQUEST],
  ["a batch in a batch", `[[${one}]]`, INVALID_REQUEST],
  ["null", "null", INVALID_REQUEST],
  ["a string", '"tools/call"', INVALID_REQUEST],
  ["another version", one.replace("2.0", "1.0"), INVALID_REQUEST],
  ["no method and no result", '{"jsonrpc":"2.0","id":1}', INVALID_REQUEST],
  ["a method twice", one.replace("{", '{"method":"tools/call",'), INVALID_REQUEST],
  ["a method twice, once in escapes", one.replace("{", '{"\\u006dethod":"tools/call",'), INVALID_REQUEST],
  ["a key twice, deep down", one.replace("}", ',"params":{"a":[{"b":1,"b":2}]}}'), INVALID_REQUEST],
  ["a method in two spellings", one.replace("{", '{"Method":"tools/call",'), INVALID_REQUEST],
  ["a method with a long s", one.replace("{", '{"param\u017f":{"name":"x"},'), INVALID_REQUEST],
  ["a request that is also a response", one.replace("}", ',"result":{}}'), INVALID_REQUEST],
  ["__proto__", one.replace("}", ',"params":{"__proto__":{"name":"ask_deal"}}}'), INVALID_REQUEST],
  ["__proto__ in escapes", one.replace("}", ',"params":{"\\u005f_proto__":1}}'), INVALID_REQUEST],
  ["one hundred thousand levels", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, INVALID_REQUEST],
  ["an id that is an object", one.replace('"id":1', '"id":{}'), INVALID_REQUEST],
  ["an id beyond all numbers", one.replace('"id":1', '"id":1e400'), INVALID_REQUEST],
];

describe(verifies("proxy.one_message", "a body that readers could take in two ways is refused"), () => {
  it.each(REFUSED)("JSON-RPC 2.0 §4: %s gets 400, and Gong is not asked", async (_, body, code) => {
    const response = await post(token, body);
    expect(response.status).toBe(400);
    expect(await errorCode(response)).toBe(code);
    expect(response.headers.get("www-authenticate")).toBeNull();
    expect(await atGong()).toEqual([]);
  });

  it("gateway: a key that is repeated after one hundred thousand others is found", async () => {
    const keys = Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(",");
    const response = await post(token, one.replace("}", `,"params":{${keys},"7":0}}`));
    expect(response.status).toBe(400);
    expect(await atGong()).toEqual([]);
  });
});

const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const MODERN_CALL = {
  jsonrpc: "2.0",
  id: 5,
  method: "tools/call",
  params: { name: "ask_account", arguments: { crmAccount: "Globex", question: "?" }, _meta: MODERN_META },
};
const MODERN_HEADERS = {
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": "tools/call",
  "mcp-name": "ask_account",
};

/** The good headers with one change; undefined leaves a header out. */
function headersWith(change: Record<string, string | undefined>): Record<string, string> {
  const headers = Object.entries({ ...MODERN_HEADERS, ...change });
  return Object.fromEntries(headers.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

describe(verifies("proxy.mirrored_headers", "headers that mirror the body must agree with it"), () => {
  it.each([
    ["another method", { "mcp-method": "tools/list" }],
    ["the method in another case", { "mcp-method": "Tools/Call" }],
    ["two methods", { "mcp-method": "tools/call, tools/list" }],
    ["no method", { "mcp-method": undefined }],
    ["another tool", { "mcp-name": "ask_deal" }],
    ["no tool", { "mcp-name": undefined }],
    ["another tool in base64", { "mcp-name": `=?base64?${btoa("ask_deal")}?=` }],
    ["broken base64", { "mcp-name": `=?base64?${btoa("ask_account")}` }],
    ["base64 that is not padded", { "mcp-name": "=?base64?YXNrX2FjY291bnQ?=" }],
    ["another revision", { "mcp-protocol-version": "2025-11-25" }],
    ["no revision", { "mcp-protocol-version": undefined }],
  ])(
    "MCP 2026-07-28, Server Validation: %s gets 400 with -32020, and Gong is not asked",
    async (_, change) => {
      await gong.knobs({ era: "modern" });
      const response = await call(token, MODERN_CALL, { headers: headersWith(change) });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: 5, error: { code: -32_020 } });
      expect(await atGong()).toEqual([]);
    },
  );

  it.each([
    ["plain", "ask_account"],
    ["base64", `=?base64?${btoa("ask_account")}?=`],
  ])(
    "MCP 2026-07-28, Value Encoding: an equal name in %s form is taken, and sent on as it came",
    async (_, name) => {
      await gong.knobs({ era: "modern" });
      const response = await call(token, MODERN_CALL, { headers: headersWith({ "mcp-name": name }) });
      expect(response.status).toBe(200);
      expect((await atGong())[0]?.headers["mcp-name"]).toBe(name);
    },
  );
});

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe(verifies("proxy.bytes_unchanged", "Gong gets the bytes that the client sent"), () => {
  const odd = [
    "9007199254740993",
    "1e400",
    "-0",
    "1.0",
    "1E+2",
    '"\\u00e9\\ud83d\\ude00\\/"',
    '"\\ud800"',
    '"é😀\u2028\u2029\u007f"',
    '{"z":1,"a":2,"":3,"constructor":4,"toString":5}',
    "[ 1 ,\t2\r\n, 3 ]",
    "[[[[[[]]]]]]",
  ];
  const generated = sample(
    json({ maxDepth: 4 }).filter((text) => !text.includes("__proto__")),
    { numRuns: 150, seed: 20_261_122 },
  );

  it("RFC 8259 §9: the SHA-256 of 161 odd bodies is the same at Gong", async () => {
    const sent: string[] = [];
    for (const value of [...odd, ...generated]) {
      const body = new TextEncoder().encode(
        `\n{ "params" : {"x":${value} }, "method":"ping","id":1,"jsonrpc":"2.0" }  `,
      );
      sent.push(await sha256(body));
      expect((await post(token, body)).status).toBe(200);
    }
    const arrived = await atGong();
    const received = await Promise.all(arrived.map(({ body }) => sha256(new TextEncoder().encode(body))));
    expect(received).toEqual(sent);
    expect(new Set(sent).size).toBeGreaterThan(100);
  });
});
