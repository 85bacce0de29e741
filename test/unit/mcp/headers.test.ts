// src/mcp/headers.ts: mirrored headers never say something else than the body. The cells follow the reference server
// of @modelcontextprotocol/server.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { assertHeadersMatch, isModern } from "../../../src/mcp/headers.ts";
import { parseMessage } from "../../../src/mcp/message.ts";
import { McpRefused } from "../../../src/mcp/refused.ts";

interface Case {
  method: string;
  id?: number | undefined;
  params?: Record<string, unknown> | undefined;
  headers: Record<string, string | undefined>;
}

const CLAIM = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };

const MODERN: Case = {
  method: "tools/call",
  id: 1,
  params: { name: "ask_account", _meta: CLAIM },
  headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "ask_account" },
};

const LEGACY: Case = {
  method: "tools/call",
  id: 1,
  params: { name: "ask_account" },
  headers: { "mcp-protocol-version": "2025-11-25" },
};

function outcomeOf({ method, id, params, headers }: Case): string {
  const message = parseMessage(
    new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id, method, params })),
  );
  const present = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    assertHeadersMatch(message, new Headers(present));
  } catch (error) {
    if (error instanceof McpRefused) return `${error.status} ${error.code}`;
    throw error;
  }
  return "accepted";
}

/** One change to a case that is accepted as it is. */
function withHeader(base: Case, name: string, value: string | undefined): Case {
  return { ...base, headers: { ...base.headers, [name]: value } };
}

const base64 = (text: string): string =>
  `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;

describe(verifies("proxy.header_validation", "headers that mirror the body"), () => {
  test.each([
    ["a modern request", MODERN],
    ["a legacy request without mirrored headers", LEGACY],
    ["a legacy request that mirrors its method (mcp-remote)", withHeader(LEGACY, "mcp-method", "tools/call")],
    ["a legacy request without a revision", withHeader(LEGACY, "mcp-protocol-version", undefined)],
    ["a name in base64", withHeader(MODERN, "mcp-name", base64("ask_account"))],
    ["a modern notification without mirrored headers", { method: "notifications/x", headers: {} }],
    [
      "a modern notification with a revision only",
      { method: "notifications/x", headers: { "mcp-protocol-version": "2026-07-28" } },
    ],
    [
      "a name on a method that mirrors none",
      { method: "tools/list", id: 1, headers: { "mcp-protocol-version": "2025-11-25", "mcp-name": "x" } },
    ],
    [
      "a later revision",
      {
        ...MODERN,
        params: { name: "ask_account" },
        headers: { ...MODERN.headers, "mcp-protocol-version": "2027-01-01" },
      },
    ],
  ])("MCP 2026-07-28 Server Validation: %s is accepted", (_, accepted) => {
    expect(outcomeOf(accepted)).toBe("accepted");
  });

  test.each([
    ["no method header", withHeader(MODERN, "mcp-method", undefined)],
    ["another method", withHeader(MODERN, "mcp-method", "tools/list")],
    ["the method in capitals", withHeader(MODERN, "mcp-method", "TOOLS/CALL")],
    ["the method twice", withHeader(MODERN, "mcp-method", "tools/call, tools/call")],
    ["the method in base64", withHeader(MODERN, "mcp-method", base64("tools/call"))],
    ["no name", withHeader(MODERN, "mcp-name", undefined)],
    ["another name", withHeader(MODERN, "mcp-name", "generate_brief")],
    ["another name in base64", withHeader(MODERN, "mcp-name", base64("generate_brief"))],
    [
      "a name in base64 without padding",
      withHeader(MODERN, "mcp-name", base64("ask_account").replace("=?=", "?=")),
    ],
    ["a name in base64 that is not UTF-8", withHeader(MODERN, "mcp-name", "=?base64?/w==?=")],
    ["no revision", withHeader(MODERN, "mcp-protocol-version", undefined)],
    ["another modern revision", withHeader(MODERN, "mcp-protocol-version", "2027-01-01")],
    ["a legacy revision beside a modern body", withHeader(MODERN, "mcp-protocol-version", "2025-11-25")],
  ])("MCP 2026-07-28 Server Validation: a modern request with %s is refused with -32020", (_, refused) => {
    expect(outcomeOf(refused)).toBe("400 -32020");
  });

  test("MCP 2026-07-28 Server Validation: a modern header without a claim in the body still needs Mcp-Method", () => {
    const unclaimed = { ...MODERN, params: { name: "ask_account" } };
    expect(outcomeOf(unclaimed)).toBe("accepted");
    expect(outcomeOf(withHeader(unclaimed, "mcp-method", undefined))).toBe("400 -32020");
  });

  test.each([
    ["method", withHeader(LEGACY, "mcp-method", "tools/list")],
    ["name", withHeader(LEGACY, "mcp-name", "generate_brief")],
  ])("a legacy request that mirrors another %s is refused, because policy read the body", (_, refused) => {
    expect(outcomeOf(refused)).toBe("400 -32020");
  });

  test("MCP 2026-07-28 Server Validation: a notification that mirrors another method is refused", () => {
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "notifications/x" };
    expect(outcomeOf({ method: "notifications/x", headers })).toBe("accepted");
    expect(outcomeOf({ method: "notifications/y", headers })).toBe("400 -32020");
  });

  test("MCP 2026-07-28 Value Encoding: a name beyond ASCII is compared decoded", () => {
    const named = { ...MODERN, params: { name: "frage_müller", _meta: CLAIM } };
    expect(outcomeOf(withHeader(named, "mcp-name", base64("frage_müller")))).toBe("accepted");
    expect(outcomeOf(withHeader(named, "mcp-name", base64("frage_mueller")))).toBe("400 -32020");
  });

  test.each([
    ["2026-07-28", true],
    ["2027-01-01", true],
    ["2025-11-25", false],
    [undefined, false],
  ])("MCP 2026-07-28: revision %s is modern: %s", (revision, modern) => {
    expect(isModern(new Headers(revision === undefined ? [] : [["mcp-protocol-version", revision]]))).toBe(
      modern,
    );
  });
});
