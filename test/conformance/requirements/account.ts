// /account: what a person sees of their own connection, and does with it.

import type { Requirement } from "../requirement.ts";

export const account = {
  "account.sign_in": {
    source: "RFC 9700 §4.7, gateway",
    behaviour:
      "A person signs in to their account by authorizing at Gong once more, and sees the connection that Gong names.",
  },
  "account.adopts": {
    source: "gateway, RFC 6749 §6",
    behaviour:
      "The tokens of an account sign-in replace the older ones of the same connection and are never dropped, so that it also reconnects.",
  },
  "account.unnamed": {
    source: "gateway",
    behaviour: "When Gong names nobody, nothing is kept and the page says what a person can do instead.",
  },
  "account.nothing_left": {
    source: "gateway",
    behaviour:
      "A connection that only an account sign-in made keeps Gong's tokens for no longer than the visit.",
  },
  "account.callback": {
    source: "RFC 6749 §10.12, RFC 9700 §4.5, §4.7",
    behaviour:
      "A callback of an account sign-in works once, in the browser that began it, for that purpose alone, for ten minutes.",
  },
  "account.by_access": {
    source: "gateway, OWASP ASVS 5.0 8.2.2",
    behaviour:
      "With Cloudflare Access on, a person opens the connections recorded with their address and no other, and nobody goes on with their session.",
  },
  "account.keys": {
    source: "gateway, OWASP ASVS 5.0 8.2.2, 11.4.1",
    behaviour:
      "A person makes agent keys for their own connection, with a name, tools and an end; each is shown once and revoked at once.",
  },
  "account.calls": {
    source: "gateway",
    behaviour:
      "A person sees how many calls each agent and key made in thirty days, and how many of them were paid.",
  },
  "account.session": {
    source: "OWASP ASVS 5.0 7.2 to 7.4, RFC 6265bis §4.1.3",
    behaviour:
      "An account session is new at each sign-in, names one connection, is stored hashed, and ends on the server, by idling, by age, and all at once.",
  },
  "account.own_only": {
    source: "OWASP ASVS 5.0 8.2.2",
    behaviour:
      "Nobody sees or changes another person's account, whatever ids, cookies or forms they present.",
  },
  "account.cross_site": {
    source: "RFC 6749 §10.12, OWASP ASVS 5.0 3.5.1",
    behaviour: "A change needs a live account session, its form token and a post from our own page.",
  },
  "account.acts": {
    source: "gateway",
    behaviour:
      "What a person does on their account takes effect at the agent's next call, leads back to the page, and is on record.",
  },
  "account.record": {
    source: "gateway, CWE-1236",
    behaviour:
      "A person can download what happened to their connection, as CSV that no spreadsheet runs and as NDJSON; it is bounded.",
  },
  "account.page": {
    source: "OWASP ASVS 5.0 1.2.1, 3.4, 14.3.2",
    behaviour:
      "The account page shows names of agents as text only, holds no secret, and is neither framed nor stored.",
  },
  "account.shared_only": {
    source: "gateway",
    behaviour: "Where there is shared access only, the page says that nobody has an account of their own.",
  },
  "browser.account": {
    source: "gateway, WCAG 2.2 AA",
    behaviour:
      "In a real browser a person signs in to their account, stops an agent by keyboard, downloads the record, ends the connection and signs out",
  },
} as const satisfies Record<string, Requirement>;
