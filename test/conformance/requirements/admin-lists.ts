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
  "audit.request": {
    source: "gateway, OWASP ASVS 5.0 16.2.1",
    behaviour:
      "Every row of the audit names the request it was made in, as our pages and the log show it; no person or stranger pushes out an act of an admin.",
  },
  "admin.names": {
    source: "gateway",
    behaviour:
      "Pages and downloads for admins say whose a connection is and what a client and a key are called, beside the id; the name leads to its own page.",
  },
  "admin.index": {
    source: "gateway, ASVS 16.4.2",
    behaviour:
      "The index tells state, reason, agents, last day of use and what will need a person; what ended leaves it after 90 days.",
  },
  "admin.clients": {
    source: "gateway, RFC 7591 §3",
    behaviour:
      "An admin finds every client and registration, ends a client everywhere at once, and deletes a registration.",
  },
  "doctor.trace": {
    source: "gateway",
    behaviour:
      "The doctor shows each step that a client tried, where it failed, why in plain words, and the known quirk; no secrets.",
  },
  "doctor.bounded": {
    source: "gateway, ASVS 5.0 16.4.2",
    behaviour:
      "A refused request writes no trace by itself, and a flood of traces pushes out no client that ever got a token.",
  },
} as const satisfies Record<string, Requirement>;
