// What a refresh of Gong's tokens writes: each function is one statement on the connection's row (new tokens are put
// into the outbox, too), and none changes a row that has moved on to another generation or state meanwhile. Called by
// gong-refresh.ts.

import { nowSeconds } from "../clock.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { refreshDueAt, type AfterFailure } from "../gong/refresh-machine.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { SealedTokens } from "./gong-seals.ts";
import { putOut } from "./outbox.ts";

/** Writes that `before` is about to spend its refresh token. False when it has moved on. */
export function writeIntent(sql: SqlStorage, before: ConnectionRow, attemptId: string): boolean {
  const written = sql.exec(
    `UPDATE connection SET attempt_id = ?, attempt_started_at = ?, attempt_answer_sealed = NULL
     WHERE generation = ? AND state = 'connected'`,
    attemptId,
    nowSeconds(),
    before.generation,
  );
  return written.rowsWritten > 0;
}

/** Keeps the sealed answer of an attempt until it is committed. */
export function writeAnswer(
  sql: SqlStorage,
  before: ConnectionRow,
  attemptId: string,
  answerSealed: string,
): void {
  sql.exec(
    "UPDATE connection SET attempt_answer_sealed = ? WHERE attempt_id = ? AND generation = ?",
    answerSealed,
    attemptId,
    before.generation,
  );
}

/** Sets aside a sealed answer that this version can't read, where no later attempt overwrites it. */
export function writeQuarantine(sql: SqlStorage, before: ConnectionRow, answerSealed: string): void {
  sql.exec(
    "UPDATE connection SET quarantined_answer_sealed = ? WHERE generation = ?",
    answerSealed,
    before.generation,
  );
}

/**
 * Puts the tokens of the next generation in the place of those of `before`, and that it has come into the outbox. Runs
 * in a transaction. False when it has moved on.
 */
export function writeTokens(
  sql: SqlStorage,
  before: ConnectionRow,
  tokens: GongTokens,
  sealed: SealedTokens,
): boolean {
  const now = nowSeconds();
  const committed = sql.exec(
    `UPDATE connection SET generation = ?, gong_access_token_sealed = ?, gong_refresh_token_sealed = ?,
       gong_expires_at = ?, gong_scope = coalesce(?, gong_scope), refreshed_at = ?, refresh_due_at = ?,
       attempt_id = NULL, attempt_started_at = NULL, attempt_answer_sealed = NULL,
       quarantined_answer_sealed = NULL, failures = 0, reason = NULL
     WHERE generation = ? AND state = 'connected'`,
    before.generation + 1,
    sealed.accessTokenSealed,
    sealed.refreshTokenSealed,
    now + tokens.expiresInSeconds,
    tokens.scope?.join(" ") ?? null,
    now,
    refreshDueAt(now, tokens.expiresInSeconds, Math.random()),
    before.generation,
  );
  if (committed.rowsWritten === 0) return false;
  putOut(sql, "", before.generation + 1);
  return true;
}

/** Writes when to try again and why; the tokens stay as they are. */
export function writeFailure(
  sql: SqlStorage,
  before: ConnectionRow,
  reason: string,
  { dueAt, isTokenUnspent }: Extract<AfterFailure, { kind: "retry" }>,
): void {
  sql.exec(
    `UPDATE connection SET failures = failures + 1, refresh_due_at = ?, reason = ?,
       attempt_id = iif(?, NULL, attempt_id) WHERE generation = ?`,
    dueAt,
    reason,
    isTokenUnspent ? 1 : 0,
    before.generation,
  );
}

/** Writes that only a person can help; the tokens stay as they are. False when the connection has moved on. */
export function writeNeedsReconnect(
  sql: SqlStorage,
  before: ConnectionRow,
  reason: string,
  now: number,
): boolean {
  const written = sql.exec(
    `UPDATE connection SET state = 'needs_reconnect', reason = ?, state_since = ?
     WHERE generation = ? AND state = 'connected'`,
    reason,
    now,
    before.generation,
  );
  return written.rowsWritten > 0;
}
