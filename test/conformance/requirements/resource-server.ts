import type { Requirement } from "../requirement.ts";

export const resourceServer = {
  "resource.challenge_first": {
    source: "RFC 6750 §3, RFC 9728 §5.1, MCP authorization",
    behaviour: "Every request without a token gets 401 and the challenge, before anything else is judged.",
  },
  "resource.token_in_header_only": {
    source: "OAuth 2.1 §5.1.1, RFC 9700 §4.3.2",
    behaviour: "A token counts in the Authorization header only, and is never logged.",
  },
  "resource.authorization_grammar": {
    source: "RFC 6750 §2.1, RFC 9110 §11",
    behaviour: "One Bearer token with the scheme in any case is read; every other value is refused.",
  },
  "resource.audience": {
    source: "RFC 8707 §2, MCP authorization Token Handling",
    behaviour: "Only an access token of this gateway for this very resource opens it.",
  },
  "resource.revocation_at_once": {
    source: "RFC 7009 §2, ASVS 7.4.1",
    behaviour: "A revoked or expired token can't make a paid call, and after seconds no call at all.",
  },
  "resource.origin": {
    source: "MCP 2025-11-25 Streamable HTTP, Security",
    behaviour:
      "A present Origin that is not allowed gets 403; a loopback gateway answers to loopback names only.",
  },
  "resource.cors": {
    source: "Fetch §4.8, MCP 2026-07-28 custom headers",
    behaviour: "An allowed page passes preflight without a token and reads the challenge and the session id.",
  },
  "browser.clients": {
    source: "Fetch, CORS protocol; MCP authorization",
    behaviour:
      "A web page with an SDK signs in and calls a tool by fetch; origins that are not allowed, and our pages, stay closed.",
  },
  "resource.path_exact": {
    source: "OWASP ASVS 13.4.1, gateway",
    behaviour: "Only the exact paths are endpoints; other spellings and debug paths reach nothing.",
  },
  "resource.framing": {
    source: "RFC 9112 §5.1, §6.3, §7.1, §11.2",
    behaviour:
      "Gong gets exactly the messages that were answered; what is framed in two ways reaches nothing.",
  },
  "resource.names_have_no_power": {
    source: "RFC 9112 §3.2, §3.3, RFC 8414 §6, OWASP ASVS 5.0 4.1.3",
    behaviour:
      "No Host, request line or X- header changes a published URL, who is asking, or what Gong gets.",
  },
} as const satisfies Record<string, Requirement>;
