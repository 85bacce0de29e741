import type { Requirement } from "../requirement.ts";

export const proxy = {
  "proxy.request_headers": {
    source: "MCP 2026-07-28 Streamable HTTP, RFC 9110 §7.6.1",
    behaviour: "MCP's own headers reach Gong unchanged, and nothing else of the client's does.",
  },
  "proxy.bytes_unchanged": {
    source: "RFC 8259 §9",
    behaviour: "The bytes that were checked are the bytes that Gong gets.",
  },
  "proxy.answer_headers": {
    source: "RFC 9110 §7.6.1, RFC 9700 §4.4",
    behaviour: "Of Gong's answer headers only the allow-list passes.",
  },
  "proxy.streams": {
    source: "MCP 2026-07-28 Streamable HTTP",
    behaviour: "A stream reaches the client event by event, and the client's leaving reaches Gong.",
  },
  "proxy.errors_pass": {
    source: "MCP 2026-07-28 Lifecycle",
    behaviour: "Gong's 4xx answers pass as they are; pages and redirects become errors of ours.",
  },
  "proxy.header_validation": {
    source: "MCP 2026-07-28 Server Validation",
    behaviour: "Headers that mirror the body must say what the body says.",
  },
  "proxy.message": {
    source: "JSON-RPC 2.0 §4, MCP 2025-11-25 Transports",
    behaviour: "A body is one JSON-RPC message, read strictly, or is refused with its JSON-RPC code.",
  },
  "proxy.paid_calls": {
    source: "gateway",
    behaviour: "Every call of a tool that can cost Gong credits is known for one before it is sent.",
  },
  "proxy.client_errors": {
    source: "MCP 2026-07-28 Era Detection, RFC 9110 §15.5",
    behaviour: "Gong's 4xx answers reach the client byte for byte, unless they echo a token or are pages.",
  },
  "proxy.server_errors": {
    source: "RFC 9110 §15.6, §10.2.3",
    behaviour: "Gong's 5xx keep their class with our words, Retry-After is bounded, and the sign-in is kept.",
  },
  "proxy.redirects": {
    source: "OWASP ASVS 15.3.2",
    behaviour: "A redirect of Gong is neither followed nor passed on.",
  },
  "proxy.content_types": {
    source: "OWASP ASVS 4.1.1, 3.2.1",
    behaviour: "Only JSON and event streams pass; an answer without a body stays without one.",
  },
  "proxy.scope_refused": {
    source: "RFC 6750 §3.1, RFC 9700 §4.4",
    behaviour: "A challenge of Gong never passes; a missing scope is named with our own.",
  },
  "proxy.sent_once": {
    source: "RFC 9110 §9.2.2",
    behaviour: "A request that Gong may have processed is never sent a second time.",
  },
  "proxy.client_leaves": {
    source: "MCP 2026-07-28 Cancellation, MCP 2025-11-25",
    behaviour: "A client that leaves a stream ends the request at Gong, and nothing stays behind.",
  },
  "proxy.broken_stream": {
    source: "RFC 9112 §8",
    behaviour: "An answer that breaks off at Gong breaks off at the client, and is not asked for again.",
  },
  "proxy.late_answer": {
    source: "RFC 9110 §15.6.5",
    behaviour:
      "Without headers of Gong 180 s after its call began the client gets 504, and Gong's request is ended.",
  },
  "proxy.methods": {
    source: "RFC 9110 §15.5.6, MCP 2025-11-25",
    behaviour: "POST, GET, DELETE and HEAD are proxied; every other method gets 405 with Allow.",
  },
  "session.opaque": {
    source: "MCP 2025-11-25 Session Management",
    behaviour: "A client gets a session id of ours, stable for the session, and never sees Gong's.",
  },
  "session.bound": {
    source: "MCP Security Best Practices, Session Hijacking",
    behaviour:
      "A session id works on the connection it was begun on; any other use is 404 without asking Gong.",
  },
  "session.modern": {
    source: "MCP 2026-07-28 Streamable HTTP",
    behaviour: "A session id on a modern request is ignored, and none is made.",
  },
  "proxy.gong_401": {
    source: "RFC 6750 §3.1, RFC 9110 §9.2.2",
    behaviour:
      "A 401 of Gong is answered by one shared refresh and one replay; a second 401 by our challenge.",
  },
  "proxy.outage_keeps_sign_in": {
    source: "RFC 9110 §15.6.4",
    behaviour: "While Gong's token endpoint fails, calls get 503 with Retry-After and never a challenge.",
  },
  "proxy.reconnect_heals": {
    source: "MCP authorization",
    behaviour:
      "A dead connection is challenged, and the same person's next sign-in heals it for all clients.",
  },
  "proxy.body_limit": {
    source: "RFC 9110 §15.5.14",
    behaviour: "A body over the limit gets 413, whether its length is known before or not.",
  },
  "proxy.body_encoding": {
    source: "RFC 9110 §8.4, RFC 8259 §8.1",
    behaviour: "An encoded body, or one in another charset than UTF-8, gets 415.",
  },
  "proxy.one_message": {
    source: "JSON-RPC 2.0 §4, MCP 2025-06-18",
    behaviour: "A body that is not one unambiguous message gets 400 and never reaches Gong.",
  },
  "proxy.mirrored_headers": {
    source: "MCP 2026-07-28 Server Validation, Value Encoding",
    behaviour: "A header that disagrees with the body gets 400 with -32020 before Gong is asked.",
  },
  "proxy.isolation": {
    source: "gateway",
    behaviour: "Under parallel load every answer carries only its caller's own data.",
  },
  "proxy.scope_of_tool": {
    source: "RFC 6750 §3.1, MCP Runtime Insufficient Scope Errors",
    behaviour: "A tool outside a client's scopes gets 403 with the scopes it needs, before Gong is asked.",
  },
  "proxy.stream_ends": {
    source: "RFC 7009 §2.1, ASVS 7.4.1",
    behaviour:
      "An event stream that is not a paid call's ends within half a minute, here and at Gong, once its credential is revoked or expired or its connection ended; while they live it goes on.",
  },
  "outage.handshake": {
    source: "gateway, MCP 2025-11-25 Lifecycle",
    behaviour:
      "While Gong is down a signed-in agent's handshake is answered what Gong last answered, unless Gong said so privately to somebody else, and calls say that Gong is unavailable",
  },
  "outage.session": {
    source: "MCP 2025-11-25 Session Management",
    behaviour: "A session that began while Gong was down reaches nothing and ends when Gong is back",
  },
} as const satisfies Record<string, Requirement>;
