// The requests for shared access that wait for an admin, in the AdminObject.

import type { Approval } from "./admin-schema.ts";
import { writeAudit } from "./audit.ts";

const MOST_APPROVALS = 200;

/** Puts a request for shared access before the admins. False when too many wait already. */
export function requestApproval(sql: SqlStorage, approval: Approval, now: number): boolean {
  sql.exec("DELETE FROM approvals WHERE expires_at <= ?", now);
  const { n } = sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM approvals").one();
  if (n >= MOST_APPROVALS) return false;
  sql.exec(
    `INSERT OR IGNORE INTO approvals
       (transaction_id, code, client_id, client_name, redirect_uri, requested_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    approval.transaction_id,
    approval.code,
    approval.client_id,
    approval.client_name,
    approval.redirect_uri,
    approval.requested_at,
    approval.expires_at,
  );
  return true;
}

/** The requests that still wait, the oldest first. */
export function listApprovals(sql: SqlStorage, now: number): readonly Approval[] {
  return sql
    .exec<Approval>("SELECT * FROM approvals WHERE expires_at > ? ORDER BY requested_at", now)
    .toArray();
}

/** Takes a request off the list, with the audit row of the decision. False when it is gone or too old. */
export function settleApproval(
  sql: SqlStorage,
  transactionId: string,
  decision: "approved" | "denied",
  actor: string,
  now: number,
): boolean {
  const settled = sql.exec(
    "DELETE FROM approvals WHERE transaction_id = ? AND expires_at > ?",
    transactionId,
    now,
  );
  if (settled.rowsWritten === 0) return false;
  writeAudit(sql, now, actor, `approval.${decision}`, transactionId);
  return true;
}
