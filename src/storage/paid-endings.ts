// How a paid call ends: the ledger says what became of it, the result is sealed and kept for as long as somebody is
// owed it, the budget is settled. Called by paid-calls.ts.

import { nowSeconds } from "../clock.ts";
import { Unsealable } from "../crypto/seal.ts";
import { failpoint } from "../failpoints.ts";
import { errorFields, log } from "../log.ts";
import { keptAnswer } from "../mcp/paid-answer.ts";
import type { CallUse } from "./admin-rpc.ts";
import { isSpent, settleCall } from "./call-reservation.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { noteCredits, noteNoProbe, noteOutOfCredits, outOfCreditsSince } from "./gong-credits.ts";
import * as kept from "./kept-results.ts";
import type { PaidCaller } from "./paid-caller.ts";
import { isResult, type FlightEnd, type PaidFlight } from "./paid-flight.ts";
import * as ledger from "./paid-ledger.ts";
import type { PaidOutcome } from "./paid-rpc.ts";

/** What policy counts of a call. */
export function useOf(
  core: ConnectionCore,
  tool: string,
  { clientId, keyId }: ledger.CallHolder,
  served: CallUse["served"],
  milliseconds: number,
): CallUse {
  return { tool, connectionId: core.id, clientId, keyId, served, milliseconds };
}

/**
 * Writes the end of a flight to the ledger, keeps its result for whoever does not
 * get it now, and only then tells the callers that it is over. A failure of storage
 * keeps nobody from the answer; the row is then completed by the next sweep.
 */
export async function landFlight(
  core: ConnectionCore,
  flight: PaidFlight,
  payer: PaidCaller,
  end: FlightEnd,
  reuseSeconds: number,
): Promise<void> {
  try {
    if (FAILPOINTS) await failpoint("paid.answered", core.sql);
    const parts = await sealedResult(core, flight, payer, end);
    if (FAILPOINTS) await failpoint("paid.sealed", core.sql);
    const before = outOfCreditsSince(core.sql);
    core.transaction((sql, now) => {
      writeEnd(core, sql, flight, end, now);
      // A connection that was ended meanwhile keeps nothing.
      if (parts === undefined || core.row()?.state === "disconnected" || isOfAnotherUser(core, flight))
        return;
      kept.keepResult(sql, keptRow(flight, end, reuseSeconds, now), parts);
    });
    if (outOfCreditsSince(core.sql) !== before) core.reportState();
    if (FAILPOINTS) await failpoint("paid.kept", core.sql);
  } catch (error) {
    log("error", "paid_call.failed", { connection: core.id, ...errorFields(error) });
  } finally {
    flight.finish(end);
  }
  const milliseconds = Date.now() - flight.startedAt;
  const { outcome, gongStatus: status } = end;
  log("info", "paid_call.ended", { connection: core.id, outcome, status, milliseconds });
  const spent = isSpent(end.outcome);
  const use = useOf(core, payer.request.tool, payer.holder, spent ? "paid" : "failed", milliseconds);
  settleCall(core, flight.id, spent ? "spent" : "released", use);
  await core.schedule();
}

/**
 * The sign-in that the token of `generation` is from; a token that was replaced meanwhile may be another Gong user's.
 */
export function signInOf(core: ConnectionCore, generation: number): string | null {
  const row = core.row();
  return row?.generation === generation ? row.authorization_id : "";
}

/** Whether an admin has connected shared access since the flight began, perhaps as a Gong user who may see less. */
export function isOfAnotherUser(core: ConnectionCore, { authorizationId }: PaidFlight): boolean {
  const row = core.row();
  return row?.access === "shared" && row.authorization_id !== authorizationId;
}

/** Results are kept, errors of JSON-RPC and questions are not: asking again costs nothing. */
async function sealedResult(
  core: ConnectionCore,
  { id, answer }: PaidFlight,
  { request }: PaidCaller,
  end: FlightEnd,
): Promise<readonly string[] | undefined> {
  if (!isResult(end) || !request.shareable || answer === undefined) return undefined;
  return core.results.seal(id, answer.json);
}

function writeEnd(
  core: ConnectionCore,
  sql: SqlStorage,
  flight: PaidFlight,
  { outcome, gongStatus }: FlightEnd,
  now: number,
): void {
  if (FAILPOINTS) void failpoint("paid.ending", core.sql);
  const until = Date.now();
  for (const { rowId, startedAt } of [{ rowId: flight.id, startedAt: flight.startedAt }, ...flight.joined]) {
    const milliseconds = until - startedAt;
    ledger.endCall(sql, rowId, { outcome, gongStatus, milliseconds, answerBytes: flight.bytes });
  }
  if (outcome === "out_of_credits") noteOutOfCredits(sql, now);
  else if (outcome === "ok") noteCredits(sql);
  else if (!isSpent(outcome)) noteNoProbe(sql, now);
}

function keptRow(
  { id, callHash }: PaidFlight,
  { outcome }: FlightEnd,
  reuseSeconds: number,
  now: number,
): Parameters<typeof kept.keepResult>[1] {
  const isError = outcome === "tool_error";
  return {
    call_id: id,
    call_hash: callHash,
    is_error: isError ? 1 : 0,
    answered_at: now,
    owed_until: now + kept.OWED_SECONDS,
    reusable_until: isError || reuseSeconds <= 0 ? 0 : now + reuseSeconds,
  };
}

/**
 * Ends the rows that say `running` although none of `flying` is theirs:
 * the instance that ran them is gone, and with it Gong's answer.
 */
export function markLost(core: ConnectionCore, flying: ReadonlySet<PaidFlight>): void {
  const alive = new Set<string>();
  for (const { id, joined } of flying) for (const row of [{ rowId: id }, ...joined]) alive.add(row.rowId);
  const lost = ledger.runningCalls(core.sql).filter(({ id }) => !alive.has(id));
  if (lost.length === 0) return;
  core.transaction((sql) => {
    for (const { id } of lost) ledger.endCall(sql, id, { outcome: "unknown", milliseconds: 0 });
  });
  for (const row of lost) {
    if (row.served !== "paid") continue;
    settleCall(core, row.id, "spent", useOf(core, row.tool, ledger.holderOf(row), "failed", 0));
  }
}

/** Answers a caller with a kept result. */
export async function answerKept(
  core: ConnectionCore,
  caller: PaidCaller,
  { row, how }: kept.KeptResult,
  parts: readonly string[],
): Promise<PaidOutcome> {
  try {
    const json = await core.results.open(row.call_id, parts);
    const note = { how, ageSeconds: Math.max(nowSeconds() - row.answered_at, 0) };
    return await caller.answer(keptAnswer(json), note);
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    // Its key is gone: nobody can have it any more, and the next call is a new one.
    log("error", "record.unreadable", { connection: core.id, missingKid: error.missingKid });
    core.transaction((sql) => kept.forgetKept(sql, row.call_id));
    return { kind: "failed", status: 503, reason: "unreadable", retryAfterSeconds: 1 };
  }
}
