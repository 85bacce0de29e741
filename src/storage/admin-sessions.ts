// Admin sessions and the lock-out of addresses that guess, in the AdminObject.

import { writeAudit, type Actor } from "./audit.ts";
import { endSessions } from "./outbox.ts";

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

/** Takes back one counted attempt of an address. */
export function takeBackAttempt(sql: SqlStorage, addressHash: string): void {
  sql.exec("UPDATE sign_in_attempts SET failures = MAX(failures - 1, 0) WHERE address_hash = ?", addressHash);
}

/** One admin session as the admins see it. */
export type SessionEntry = { readonly actor: string; readonly created_at: number; readonly seen_at: number };

/**
 * Opens the admin session of `by`, and forgives the address its
 * attempts when a token was typed. The oldest sessions over ten end.
 */
export function openSession(
  sql: SqlStorage,
  sessionHash: string,
  addressHash: string | undefined,
  by: Actor,
  now: number,
): void {
  if (addressHash !== undefined) sql.exec("DELETE FROM sign_in_attempts WHERE address_hash = ?", addressHash);
  sql.exec(
    "INSERT INTO sessions (hash, created_at, seen_at, actor) VALUES (?1, ?2, ?2, ?3)",
    sessionHash,
    now,
    by.actor,
  );
  sql.exec(
    "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
    MOST_SESSIONS,
  );
  writeAudit(sql, now, by, "session.opened");
}

const LIVES = "seen_at > ?1 - ?2 AND created_at > ?1 - ?3";

/** Whose session it is while it lives; asking keeps it from idling out. */
export function useSession(sql: SqlStorage, sessionHash: string, now: number): string | undefined {
  const [used] = sql
    .exec<{ actor: string }>(
      `UPDATE sessions SET seen_at = ?1 WHERE ${LIVES} AND hash = ?4 RETURNING actor`,
      now,
      SESSION_IDLE_SECONDS,
      SESSION_LONGEST_SECONDS,
      sessionHash,
    )
    .toArray();
  return used?.actor;
}

/** The admin sessions that live, the last used first. */
export function listSessions(sql: SqlStorage, now: number): readonly SessionEntry[] {
  return sql
    .exec<SessionEntry>(
      `SELECT actor, created_at, seen_at FROM sessions WHERE ${LIVES} ORDER BY seen_at DESC, created_at DESC`,
      now,
      SESSION_IDLE_SECONDS,
      SESSION_LONGEST_SECONDS,
    )
    .toArray();
}

/** Ends every admin session, with the audit row that says who did it. */
export function endAllSessions(sql: SqlStorage, by: Actor, now: number): void {
  endSessions(sql, "sessions", undefined, now);
  writeAudit(sql, now, by, "sessions.ended");
}
