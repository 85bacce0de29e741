// Account sessions: the visits of the one person whose connection this is to /account. SQL on the ConnectionObject's
// database, run inside its transactions. OWASP ASVS 5.0 7.2, 7.3.

/** An account session ends after this long without a request, and after the second figure in any case. */
const IDLE_SECONDS = 30 * 60;
export const LONGEST_ACCOUNT_SECONDS = 8 * 3600;
const MOST_SESSIONS = 10;

/** Opens an account session. The oldest ones over ten end. */
export function openAccountSession(sql: SqlStorage, hash: string, now: number): void {
  sql.exec("INSERT INTO account_sessions (hash, created_at, seen_at) VALUES (?1, ?2, ?2)", hash, now);
  sql.exec(
    `DELETE FROM account_sessions WHERE hash IN (
       SELECT hash FROM account_sessions ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    MOST_SESSIONS,
  );
}

/** Whether the account session lives; asking keeps it from idling out. */
export function useAccountSession(sql: SqlStorage, hash: string, now: number): boolean {
  const used = sql.exec(
    "UPDATE account_sessions SET seen_at = ?1 WHERE hash = ?2 AND seen_at > ?1 - ?3 AND created_at > ?1 - ?4",
    now,
    hash,
    IDLE_SECONDS,
    LONGEST_ACCOUNT_SECONDS,
  );
  return used.rowsWritten > 0;
}

/** Deletes the account sessions that are over. */
export function sweepAccountSessions(sql: SqlStorage, now: number): void {
  sql.exec(
    "DELETE FROM account_sessions WHERE seen_at <= ?1 - ?2 OR created_at <= ?1 - ?3",
    now,
    IDLE_SECONDS,
    LONGEST_ACCOUNT_SECONDS,
  );
}

/** When the first account session is over, in epoch seconds, if there is one. */
export function nextAccountSessionEnd(sql: SqlStorage): number | undefined {
  const [row] = sql
    .exec<{ due: number | null }>(
      "SELECT MIN(MIN(seen_at + ?, created_at + ?)) AS due FROM account_sessions",
      IDLE_SECONDS,
      LONGEST_ACCOUNT_SECONDS,
    )
    .toArray();
  return row?.due ?? undefined;
}
