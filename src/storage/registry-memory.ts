// What a registry shard must not forget by a point-in-time restore of itself: which registrations were removed, and
// that something was used that can be used once, an assertion (RFC 7523 §3, item 7) or a person's answer to a device
// (RFC 8628). Of the latter an EscrowObject of its own gets a mark and not each, so that few of them wait for it.

import { nowSeconds } from "../clock.ts";
import { log } from "../log.ts";
import type { EscrowObject } from "./escrow-object.ts";
import type { Migration } from "./migrations.ts";
import { OUTBOX_STEP, putOut, takeOut, tell, untold } from "./outbox.ts";
import { retrying } from "./stubs.ts";

/** How far ahead the mark is set: uses until then need no other. */
const MARK_SECONDS = 30;

/**
 * No assertion can be used for longer after it is first accepted: oauth/identity-assertion.ts, and grace for clocks.
 */
const LONGEST_ASSERTION_SECONDS = 960;

export const REGISTRY_MEMORY_STEP: Migration = [
  ...OUTBOX_STEP,
  `CREATE TABLE single_use (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    marked_until INTEGER NOT NULL,
    refused_until INTEGER NOT NULL,
    is_open INTEGER NOT NULL
  ) STRICT`,
];

type Escrow = () => DurableObjectStub<EscrowObject>;
type Mark = { readonly marked_until: number; readonly refused_until: number; readonly is_open: number };

function markOf(sql: SqlStorage): Mark {
  const [mark] = sql.exec<Mark>("SELECT * FROM single_use").toArray();
  return mark ?? { marked_until: 0, refused_until: 0, is_open: 0 };
}

function setMark(sql: SqlStorage, until: number, refusedUntil: number, isOpen: 0 | 1): void {
  sql.exec("INSERT OR REPLACE INTO single_use VALUES (1, ?, ?, ?)", until, refusedUntil, isOpen);
  putOut(sql, "", until);
}

/**
 * Makes sure that the escrow knows of a use that is about to happen; most have a mark to stand on. Throws otherwise.
 */
export async function markUse(storage: DurableObjectStorage, escrow: Escrow): Promise<void> {
  const now = nowSeconds();
  const { marked_until: until, refused_until: refusedUntil } = markOf(storage.sql);
  if (until <= now) {
    storage.transactionSync(() => setMark(storage.sql, now + MARK_SECONDS, refusedUntil, 1));
  }
  await tell(storage, escrow);
}

/** Moves a mark on whose time is over, so that a restore to any moment before its end is found out. */
export function closeMark(sql: SqlStorage, now: number): void {
  const { marked_until: until, refused_until: refusedUntil, is_open: isOpen } = markOf(sql);
  if (isOpen === 1 && until <= now) setMark(sql, until + 1, refusedUntil, 0);
}

/** Whether an assertion may have been used before a restore: it is then refused, to be on the safe side. */
export function mayBeUsed(sql: SqlStorage, usableUntil: number): boolean {
  return usableUntil <= markOf(sql).refused_until;
}

/**
 * Removes again what was removed before a restore. When something was used since the time that was restored, devices
 * that wait have to begin anew, and assertions that may have been used are refused until they can't have been.
 */
export async function catchUp(storage: DurableObjectStorage, escrow: Escrow): Promise<void> {
  const { sql } = storage;
  const told = untold(sql);
  const clients = sql.exec<{ id: string }>("SELECT id FROM clients").toArray();
  const ids = clients.map(({ id }) => id);
  const { ended, generation } = await retrying(async () => escrow().witness(ids, told));
  const isBehind = generation > markOf(sql).marked_until;
  storage.transactionSync(() => {
    takeOut(sql, told);
    for (const id of ended) sql.exec("DELETE FROM clients WHERE id = ?", id);
    if (!isBehind) return;
    sql.exec("DELETE FROM device_authorizations");
    setMark(sql, generation, generation + LONGEST_ASSERTION_SECONDS, 0);
  });
  if (isBehind || ended.length > 0) log("warn", "registry.restored");
}
