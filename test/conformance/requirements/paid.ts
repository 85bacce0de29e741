import type { Requirement } from "../requirement.ts";

export const paid = {
  "paid.identity": {
    source: "RFC 8785, gateway",
    behaviour:
      "Two calls are the same exactly when they ask the same of Gong, whatever their ids and spelling.",
  },
  "paid.unpaid_tools": {
    source: "gateway",
    behaviour:
      "A tool that the policy says costs nothing is checked like any other, and then goes straight to Gong and back.",
  },
  "paid.ledger": {
    source: "gateway",
    behaviour: "Every paid call has a row without content: who, what tool, how served, what became of it.",
  },
  "paid.person": {
    source: "gateway, GDPR Article 5(1)(c)",
    behaviour:
      "A row says whose call it was as far as known: a reference to whom Access named, the connection's Gong user, or who made the key; no address in the clear of theirs.",
  },
  "paid.joined": {
    source: "gateway, MCP 2026-07-28 and 2025-11-25 Streamable HTTP",
    behaviour:
      "Identical paid calls in flight on one connection are one call at Gong; each caller gets the answer in its own form.",
  },
  "paid.cancelled": {
    source: "MCP 2025-11-25 and 2026-07-28, Cancellation",
    behaviour: "A caller that leaves, cancels or answers a question ends or changes nobody else's call.",
  },
  "paid.revoked": {
    source: "OWASP ASVS 5.0 7.4.1, RFC 7009 §2",
    behaviour:
      "A caller whose credential is revoked while its call runs gets nothing more of the answer; others do, and the result is kept for them.",
  },
  "paid.gone_on": {
    source: "gateway, OWASP ASVS 5.0 7.4.1",
    behaviour:
      "When the payer is revoked before its turn, or Gong refuses its request as such, whoever joined goes on: as one call.",
  },
  "paid.recovered": {
    source: "gateway",
    behaviour:
      "A paid call whose callers left is finished; its result is kept sealed for ten minutes and given once to whoever asks the same.",
  },
  "paid.crash": {
    source: "gateway",
    behaviour:
      "A call that a crash cut off is in the ledger as unknown, and nothing asks it again by itself.",
  },
  "paid.reused": {
    source: "gateway",
    behaviour: "A delivered result is given again only where policy says so, with its age; an error never.",
  },
  "paid.budget": {
    source: "gateway",
    behaviour: "A call over budget is a tool error of ours and does not reach Gong; joining costs no budget.",
  },
  "paid.budget_warning": {
    source: "gateway, MCP 2025-11-25 `_meta`",
    behaviour:
      "Once most of a budget is used, the result of each paid call says so, with what is used, the limit and when it starts anew.",
  },
  "paid.explained": {
    source: "gateway",
    behaviour:
      "Whatever the revision, the form and the fate of its callers: Gong is asked and charges no more than the ledger explains, never twice for what was one.",
  },
  "paid.bounded": {
    source: "gateway",
    behaviour: "An answer of up to 8 MiB reaches everybody whole; a longer one breaks off and is never kept.",
  },
  "paid.unread": {
    source: "gateway",
    behaviour:
      "A caller that takes nothing of its answer for a minute has left. A client that has 128 calls waiting, or 16 MiB of answers not taken, has to wait; others of its connection do not.",
  },
  "paid.throttled": {
    source: "RFC 6585 §4, RFC 9110 §10.2.3",
    behaviour: "Retry-After of a 429 is honoured within thirty seconds in all, or passed on; turns are fair.",
  },
  "paid.credits": {
    source: "gateway",
    behaviour:
      "Once Gong has no credits left it is asked once in five minutes, and everybody is told plainly.",
  },
} as const satisfies Record<string, Requirement>;
