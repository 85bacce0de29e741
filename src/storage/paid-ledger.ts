// The ledger of paid calls: one row for each caller of one, written before Gong is asked and completed when it has
// answered. SQL on the ConnectionObject's database; the story is paid-calls.ts.

import { GONG_USER, madeBy, type CallOutcome, type PaidCallRow, type Served } from "./paid-schema.ts";

/** Who calls, as far as the credential says. */
export interface CallHolder {
  readonly grantId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientName?: string | undefined;
  readonly keyId?: string | undefined;
  readonly keyName?: string | undefined;
}

export interface NewPaidCall {
  readonly id: string;
  readonly holder: CallHolder;
  readonly tool: string;
  readonly callHash: string;
  readonly served: Served;
  readonly paidBy: string | undefined;
  readonly outcome: CallOutcome;
  readonly requestBytes: number;
  /** The caller's row so far: it had joined a call that Gong never ran. */
  readonly replaces?: string | undefined;
}

export interface CallEnd {
  readonly outcome: CallOutcome;
  readonly milliseconds: number;
  readonly gongStatus?: number | undefined;
  readonly answerBytes?: number | undefined;
}

/** Which rows a page has; every part narrows it. */
export interface LedgerFilter {
  readonly tool?: string;
  readonly grantId?: string;
  readonly clientId?: string;
  readonly keyId?: string;
  readonly person?: string;
  readonly served?: Served;
  readonly outcome?: CallOutcome;
  /** Epoch seconds, inclusive. */
  readonly from?: number | undefined;
  /** Epoch seconds, exclusive. */
  readonly until?: number | undefined;
}

export interface LedgerQuery {
  /** Only rows older than the one with this `seq`: where the page before ended. */
  readonly before?: number | undefined;
  /** At most this many rows, and never more than 1000. */
  readonly limit: number;
  readonly filter?: LedgerFilter | undefined;
}

export interface LedgerPage {
  /** Newest first. */
  readonly rows: readonly PaidCallRow[];
  /** `before` of the next page; undefined when there is none. */
  readonly nextBefore: number | undefined;
}

const LONGEST_PAGE = 1000;

/** Writes the row of a call, with the person as far as the connection knows who it is. */
export function recordCall(sql: SqlStorage, call: NewPaidCall, now: number): void {
  const { holder } = call;
  if (call.replaces !== undefined) sql.exec("DELETE FROM paid_calls WHERE id = ?", call.replaces);
  sql.exec(
    `INSERT INTO paid_calls (id, started_at, grant_id, client_id, client_name, key_id, key_name, tool, call_hash,
       served, paid_by, outcome, request_bytes, person)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, coalesce(
       (SELECT coalesce(person, ?14) FROM connection WHERE access = 'personal'),
       (SELECT person FROM grants WHERE id = ?3),
       (SELECT ?15 || created_by FROM agent_keys WHERE id = ?6)))`,
    call.id,
    now,
    holder.grantId ?? null,
    holder.clientId ?? null,
    holder.clientName ?? null,
    holder.keyId ?? null,
    holder.keyName ?? null,
    call.tool,
    call.callHash,
    call.served,
    call.paidBy ?? null,
    call.outcome,
    call.requestBytes,
    GONG_USER,
    madeBy(""),
  );
}

/** Completes a row that is still running. */
export function endCall(sql: SqlStorage, id: string, end: CallEnd): void {
  sql.exec(
    `UPDATE paid_calls SET outcome = ?, milliseconds = ?, gong_status = ?, answer_bytes = ?
     WHERE id = ? AND outcome = 'running'`,
    end.outcome,
    Math.round(end.milliseconds),
    end.gongStatus ?? null,
    end.answerBytes ?? null,
    id,
  );
}

/** Notes that the whole answer was handed to a live client. */
export function markDelivered(sql: SqlStorage, id: string): void {
  sql.exec("UPDATE paid_calls SET delivered = 1 WHERE id = ?", id);
}

/** The rows that say `running`. */
export function runningCalls(sql: SqlStorage): readonly PaidCallRow[] {
  return sql.exec<PaidCallRow>("SELECT * FROM paid_calls WHERE outcome = 'running'").toArray();
}

/** Whose call a row is about. */
export function holderOf(row: PaidCallRow): CallHolder {
  return {
    grantId: row.grant_id ?? undefined,
    clientId: row.client_id ?? undefined,
    keyId: row.key_id ?? undefined,
  };
}

/** A call that says `running` for this long was cut off by a crash. */
const RUNNING_SECONDS = 900;

/** When a row or a kept result is due to be looked at next, in epoch seconds, if ever. */
export function nextPaidSweepAt(sql: SqlStorage): number | undefined {
  const [row] = sql
    .exec<{ due: number | null }>(
      `SELECT MIN(due) AS due FROM (
         SELECT MIN(started_at) + ? AS due FROM paid_calls WHERE outcome = 'running'
         UNION ALL SELECT MIN(max(owed_until, reusable_until)) FROM kept_results)`,
      RUNNING_SECONDS,
    )
    .toArray();
  return row?.due ?? undefined;
}

const COLUMNS: readonly (readonly [keyof LedgerFilter, string])[] = [
  ["tool", "tool = ?"],
  ["grantId", "grant_id = ?"],
  ["clientId", "client_id = ?"],
  ["keyId", "key_id = ?"],
  ["person", "person = ?"],
  ["served", "served = ?"],
  ["outcome", "outcome = ?"],
  ["from", "started_at >= ?"],
  ["until", "started_at < ?"],
];

/** Rows of the ledger, newest first. */
export function ledgerPage(sql: SqlStorage, { before, limit, filter = {} }: LedgerQuery): LedgerPage {
  const wanted = COLUMNS.flatMap(([name, condition]) => {
    const value = filter[name];
    return value === undefined ? [] : [{ condition, value }];
  });
  const conditions = ["seq < ?", ...wanted.map(({ condition }) => condition)];
  const most = Math.min(Math.max(Math.trunc(limit), 1), LONGEST_PAGE);
  const rows = sql
    .exec<PaidCallRow>(
      `SELECT * FROM paid_calls WHERE ${conditions.join(" AND ")} ORDER BY seq DESC LIMIT ?`,
      before ?? Number.MAX_SAFE_INTEGER,
      ...wanted.map(({ value }) => value),
      most,
    )
    .toArray();
  return { rows, nextBefore: rows.length < most ? undefined : rows.at(-1)?.seq };
}
