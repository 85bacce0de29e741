// Arguments of paid calls that policy has kept, sealed, for an admin to read: written with the row of the ledger, and
// gone with it. SQL on the ConnectionObject's database; the stories are paid-arrival.ts and content-life.ts.

import type { ContentSettings } from "../mcp/policy.ts";
import type { CallContentRow } from "./paid-schema.ts";

const DAY = 86_400;

export type SealedContent = ContentSettings & { readonly sealed: string };

/** Keeps the arguments of a call whose row is there. */
export function keepContent(sql: SqlStorage, callId: string, kept: SealedContent, now: number): void {
  sql.exec(
    `INSERT INTO call_contents (call_id, since, kept_at, kept_until, arguments_sealed)
     VALUES (?, ?, ?, ?, ?)`,
    callId,
    kept.since,
    now,
    now + kept.keepDays * DAY,
    kept.sealed,
  );
}

/** The row of a call, if `kept` lets it be read: the time is not over and keeping was not switched off in between. */
export function findContent(
  sql: SqlStorage,
  callId: string,
  kept: ContentSettings,
  now: number,
): CallContentRow | undefined {
  return sql
    .exec<CallContentRow>(
      "SELECT * FROM call_contents WHERE call_id = ? AND since = ? AND kept_until > ? AND kept_at > ?",
      callId,
      kept.since,
      now,
      now - kept.keepDays * DAY,
    )
    .toArray()[0];
}

/** Deletes all of it. */
export function forgetContents(sql: SqlStorage): void {
  sql.exec("DELETE FROM call_contents");
}

/** What policy kept when it was last asked, and which version of it that was. */
export interface ContentPolicy {
  readonly version: number;
  readonly content?: ContentSettings | undefined;
}

/**
 * Deletes what policy no longer kept when it was asked. What a later version of it keeps stays: the word of an earlier
 * one may come late.
 */
export function forgetUnkept(sql: SqlStorage, { version, content: kept }: ContentPolicy, now: number): void {
  sql.exec("DELETE FROM call_contents WHERE since < ?", kept?.since ?? version + 1);
  if (kept === undefined) return;
  sql.exec(
    "DELETE FROM call_contents WHERE since = ? AND kept_at <= ?",
    kept.since,
    now - kept.keepDays * DAY,
  );
}

/** Deletes what is over by the policy of its own time. Returns whether any is left. */
export function sweepOver(sql: SqlStorage, now: number): boolean {
  sql.exec("DELETE FROM call_contents WHERE kept_until <= ?", now);
  return sql.exec("SELECT 1 FROM call_contents LIMIT 1").toArray().length > 0;
}

/**
 * When it is to be looked at next, epoch seconds: what is over goes,
 * and once a day policy is asked whether it still keeps any.
 */
export function nextContentSweepAt(sql: SqlStorage, now: number): number | undefined {
  const { due } = sql.exec<{ due: number | null }>("SELECT MIN(kept_until) AS due FROM call_contents").one();
  return due === null ? undefined : Math.min(due, now + DAY);
}

/** Which of these calls have any. */
export function contentsAmong(sql: SqlStorage, callIds: readonly string[]): readonly string[] {
  return sql
    .exec<{ call_id: string }>(
      "SELECT call_id FROM call_contents WHERE call_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(callIds),
    )
    .toArray()
    .map((row) => row.call_id);
}
