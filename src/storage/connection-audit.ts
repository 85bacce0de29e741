// What happened to a connection, for the person whose it is: one row per event, in the transaction of the event. SQL on
// the ConnectionObject's database. The acts of admins are in the AdminObject's audit too.

/** Rows kept; the oldest go first. */
const EVENTS_KEPT = 1000;

export type EventAction =
  | "connected"
  | "reconnected"
  | "disconnected"
  | "needs_reconnect"
  | "refresh.failed"
  | "agent.approved"
  | "agent.ended"
  | "key.created"
  | "key.revoked"
  | "account.signed_in"
  | "account.signed_out"
  | "account.signed_out_everywhere";

export interface NewEvent {
  readonly action: EventAction;
  /** The id of the grant or agent key it happened to; never a secret. */
  readonly target?: string | undefined;
  /** The client's or the key's name, as it was given. */
  readonly name?: string | undefined;
  readonly reason?: string | undefined;
}

export type EventRow = {
  readonly id: number;
  readonly at: number;
  readonly action: EventAction;
  readonly target: string | null;
  readonly name: string | null;
  readonly reason: string | null;
};

/** Writes one row. */
export function noteEvent(sql: SqlStorage, now: number, event: NewEvent): void {
  sql.exec(
    "INSERT INTO events (at, action, target, name, reason) VALUES (?, ?, ?, ?, ?)",
    now,
    event.action,
    event.target ?? null,
    event.name ?? null,
    event.reason ?? null,
  );
  sql.exec("DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ?", EVENTS_KEPT);
}

/** The newest events first. */
export function listEvents(sql: SqlStorage, limit: number): readonly EventRow[] {
  return sql.exec<EventRow>("SELECT * FROM events ORDER BY id DESC LIMIT ?", limit).toArray();
}
