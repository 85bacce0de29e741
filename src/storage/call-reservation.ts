// What the company's policy says about a paid call before Gong is asked, and what is told to it afterwards: the
// ConnectionObject's way to the AdminObject. Called by paid-calls.ts.

import type { CallPermit, CallRequest, CallUse } from "./admin-rpc.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { errorFields, log } from "../log.ts";
import type { CallOutcome } from "./paid-schema.ts";
import { retrying } from "./stubs.ts";

/** Asks policy and budgets, in one step of theirs. Throws when they can't be asked: then nothing is paid. */
export function reserveCall(core: ConnectionCore, request: CallRequest): Promise<CallPermit> {
  return retrying(async (): Promise<CallPermit> => core.objects.admin().reserveCall(request));
}

/** Tells how a reserved call ended. What is never told counts as spent, so a failure is only logged. */
export function settleCall(
  core: ConnectionCore,
  reservationId: string,
  outcome: "spent" | "released",
  use: CallUse,
): void {
  const settled = retrying(async () => core.objects.admin().settleCall(reservationId, outcome, use));
  core.keepAlive(settled.catch((error: unknown) => log("warn", "paid_call.not_settled", errorFields(error))));
}

/**
 * Outcomes after which Gong has charged nothing: not asked, refused
 * before any work, or asking its caller something first.
 */
const FREE: ReadonlySet<CallOutcome> = new Set<CallOutcome>([
  "input_required",
  "refused_by_gong",
  "rate_limited",
  "out_of_credits",
  "not_sent",
]);

/** Whether a call that ended so goes on counting against its budgets. In doubt it does. */
export function isSpent(outcome: CallOutcome): boolean {
  return !FREE.has(outcome);
}
