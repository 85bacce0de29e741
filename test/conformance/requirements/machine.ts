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
} as const satisfies Record<string, Requirement>;
