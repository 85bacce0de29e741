// Agent keys: static credentials for agents that have no browser.

import type { Requirement } from "../requirement.ts";

export const agentKeys = {
  "keys.stored": {
    source: "OWASP ASVS 11.4.1, 6.1.1",
    behaviour:
      "An agent key is kept as a hash, used until it expires or is revoked, and no connection holds more than fifty.",
  },
  "keys.ended": {
    source: "OWASP ASVS 7.4.1, RFC 9700 §4.14",
    behaviour:
      "A revoked key is dead at once, also when it is revoked twice and after a restore of its connection.",
  },
  "keys.keep_alive": {
    source: "gateway",
    behaviour:
      "A live key keeps a personal connection refreshed; the last agent to go takes Gong's tokens with it.",
  },
  "keys.call": {
    source: "RFC 6750 §2.1, RFC 8707 §2",
    behaviour:
      "A key in the Authorization header reaches its own connection, at the endpoint it was made for.",
  },
  "keys.refused": {
    source: "RFC 6750 §5.2, OWASP ASVS 9.2.2",
    behaviour:
      "A made-up, changed or expired key, a key anywhere else, and a key in another role are refused and change nothing.",
  },
  "keys.tools": {
    source: "OWASP ASVS 8.2.2",
    behaviour: "A key calls the tools it was made for and no other.",
  },
  "keys.revoked_at_once": {
    source: "OWASP ASVS 7.4.1",
    behaviour: "After a key is revoked nothing reaches Gong with it, also when calls are under way.",
  },
  "keys.secret": {
    source: "OWASP ASVS 14.2.4, RFC 6750 §3.1",
    behaviour: "A key is in no log, answer or storage, and a refusal does not tell why it is refused.",
  },
  "keys.reconnect": {
    source: "MCP 2025-11-25 Elicitation, MCP 2026-07-28 SEP-2322",
    behaviour:
      "While its connection needs a person, a key is answered with a link to this gateway, in the form its client knows.",
  },
  "keys.made": {
    source: "gateway",
    behaviour: "A key is made with bounds, indexed and audited before it works, and listed with its state.",
  },
  "keys.admin": {
    source: "OWASP ASVS 8.2.1, 16.3.1",
    behaviour:
      "An admin makes keys for shared access, sees each once, finds everybody's, and ends any; nobody else does.",
  },
  "keys.lasting": {
    source: "NIST SP 800-57 Part 1 §5.3.4",
    behaviour:
      "A key works after a crash, stays revoked after a restore, and needs the sealing key that tagged it.",
  },
  "clients.agent_key": {
    source: "MCP 2025-11-25 and 2026-07-28, Streamable HTTP",
    behaviour:
      "Unmodified SDK clients of every era, and curl, call tools with an agent key in a static header.",
  },
  "browser.agent_keys": {
    source: "WCAG 2.2, OWASP ASVS 14.3.2",
    behaviour: "The pages of agent keys work with the keyboard alone, and show a key once.",
  },
} as const satisfies Record<string, Requirement>;
