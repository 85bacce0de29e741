// What the gateway does as Gong's OAuth client, and how it keeps a connection alive.

import type { Requirement } from "../requirement.ts";

export const gong = {
  "gong.discovery": {
    source: "RFC 9728 §3, RFC 8414 §3",
    behaviour:
      "Gong's endpoints are discovered from its MCP URL, and only documents that name that URL are believed.",
  },
  "gong.discovery_kept": {
    source: "gateway",
    behaviour:
      "A discovery is kept for an hour, a failed one for ten seconds; Gong's published values stand in.",
  },
  "gong.authorization_url": {
    source: "RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2",
    behaviour:
      "The authorization URL for Gong carries each parameter once: S256, fresh state, Gong's resource.",
  },
  "gong.callback": {
    source: "RFC 6749 §4.1.2, RFC 9207 §2.4",
    behaviour: "Gong's callback counts only with our state, one code, and the announced issuer.",
  },
  "gong.token_request": {
    source: "RFC 6749 §2.3.1, §4.1.3, §6",
    behaviour: "Codes and refresh tokens go to Gong once, in a bounded request whose answer comes back raw.",
  },
  "gong.token_answer": {
    source: "RFC 6749 §5.1",
    behaviour:
      "A token answer is read with every tolerance that is safe, and refused as malformed otherwise.",
  },
  "gong.only_invalid_grant_ends": {
    source: "RFC 6749 §5.2",
    behaviour: "Only a proper invalid_grant from Gong ends a connection; no other answer changes its tokens.",
  },
  "gong.refresh_machine": {
    source: "RFC 9700 §4.14.2",
    behaviour:
      "When to use, refresh, wait for or give up Gong's tokens is decided without loops and without loss.",
  },
  "gong.single_flight": {
    source: "RFC 9700 §4.14.2",
    behaviour: "However many callers need it, one connection presents its Gong refresh token once at a time.",
  },
  "gong.refresh_token_kept": {
    source: "RFC 6749 §6",
    behaviour: "Without a new refresh token in Gong's answer the previous one stays in force.",
  },
  "gong.early_refresh": {
    source: "gateway",
    behaviour: "Gong's tokens are renewed before they expire; a late, double or missing alarm does no harm.",
  },
  "gong.refresh_fence": {
    source: "gateway",
    behaviour: "A refresh that ends after a reconnect or a disconnect changes nothing.",
  },
  "gong.wait_bounded": {
    source: "OWASP ASVS 16.5.2",
    behaviour:
      "No caller waits longer than 20 seconds for a refresh, whatever hangs; the refresh itself goes on.",
  },
  "gong.unknowns": {
    source: "gateway",
    behaviour:
      "What is not known of Gong's token endpoint is covered both ways: no behaviour of it loses what need not be lost.",
  },
  "gong.retry_after": {
    source: "RFC 9110 §10.2.3",
    behaviour:
      "Retry-After of Gong's is waited for in every form it may have, within an hour, and never made up.",
  },
  "gong.answer_quarantined": {
    source: "gateway",
    behaviour: "Gong's answer is kept sealed before it is read, and taken up after an interruption.",
  },
} as const satisfies Record<string, Requirement>;
