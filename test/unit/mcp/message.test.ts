// src/mcp/message.ts: one message, read so that no second reader can see another one.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import type { McpMessage } from "../../../src/mcp/message.ts";
import { parseMessage } from "../../../src/mcp/message.ts";
import { McpRefused } from "../../../src/mcp/refused.ts";

function parse(text: string): McpMessage {
  return parseMessage(new TextEncoder().encode(text));
}

function refusalOf(bytes: string | Uint8Array): { status: number; code: number } {
  try {
    parseMessage(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  } catch (error) {
    if (error instanceof McpRefused) return { status: error.status, code: error.code };
    throw error;
  }
  throw new Error("The message was accepted.");
}

const NOT_JSON = { status: 400, code: -32_700 };
const NOT_A_MESSAGE = { status: 400, code: -32_600 };

const CALL =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask_account","arguments":{"question":"Why?"}}}';

describe(verifies("proxy.message", "reading one message"), () => {
  test("MCP 2025-11-25 Calling Tools: a tool call names its tool and keeps its arguments", () => {
    expect(parse(CALL)).toEqual({
      kind: "request",
      method: "tools/call",
      id: 1,
      toolName: "ask_account",
      arguments: { question: "Why?" },
      mirroredName: "ask_account",
      protocolVersion: undefined,
      opensUrls: false,
      answersInput: false,
    });
  });

  test.each([
    ["a request with a number", '{"jsonrpc":"2.0","id":0,"method":"ping"}', "request", 0],
    ["a request with a string", '{"jsonrpc":"2.0","id":"a","method":"ping"}', "request", "a"],
    ["a request with an empty string", '{"jsonrpc":"2.0","id":"","method":"ping"}', "request", ""],
    ["a notification", '{"jsonrpc":"2.0","method":"notifications/initialized"}', "notification", undefined],
    ["a result", '{"jsonrpc":"2.0","id":"s1","result":{}}', "response", "s1"],
    ["an error", '{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"x"}}', "response", 2],
    [
      "an error about an unread message",
      '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}',
      "response",
      null,
    ],
  ])("JSON-RPC 2.0 §4 and §5: %s is known by its members", (_, text, kind, id) => {
    expect(parse(text)).toMatchObject({ kind, id });
  });

  test("MCP 2026-07-28: the revision is read from params._meta", () => {
    const message = parse(
      '{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}',
    );
    expect(message.protocolVersion).toBe("2026-07-28");
  });

  test.each([
    ["prompts/get", '{"name":"brief"}', "brief"],
    ["resources/read", '{"uri":"gong://call/1"}', "gong://call/1"],
    ["tasks/get", '{"taskId":"t1"}', "t1"],
    ["tools/list", '{"name":"brief"}', undefined],
    ["constructor", '{"name":"brief"}', undefined],
  ])("SEP-2243: for %s, Mcp-Name mirrors the member its table names", (method, params, name) => {
    const message = parse(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`);
    expect(message.mirroredName).toBe(name);
    expect(message.toolName).toBeUndefined();
  });

  test.each([
    ["nothing", ""],
    ["text", "hello"],
    ["two messages", `${CALL}\n${CALL}`],
    ["a byte order mark", `\uFEFF${CALL}`],
  ])("JSON-RPC 2.0 §5.1: %s is not JSON", (_, text) => {
    expect(refusalOf(text)).toEqual(NOT_JSON);
  });

  test("RFC 8259 §8.1: bytes that are not UTF-8 are refused, and the reader stays usable", () => {
    const bytes = new TextEncoder().encode(CALL);
    expect(parseMessage(bytes).method).toBe("tools/call");
    bytes[bytes.indexOf("W".charCodeAt(0))] = 0xff;
    expect(refusalOf(bytes)).toEqual(NOT_JSON);
    expect(parse(CALL).method).toBe("tools/call");
  });

  test.each(["[]", `[${CALL}]`, `[${CALL},${CALL}]`, `[[${CALL}]]`])(
    "MCP 2025-06-18 changelog: batches are refused (%#)",
    (text) => {
      expect(refusalOf(text)).toEqual(NOT_A_MESSAGE);
    },
  );

  test.each([
    ["an id of null", '"id":1', '"id":null'],
    ["a boolean id", '"id":1', '"id":true'],
    ["an id in an object", '"id":1', '"id":{}'],
    ["an id beyond every number", '"id":1', '"id":1e400'],
    ["a repeated method", '"id":1', '"id":1,"method":"tools/list"'],
    ["a repeated tool name", '"name":', '"name":"x","name":'],
    ["a key __proto__", '"id":1', '"id":1,"__proto__":{}'],
    ["another version of JSON-RPC", '"2.0"', '"1.0"'],
    ["a version that is a number", '"2.0"', "2.0"],
    ["no version", '"jsonrpc":"2.0",', ""],
    ["a method that is no string", '"tools/call"', "7"],
    ["an empty method", '"tools/call"', '""'],
    ["a method and a result", '"id":1', '"id":1,"result":{}'],
    ["a method and an error", '"id":1', '"id":1,"error":{}'],
    ["a second method in another case", '"id":1', '"id":1,"Method":"tools/list"'],
    ["second params in another case", '"id":1', '"id":1,"PARAMS":{}'],
    ["second params with a long s", '"id":1', '"id":1,"param\u017F":{}'],
    ["the method in another case only", '"method"', '"Method"'],
    ["a second tool name in another case", '"name":', '"Name":"x","name":'],
    ["second arguments in another case", '"name":', '"Arguments":{},"name":'],
  ])("JSON-RPC 2.0 §4: %s is refused", (_, from, to) => {
    expect(CALL).toContain(from);
    expect(refusalOf(CALL.replace(from, to))).toEqual(NOT_A_MESSAGE);
  });

  test.each([
    ["neither a method nor a result", '{"jsonrpc":"2.0","id":1}'],
    ["a result and an error", '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}'],
    ["a result without an id", '{"jsonrpc":"2.0","result":{}}'],
    ["a result with an id of null", '{"jsonrpc":"2.0","id":null,"result":{}}'],
    ["params in an array", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ["params of null", '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}'],
    ["a string", '"ping"'],
    ["null", "null"],
  ])("JSON-RPC 2.0 §4 and §5: %s is refused", (_, text) => {
    expect(refusalOf(text)).toEqual(NOT_A_MESSAGE);
  });

  test("arguments and unknown members are nobody's business: any spelling passes", () => {
    const message = parse(
      CALL.replace('{"question":"Why?"}', '{"Name":1,"method":2}').replace('"id"', '"extra":1,"id"'),
    );
    expect(message.arguments).toEqual({ Name: 1, method: 2 });
  });

  test("JSON-RPC 2.0 §5.1: a refusal is an error response with our words only", () => {
    expect(new McpRefused(400, -32_600, "Send one.").toResponseBody("7")).toEqual({
      jsonrpc: "2.0",
      id: "7",
      error: { code: -32_600, message: "Send one." },
    });
    expect(new McpRefused(400, -32_700, "Send JSON.").toResponseBody()).toMatchObject({ id: null });
  });
});
