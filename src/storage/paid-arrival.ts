// A paid call on its way in: what it has reserved so far, and its row
// in the ledger once it is let in. Called by paid-calls.ts.

import { randomId } from "../crypto/credential.ts";
import { failpoint } from "../failpoints.ts";
import { log } from "../log.ts";
import type { CallPermit } from "./admin-rpc.ts";
import { reserveCall, settleCall } from "./call-reservation.ts";
import { forgetUnkept, keepContent, type SealedContent } from "./call-contents.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { sealContent } from "./content-life.ts";
import { refusalOf } from "./gong-asking.ts";
import type { OwnRefusal, Plan } from "./paid-admission.ts";
import { isThere, type Line } from "./paid-caller.ts";
import { useOf } from "./paid-endings.ts";
import type { PaidFlight } from "./paid-flight.ts";
import { recordCall, type NewPaidCall } from "./paid-ledger.ts";
import type { GongToken, PaidCallRequest } from "./paid-rpc.ts";

export type Permit = Extract<CallPermit, { ok: true }>;

/** A place in the budgets, or policy's leave for a call that costs nothing. */
export interface Reservation {
  readonly id: string;
  /** Gong's token, for a call that Gong is to be asked. */
  readonly gong: GongToken | undefined;
  readonly permit: Permit;
  /** What is kept of the call for admins, sealed; undefined while policy keeps nothing. */
  readonly content: SealedContent | undefined;
}

export interface Arrival {
  readonly request: PaidCallRequest;
  readonly line: Line;
  reservation: Reservation | undefined;
  /** It has waited to hear what became of the same answer for others. */
  waited: boolean;
  /** What it joined, and as which row, when Gong ran nothing for that. */
  readonly follows: { readonly flight: PaidFlight; readonly rowId: string } | undefined;
}

type Reservable = Extract<Plan, { kind: "pay" | "join" | "kept" | "forbidden" }>;
type Refused = Extract<Plan, { kind: "refused" }> | OwnRefusal;

/**
 * Gets what the plan needs: policy's leave, and a place in the budgets and Gong's token if it pays. Returns why the
 * call can't be served when one of them is refused, or when the tool costs credits and Gong has none. What was reserved
 * for an earlier plan is kept where it is enough.
 */
export async function reserveFor(
  core: ConnectionCore,
  arrival: Arrival,
  plan: Reservable,
): Promise<Refused | undefined> {
  const had = arrival.reservation;
  const isEnough = had !== undefined && (plan.kind !== "pay" || had.gong !== undefined);
  const refused = isEnough ? undefined : await reserve(core, arrival, plan);
  if (refused !== undefined) return refused;
  return plan.kind === "forbidden" && arrival.reservation?.permit.pays === true ? plan : undefined;
}

async function reserve(
  core: ConnectionCore,
  arrival: Arrival,
  { kind, holder }: Reservable,
): Promise<Refused | undefined> {
  const pays = kind === "pay";
  let gong = pays ? await core.gong.authorization() : undefined;
  if (gong?.ok === false) return { kind: "refused", outcome: refusalOf(gong) };
  const id = randomId();
  const { tool, arguments: given } = arrival.request;
  const { integration = "main" } = core.row() ?? {};
  const asked = {
    ...holder,
    reservationId: id,
    integration,
    connectionId: core.id,
    tool,
    arguments: given,
    pays,
  };
  const permit = await reserveCall(core, asked);
  if (FAILPOINTS) await failpoint("paid.reserved", core.sql);
  if (!permit.ok) return { kind: "forbidden", holder, outcome: "refused", message: permit.message };
  if (permit.warning !== undefined) {
    log("warn", "paid_call.budget_nearly_used", { connection: core.id, warning: permit.warning.message });
  }
  if (!permit.pays) gong ??= await core.gong.authorization();
  if (gong?.ok === false) return { kind: "refused", outcome: refusalOf(gong) };
  const content = permit.pays ? await sealContent(core, id, given, permit.content) : undefined;
  arrival.reservation = { id, gong, permit, content };
  // Nobody pays for a caller that has left already.
  const isLeft = pays && permit.pays && !(await isThere(arrival.line));
  return isLeft ? { kind: "refused", outcome: { kind: "left" } } : undefined;
}

/** Gives back a place that was reserved and is not used. */
export function giveBack(core: ConnectionCore, { reservation, request }: Arrival, { kind }: Refused): void {
  if (reservation === undefined) return;
  const served = kind === "forbidden" ? "refused" : "failed";
  settleCall(core, reservation.id, "released", useOf(core, request.tool, {}, served, 0));
}

/** Writes the row of a call that is let in, with what policy keeps of it; what policy no longer keeps goes. */
export function recordArrival(
  sql: SqlStorage,
  arrival: Arrival,
  { id, permit, content }: Reservation,
  plan: Exclude<Reservable, { kind: "forbidden" }>,
  now: number,
): void {
  recordCall(sql, newRow(id, arrival, plan), now);
  forgetUnkept(sql, { version: permit.policyVersion, content: permit.content }, now);
  if (content !== undefined) keepContent(sql, id, content, now);
}

/** The row of a call that is let in. */
export function newRow(
  id: string,
  { request, follows }: Arrival,
  plan: Extract<Plan, { kind: "join" | "kept" | "pay" | "forbidden" }>,
): NewPaidCall {
  const { tool, callHash, body } = request;
  const row = {
    id,
    holder: plan.holder,
    tool,
    callHash,
    requestBytes: body.byteLength,
    replaces: follows?.rowId,
  };
  switch (plan.kind) {
    case "join":
      // The flight may have landed already; then it says how.
      return {
        ...row,
        served: "joined",
        paidBy: plan.flight.id,
        outcome: plan.flight.end?.outcome ?? "running",
      };
    case "kept": {
      const { how, row: result } = plan.result;
      const outcome = result.is_error === 1 ? "tool_error" : "ok";
      return { ...row, served: how, paidBy: result.call_id, outcome };
    }
    case "pay":
      return { ...row, served: "paid", paidBy: undefined, outcome: "running" };
    case "forbidden":
      return { ...row, served: "refused", paidBy: undefined, outcome: plan.outcome };
  }
}
