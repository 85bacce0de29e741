// The requests for shared access that wait for an admin, in the AdminObject.

import type { ListPage, ListQuery } from "../listing.ts";
import type { Approval } from "./admin-schema.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { contains, pageOf } from "./page-of.ts";

const MOST_APPROVALS = 200;

/** Puts a request for shared access before the admins. False when too many wait already and no room can be made. */
export function requestApproval(sql: SqlStorage, approval: Approval, now: number): boolean {
  sql.exec("DELETE FROM approvals WHERE expires_at <= ?", now);
  const { n } = sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM approvals").one();
  if (n >= MOST_APPROVALS && !makeRoom(sql, approval.asked_from)) return false;
  sql.exec(
    `INSERT OR IGNORE INTO approvals
       (transaction_id, code, client_id, client_name, redirect_uri, requested_at, expires_at, asked_from)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    approval.transaction_id,
    approval.code,
    approval.client_id,
    approval.client_name,
    approval.redirect_uri,
    approval.requested_at,
    approval.expires_at,
    approval.asked_from,
  );
  return true;
}

/**
 * Takes the newest request of whoever has most on the list off it, for one of somebody who has fewer. So a flood pushes
 * out its own requests, and never the only one of anybody.
 */
function makeRoom(sql: SqlStorage, askedFrom: string): boolean {
  const taken = sql.exec(
    `DELETE FROM approvals WHERE rowid =
       (SELECT MAX(rowid) FROM approvals GROUP BY asked_from
        HAVING COUNT(*) > 1 + (SELECT COUNT(*) FROM approvals WHERE asked_from = ?)
        ORDER BY COUNT(*) DESC LIMIT 1)`,
    askedFrom,
  );
  return taken.rowsWritten > 0;
}

/** The requests that still wait, the oldest first. */
export function listApprovals(sql: SqlStorage, now: number): readonly Approval[] {
  return sql
    .exec<Approval>("SELECT * FROM approvals WHERE expires_at > ? ORDER BY requested_at", now)
    .toArray();
}

/** One page of the requests that still wait, the newest first. */
export function pageApprovals(
  sql: SqlStorage,
  { search, cursor }: ListQuery,
  now: number,
): ListPage<Approval> {
  const found = contains(["code", "client_name", "client_id", "redirect_uri"], search);
  return pageOf(
    sql,
    {
      table: "approvals",
      columns: "*",
      sort: "requested_at",
      id: "transaction_id",
      where: ["expires_at > ?", ...found.where],
      values: [now, ...found.values],
    },
    cursor,
  );
}

/** Takes a request off the list, with the audit row of the decision. False when it is gone or too old. */
export function settleApproval(
  sql: SqlStorage,
  transactionId: string,
  decision: "approved" | "denied",
  by: Actor,
  now: number,
): boolean {
  const settled = sql.exec(
    "DELETE FROM approvals WHERE transaction_id = ? AND expires_at > ?",
    transactionId,
    now,
  );
  if (settled.rowsWritten === 0) return false;
  writeAudit(sql, now, by, `approval.${decision}`, transactionId);
  return true;
}
