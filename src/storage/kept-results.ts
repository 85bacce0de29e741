// Results that were paid for and that somebody is still owed, or that may be reused: which caller may have one, and
// when it is gone. SQL on the ConnectionObject's database; the story is paid-calls.ts.

import { failpoint } from "../failpoints.ts";
import type { CallHolder } from "./paid-ledger.ts";
import type { KeptResultRow } from "./paid-schema.ts";

/** How long a result waits for the caller that left. */
export const OWED_SECONDS = 600;

export interface KeptResult {
  readonly row: KeptResultRow;
  readonly how: "recovered" | "reused";
}

/** What policy says about results that were delivered already. */
export interface ReusePolicy {
  /** 0 is never. */
  readonly reuseSeconds: number;
  /** Whether a result may go to another holder of the connection than the one that paid. */
  readonly shareResults: boolean;
}

/** Keeps the sealed parts of a result. */
export function keepResult(sql: SqlStorage, row: KeptResultRow, parts: readonly string[]): void {
  if (FAILPOINTS) void failpoint("paid.keeping", sql);
  sql.exec(
    `INSERT INTO kept_results (call_id, call_hash, is_error, answered_at, owed_until, reusable_until)
     VALUES (?, ?, ?, ?, ?, ?)`,
    row.call_id,
    row.call_hash,
    row.is_error,
    row.answered_at,
    row.owed_until,
    row.reusable_until,
  );
  for (const [part, sealed] of parts.entries()) {
    sql.exec(
      "INSERT INTO kept_parts (call_id, part, result_sealed) VALUES (?, ?, ?)",
      row.call_id,
      part,
      sealed,
    );
  }
}

/**
 * The kept result for a call, if `holder` may have one: owed, to this holder or to nobody in particular because nobody
 * got it; or reusable by policy. An error is never reused.
 */
export function findKept(
  sql: SqlStorage,
  callHash: string,
  holder: CallHolder,
  policy: ReusePolicy,
  now: number,
): KeptResult | undefined {
  const rows = sql
    .exec<KeptResultRow & { payer: string }>(
      `SELECT kept_results.*, coalesce(grant_id, key_id, '') AS payer
       FROM kept_results JOIN paid_calls ON id = call_id
       WHERE kept_results.call_hash = ? ORDER BY answered_at DESC`,
      callHash,
    )
    .toArray();
  for (const { payer, ...row } of rows) {
    if (now < row.owed_until && isOwed(sql, row.call_id, holder)) return { row, how: "recovered" };
    const allowed = policy.shareResults || payer === holderKey(holder);
    const young = now < row.reusable_until && now - row.answered_at < policy.reuseSeconds;
    if (young && allowed && row.is_error === 0) return { row, how: "reused" };
  }
  return undefined;
}

/** Names a holder within its connection. */
export function holderKey({ grantId, keyId }: CallHolder): string {
  return grantId ?? keyId ?? "";
}

type Balance = { holder: string; owed: number; delivered: number };

/** What each holder still has to get of a result: what it was to get and did not, less what it got later. */
function balances(sql: SqlStorage, callId: string): readonly Balance[] {
  return sql
    .exec<Balance>(
      `SELECT coalesce(grant_id, key_id, '') AS holder, SUM(delivered) AS delivered,
         SUM(CASE WHEN served IN ('paid', 'joined') THEN 1 - delivered
                  WHEN served = 'recovered' THEN -delivered ELSE 0 END) AS owed
       FROM paid_calls WHERE id = ?1 OR paid_by = ?1 GROUP BY 1`,
      callId,
    )
    .toArray();
}

function totalOwed(all: readonly Balance[]): number {
  return all.reduce((sum, { owed }) => sum + owed, 0);
}

function isOwed(sql: SqlStorage, callId: string, holder: CallHolder): boolean {
  const all = balances(sql, callId);
  if (totalOwed(all) <= 0) return false;
  const own = all.find((one) => one.holder === holderKey(holder));
  return own === undefined || own.owed > 0 || own.delivered === 0;
}

/** Lets a result go that is owed to nobody any more and can't be reused. */
export function settleKept(sql: SqlStorage, callId: string, now: number): void {
  if (totalOwed(balances(sql, callId)) > 0) return;
  sql.exec("UPDATE kept_results SET owed_until = 0 WHERE call_id = ?", callId);
  sweepKept(sql, now);
}

/** The sealed parts of a result, in order; none when it is gone. */
export function keptParts(sql: SqlStorage, callId: string): readonly string[] {
  return sql
    .exec<{ result_sealed: string }>(
      "SELECT result_sealed FROM kept_parts WHERE call_id = ? ORDER BY part",
      callId,
    )
    .toArray()
    .map((row) => row.result_sealed);
}

/** Deletes what is over. */
export function sweepKept(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM kept_results WHERE owed_until <= ?1 AND reusable_until <= ?1", now);
  deleteOrphans(sql);
}

/** Deletes one result, or every one. */
export function forgetKept(sql: SqlStorage, callId?: string): void {
  if (callId === undefined) sql.exec("DELETE FROM kept_results");
  else sql.exec("DELETE FROM kept_results WHERE call_id = ?", callId);
  deleteOrphans(sql);
}

function deleteOrphans(sql: SqlStorage): void {
  sql.exec("DELETE FROM kept_parts WHERE call_id NOT IN (SELECT call_id FROM kept_results)");
}
