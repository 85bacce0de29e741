// The end of grants: revoking, listing what still lives, and deleting what has expired. SQL on the ConnectionObject's
// database, run inside its transactions and its alarm.

import { failpoint } from "../failpoints.ts";
import { noteEvent } from "./connection-audit.ts";
import type { GrantRow } from "./connection-schema.ts";
import { putOut } from "./outbox.ts";

/** How long a code is remembered, so that a late replay revokes what it issued (RFC 6749 §4.1.2). */
export const CODE_MEMORY_SECONDS = 600;

const REVOKED_KEPT_SECONDS = 30 * 86_400;

/** Why a grant ended that nobody ended by itself: its connection did. */
export const CONNECTION_ENDED = "connection_ended";

/**
 * A grant without a code that was ended by itself. It is never forgotten: its client could open the next one alone, and
 * what a person or an admin has ended stays ended.
 */
export const BARRED = `(revoked_at IS NOT NULL AND grant_type <> 'authorization_code'
  AND revoked_reason <> '${CONNECTION_ENDED}')`;

/** Ends a grant and everything it issued. The row stays for a while, so that a reader sees why. */
export function revokeGrant(sql: SqlStorage, grantId: string, reason: string, now: number): void {
  sql.exec("DELETE FROM access_tokens WHERE grant_id = ?", grantId);
  if (FAILPOINTS) void failpoint("end.writing", sql);
  const [ended] = sql
    .exec<{ client_id: string; client_name: string | null; barred: number }>(
      `UPDATE grants SET revoked_at = ?, revoked_reason = ?, refresh_hash = NULL, previous_refresh_hash = NULL,
         previous_answer_sealed = NULL WHERE id = ? AND revoked_at IS NULL
       RETURNING client_id, client_name, ${BARRED} AS barred`,
      now,
      reason,
      grantId,
    )
    .toArray();
  if (ended === undefined) return;
  putOut(sql, grantId, now);
  if (ended.barred === 1) putOut(sql, barOf(ended.client_id), now);
  noteEvent(sql, now, {
    action: "agent.ended",
    target: grantId,
    name: ended.client_name ?? undefined,
    reason,
  });
}

/** What the escrow knows the bar of a client by. No other id has a space in it. */
export const barOf = (clientId: string): string => `client ${clientId}`;

/** Every grant that was not ended, expired ones included; or the one with this id, or those of this client. */
export function openGrantIds(
  sql: SqlStorage,
  { id, clientId }: { readonly id?: string; readonly clientId?: string } = {},
): readonly string[] {
  const open = sql.exec<{ id: string }>(
    `SELECT id FROM grants WHERE revoked_at IS NULL AND id = coalesce(?, id) AND client_id = coalesce(?, client_id)`,
    id ?? null,
    clientId ?? null,
  );
  return [...open].map((grant) => grant.id);
}

/** Ends one access token of `clientId`; whether there was one. RFC 7009 §2.1. */
export function deleteAccessToken(sql: SqlStorage, hash: string, clientId: string, now: number): boolean {
  const deleted = sql.exec(
    "DELETE FROM access_tokens WHERE hash = ? AND grant_id IN (SELECT id FROM grants WHERE client_id = ?)",
    hash,
    clientId,
  );
  if (deleted.rowsWritten === 0) return false;
  putOut(sql, hash, now);
  return true;
}

/** The grant with this id, ended or not. */
export function findGrant(sql: SqlStorage, id: string): GrantRow | undefined {
  return sql.exec<GrantRow>("SELECT * FROM grants WHERE id = ?", id).toArray()[0];
}

/** Whether an access token is there: neither revoked nor, once expired, swept. */
export function hasAccessToken(sql: SqlStorage, hash: string): boolean {
  return sql.exec("SELECT 1 FROM access_tokens WHERE hash = ?", hash).toArray().length > 0;
}

/** Grants that can still be used: not revoked, not past their absolute or idle end. */
export function liveGrants(sql: SqlStorage, now: number): readonly GrantRow[] {
  return sql
    .exec<GrantRow>(
      `SELECT * FROM grants WHERE revoked_at IS NULL AND expires_at > ?1
         AND (refresh_expires_at > ?1 OR created_at > ?1 - ?2
           OR EXISTS (SELECT 1 FROM access_tokens WHERE grant_id = grants.id AND expires_at > ?1))
       ORDER BY created_at DESC`,
      now,
      CODE_MEMORY_SECONDS,
    )
    .toArray();
}

/** How many grants there are, ended ones that are still remembered included. */
export function countGrants(sql: SqlStorage): number {
  return sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM grants").one().n;
}

/** Deletes what has expired. */
export function sweepGrants(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM codes WHERE kept_until <= ?", now);
  sql.exec("DELETE FROM access_tokens WHERE expires_at <= ?", now);
  const gone = `(revoked_at IS NOT NULL AND revoked_at <= ?1 - ?2) OR expires_at <= ?1
    OR (refresh_generation > 0 AND refresh_expires_at <= ?1) OR (refresh_generation = 0 AND created_at <= ?1 - ?3)`;
  const unused = `AND NOT EXISTS (SELECT 1 FROM access_tokens WHERE grant_id = grants.id)
    AND NOT EXISTS (SELECT 1 FROM codes WHERE grant_id = grants.id)`;
  const swept = sql.exec<GrantRow>(
    `DELETE FROM grants WHERE (${gone}) AND NOT ${BARRED} ${unused} RETURNING *`,
    now,
    REVOKED_KEPT_SECONDS,
    CODE_MEMORY_SECONDS,
  );
  for (const { id, grant_type: type } of swept.toArray()) {
    // Then the escrow need not keep its generation.
    if (type === "authorization_code") putOut(sql, id, now);
  }
}

/** When there is something to delete next, in epoch seconds, if ever. */
export function nextSweepAt(sql: SqlStorage): number | undefined {
  const [row] = sql
    .exec<{ due: number | null }>(
      `SELECT MIN(due) AS due FROM (
         SELECT MIN(kept_until) AS due FROM codes UNION ALL SELECT MIN(expires_at) FROM access_tokens
         UNION ALL SELECT MIN(refresh_expires_at) FROM grants WHERE refresh_generation > 0 AND revoked_at IS NULL
         UNION ALL SELECT MIN(revoked_at) + ? FROM grants WHERE NOT ${BARRED})`,
      REVOKED_KEPT_SECONDS,
    )
    .toArray();
  return row?.due ?? undefined;
}
