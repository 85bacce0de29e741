// Structured logging: one JSON line per event, a closed list of event names, and values that can't carry secrets.
// Callers pass ids, counts, enums and durations; never tokens, codes, arguments, results or text from outside.

/** Every event the gateway logs. */
export type LogEvent =
  | "config.invalid"
  | "ledger.export_too_long"
  | "request.failed"
  | "schema.newer"
  | "page.refused"
  | "consent.decided"
  | "callback.completed"
  | "callback.failed"
  | "callback.not_kept"
  | "callback.not_recorded"
  | "callback.not_adopted"
  | "token.issued"
  | "token.refused"
  | "token.reuse_detected"
  | "client.registered"
  | "rate_limit.failed"
  | "client.not_renewed"
  | "device.begun"
  | "device.denied"
  | "client.not_traced"
  | "handshake.recalled"
  | "handshake.not_kept"
  | "connection.connected"
  | "connection.refreshed"
  | "connection.store_failed"
  | "connection.needs_reconnect"
  | "connection.at_risk"
  | "connection.restored"
  | "connection.not_indexed"
  | "connection.ended"
  | "record.unreadable"
  | "mcp.refused"
  | "tools.unreadable"
  | "tools.noted"
  | "mcp.upstream_failed"
  | "mcp.stream_ended"
  | "mcp.stream_unchecked"
  | "paid_call.budget_nearly_used"
  | "paid_call.ended"
  | "paid_call.failed"
  | "paid_call.not_settled"
  | "content.not_swept"
  | "discovery.failed"
  | "access.refused"
  | "published_keys.unreadable"
  | "agent_key.created"
  | "agent_key.revoked"
  | "admin.signed_in"
  | "admin.refused"
  | "admin.acted"
  | "admin.restored"
  | "registry.restored"
  | "account.signed_in"
  | "account.acted";

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

const LONGEST_VALUE = 200;

/**
 * Writes one line, with the id of the request that it belongs to, if it belongs to one. `error` is for what somebody
 * has to look at now, `warn` for what can wait until tomorrow. Strings are cut at 200 characters, and control
 * characters are removed.
 */
export function log(
  level: "info" | "warn" | "error",
  event: LogEvent,
  fields: LogFields = {},
  request?: { readonly requestId: string },
): void {
  const line: Record<string, string | number | boolean> = { event };
  for (const [name, value] of Object.entries({ ...fields, requestId: request?.requestId })) {
    if (value === undefined) continue;
    line[name] = typeof value === "string" ? printable(value).slice(0, LONGEST_VALUE) : value;
  }
  console[level](JSON.stringify(line));
}

/**
 * The class and code of an unknown error, without its message: messages of foreign errors can quote secrets.
 */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { error: error.name, code };
}

function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, "");
}
