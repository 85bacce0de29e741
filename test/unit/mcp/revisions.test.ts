import { describe, expect, it } from "vitest";
import { knownRevision } from "../../../src/mcp/revisions.ts";
import { verifies } from "../../conformance/verifies.ts";

describe(verifies("policy.held_back", "revisions that have forms of tools of their own"), () => {
  it.each([
    [undefined, "2025-03-26"],
    ["2024-11-05", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-24", "2025-06-18"],
    ["2025-12-31", "2025-11-25"],
    ["2026-07-28", "2026-07-28"],
    ["2099-01-01", "2026-07-28"],
    ["made up", "2026-07-28"],
  ])("MCP Versioning: a client that names %s is taken for one of %s", (asked, known) => {
    expect(knownRevision(asked)).toBe(known);
  });
});
