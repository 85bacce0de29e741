// The company's policy: which tools, for whom, how much of them, and what a call may ask for.

import type { Requirement } from "../requirement.ts";

export const policy = {
  "policy.valid": {
    source: "OWASP ASVS 5.0 2.2.1",
    behaviour:
      "A policy with an unknown member, a number out of bounds or a zone that is none is refused, with every problem named.",
  },
  "policy.unknown_tools_paid": {
    source: "Gong credits",
    behaviour: "A tool that the policy does not name is paid, counts once, and its results are never reused.",
  },
  "policy.versions": {
    source: "OWASP ASVS 5.0 16.2.1",
    behaviour:
      "Of two changes to one version of the policy one is taken; each change is audited with who made it, from what, to what.",
  },
  "policy.allowed_tools": {
    source: "MCP 2026-07-28, Tools, Security Considerations",
    behaviour:
      "One decision says for a client, an agent key and an access whether a tool may be used; a denial wins over every permission.",
  },
  "policy.listed_as_allowed": {
    source: "MCP 2026-07-28, Tools, Listing Tools",
    behaviour:
      "A tool that the caller may not use is left out of every answer with a list of tools, whatever its HTTP status, in JSON and in event streams of both eras; all else stays.",
  },
  "policy.unreadable_list": {
    source: "RFC 8259 §4",
    behaviour: "A list of tools that two readers could read differently is refused, and never passed on.",
  },
  "policy.held_back": {
    source: "MCP 2026-07-28, Tools, Security Considerations",
    behaviour:
      "A new or changed tool is neither listed nor callable until an admin has approved the definition that they were shown. What Gong first says in another revision of MCP is no change.",
  },
  "policy.calls": {
    source: "Gong credits; MCP 2026-07-28, Tools, Error Handling",
    behaviour:
      "Every tool call is decided by the policy in force before Gong sees it; a refusal is a tool error that says what is allowed.",
  },
  "policy.edited": {
    source: "OWASP ASVS 5.0 2.2.1, WCAG 2.2 3.3.1",
    behaviour:
      "An admin changes each part of the policy by a form; what can't be saved is shown again as sent, with what is wrong beside it.",
  },
  "policy.tools_page": {
    source: "MCP 2026-07-28, Tools, Security Considerations",
    behaviour:
      "An admin sees what Gong says of a new tool and what differs in a changed one, and approves exactly that, or holds it back.",
  },
  "browser.policy": {
    source: "WCAG 2.2 AA",
    behaviour:
      "The policy and tools pages are usable by keyboard, at 320 pixels, in light and dark, without an axe finding.",
  },
  "policy.periods": {
    source: "ECMA-402",
    behaviour:
      "Budgets start anew when the day or month changes in the admins' time zone, also when clocks change that night.",
  },
  "policy.budgets_exact": {
    source: "Gong credits",
    behaviour:
      "However many calls are made at once, exactly as many are admitted as the tightest budget has places, by weight.",
  },
  "policy.settled_once": {
    source: "Gong credits",
    behaviour:
      "A call is settled once; one that nobody settles counts as spent after ten minutes, and the truth sets it right later.",
  },
  "policy.usage": {
    source: "Gong credits",
    behaviour:
      "Each settled call is counted for its day, connection, client, key, tool and way of being served, and nothing of its content.",
  },
  "policy.cost_guards": {
    source: "Gong credits",
    behaviour:
      "Arguments beyond the longest range, the lists of accounts and deals or the size are refused, and the refusal says what is allowed.",
  },
} as const satisfies Record<string, Requirement>;
