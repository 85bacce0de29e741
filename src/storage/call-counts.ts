// How much a connection was used, for its person: calls of the last thirty days by agent and by day, counted in the ledger
// of paid calls. SQL on the ConnectionObject's database.

/** Days that are counted, today included. */
const COUNTED_DAYS = 30;
const DAY = 86_400;

export interface CallCounts {
  /** By the id of the grant or agent key. */
  readonly agents: readonly { readonly id: string; readonly calls: number; readonly paid: number }[];
  /** The days in UTC on which something was called, the oldest first. */
  readonly days: readonly DayCount[];
}

export type DayCount = {
  /** `2026-11-22`. */
  readonly day: string;
  /** Gong was asked, and charged. */
  readonly paid: number;
  /** Answered from a call that was paid for already. */
  readonly free: number;
  readonly refused: number;
};

/** Counts the calls since the beginning of the first of the thirty days. */
export function countCalls(sql: SqlStorage, now: number): CallCounts {
  const from = now - (now % DAY) - (COUNTED_DAYS - 1) * DAY;
  const agents = sql
    .exec<{ id: string; calls: number; paid: number }>(
      `SELECT coalesce(grant_id, key_id, '') AS id, COUNT(*) AS calls, SUM(served = 'paid') AS paid
       FROM paid_calls WHERE started_at >= ? GROUP BY 1`,
      from,
    )
    .toArray();
  const days = sql
    .exec<DayCount>(
      `SELECT date(started_at, 'unixepoch') AS day, SUM(served = 'paid') AS paid, SUM(served = 'refused') AS refused,
         SUM(served NOT IN ('paid', 'refused')) AS free
       FROM paid_calls WHERE started_at >= ? GROUP BY 1 ORDER BY 1`,
      from,
    )
    .toArray();
  return { agents, days };
}
