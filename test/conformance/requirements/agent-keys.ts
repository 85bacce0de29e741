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
} as const satisfies Record<string, Requirement>;
