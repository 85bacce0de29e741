// src/mcp/policy.ts, allowed-tool.ts and member-changes.ts: what a policy is, and who may use which tool under it.

import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { allowedTool, type ToolUser } from "../../../src/mcp/allowed-tool.ts";
import { memberChanges } from "../../../src/mcp/member-changes.ts";
import { DEFAULT_POLICY, parsePolicy, toolSettingsOf, type Policy } from "../../../src/mcp/policy.ts";

const problemsOf = (value: unknown) => {
  const parsed = parsePolicy(value);
  return parsed.ok ? [] : parsed.problems;
};
const withGuards = (guards: object): object => ({
  ...DEFAULT_POLICY,
  guards: { ...DEFAULT_POLICY.guards, ...guards },
});

describe(verifies("policy.valid", "reading a policy"), () => {
  it("gateway: the default is a policy, also after a way through JSON", () => {
    expect(parsePolicy(JSON.parse(JSON.stringify(DEFAULT_POLICY)))).toEqual({
      ok: true,
      policy: DEFAULT_POLICY,
    });
  });

  it.each([
    ["an unknown member", { ...DEFAULT_POLICY, paid: true }, "paid"],
    ["another format", { ...DEFAULT_POLICY, format: 2 }, "format"],
    ["a zone that is none", { ...DEFAULT_POLICY, timeZone: "Europe/Atlantis" }, "timeZone"],
    ["a zone by its offset", { ...DEFAULT_POLICY, timeZone: "+01:00" }, "timeZone"],
    [
      "a budget below zero",
      { ...DEFAULT_POLICY, budgets: { ...DEFAULT_POLICY.budgets, company: { perDay: -1 } } },
      "budgets.company.perDay",
    ],
    [
      "half a call",
      { ...DEFAULT_POLICY, budgets: { ...DEFAULT_POLICY.budgets, company: { perDay: 0.5 } } },
      "budgets.company.perDay",
    ],
    ["a warning past the end", { ...DEFAULT_POLICY, warnAtPercent: 101 }, "warnAtPercent"],
    [
      "a weight of nothing",
      { ...DEFAULT_POLICY, tools: { ask_deal: { pays: true, weight: 0, reuseSeconds: 0 } } },
      "tools.ask_deal.weight",
    ],
    ["a range of no day", withGuards({ longestRangeDays: 0 }), "guards.longestRangeDays"],
    ["an empty line in a list", withGuards({ denyDeals: ["one", " "] }), "guards.denyDeals.1"],
  ])("OWASP ASVS 2.2.1: %s is refused by its place", (_, value, path) => {
    expect(problemsOf(value).map((problem) => problem.path)).toEqual([path]);
  });

  it("OWASP ASVS 2.2.1: every problem is told at once", () => {
    const value = { ...DEFAULT_POLICY, timeZone: "nowhere", warnAtPercent: 0 };
    expect(problemsOf(value).map((problem) => problem.path)).toEqual(["timeZone", "warnAtPercent"]);
  });
});

describe(verifies("policy.unknown_tools_paid", "tools that nobody named"), () => {
  it.each(["a_tool_of_tomorrow", "constructor", "__proto__", "toString"])(
    "Gong credits: %s is paid and never reused",
    (tool) => {
      expect(toolSettingsOf(DEFAULT_POLICY, tool)).toEqual({ pays: true, weight: 1, reuseSeconds: 0 });
    },
  );
});

describe(verifies("policy.allowed_tools", "who may use a tool"), () => {
  const client: ToolUser = { access: "personal", clientId: "client-1" };
  const verdict = (policy: Partial<Policy>, who: ToolUser = client, tool = "ask_deal", states = {}) =>
    allowedTool({ policy: { ...DEFAULT_POLICY, ...policy }, states }, who, tool);

  it("gateway: without a rule Gong's tools are allowed", () => {
    expect(verdict({})).toBe("allowed");
  });

  it("gateway: each of access, client and key can deny, and one that does is enough", () => {
    const deny = { deny: ["ask_deal"] };
    const personal = { ...DEFAULT_POLICY.access, personal: deny };
    expect(verdict({ access: personal })).toBe("not_allowed");
    expect(verdict({ access: personal }, { ...client, access: "shared" })).toBe("allowed");
    expect(verdict({ clients: { "client-1": deny } })).toBe("not_allowed");
    expect(verdict({ clients: { "client-2": deny } })).toBe("allowed");
    expect(verdict({ keys: { "key-1": deny } }, { access: "personal", keyId: "key-1" })).toBe("not_allowed");
    expect(verdict({ keys: { "key-1": deny } }, { access: "personal", keyId: "key-2" })).toBe("allowed");
  });

  it("gateway: a list of what is allowed shuts out the rest, an empty one everything; a denial wins", () => {
    expect(verdict({ clients: { "client-1": { allow: ["ask_deal"], deny: [] } } })).toBe("allowed");
    expect(verdict({ clients: { "client-1": { allow: ["ask_account"], deny: [] } } })).toBe("not_allowed");
    expect(verdict({ clients: { "client-1": { allow: [], deny: [] } } })).toBe("not_allowed");
    expect(verdict({ clients: { "client-1": { allow: ["ask_deal"], deny: ["ask_deal"] } } })).toBe(
      "not_allowed",
    );
  });

  it("gateway: ids that objects inherit members by match no rule", () => {
    expect(verdict({}, { access: "personal", clientId: "constructor", keyId: "__proto__" })).toBe("allowed");
  });

  it("MCP Tools: a tool nobody has seen is held back as the policy says, Gong's own are not", () => {
    expect(verdict({}, client, "a_new_tool")).toBe("held_back");
    expect(verdict({ holdBack: "none" }, client, "a_new_tool")).toBe("allowed");
    const free = { a_new_tool: { pays: false, weight: 1, reuseSeconds: 0 } };
    expect(verdict({ tools: free }, client, "a_new_tool")).toBe("allowed");
    expect(verdict({ tools: free, holdBack: "all" }, client, "a_new_tool")).toBe("held_back");
    expect(verdict({ holdBack: "all" })).toBe("allowed");
    expect(verdict({}, client, "toString")).toBe("held_back");
  });

  it("MCP Tools: what was decided about a tool counts more than what it is called", () => {
    expect(verdict({}, client, "ask_deal", { ask_deal: "held" })).toBe("held_back");
    expect(verdict({ holdBack: "all" }, client, "a_new_tool", { a_new_tool: "approved" })).toBe("allowed");
  });
});

describe(verifies("policy.versions", "what changed between two policies"), () => {
  it("OWASP ASVS 16.2.1: each member that differs is told with from and to, and no other", () => {
    const after: Policy = {
      ...DEFAULT_POLICY,
      budgets: { ...DEFAULT_POLICY.budgets, company: { perDay: 100 } },
      clients: { "client-1": { deny: ["ask_deal"] } },
      warnAtPercent: 90,
    };
    expect(memberChanges(DEFAULT_POLICY, after)).toEqual([
      { path: "budgets.company", from: "{}", to: "none" },
      { path: "budgets.company.perDay", from: "none", to: "100" },
      { path: "clients", from: "{}", to: "none" },
      { path: "clients.client-1.deny", from: "none", to: '["ask_deal"]' },
      { path: "warnAtPercent", from: "80", to: "90" },
    ]);
    expect(memberChanges(after, after)).toEqual([]);
  });
});
