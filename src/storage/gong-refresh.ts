// One refresh of Gong's tokens at a time, in the order that loses nothing: intent row, call that no client can cancel,
// raw answer sealed and kept in two places before it is interpreted, commit fenced by the generation. A refresh that
// was interrupted goes on from what was kept. What to do is gong/refresh-machine.ts's, each write refresh-writes.ts's.

import { nowSeconds } from "../clock.ts";
import { randomId } from "../crypto/credential.ts";
import { sealedWith } from "../crypto/seal.ts";
import { GongError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import type { Integration } from "../gong/integration.ts";
import { interpretTokenAnswer, requestTokensByRefresh, type GongTokenAnswer } from "../gong/oauth.ts";
import { afterFailure, planRefresh } from "../gong/refresh-machine.ts";
import { errorFields, log } from "../log.ts";
import { noteEvent } from "./connection-audit.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import { tokenState } from "./connection-state.ts";
import type { EscrowObject } from "./escrow-object.ts";
import type { GongSeals } from "./gong-seals.ts";
import { takeOut } from "./outbox.ts";
import { bucketOf, failureOf, LEVELS, SUPERSEDED, type RefreshOutcome } from "./refresh-outcome.ts";
import {
  writeAnswer,
  writeFailure,
  writeIntent,
  writeNeedsReconnect,
  writeQuarantine,
  writeTokens,
} from "./refresh-writes.ts";
import { retrying } from "./stubs.ts";

/** What the connection's object lends to its tokens. */
export interface Connection {
  readonly id: string;
  readonly sql: SqlStorage;
  readonly seals: GongSeals;
  /** The connection's row, or undefined before it was ever connected. */
  readonly row: () => ConnectionRow | undefined;
  readonly escrow: () => DurableObjectStub<EscrowObject>;
  /** Runs `change` as one transaction; nothing can be awaited in it. */
  readonly transaction: <T>(change: (sql: SqlStorage, now: number) => T) => T;
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
}

/** Binds the refresh to its object. One per instance: the flight in memory is what makes it single. */
export function createGongRefresh(connection: Connection): GongRefresh {
  let flight: Promise<void> | undefined;
  return {
    refresh: () => {
      // Assigned before the first await, so that every caller shares it.
      flight ??= refreshAndLog(connection).finally(() => {
        flight = undefined;
      });
      return flight;
    },
    inFlight: () => flight !== undefined,
  };
}

/** Says that only a person can help, and why. */
export function needReconnect(
  connection: Connection,
  current: ConnectionRow,
  reason: string,
): RefreshOutcome {
  const written = connection.transaction((sql, now) => {
    if (!writeNeedsReconnect(sql, current, reason, now)) return false;
    if (FAILPOINTS) void failpoint("refresh.ending", sql);
    noteEvent(sql, now, { action: "needs_reconnect", reason });
    return true;
  });
  if (!written) return SUPERSEDED;
  log("warn", "connection.needs_reconnect", { connection: connection.id, reason });
  connection.stateChanged();
  return { outcome: "ended", reason };
}

async function refreshAndLog(connection: Connection): Promise<void> {
  const began = Date.now();
  let came: RefreshOutcome | undefined;
  try {
    came = await refreshOnce(connection);
    await connection.schedule();
  } catch (error) {
    // Storage failed: what was written is still true, and the next caller decides from it.
    came ??= bucketOf(connection.id, error);
  }
  if (came === undefined) return;
  const level = LEVELS[came.outcome] ?? "warn";
  const milliseconds = Date.now() - began;
  log(level, "connection.refreshed", { connection: connection.id, ...came, milliseconds });
}

/** Returns what it came to; undefined when there was nothing to refresh. */
async function refreshOnce(connection: Connection): Promise<RefreshOutcome | undefined> {
  if (FAILPOINTS) await failpoint("refresh.begun", connection.sql);
  const before = connection.row();
  if (before === undefined) return undefined;
  const { clientId } = connection.integration(before);
  const plan = planRefresh(tokenState(before), before.gong_client_id, clientId);
  if (plan === "nothing") return undefined;
  if (plan === "replaced") return needReconnect(connection, before, "integration_replaced");
  try {
    const { gong_refresh_token_sealed: sealed, generation } = before;
    const refreshToken = await connection.seals.openRefreshToken(sealed ?? "", generation);
    return (
      (await adoptKeptAnswer(connection, before, refreshToken)) ??
      (await askAndAdopt(connection, before, refreshToken))
    );
  } catch (error) {
    return recordFailure(connection, before, error);
  }
}

/**
 * Takes up an answer that was kept: of an attempt interrupted between Gong's reply and our commit, or one in quarantine
 * that a newer version may understand. What can't be understood goes into quarantine, and is never dropped.
 */
async function adoptKeptAnswer(
  connection: Connection,
  before: ConnectionRow,
  refreshToken: string,
): Promise<RefreshOutcome | undefined> {
  const { sql, seals } = connection;
  const { attempt_id: attemptId, quarantined_answer_sealed: quarantined, generation } = before;
  for (const sealed of [await keptAnswer(connection, before), quarantined]) {
    if (sealed == null) continue;
    try {
      const answer = await seals.openAnswer(sealed, generation);
      return await adopt(connection, before, answer, refreshToken, attemptId ?? undefined);
    } catch (error) {
      if (!(error instanceof GongError && error.kind === "malformed")) throw error;
      if (FAILPOINTS) await failpoint("refresh.quarantining", sql);
      writeQuarantine(sql, before, sealed);
    }
  }
  return undefined;
}

/** The answer of the attempt before, wherever it was kept. */
async function keptAnswer(
  { sql, escrow }: Connection,
  { attempt_id: attemptId, attempt_answer_sealed: here }: ConnectionRow,
): Promise<string | undefined> {
  if (attemptId === null) return undefined;
  if (FAILPOINTS) await failpoint("refresh.recovering", sql);
  return here ?? (await retrying(async (): Promise<string | undefined> => escrow().answer(attemptId)));
}

/** Writes the intent, which also proves that we can write, asks Gong, and keeps its answer before it is read. */
async function askAndAdopt(
  connection: Connection,
  before: ConnectionRow,
  refreshToken: string,
): Promise<RefreshOutcome> {
  const { sql } = connection;
  const integration = connection.integration(before);
  const endpoints = await cachedDiscovery(integration.mcpUrl);
  const attemptId = randomId();
  if (FAILPOINTS) await failpoint("refresh.before_intent", sql);
  if (!writeIntent(sql, before, attemptId)) return SUPERSEDED;
  if (FAILPOINTS) await failpoint("refresh.intent_written", sql);
  const answer = await requestTokensByRefresh(endpoints, integration, { refreshToken });
  if (FAILPOINTS) await failpoint("refresh.answer_received", sql);
  if (answer.status === 200) await keep(connection, before, attemptId, answer);
  return adopt(connection, before, answer, refreshToken, attemptId);
}

/** Keeps the sealed answer here and in the escrow, at the same time. Either is enough to go on from. */
async function keep(
  connection: Connection,
  before: ConnectionRow,
  attemptId: string,
  answer: GongTokenAnswer,
): Promise<void> {
  const { sql, seals, escrow } = connection;
  const sealed = await seals.sealAnswer(answer, before.generation);
  if (FAILPOINTS) await failpoint("refresh.answer_sealed", sql);
  const keepHere = async (): Promise<void> => {
    if (FAILPOINTS) await failpoint("refresh.keeping", sql);
    writeAnswer(sql, before, attemptId, sealed);
  };
  const keepThere = retrying(async () => escrow().keepAnswer(attemptId, sealed));
  for (const kept of await Promise.allSettled([keepThere, keepHere()])) {
    if (kept.status === "rejected") logStoreFailure(connection, "error", kept.reason);
  }
  if (FAILPOINTS) await failpoint("refresh.kept", sql);
}

/** Interprets the answer and commits the next generation, unless a newer one is there already. */
async function adopt(
  connection: Connection,
  before: ConnectionRow,
  answer: GongTokenAnswer,
  refreshToken: string,
  attemptId: string | undefined,
): Promise<RefreshOutcome> {
  const { sql, seals } = connection;
  const given = interpretTokenAnswer(answer, connection.integration(before).clientId);
  const generation = before.generation + 1;
  // RFC 6749 §6: without a new refresh token the old one stays.
  const tokens = { ...given, refreshToken: given.refreshToken ?? refreshToken };
  const sealed = await seals.sealTokens(tokens, generation);
  if (FAILPOINTS) await failpoint("refresh.before_commit", sql);
  const isCommitted = connection.transaction(() => writeTokens(sql, before, tokens, sealed));
  if (FAILPOINTS) await failpoint("refresh.committed", sql);
  if (!isCommitted) return SUPERSEDED;
  if (before.failures > 0 || kidOf(before.gong_access_token_sealed) !== kidOf(sealed.accessTokenSealed))
    connection.stateChanged();
  await settle(connection, attemptId, generation);
  if (FAILPOINTS) await failpoint("refresh.settled", sql);
  return { outcome: "refreshed", generation };
}

const kidOf = (sealed: string | null): string | undefined =>
  sealed === null ? undefined : sealedWith(sealed);

/** Lets the escrow go. When that fails, its copy waits for its own clean-up, and the generation in the outbox. */
async function settle(
  connection: Connection,
  attemptId: string | undefined,
  generation: number,
): Promise<void> {
  try {
    await retrying(async () => connection.escrow().settle(attemptId, generation));
    takeOut(connection.sql, [{ name: "", version: generation, value: null }]);
  } catch (error) {
    logStoreFailure(connection, "warn", error);
  }
}

function logStoreFailure({ id }: Connection, level: "warn" | "error", error: unknown): void {
  log(level, "connection.store_failed", { connection: id, ...errorFields(error) });
}

/** A failure changes nothing but when to try again, except Gong's word that the grant is dead. */
function recordFailure(connection: Connection, before: ConnectionRow, error: unknown): RefreshOutcome {
  const { id } = connection;
  const bucket = bucketOf(id, error);
  const current = connection.row();
  if (current?.generation !== before.generation || current.state !== "connected") return SUPERSEDED;
  const token = {
    isAnswerKept: current.quarantined_answer_sealed !== null,
    isAnswerMissing: before.attempt_id !== null,
  };
  const now = nowSeconds();
  const next = afterFailure(failureOf(error), tokenState(current), token, now, Math.random());
  if (next.kind === "ended") return needReconnect(connection, current, next.reason);
  const failures = current.failures + 1;
  connection.transaction((sql) => {
    writeFailure(sql, before, bucket.outcome, next);
    if (FAILPOINTS) void failpoint("refresh.failing", sql);
    if (failures === 1) noteEvent(sql, now, { action: "refresh.failed", reason: bucket.outcome });
  });
  if (next.isAtRisk) log("warn", "connection.at_risk", { connection: id, outcome: bucket.outcome, failures });
  if (next.isNews) connection.stateChanged();
  return { ...bucket, failures, retryIn: next.dueAt - now };
}
