// One refresh of Gong's tokens at a time, in the order that loses nothing: intent row, call that no client can cancel,
// raw answer sealed and kept in two places before it is interpreted, commit fenced by the generation. A refresh that
// was interrupted goes on from what was kept. The decisions are gong/refresh-machine.ts's.

import { randomId } from "../crypto/credential.ts";
import { sealedWith } from "../crypto/seal.ts";
import { GongError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import type { Integration } from "../gong/integration.ts";
import { interpretTokenAnswer, requestTokensByRefresh, type GongTokenAnswer } from "../gong/oauth.ts";
import { afterFailure, refreshDueAt } from "../gong/refresh-machine.ts";
import { errorFields, log } from "../log.ts";
import { noteEvent } from "./connection-audit.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { EscrowObject } from "./escrow-object.ts";
import type { GongSeals, SealedTokens } from "./gong-seals.ts";
import { bucketOf, SUPERSEDED, type RefreshOutcome } from "./refresh-outcome.ts";
import { retrying } from "./stubs.ts";

/** What the connection's object lends to its tokens. */
export interface Connection {
  readonly id: string;
  readonly sql: SqlStorage;
  readonly seals: GongSeals;
  readonly now: () => number;
  /** The connection's row, or undefined before it was ever connected. */
  readonly row: () => ConnectionRow | undefined;
  readonly escrow: () => DurableObjectStub<EscrowObject>;
  integration(row: ConnectionRow): Integration;
  /** Called after every change of what is due when. */
  schedule(): Promise<void>;
  /** Called after the state that people see has changed. */
  stateChanged(): void;
}

export interface GongRefresh {
  /** Joins the refresh in flight, or starts one. Failures are recorded, not thrown. */
  readonly refresh: () => Promise<void>;
  readonly inFlight: () => boolean;
  /** Says that only a person can help, and why. */
  readonly needReconnect: (current: ConnectionRow, reason: string) => unknown;
}

/** Binds the refresh to its object. One per instance: the flight in memory is what makes it single. */
export function createGongRefresh(connection: Connection): GongRefresh {
  const { sql, seals, now, row } = connection;
  let flight: Promise<void> | undefined;

  /** Returns what it came to; undefined when there was nothing to refresh. */
  const refreshOnce = async (): Promise<RefreshOutcome | undefined> => {
    if (FAILPOINTS) await failpoint("refresh.begun", sql);
    const before = row();
    if (before?.state !== "connected" || before.gong_refresh_token_sealed === null) return undefined;
    const { clientId } = connection.integration(before);
    if ((before.gong_client_id ?? clientId) !== clientId) {
      // RFC 6749 §6: a refresh token is bound to the client it was issued to, and that one is no longer configured.
      return needReconnect(before, "integration_replaced");
    }
    try {
      const refreshToken = await seals.openRefreshToken(before.gong_refresh_token_sealed, before.generation);
      const adopted = await adoptKeptAnswer(before, refreshToken);
      if (adopted !== undefined) return adopted;
      const asked = await askGong(before, refreshToken);
      if (asked === undefined) return SUPERSEDED;
      return await adopt(before, asked.answer, refreshToken, asked.attemptId);
    } catch (error) {
      return recordFailure(before, error);
    }
  };

  /**
   * Takes up an answer that was kept: of an attempt interrupted between Gong's reply and our commit, or one in
   * quarantine that a newer version may understand. What can't be understood goes into quarantine, and is never
   * dropped.
   */
  const adoptKeptAnswer = async (
    before: ConnectionRow,
    refreshToken: string,
  ): Promise<RefreshOutcome | undefined> => {
    const { attempt_id: attemptId, quarantined_answer_sealed: quarantined, generation } = before;
    const kept = attemptId === null ? undefined : await keptAnswer(before, attemptId);
    for (const sealed of [kept, quarantined ?? undefined]) {
      if (sealed === undefined) continue;
      try {
        const answer = await seals.openAnswer(sealed, generation);
        return await adopt(before, answer, refreshToken, attemptId ?? undefined);
      } catch (error) {
        if (!(error instanceof GongError && error.kind === "malformed")) throw error;
        sql.exec(
          "UPDATE connection SET quarantined_answer_sealed = ? WHERE generation = ?",
          sealed,
          generation,
        );
      }
    }
    return undefined;
  };

  const keptAnswer = async (before: ConnectionRow, attemptId: string): Promise<string | undefined> =>
    before.attempt_answer_sealed ??
    (await retrying(async (): Promise<string | undefined> => connection.escrow().answer(attemptId)));

  /** Writes the intent, which also proves that we can write, and asks Gong. */
  const askGong = async (
    before: ConnectionRow,
    refreshToken: string,
  ): Promise<{ readonly attemptId: string; readonly answer: GongTokenAnswer } | undefined> => {
    const integration = connection.integration(before);
    const endpoints = await cachedDiscovery(integration.mcpUrl);
    const attemptId = randomId();
    if (FAILPOINTS) await failpoint("refresh.before_intent", sql);
    const intended = sql.exec(
      `UPDATE connection SET attempt_id = ?, attempt_started_at = ?, attempt_answer_sealed = NULL
       WHERE generation = ? AND state = 'connected'`,
      attemptId,
      now(),
      before.generation,
    );
    if (intended.rowsWritten === 0) return undefined;
    if (FAILPOINTS) await failpoint("refresh.intent_written", sql);
    const answer = await requestTokensByRefresh(endpoints, integration, { refreshToken });
    if (FAILPOINTS) await failpoint("refresh.answer_received", sql);
    if (answer.status === 200) await keep(before, attemptId, answer);
    return { attemptId, answer };
  };

  /** Keeps the sealed answer here and in the escrow, at the same time. Either is enough to go on from. */
  const keep = async (before: ConnectionRow, attemptId: string, answer: GongTokenAnswer): Promise<void> => {
    const sealed = await seals.sealAnswer(answer, before.generation);
    if (FAILPOINTS) await failpoint("refresh.answer_sealed", sql);
    const keepHere = async (): Promise<void> => {
      if (FAILPOINTS) await failpoint("refresh.keeping", sql);
      sql.exec(
        "UPDATE connection SET attempt_answer_sealed = ? WHERE attempt_id = ? AND generation = ?",
        sealed,
        attemptId,
        before.generation,
      );
    };
    const kept = await Promise.allSettled([
      retrying(async () => connection.escrow().keepAnswer(attemptId, sealed)),
      keepHere(),
    ]);
    for (const outcome of kept) {
      if (outcome.status === "rejected") logStoreFailure(outcome.reason);
    }
    if (FAILPOINTS) await failpoint("refresh.kept", sql);
  };

  /** Interprets the answer and commits the next generation, unless a newer one is there already. */
  const adopt = async (
    before: ConnectionRow,
    answer: GongTokenAnswer,
    refreshToken: string,
    attemptId: string | undefined,
  ): Promise<RefreshOutcome> => {
    const tokens = interpretTokenAnswer(answer, connection.integration(before).clientId);
    const generation = before.generation + 1;
    // RFC 6749 §6: without a new refresh token the old one stays.
    const kept = { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
    const sealed = await seals.sealTokens(kept, generation);
    const at = now();
    if (FAILPOINTS) await failpoint("refresh.before_commit", sql);
    const committed = sql.exec(
      `UPDATE connection SET generation = ?, gong_access_token_sealed = ?, gong_refresh_token_sealed = ?,
         gong_expires_at = ?, gong_scope = coalesce(?, gong_scope), refreshed_at = ?, refresh_due_at = ?,
         attempt_id = NULL, attempt_started_at = NULL, attempt_answer_sealed = NULL,
         quarantined_answer_sealed = NULL, failures = 0, reason = NULL
       WHERE generation = ? AND state = 'connected'`,
      generation,
      sealed.accessTokenSealed,
      sealed.refreshTokenSealed,
      at + tokens.expiresInSeconds,
      tokens.scope?.join(" ") ?? null,
      at,
      refreshDueAt(at, tokens.expiresInSeconds, Math.random()),
      before.generation,
    );
    if (FAILPOINTS) await failpoint("refresh.committed", sql);
    if (committed.rowsWritten === 0) return SUPERSEDED;
    if (before.failures > 0 || kidChanged(before, sealed)) connection.stateChanged();
    await settle(attemptId, generation);
    if (FAILPOINTS) await failpoint("refresh.settled", sql);
    return { outcome: "refreshed", generation };
  };

  /** Lets the escrow go. When that fails, its copy only waits for its own clean-up. */
  const settle = async (attemptId: string | undefined, generation: number): Promise<void> => {
    try {
      await retrying(async () => connection.escrow().settle(attemptId, generation));
    } catch (error) {
      logStoreFailure(error);
    }
  };

  const logStoreFailure = (error: unknown): void =>
    log("error", "connection.store_failed", { connection: connection.id, ...errorFields(error) });

  /** A failure changes nothing but when to try again, except Gong's word that the grant is dead. */
  const recordFailure = (before: ConnectionRow, error: unknown): RefreshOutcome => {
    const bucket = bucketOf(connection.id, error);
    const kind = error instanceof GongError ? error.kind : "unavailable";
    const retryAfter = error instanceof GongError ? error.retryAfterSeconds : undefined;
    const current = row();
    if (current?.generation !== before.generation || current.state !== "connected") return SUPERSEDED;
    const next = afterFailure(kind, current.failures, retryAfter, Math.random());
    if (next.kind === "ended") return needReconnect(current, lossOf(current, before));
    const dueAt = now() + next.afterSeconds;
    // An answer that refused has not spent the token; without one, or with one we can't read, it may be spent.
    const answered = error instanceof GongError && error.status !== undefined && kind !== "malformed";
    sql.exec(
      `UPDATE connection SET failures = failures + 1, refresh_due_at = ?, reason = ?,
         attempt_id = iif(?, NULL, attempt_id) WHERE generation = ?`,
      dueAt,
      kind,
      answered ? 1 : 0,
      before.generation,
    );
    if (current.failures === 0) noteEvent(sql, now(), { action: "refresh.failed", reason: kind });
    const failures = current.failures + 1;
    // People should hear of it while the access token still works, and the index of what changed, not of each try.
    const atRisk = dueAt >= current.gong_expires_at;
    if (atRisk) log("warn", "connection.at_risk", { connection: connection.id, outcome: kind, failures });
    if (current.failures === 0 || (atRisk && current.refresh_due_at < current.gong_expires_at))
      connection.stateChanged();
    return { ...bucket, failures, retryIn: next.afterSeconds };
  };

  const needReconnect = (current: ConnectionRow, reason: string): RefreshOutcome => {
    const changed = sql.exec(
      `UPDATE connection SET state = 'needs_reconnect', reason = ?, state_since = ?
       WHERE generation = ? AND state = 'connected'`,
      reason,
      now(),
      current.generation,
    );
    if (changed.rowsWritten === 0) return SUPERSEDED;
    noteEvent(sql, now(), { action: "needs_reconnect", reason });
    log("warn", "connection.needs_reconnect", { connection: connection.id, reason });
    connection.stateChanged();
    return { outcome: "ended", reason };
  };

  const flightOnce = async (): Promise<void> => {
    const began = Date.now();
    let came: RefreshOutcome | undefined;
    try {
      came = await refreshOnce();
      await connection.schedule();
    } catch (error) {
      // Storage failed: what was written is still true, and the next caller decides from it.
      came ??= bucketOf(connection.id, error);
    } finally {
      flight = undefined;
    }
    if (came === undefined) return;
    const level = came.outcome === "refreshed" || came === SUPERSEDED ? "info" : "warn";
    const milliseconds = Date.now() - began;
    log(level, "connection.refreshed", { connection: connection.id, ...came, milliseconds });
  };

  return {
    refresh: () => {
      // Assigned before the first await, so that every caller shares it.
      flight ??= flightOnce();
      return flight;
    },
    inFlight: () => flight !== undefined,
    needReconnect,
  };
}

function kidChanged({ gong_access_token_sealed: before }: ConnectionRow, after: SealedTokens): boolean {
  return before === null || sealedWith(before) !== sealedWith(after.accessTokenSealed);
}

/** Why Gong knows the refresh token no more: an answer we have and can't read, one that never came, or its own word. */
function lossOf(current: ConnectionRow, before: ConnectionRow): string {
  if (current.quarantined_answer_sealed !== null) return "answer_not_understood";
  return before.attempt_id === null ? "ended_by_gong" : "answer_lost";
}
