// src/pages/flow-text.ts: the words for Gong's scopes and for states.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { reasonInWords, scopeInWords, stateInWords } from "../../../src/pages/flow-text.ts";

describe(verifies("pages.words", "the words for scopes, access and states"), () => {
  test.each([
    ["mcp:ai-ask:read", ["ask_account"]],
    ["mcp:ai-assistant:read", ["ask_deal"]],
    ["mcp:ai-briefer:read", ["generate_brief"]],
  ])("Gong's scope %s is said in words with its tools", (scope, tools) => {
    const words = scopeInWords(scope);
    expect(words.tools).toEqual(tools);
    expect(words.title).not.toContain("does not know");
  });

  test.each(["mcp:ai-ask:write", "", "__proto__", "constructor"])(
    "a scope %j that is not Gong's is not guessed",
    (scope) => {
      expect(scopeInWords(scope)).toMatchObject({
        title: "A permission this gateway does not know",
        tools: [],
      });
    },
  );

  test("states and reasons without words are shown by their name", () => {
    expect(stateInWords("needs_reconnect").tone).toBe("warn");
    expect(stateInWords("toString")).toEqual({ label: "toString", tone: "plain" });
    expect(reasonInWords("ended_by_admin")).toBe("An admin ended it.");
    expect(reasonInWords("constructor")).toBe("constructor");
  });
});
