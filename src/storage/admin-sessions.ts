// Admin sessions and the lock-out of addresses that guess, in the AdminObject.

import { writeAudit } from "./audit.ts";

/** An admin session ends after this long without a request, and after the second figure in any case. */
const SESSION_IDLE_SECONDS = 30 * 60;
const SESSION_LONGEST_SECONDS = 8 * 3600;
const MOST_SESSIONS = 10;

/** Wrong tokens an address may try at once; then each one doubles the wait. */
const FREE_ATTEMPTS = 5;
const LONGEST_WAIT_SECONDS = 900;
const ATTEMPT_MEMORY_SECONDS = 86_400;
const MOST_ADDRESSES = 10_000;

/** Counts an attempt of an address; the seconds to wait, or 0 when it may go on. */
export function admitSignIn(sql: SqlStorage, addressHash: string, now: number): number {
  sql.exec("DELETE FROM sign_in_attempts WHERE last_at <= ?", now - ATTEMPT_MEMORY_SECONDS);
  const [known] = sql
    .exec<{ failures: number; last_at: number }>(
      "SELECT failures, last_at FROM sign_in_attempts WHERE address_hash = ?",
      addressHash,
    )
    .toArray();
  const failures = known?.failures ?? 0;
  const wait = failures < FREE_ATTEMPTS ? 0 : Math.min(2 ** (failures - FREE_ATTEMPTS), LONGEST_WAIT_SECONDS);
  const remaining = (known?.last_at ?? 0) + wait - now;
  if (wait > 0 && remaining > 0) return remaining;
  sql.exec(
    `INSERT INTO sign_in_attempts (address_hash, failures, last_at) VALUES (?1, 1, ?2)
     ON CONFLICT (address_hash) DO UPDATE SET failures = failures + 1, last_at = ?2`,
    addressHash,
    now,
  );
  sql.exec(
    `DELETE FROM sign_in_attempts WHERE address_hash IN (
       SELECT address_hash FROM sign_in_attempts ORDER BY last_at DESC LIMIT -1 OFFSET ?)`,
    MOST_ADDRESSES,
  );
  return 0;
}

/** Opens an admin session and forgives the address its attempts. The oldest sessions over ten end. */
export function openSession(sql: SqlStorage, sessionHash: string, addressHash: string, now: number): void {
  sql.exec("DELETE FROM sign_in_attempts WHERE address_hash = ?", addressHash);
  sql.exec("INSERT INTO sessions (hash, created_at, seen_at) VALUES (?1, ?2, ?2)", sessionHash, now);
  sql.exec(
    "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
    MOST_SESSIONS,
  );
  writeAudit(sql, now, "admin", "session.opened", undefined);
}

/** Whether the session lives; asking keeps it from idling out. */
export function useSession(sql: SqlStorage, sessionHash: string, now: number): boolean {
  const used = sql.exec(
    "UPDATE sessions SET seen_at = ?1 WHERE hash = ?2 AND seen_at > ?1 - ?3 AND created_at > ?1 - ?4",
    now,
    sessionHash,
    SESSION_IDLE_SECONDS,
    SESSION_LONGEST_SECONDS,
  );
  return used.rowsWritten > 0;
}
