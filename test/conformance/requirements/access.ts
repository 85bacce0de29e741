// Cloudflare Access in front of the pages for people and admins, and the set-up that an admin goes through.

import type { Requirement } from "../requirement.ts";

export const access = {
  "access.settings": {
    source: "OWASP ASVS 13.1.1",
    behaviour:
      "Access is configured whole or not at all, and a list of admins that nothing checks is refused.",
  },
  "access.token": {
    source: "RFC 8725 §3.1, §3.8 to §3.11; Cloudflare Access, Validate JWTs",
    behaviour:
      "Only a token that the team signed with RS256, for this gateway, in force now and naming a person is believed.",
  },
  "access.keys": {
    source: "RFC 7517 §4.5; Cloudflare Access, Validate JWTs",
    behaviour:
      "New keys of the team are found when a token names one, at most twice a minute, and an outage keeps the old ones.",
  },
  "access.people": {
    source: "gateway, OWASP ASVS 8.3.1",
    behaviour:
      "With Access on nobody reaches /authorize without it, and the person is recorded with the connection and in the audit.",
  },
  "access.admins": {
    source: "gateway, OWASP ASVS 8.2.1",
    behaviour:
      "With Access on an admin is whoever it names and ADMIN_EMAILS lists; passing Access alone makes nobody one.",
  },
  "access.admin_session": {
    source: "OWASP ASVS 7.4.1, 7.4.2",
    behaviour:
      "A session opened by Access serves only the person Access lets through; all admin sessions can be ended at once.",
  },
  "setup.first": {
    source: "gateway",
    behaviour:
      "An admin is led to the set-up until every check has passed once or somebody has connected, and it tells when it was well.",
  },
  "setup.checks": {
    source: "gateway",
    behaviour:
      "Each check of the set-up gives a verdict of its own for each thing that can be wrong, and says what to do.",
  },
  "setup.sign_in": {
    source: "gateway, RFC 6749 §4.1.2.1",
    behaviour:
      "A test sign-in proves redirect URI, scopes and tools, explains what Gong refuses, and keeps or ends nobody's tokens.",
  },
  "setup.harmless": {
    source: "gateway",
    behaviour: "The checks spend no credit and no token, end no connection, and store and show no secret.",
  },
  "browser.setup": {
    source: "gateway",
    behaviour:
      "In a real browser an admin gets from an empty deployment to a set-up that is well, by keyboard alone.",
  },
} as const satisfies Record<string, Requirement>;
