// What an object has still to tell its EscrowObject. A row is written in the transaction of the change that it tells
// of, and goes when the escrow has it: so neither a failure nor a crash between the two makes a later restore forget.
// Used by the objects that have an escrow.

import { nowSeconds } from "../clock.ts";
import { failpoint } from "../failpoints.ts";
import { scheduleAlarm } from "./alarm.ts";
import type { EscrowObject } from "./escrow-object.ts";
import type { Migration } from "./migrations.ts";
import { retrying } from "./stubs.ts";

/** When it is told again after a failure, unless the object is used before. */
const TELL_AGAIN_SECONDS = 60;

export const OUTBOX_STEP: Migration = [
  "CREATE TABLE outbox (name TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT) STRICT",
];

/**
 * Something that a restore must not undo. With a value: the newest version of what has this name. Without one: the id
 * in `name` has ended, at the time in `version`; or without a name, too: Gong's tokens have come to this generation.
 */
export type Fact = { readonly name: string; readonly version: number; readonly value: string | null };

/** Puts a fact into the outbox, in place of an older one of its name. Runs in the transaction that makes it one. */
export function putOut(sql: SqlStorage, name: string, version: number, value: object | null = null): void {
  const text = value === null ? null : JSON.stringify(value);
  sql.exec("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?)", name, version, text);
}

/** Ends one session of a table, or all: deletes it, and puts its end into the outbox. Whether there was any. */
export function endSessions(
  sql: SqlStorage,
  table: "sessions" | "account_sessions",
  hash: string | undefined,
  now: number,
): boolean {
  const ended = sql
    .exec<{ hash: string }>(
      `DELETE FROM ${table} WHERE hash = coalesce(?, hash) RETURNING hash`,
      hash ?? null,
    )
    .toArray();
  for (const row of ended) putOut(sql, row.hash, now);
  return ended.length > 0;
}

/** What the escrow has not been told for certain. */
export function untold(sql: SqlStorage): readonly Fact[] {
  return sql.exec<Fact>("SELECT * FROM outbox").toArray();
}

/** Takes facts out that the escrow has; one that was replaced meanwhile stays. */
export function takeOut(sql: SqlStorage, facts: readonly Fact[]): void {
  for (const { name, version, value } of facts) {
    sql.exec("DELETE FROM outbox WHERE name = ? AND version = ? AND value IS ?", name, version, value);
  }
}

/** Tells the escrow what is in the outbox. Throws when that fails; the object's alarm is set to try again. */
export async function tell(
  storage: DurableObjectStorage,
  escrow: () => DurableObjectStub<EscrowObject>,
): Promise<void> {
  const facts = untold(storage.sql);
  if (facts.length === 0) return;
  try {
    if (FAILPOINTS) await failpoint("outbox.telling", storage.sql);
    await retrying(async () => escrow().remember(facts));
  } catch (error) {
    const now = nowSeconds();
    await scheduleAlarm(storage, now, [now + TELL_AGAIN_SECONDS]);
    throw error;
  }
  if (FAILPOINTS) await failpoint("outbox.told", storage.sql);
  takeOut(storage.sql, facts);
}
