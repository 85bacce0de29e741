import type { Requirement } from "../requirement.ts";

export const pages = {
  "browser.sign_in": {
    source: "RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2; WCAG 2.2 2.1.1",
    behaviour:
      "In a real browser Approve and Deny bring the client its answer, by mouse or keyboard, in several tabs at once",
  },
  "browser.history": {
    source: "gateway",
    behaviour:
      "Back, reload, old pages and lost cookies lead to a working page or to one that says what to do",
  },
  "browser.nothing_blocked": {
    source: "CSP3 §6.4.2; RFC 9700 §4.2",
    behaviour:
      "A whole sign-in violates no policy, asks no origin but the gateway, Gong and the client, and leaks no query by Referer",
  },
  "browser.hijack": {
    source: "RFC 9700 §4.16; RFC 6749 §10.12; OWASP ASVS 5.0 3.4.6, 3.5.1",
    behaviour:
      "A framed page stays blank, an approval needs a person's own gesture, and a post of another site changes nothing",
  },
  "browser.session_bound": {
    source: "RFC 9700 §4.7; MCP authorization, Security Considerations",
    behaviour: "A sign-in that one browser began cannot be finished in another, and Gong's code is not used",
  },
  "browser.scripts_inert": {
    source: "OWASP ASVS 5.0 1.2.1, 3.4.3",
    behaviour: "Script in what a client calls itself never runs on a page that shows it",
  },
  "browser.accessible": {
    source: "WCAG 2.2 AA",
    behaviour: "Every page passes axe-core in light and dark at 320 and 1200 px and never scrolls sideways",
  },
  "browser.admin": {
    source: "gateway",
    behaviour:
      "In a real browser an admin signs in, connects shared access, decides requests, ends a connection and signs out",
  },
} as const satisfies Record<string, Requirement>;
