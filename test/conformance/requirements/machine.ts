import type { Requirement } from "../requirement.ts";

export const machine = {
  "machine.configured": {
    source: "RFC 7591 §2, RFC 6749 §4.4",
    behaviour: "An admin's setting can give a client that proves itself the grant types of machines.",
  },
  "machine.client_credentials": {
    source: "RFC 6749 §4.4, MCP extension io.modelcontextprotocol/oauth-client-credentials",
    behaviour: "A machine gets an access token by its own credentials and calls a tool of shared access.",
  },
  "machine.made_up": {
    source: "OWASP API4:2023",
    behaviour:
      "Made-up ids of machine clients cost the one AdminObject 20 questions a second and isolate; a machine client that was there before goes on.",
  },
  "machine.refused": {
    source: "RFC 6749 §4.4, §5.2, RFC 8707 §2",
    behaviour: "Only confidential clients that an admin vouches for, only shared access, only their scopes.",
  },
  "machine.not_connected": {
    source: "gateway",
    behaviour: "While shared access can't be used, a machine is told so and who can mend it.",
  },
  "machine.one_grant": {
    source: "gateway",
    behaviour: "However often and however parallel a machine asks, it has one grant and bounded tokens.",
  },
  "machine.ended": {
    source: "gateway",
    behaviour: "A machine whose access somebody ended has no token left and gets none, also one on its way.",
  },
  "machine.admin": {
    source: "gateway",
    behaviour: "An admin makes machine clients, sees their secret once, finds them, and ends them at once.",
  },
  "machine.admin_only": {
    source: "OWASP ASVS 8.2.1, 3.5.1",
    behaviour: "Nobody but an admin, from the gateway's own pages, sees, makes or ends a machine client.",
  },
  "identity.story": {
    source: "Identity Assertion JWT Authorization Grant draft §4, RFC 7523 §2.1",
    behaviour: "An issuer that the settings trust opens a person's own connection to a client it names.",
  },
  "identity.claims": {
    source: "Identity Assertion JWT Authorization Grant draft §3, §4, RFC 7523 §3, RFC 8725 §3",
    behaviour: "An assertion of another type, issuer, audience, client, resource, time or key opens nothing.",
  },
  "identity.client": {
    source: "Identity Assertion JWT Authorization Grant draft §4",
    behaviour:
      "Only a client that proves itself, and that the issuer may vouch to, can present an assertion.",
  },
  "identity.person": {
    source: "gateway",
    behaviour: "An assertion leads to the connection of exactly one person, or says where to sign in.",
  },
  "identity.single_use": {
    source: "RFC 7523 §3 item 7",
    behaviour: "An assertion gives one token, however often and in parallel it is presented.",
  },
  "identity.ended": {
    source: "gateway",
    behaviour: "A client that a person has ended does not come back by an assertion, only by that person.",
  },
  "identity.keys": {
    source: "RFC 7517 §4.5, §5",
    behaviour: "An issuer's keys are fetched bounded and kept; keys out of reach are no verdict.",
  },
  "settings.trusted_issuers": {
    source: "gateway",
    behaviour: "TRUSTED_ISSUERS is read whole or refused, each problem named by its place and never quoted.",
  },
  "clients.machines": {
    source: "MCP extension io.modelcontextprotocol/oauth-client-credentials",
    behaviour: "Unmodified SDK clients with client credentials get answers, renew them, and stop when ended.",
  },
  "clients.managed": {
    source: "MCP extension io.modelcontextprotocol/enterprise-managed-authorization",
    behaviour:
      "An unmodified SDK client with an issuer's assertion gets the person's answer, and nobody else's.",
  },
} as const satisfies Record<string, Requirement>;
