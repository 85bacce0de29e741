// Which calls are the same call, by property and by the cases where readers of JSON disagree.

import { assert, dictionary, jsonValue, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { identifyCall } from "../../../src/mcp/call-identity.ts";
import { verifies } from "../../conformance/verifies.ts";

const callOf = (params: unknown, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
const spelling = (text: string): string => identifyCall(text).spelling;
const withArguments = (text: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask_account","arguments":${text}}}`;

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe(verifies("paid.identity", "identity of a tool call"), () => {
  it("RFC 8785 §3.2.3: the order of members and white space do not matter", () => {
    assert(
      property(dictionary(string(), jsonValue()), (given) => {
        const params = { name: "ask_account", arguments: given };
        const pretty = JSON.stringify(JSON.parse(callOf(reversed(params))), null, 2);
        expect(spelling(pretty)).toBe(spelling(callOf(params)));
      }),
    );
  });

  it("gateway: the spelling loses nothing of the arguments, so that other arguments are another call", () => {
    assert(
      property(jsonValue(), (given) => {
        const asked = { name: "ask_account", arguments: { given } };
        expect(JSON.parse(spelling(callOf(asked)))).toEqual(JSON.parse(JSON.stringify(asked)));
        expect(spelling(callOf({ ...asked, name: "ask_deal" }))).not.toBe(spelling(callOf(asked)));
      }),
    );
  });

  it.each([
    ["9007199254740993", "9007199254740992"],
    ["1e400", "1e401"],
    ["0.1", "0.10000000000000000555"],
    ['"\\u00e9"', '"e\\u0301"'],
    ['{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}'],
    ["[1,[2,3]]", "[[1,2],3]"],
    ['"1"', "1"],
    ["null", "{}"],
  ])("RFC 8259 §6: %s and %s are two calls, although a reader may take them for one", (one, other) => {
    expect(spelling(withArguments(one))).not.toBe(spelling(withArguments(other)));
  });

  it.each([
    ['{"a":"\\u0041"}', '{"a":"A"}'],
    ['{"b":1,"a":2}', '{ "a" : 2 , "b" : 1 }'],
  ])("RFC 8785 §3.2.2: %s and %s are one call", (one, other) => {
    expect(spelling(withArguments(one))).toBe(spelling(withArguments(other)));
  });

  it("MCP 2026-07-28, `_meta`: ids, progress tokens and everything else in `_meta` are the caller's own", () => {
    const params = { name: "ask_account", arguments: { question: "Q" } };
    const other = {
      ...params,
      _meta: { progressToken: "p", "io.modelcontextprotocol/protocolVersion": "x" },
    };
    expect(spelling(callOf(other, "second"))).toBe(spelling(callOf(params)));
    expect(identifyCall(callOf(other)).progressTokenJson).toBe('"p"');
    expect(identifyCall(callOf(params)).progressTokenJson).toBeUndefined();
  });

  it("MCP 2025-11-25, Calling Tools: no arguments and empty arguments are one call", () => {
    expect(spelling(callOf({ name: "ask_account" }))).toBe(
      spelling(callOf({ name: "ask_account", arguments: {} })),
    );
  });

  it("MCP 2026-07-28, Multi Round-Trip Requests: an answer to a question belongs to its caller alone", () => {
    const params = { name: "ask_account", arguments: {} };
    expect(identifyCall(callOf(params)).shareable).toBe(true);
    const answer = { ...params, inputResponses: { sure: { action: "accept" } }, requestState: "s" };
    expect(identifyCall(callOf(answer)).shareable).toBe(false);
    expect(spelling(callOf(answer))).not.toBe(spelling(callOf(params)));
  });

  it.each([
    [true, true],
    ["true", false],
    [1, false],
    [false, false],
  ])("gateway: `gong-mcp-gateway/fresh` set to %j asks for a new answer: %s", (value, fresh) => {
    const _meta = { "gong-mcp-gateway/fresh": value };
    expect(identifyCall(callOf({ name: "ask_account", arguments: {}, _meta })).fresh).toBe(fresh);
  });
});
