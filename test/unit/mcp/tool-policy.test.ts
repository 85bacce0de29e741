// src/mcp/tool-policy.ts: what costs Gong credits.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { parseMessage } from "../../../src/mcp/message.ts";
import { isToolCall } from "../../../src/mcp/tool-policy.ts";

function message(fields: Record<string, unknown>): ReturnType<typeof parseMessage> {
  return parseMessage(new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...fields })));
}

describe(verifies("proxy.paid_calls", "paid calls"), () => {
  test.each(["ask_account", "ask_deal", "generate_brief", "a_tool_that_gong_adds_tomorrow"])(
    "Gong credits: a call of %s is one that can cost credits",
    (name) => {
      expect(isToolCall(message({ id: 1, method: "tools/call", params: { name } }))).toBe(true);
    },
  );

  test("Gong credits: a call whose tool can't be read, and one sent as a notification, can cost credits", () => {
    expect(isToolCall(message({ id: 1, method: "tools/call" }))).toBe(true);
    expect(isToolCall(message({ method: "tools/call", params: { name: "ask_deal" } }))).toBe(true);
  });

  test.each(["tools/list", "initialize", "server/discover", "Tools/Call", "tools/call ", "resources/read"])(
    "Gong credits: %j is no tool call",
    (method) => {
      expect(isToolCall(message({ id: 1, method, params: { name: "ask_account" } }))).toBe(false);
    },
  );
});
