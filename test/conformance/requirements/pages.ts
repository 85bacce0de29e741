import type { Requirement } from "../requirement.ts";

export const pages = {
  "pages.readme_clients": {
    source: "gateway",
    behaviour: "The README and the front page tell people the same about each client.",
  },
  "pages.consent": {
    source: "MCP authorization, Security Considerations, Confused Deputy",
    behaviour:
      "The consent page names the client, the full redirect URI, Gong's scopes, the access and the cost.",
  },
  "pages.escaping": {
    source: "OWASP ASVS 5.0 1.2.1",
    behaviour:
      "Text from outside stays text on every page, and invisible or turning characters can't mislead.",
  },
  "pages.words": {
    source: "gateway",
    behaviour: "Every scope, access, state and reason has plain words, and an unknown one is shown as it is.",
  },
  "pages.links": {
    source: "RFC 8252 §7.3, OWASP ASVS 5.0 1.2.2",
    behaviour: "A page links and leads only to https, to this computer, or to a path of the gateway.",
  },
  "pages.states": {
    source: "gateway",
    behaviour: "Every page says what happened and what to do, in each of its states.",
  },
  "browser.sign_in": {
    source: "RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2; WCAG 2.2 2.1.1",
    behaviour:
      "In a real browser Approve and Deny bring the client its answer, by mouse or keyboard, in several tabs at once and in a pop-up",
  },
  "browser.history": {
    source: "gateway",
    behaviour:
      "Back, reload, second presses, two tabs, old pages and lost cookies do nothing twice, and lead to a working page or to one that says what to do",
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
  "browser.heard": {
    source: "WCAG 2.2 AA",
    behaviour:
      "Every page in every state has one heading of the first level and no step left out, landmarks, tables and pictures with names, controls whose names say out of their place what they do, and errors that are tied to a field which gets the focus.",
  },
  "browser.accessible": {
    source: "WCAG 2.2 AA",
    behaviour:
      "Every page passes axe-core in light and dark at 320 and 1200 px, never scrolls sideways, has no small print, and Tab reaches every control with a focus that can be seen",
  },
  "browser.admin": {
    source: "gateway",
    behaviour:
      "In a real browser an admin signs in, connects shared access, decides requests, ends a connection and signs out",
  },
  "shared.not_connected": {
    source: "gateway",
    behaviour:
      "Before an admin connected shared access, asking for it is refused in words and queues nothing.",
  },
  "shared.story": {
    source: "gateway, RFC 8707 §2",
    behaviour: "Shared access takes one visit to Gong by an admin, and one approval for each client.",
  },
  "shared.decided_by_admin": {
    source: "MCP authorization Confused Deputy",
    behaviour:
      "A request for shared access is decided once, by an admin, in ten minutes, for the browser that asked.",
  },
  "shared.room": {
    source: "gateway",
    behaviour:
      "At most 200 requests for shared access wait. On a full list somebody with fewer gets the place of the newest request of the network or person with most, so that no flood keeps others out.",
  },
  "shared.no_fallback": {
    source: "gateway",
    behaviour: "A personal token never reaches shared access, whatever happens to either connection.",
  },
  "pages.headers": {
    source: "OWASP ASVS 3.4, RFC 9700 §4.16",
    behaviour:
      "Every page, errors included, has the strict policy: no framing, no script but ours, no caching.",
  },
  "pages.json_headers": {
    source: "RFC 6749 §5.1, OWASP ASVS 3.4",
    behaviour: "Machine answers are JSON that is not sniffed, framed or cached.",
  },
  "pages.redirects": {
    source: "RFC 9700 §4.12",
    behaviour: "Forms are answered with pages, other redirects are 303, and none passes a Referer on.",
  },
  "admin.session": {
    source: "ASVS 7.2 to 7.4, RFC 6265bis §4.1.3",
    behaviour:
      "An admin session is new at each sign-in, ends on the server, by idling and by age, and is stored hashed.",
  },
  "admin.lock_out": {
    source: "ASVS 6.3.1, 6.3.8",
    behaviour: "Wrong admin tokens slow their address down ever more, say nothing, and lock nobody else out.",
  },
  "admin.acts": {
    source: "gateway, ASVS 16.3.1",
    behaviour:
      "What an admin does takes effect at once and is in the audit; what does not exist changes nothing.",
  },
  "admin.settings": {
    source: "ASVS 13.3.1",
    behaviour: "Without an admin token of full length there is no way in.",
  },
  "admin.cross_site": {
    source: "RFC 6749 §10.12, ASVS 3.5.1",
    behaviour: "A change needs a live session, its form token and a post from our own page.",
  },
  "admin.default_deny": {
    source: "ASVS 8.2.1, 8.3.1",
    behaviour: "Without an admin session nothing under /admin is shown, whatever else is presented.",
  },
  "admin.page_headers": {
    source: "ASVS 3.4.3 to 3.4.8, 14.3.2",
    behaviour: "Every answer of /admin has a strict policy with a fresh nonce, and is never stored.",
  },
  "admin.escaping": {
    source: "ASVS 1.2.1, 16.4.1",
    behaviour:
      "Names, redirect URIs, paths and queries from strangers stay text on the admin page and in the log.",
  },
} as const satisfies Record<string, Requirement>;
