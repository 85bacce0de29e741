// Gong's tokens of one connection: opened for one call, refreshed by one caller at a time. The wiring of
// gong/refresh-machine.ts into the ConnectionObject, in the order that loses nothing: intent row, call that no client
// can cancel, raw answer sealed before it is interpreted, commit fenced by the generation.

import { randomId } from "../crypto/credential.ts";
import { Unsealable } from "../crypto/seal.ts";
import { GongError } from "../errors.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import type { Integration } from "../gong/integration.ts";
import { interpretTokenAnswer, requestTokensByRefresh, type GongTokenAnswer } from "../gong/oauth.ts";
import {
  afterFailure,
  decideUse,
  mayRefreshRejected,
  refreshDueAt,
  type GongTokenState,
} from "../gong/refresh-machine.ts";
import { errorFields, log } from "../log.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { GongSeals } from "./gong-seals.ts";

export type GongAuthorization =
  | {
      readonly ok: true;
      readonly accessToken: string;
      readonly generation: number;
      readonly expiresAt: number;
    }
  | {
      readonly ok: false;
      readonly reason: "not_connected" | "needs_reconnect" | "unavailable" | "unreadable";
      readonly retryAfterSeconds: number;
    };

interface Connection {
  readonly id: string;
  readonly sql: SqlStorage;
  readonly seals: GongSeals;
  readonly now: () => number;
  /** The connection's row, or undefined before it was ever connected. */
  readonly row: () => ConnectionRow | undefined;
  integration(row: ConnectionRow): Integration;
  /** Called after every change of what is due when. */
  schedule(): Promise<void>;
}

export interface GongTokenStore {
  /** A Gong access token that lives long enough for a call, refreshed first if it must be. */
  authorization(): Promise<GongAuthorization>;
  /** The answer to Gong's 401 for the token of `generation`: a newer one, after one refresh at most. */
  replaceRejected(generation: number): Promise<GongAuthorization>;
  /** Refreshes if one is due; for the alarm. Failures are recorded, not thrown. */
  refreshIfDue(): Promise<void>;
}

/** Binds the store to its object. One per instance of the object: the flight in memory is what makes it single. */
export function createGongTokenStore(connection: Connection): GongTokenStore {
  const { sql, seals, now, row } = connection;
  let flight: Promise<void> | undefined;
  let lastRejectionAt: number | undefined;
  let opened: { readonly generation: number; readonly accessToken: string } | undefined;

  /** Joins the refresh in flight, or starts one. Assigned before the first await, so that callers share it. */
  const refresh = (): Promise<void> => {
    flight ??= refreshOnce().finally(() => {
      flight = undefined;
    });
    return flight;
  };

  const refreshOnce = async (): Promise<void> => {
    const before = row();
    if (before?.state !== "connected" || before.gong_refresh_token_sealed === null) return;
    try {
      const refreshToken = await seals.openRefreshToken(before.gong_refresh_token_sealed, before.generation);
      if (!(await adoptStoredAnswer(before, refreshToken))) {
        const answer = await askGong(before, refreshToken);
        if (answer !== undefined) await adopt(before, answer, refreshToken);
      }
    } catch (error) {
      recordFailure(before.generation, error);
    }
    await connection.schedule();
  };

  /** Takes up the answer of an attempt that was interrupted between Gong's reply and our commit. */
  const adoptStoredAnswer = async (before: ConnectionRow, refreshToken: string): Promise<boolean> => {
    if (before.attempt_answer_sealed === null) return false;
    const answer = await seals.openAnswer(before.attempt_answer_sealed, before.generation);
    try {
      await adopt(before, answer, refreshToken);
      return true;
    } catch (error) {
      // What could not be understood stays quarantined; the old refresh token is all there is to try.
      if (error instanceof GongError && error.kind === "malformed") return false;
      throw error;
    }
  };

  /** Writes the intent, asks Gong, and keeps the raw answer sealed before anything reads it. */
  const askGong = async (
    before: ConnectionRow,
    refreshToken: string,
  ): Promise<GongTokenAnswer | undefined> => {
    const integration = connection.integration(before);
    const endpoints = await cachedDiscovery(integration.mcpUrl);
    const attemptId = randomId();
    const intended = sql.exec(
      "UPDATE connection SET attempt_id = ?, attempt_started_at = ? WHERE generation = ? AND state = 'connected'",
      attemptId,
      now(),
      before.generation,
    );
    if (intended.rowsWritten === 0) return undefined;
    const answer = await requestTokensByRefresh(endpoints, integration, { refreshToken });
    if (answer.status !== 200) return answer;
    const sealed = await seals.sealAnswer(answer, before.generation);
    sql.exec(
      "UPDATE connection SET attempt_answer_sealed = ? WHERE attempt_id = ? AND generation = ?",
      sealed,
      attemptId,
      before.generation,
    );
    return answer;
  };

  /** Interprets the answer and commits the next generation, unless a newer one is there already. */
  const adopt = async (
    before: ConnectionRow,
    answer: GongTokenAnswer,
    refreshToken: string,
  ): Promise<void> => {
    const integration = connection.integration(before);
    const endpoints = await cachedDiscovery(integration.mcpUrl);
    const tokens = await interpretTokenAnswer(answer, endpoints, integration, "refresh");
    const generation = before.generation + 1;
    // RFC 6749 §6: without a new refresh token the old one stays.
    const kept = { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
    const sealed = await seals.sealTokens(kept, generation);
    const at = now();
    const committed = sql.exec(
      `UPDATE connection SET generation = ?, gong_access_token_sealed = ?, gong_refresh_token_sealed = ?,
         gong_expires_at = ?, gong_scope = coalesce(?, gong_scope), refreshed_at = ?, refresh_due_at = ?,
         attempt_id = NULL, attempt_started_at = NULL, attempt_answer_sealed = NULL, failures = 0, reason = NULL
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
    const outcome = committed.rowsWritten > 0 ? "refreshed" : "superseded";
    log("info", "connection.refreshed", { connection: connection.id, generation, outcome });
  };

  /** A failure changes nothing but when to try again, except Gong's word that the grant is dead. */
  const recordFailure = (generation: number, error: unknown): void => {
    if (!(error instanceof GongError)) logFailure(connection.id, error);
    const kind = error instanceof GongError ? error.kind : "unavailable";
    const retryAfter = error instanceof GongError ? error.retryAfterSeconds : undefined;
    const current = row();
    if (current === undefined || current.generation !== generation || current.state !== "connected") return;
    const next = afterFailure(kind, current.failures, retryAfter, Math.random());
    if (next.kind === "ended") {
      // A refresh that went unanswered before may have spent the token: then the loss, not Gong, ended it.
      needReconnect(current, current.failures > 0 ? "answer_lost" : "ended_by_gong");
      return;
    }
    sql.exec(
      "UPDATE connection SET failures = failures + 1, refresh_due_at = ?, reason = ? WHERE generation = ?",
      now() + next.afterSeconds,
      kind,
      generation,
    );
    log("warn", "connection.refreshed", {
      connection: connection.id,
      outcome: kind,
      retryIn: next.afterSeconds,
    });
  };

  const needReconnect = (current: ConnectionRow, reason: string): void => {
    sql.exec(
      `UPDATE connection SET state = 'needs_reconnect', reason = ?, state_since = ?
       WHERE generation = ? AND state = 'connected'`,
      reason,
      now(),
      current.generation,
    );
    log("warn", "connection.needs_reconnect", { connection: connection.id, reason });
  };

  const usable = async (current: ConnectionRow): Promise<GongAuthorization> => {
    const { generation, gong_expires_at: expiresAt } = current;
    if (opened?.generation !== generation) {
      try {
        const sealed = current.gong_access_token_sealed ?? "";
        opened = { generation, accessToken: await seals.openAccessToken(sealed, generation) };
      } catch (error) {
        if (!(error instanceof Unsealable)) throw error;
        logFailure(connection.id, error);
        return { ok: false, reason: "unreadable", retryAfterSeconds: 60 };
      }
    }
    return { ok: true, accessToken: opened.accessToken, generation, expiresAt };
  };

  /** What the row allows now; `mayRefresh` is false after a refresh, so that no caller causes two. */
  const decide = async (mayRefresh: boolean): Promise<GongAuthorization> => {
    const current = row();
    if (current === undefined) return { ok: false, reason: "not_connected", retryAfterSeconds: 0 };
    const decision = decideUse(tokenState(current), now());
    switch (decision.kind) {
      case "use":
        return usable(current);
      case "use_and_refresh":
        // The alarm refreshes; asking for it here covers an alarm that never came.
        await connection.schedule();
        return usable(current);
      case "wait":
        return { ok: false, reason: "unavailable", retryAfterSeconds: decision.retryAfterSeconds };
      case "refresh":
        if (!mayRefresh) return { ok: false, reason: "unavailable", retryAfterSeconds: 1 };
        await refresh();
        return decide(false);
      case "dead":
        if (current.state === "connected") needReconnect(current, "no_refresh_token");
        return {
          ok: false,
          reason: current.state === "disconnected" ? "not_connected" : "needs_reconnect",
          retryAfterSeconds: 0,
        };
    }
  };

  return {
    authorization: () => decide(true),
    async replaceRejected(generation) {
      const current = row();
      if (current === undefined || current.generation !== generation) return decide(true);
      const refused = { ok: false, reason: "needs_reconnect", retryAfterSeconds: 0 } as const;
      if (flight === undefined) {
        if (!mayRefreshRejected(tokenState(current), lastRejectionAt, now())) return refused;
        lastRejectionAt = now();
      }
      await refresh();
      const after = row();
      if (after?.state !== "connected") return refused;
      if (after.generation !== generation) return usable(after);
      const retryAfterSeconds = Math.max(after.refresh_due_at - now(), 1);
      return { ok: false, reason: "unavailable", retryAfterSeconds };
    },
    async refreshIfDue() {
      const current = row();
      if (current?.state === "connected" && current.refresh_due_at <= now()) await refresh();
    },
  };
}

function logFailure(connectionId: string, error: unknown): void {
  if (error instanceof Unsealable) {
    log("error", "record.unreadable", { connection: connectionId, missingKid: error.missingKid });
  } else {
    log("error", "connection.refreshed", {
      connection: connectionId,
      outcome: "failed",
      ...errorFields(error),
    });
  }
}

function tokenState(current: ConnectionRow): GongTokenState {
  return {
    state: current.state,
    hasRefreshToken: current.gong_refresh_token_sealed !== null,
    expiresAt: current.gong_expires_at,
    refreshedAt: current.refreshed_at,
    dueAt: current.refresh_due_at,
    failures: current.failures,
  };
}
