import { describe, expect, it } from "vitest";
import { dayStart, listUrl, parseListQuery } from "../../src/listing.ts";
import { verifies } from "../conformance/verifies.ts";

const parse = (query: string, filters: readonly string[] = []) =>
  parseListQuery(new URLSearchParams(query), filters);

describe(verifies("list.query", "what the URL of a list says"), () => {
  it("search, filters and cursor come back from the URL they were put into", () => {
    const query = { search: 'a&b=c "d" é', filters: { state: "connected" } };
    for (const cursor of [
      undefined,
      { direction: "after", at: 1_790_000_000, id: "x.y/z" },
      { direction: "before", at: 0, id: "" },
    ] as const) {
      const url = new URL(listUrl("/admin/x", query, cursor), "https://g.test");
      expect(parseListQuery(url.searchParams, ["state"])).toEqual({ ...query, cursor });
    }
    expect(listUrl("/admin/x", { search: "", filters: {} })).toBe("/admin/x");
  });

  it("ASVS 2.2.1: only filters of the list are read, and empty ones count as not given", () => {
    expect(parse("state=connected&other=1&from=", ["state", "from"]).filters).toEqual({ state: "connected" });
  });

  it.each([
    "",
    "after",
    "after.1",
    "sideways.1.x",
    "after.-1.x",
    "after.1e9.x",
    `after.1.${"x".repeat(400)}`,
  ])("ASVS 2.2.1: the cursor %j counts as not given", (page) => {
    expect(parse(`page=${page}`).cursor).toBeUndefined();
  });

  it("ASVS 2.2.1: a search is one line of at most 100 well-formed characters", () => {
    const { search } = parse(new URLSearchParams({ q: ` a\r\n\u0000b\t${"é".repeat(200)}` }).toString());
    expect(search).toBe(`a b ${"é".repeat(96)}`);
    expect(parse(`q=${encodeURIComponent(`${"x".repeat(99)}😀`)}`).search.isWellFormed()).toBe(true);
  });

  it("a day is the second at which it begins in UTC, and other text is none", () => {
    expect(dayStart("2026-11-22")).toBe(Date.UTC(2026, 10, 22) / 1000);
    for (const text of [undefined, "", "2026-13-01", "22.11.2026", "2026-11-22T00:00"])
      expect(dayStart(text)).toBeUndefined();
  });
});
