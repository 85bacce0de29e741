// The ledger of paid calls as admins see it: searched and paged, counted by outcome, and forgotten when its time is
// over or somebody has it erased. SQL on the ConnectionObject's database; the rows are written by paid-ledger.ts.

import { dayStart, EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import { contentsAmong, forgetContents } from "./call-contents.ts";
import { forgetKept } from "./kept-results.ts";
import { contains, pageOf } from "./page-of.ts";
import type { CallOutcome, PaidCallRow } from "./paid-schema.ts";

const DAY = 86_400;

/** One page of the rows, and how many of all that match ended in which way. */
export interface LedgerList {
  readonly page: ListPage<PaidCallRow>;
  readonly outcomes: readonly { readonly outcome: CallOutcome; readonly calls: number }[];
  /** The ids of the rows on the page whose arguments are kept. */
  readonly contents: readonly string[];
}

export const NO_LEDGER: LedgerList = { page: EMPTY_PAGE, outcomes: [], contents: [] };

/**
 * Searches tools, names, ids and hashes; filters by `tool`, `served`, `outcome`, and the days `from` and `to` in UTC.
 */
export function listLedger(sql: SqlStorage, { search, filters, cursor }: ListQuery): LedgerList {
  const found = contains(
    ["tool", "client_id", "client_name", "key_id", "key_name", "person", "call_hash", "id"],
    search,
  );
  const where = [...found.where];
  const values: SqlStorageValue[] = [...found.values];
  for (const column of ["tool", "served", "outcome"]) {
    const value = filters[column];
    if (value === undefined) continue;
    where.push(`${column} = ?`);
    values.push(value);
  }
  const { from, until } = daysOf(filters);
  for (const [condition, bound] of [["started_at >= ?", from] as const, ["started_at < ?", until] as const]) {
    if (bound === undefined) continue;
    where.push(condition);
    values.push(bound);
  }
  const outcomes = sql
    .exec<{ outcome: CallOutcome; calls: number }>(
      `SELECT outcome, COUNT(*) AS calls FROM paid_calls${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}
       GROUP BY outcome ORDER BY calls DESC, outcome`,
      ...values,
    )
    .toArray();
  const page = pageOf<PaidCallRow>(
    sql,
    { table: "paid_calls", columns: "*", sort: "seq", id: "seq", where, values },
    cursor,
  );
  const ids = page.rows.map(({ id }) => id);
  return { page, outcomes, contents: contentsAmong(sql, ids) };
}

/** The time from the day `from` to the day `to`, both included, in UTC; open where none is given. */
export function daysOf(filters: ListQuery["filters"]): {
  readonly from: number | undefined;
  readonly until: number | undefined;
} {
  const last = dayStart(filters["to"]);
  return { from: dayStart(filters["from"]), until: last === undefined ? undefined : last + DAY };
}

/** When the oldest row is over, in epoch seconds, if there is one. */
export function nextLedgerPruneAt(sql: SqlStorage, keptSeconds: number): number | undefined {
  const [oldest] = sql
    .exec<{ started_at: number }>("SELECT started_at FROM paid_calls ORDER BY seq LIMIT 1")
    .toArray();
  return oldest === undefined ? undefined : oldest.started_at + keptSeconds;
}

/** Deletes the rows that are `keptSeconds` old. Looks at no younger ones. */
export function pruneLedger(sql: SqlStorage, keptSeconds: number, now: number): void {
  sql.exec(
    `DELETE FROM paid_calls WHERE started_at <= ?1 AND seq < coalesce(
       (SELECT seq FROM paid_calls WHERE started_at > ?1 ORDER BY seq LIMIT 1), ?2)`,
    now - keptSeconds,
    Number.MAX_SAFE_INTEGER,
  );
}

/**
 * Deletes every row of a call that has ended, every kept result and
 * all kept arguments. Returns how many rows there were.
 */
export function eraseLedger(sql: SqlStorage): number {
  forgetKept(sql);
  forgetContents(sql);
  const { erased } = sql
    .exec<{ erased: number }>("SELECT COUNT(*) AS erased FROM paid_calls WHERE outcome <> 'running'")
    .one();
  sql.exec("DELETE FROM paid_calls WHERE outcome <> 'running'");
  return erased;
}
