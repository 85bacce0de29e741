// What the checks of the set-up came to, in the AdminObject. No secret and no text of Gong's is in a row.

/** `unknown`: it could not be checked. */
export type CheckVerdict = "ok" | "problem" | "unknown";

/** What a check found. */
export interface Finding {
  readonly verdict: CheckVerdict;
  readonly reason: string;
  readonly detail?: string;
}

export type CheckResult = {
  /** Names the check, and the integration it was about, e.g. `client_main`. */
  readonly id: string;
  /** Of the settings it was about: with other settings it was never run. */
  readonly subject_hash: string;
  readonly verdict: CheckVerdict;
  /** Why, as one of our own constants. */
  readonly reason: string;
  /** What was found, e.g. scopes or tool names that were checked for their form; null for nothing. */
  readonly detail: string | null;
};

export type CheckRow = CheckResult & {
  readonly checked_at: number;
  /** The last time it was well; null when it never was, for this subject. */
  readonly passed_at: number | null;
};

/** Keeps the results over earlier ones. */
export function recordChecks(sql: SqlStorage, results: readonly CheckResult[], now: number): void {
  for (const { id, subject_hash, verdict, reason, detail } of results) {
    sql.exec(
      `INSERT INTO setup_checks (id, subject_hash, verdict, reason, detail, checked_at, passed_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (id) DO UPDATE SET
         passed_at = COALESCE(?7, CASE WHEN subject_hash = ?2 THEN passed_at END),
         subject_hash = ?2, verdict = ?3, reason = ?4, detail = ?5, checked_at = ?6`,
      id,
      subject_hash,
      verdict,
      reason,
      detail,
      now,
      verdict === "ok" ? now : null,
    );
  }
}

/** The last result of each check. */
export function listChecks(sql: SqlStorage): readonly CheckRow[] {
  return sql.exec<CheckRow>("SELECT * FROM setup_checks ORDER BY id").toArray();
}
