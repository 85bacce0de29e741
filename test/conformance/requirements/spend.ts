import type { Requirement } from "../requirement.ts";

export const spend = {
  "spend.content": {
    source: "gateway, GDPR Articles 5(1)(c), 5(1)(e) and 13",
    behaviour:
      "Nothing of what agents ask is kept unless policy says so; then sealed, for its days, read by an admin one call at a time and audited, told to people, in no download; unreadable at once and deleted when switched off.",
  },
  "browser.kept_questions": {
    source: "WCAG 2.2 AA",
    behaviour:
      "In a browser an admin switches kept questions on and reads one by keyboard, and people are told, without an axe finding.",
  },
  "spend.content_keys": {
    source: "NIST SP 800-57 part 1, §5.3",
    behaviour:
      "The sweep of the sealing keys counts kept questions by key, so that no key is taken out while one needs it.",
  },
  "spend.overview": {
    source: "gateway",
    behaviour:
      "An admin sees calls by day, split by how they were served, tool, client, key or connection; what was saved; and the budgets.",
  },
  "spend.ledger": {
    source: "gateway",
    behaviour: "An admin searches, filters and pages the ledger of one connection, with how calls ended.",
  },
  "spend.export": {
    source: "gateway, RFC 4180 §2, CWE-1236",
    behaviour:
      "The ledger of a connection and of the company downloads as CSV and NDJSON, whole or visibly broken off, and no cell is a formula.",
  },
  "spend.retention": {
    source: "gateway, ASVS 5.0 14.2.7",
    behaviour:
      "A row of the ledger is deleted by alarm once it is as old as the setting says, and not before.",
  },
  "spend.account": {
    source: "gateway",
    behaviour:
      "A person sees their own calls by day, split by how they were served, tool, client or key, and what was saved, and downloads them; nobody else's.",
  },
  "spend.own_erasure": {
    source: "gateway, GDPR Article 17",
    behaviour:
      "A person erases the record of their own calls, told what goes and what stays; it is audited and empties no budget.",
  },
  "spend.people_end": {
    source: "gateway, GDPR Article 5(1)(e)",
    behaviour:
      "A person's address is forgotten once none of their connections is listed and no row of the ledger can name them.",
  },
  "spend.erasure": {
    source: "gateway, ASVS 5.0 14.2.7",
    behaviour:
      "An admin erases the ledger and kept results of one connection, audited; sums by day stay without whose they were.",
  },
} as const satisfies Record<string, Requirement>;
