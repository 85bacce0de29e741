import type { Requirement } from "../requirement.ts";

export const adminLists = {
  "list.paging": {
    source: "gateway",
    behaviour:
      "A list shows one bounded page at a time, walks forwards and backwards over every row once, and counts the matches.",
  },
  "list.query": {
    source: "gateway, ASVS 5.0 2.2.1",
    behaviour:
      "Search, filters and page are in the URL; what can't be read there counts as not given, and text is not a pattern.",
  },
  "list.accessible": {
    source: "WCAG 2.2 1.1.1, 1.3.1, 1.4.1",
    behaviour:
      "A list is a table with row and column headings, and a chart has its numbers in words and as a table.",
  },
  "export.csv": {
    source: "RFC 4180 §2, CWE-1236",
    behaviour:
      "A CSV download quotes as the RFC says, and no cell of it is a formula to a spreadsheet program.",
  },
  "export.streamed": {
    source: "gateway, ASVS 5.0 14.3.2",
    behaviour:
      "A download is written as its rows come, names its file, is never stored on the way, and one line is one row.",
  },
  "admin.index": {
    source: "gateway, ASVS 16.4.2",
    behaviour:
      "The index tells state, reason, agents, last day of use and what will need a person; what ended leaves it after 90 days.",
  },
} as const satisfies Record<string, Requirement>;
