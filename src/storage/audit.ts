// The security audit in the AdminObject: one row per act, in the transaction of the act it tells of.

/** Rows kept; the oldest go first. */
const AUDIT_KEPT = 10_000;

/** Writes one audit row. `actor` is who did it, `target` the id it was done to; neither is ever a secret. */
export function writeAudit(
  sql: SqlStorage,
  now: number,
  actor: string,
  action: string,
  target: string | undefined,
): void {
  sql.exec(
    "INSERT INTO audit (at, actor, action, target) VALUES (?, ?, ?, ?)",
    now,
    actor,
    action,
    target ?? null,
  );
  sql.exec("DELETE FROM audit WHERE id <= (SELECT MAX(id) FROM audit) - ?", AUDIT_KEPT);
}
