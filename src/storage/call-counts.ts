// How much each agent of a connection called in the last thirty days, counted in the ledger of paid calls. SQL on the
// ConnectionObject's database.

/** Days that are counted, today included. */
const COUNTED_DAYS = 30;
const DAY = 86_400;

export type AgentCalls = {
  /** Of the grant or agent key. */
  readonly id: string;
  readonly calls: number;
  readonly paid: number;
};

/** Counts the calls since the beginning, in UTC, of the first of the thirty days. */
export function countCalls(sql: SqlStorage, now: number): readonly AgentCalls[] {
  const from = now - (now % DAY) - (COUNTED_DAYS - 1) * DAY;
  return sql
    .exec<AgentCalls>(
      `SELECT coalesce(grant_id, key_id, '') AS id, COUNT(*) AS calls, SUM(served = 'paid') AS paid
       FROM paid_calls WHERE started_at >= ? GROUP BY 1`,
      from,
    )
    .toArray();
}
