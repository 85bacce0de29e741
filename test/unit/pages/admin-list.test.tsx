import { describe, expect, it } from "vitest";
import type { ListPage, ListQuery } from "../../../src/listing.ts";
import { AdminList, type AdminListView } from "../../../src/pages/admin-list.tsx";
import { Chart, type ChartView } from "../../../src/pages/chart.tsx";
import { Confirm } from "../../../src/pages/confirm.tsx";
import { verifies } from "../../conformance/verifies.ts";
import { readForms, readText } from "../../support/html.ts";
import { htmlOf } from "../../support/read-html.ts";
import { XSS_CORPUS } from "../../support/xss-corpus.ts";

const ALL: ListQuery = { search: "", filters: {}, cursor: undefined };
const PAGE: ListPage<{ name: string }> = {
  rows: [{ name: "one" }, { name: "two" }],
  total: 10_000,
  next: { direction: "after", at: 7, id: "two" },
  previous: undefined,
};

function list(changes: Partial<AdminListView<{ name: string }>> = {}): string {
  return htmlOf(
    AdminList({
      path: "/admin/things",
      query: ALL,
      page: PAGE,
      caption: "Things",
      columns: [
        { heading: "Name", cell: ({ name }) => name },
        { heading: "Length", cell: ({ name }) => String(name.length) },
      ],
      searchLabel: "Search names",
      filters: [{ name: "kind", label: "Kind", options: [["a", "Kind A"]] }],
      empty: "There is nothing yet.",
      exportPath: "/admin/things/export",
      ...changes,
    }),
  );
}

describe(verifies("list.accessible", "a list and a chart for everybody"), () => {
  it("WCAG 1.3.1: the table has a name, column headings and row headings, also where it is stacked", () => {
    const html = list();
    expect(html).toContain('aria-label="Things"');
    expect(html.match(/<th scope="col" role="columnheader">/g)).toHaveLength(2);
    expect(html.match(/<th scope="row" role="rowheader">/g)).toHaveLength(2);
    expect(html.match(/data-label="Length"/g)).toHaveLength(2);
    expect(readText(html)).toContain("10,000 in all");
    expect(readText(list({ page: { ...PAGE, total: 2, next: undefined } }))).not.toContain("in all");
  });

  it("an empty list says so, and a search without a match offers all again", () => {
    const none = { rows: [], total: 0, next: undefined, previous: undefined };
    expect(readText(list({ page: none }))).toContain("There is nothing yet.");
    const searched = list({ page: none, query: { ...ALL, search: "x" } });
    expect(readText(searched)).toContain("Nothing matches.");
    expect(searched).toContain('<a href="/admin/things">Show all</a>');
  });

  it("paging and downloads keep the search and the filters", () => {
    const html = list({ query: { search: "a b", filters: { kind: "a" }, cursor: undefined } });
    expect(html).toContain('rel="next" href="/admin/things?q=a+b&amp;kind=a&amp;page=after.7.two"');
    expect(html).toContain('href="/admin/things/export?q=a+b&amp;kind=a&amp;format=csv"');
    expect(readForms(html)[0]?.fields).toEqual([
      ["q", "a b"],
      ["kind", "a"],
    ]);
  });

  it.each(XSS_CORPUS)("ASVS 1.2.1: a search for %s stays text", (payload) => {
    const html = list({
      query: {
        search: payload,
        filters: { kind: payload },
        cursor: { direction: "after", at: 1, id: payload },
      },
    });
    expect(html).not.toMatch(/<(?:script|img|iframe|object|embed|base|meta|link|style|video|audio)\b/iu);
    expect(readForms(html)[0]?.fields[0]).toEqual(["q", payload]);
  });

  it("WCAG 1.1.1: a chart says its numbers in words and as a table", () => {
    const chart: ChartView = {
      id: "calls",
      title: "Calls",
      days: ["2026-11-20", "2026-11-21"],
      series: [
        { name: "Answered", values: [1200, 34] },
        { name: "Refused", values: [0, 3] },
      ],
      empty: "No call yet.",
    };
    const html = htmlOf(Chart(chart));
    expect(html).toContain(
      'role="img" aria-label="Calls: 1,237 from 20 Nov to 21 Nov, 1,200 on the busiest day."',
    );
    expect(readText(html)).toContain("Day Answered Refused 2026-11-20 1,200 0 2026-11-21 34 3");
    expect(html).not.toContain("style=");
    const nothing = { ...chart, series: [{ name: "Answered", values: [0, 0] }] };
    expect(readText(htmlOf(Chart(nothing)))).toBe("No call yet.");
  });

  it("a destructive act names what it is about and posts its form token", () => {
    const html = htmlOf(
      Confirm({
        label: "End…",
        about: "the \u202Ething",
        action: "/admin/things/1/end",
        csrf: "token",
        button: "End it",
        fields: { scope: "all" },
        children: "It ends at once.",
      }),
    );
    expect(readText(html)).toBe("End… the ⟨U+202E⟩thing It ends at once. End it the ⟨U+202E⟩thing");
    expect(readForms(html)).toMatchObject([
      {
        action: "/admin/things/1/end",
        method: "POST",
        fields: [
          ["csrf", "token"],
          ["scope", "all"],
        ],
      },
    ]);
  });
});
