// Paid calls of one connection: each is admitted in one transaction, asked once, shared by
// everybody who asks the same at the same time, finished even when nobody waits any more,
// and then kept for whoever left. The flights are in memory; what they cost and who is owed
// a result is in the database, so that a crash can lose an answer but never an account.

import { inTime, nowSeconds } from "../clock.ts";
import { integrationNamed } from "../config.ts";
import { randomId } from "../crypto/credential.ts";
import { failpoint } from "../failpoints.ts";
import { errorFields, log } from "../log.ts";
import { refusedResult } from "../mcp/paid-answer.ts";
import type { CallUse } from "./admin-rpc.ts";
import { settleCall } from "./call-reservation.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { FairQueue } from "./fair-queue.ts";
import { askGong } from "./gong-asking.ts";
import { noteProbe } from "./gong-credits.ts";
import * as kept from "./kept-results.ts";
import { ANY_REUSE, planCall, type OwnRefusal, type Plan } from "./paid-admission.ts";
import { giveBack, newRow, recordArrival, reserveFor, type Arrival, type Permit } from "./paid-arrival.ts";
import { PaidCaller, type Line } from "./paid-caller.ts";
import { answerKept, isOfAnotherUser, landFlight, signInOf, markLost, useOf } from "./paid-endings.ts";
import { PaidFlight, type FlightEnd } from "./paid-flight.ts";
import { pruneLedger } from "./ledger-list.ts";
import * as ledger from "./paid-ledger.ts";
import type { CancelRequest, GongToken, PaidCallRequest, PaidOutcome } from "./paid-rpc.ts";
import { isRevoked, useCredential, type Holder } from "./presented-credential.ts";

/** How long a newcomer waits to hear whether the same answer reaches those it is on its way to. */
const SETTLING_MS = 2000;

/** Outcomes of a caller that nothing was handed to. */
const UNDELIVERED: ReadonlySet<string> = new Set(["left", "unauthorized", "go_on"]);

/** A call that was let in, and how it is answered. */
interface Admitted {
  readonly caller: PaidCaller;
  readonly flight: PaidFlight | undefined;
  readonly callId: string;
  readonly answer: () => ReturnType<PaidCaller["join"]>;
}

export class PaidCalls {
  readonly #core: ConnectionCore;
  readonly #queue = new FairQueue();
  /** The newest flight of each call that others may join. */
  readonly #flights = new Map<string, PaidFlight>();
  /** Every flight that has not landed. */
  readonly #flying = new Set<PaidFlight>();
  readonly #callers = new Set<PaidCaller>();
  readonly #admitting = new Map<string, Promise<void>>();

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  /** See ConnectionObject.callTool. */
  async call(request: PaidCallRequest, line: Line): Promise<PaidOutcome> {
    if (!(await this.#core.ready())) return { kind: "unauthorized", reason: "connection_unknown" };
    markLost(this.#core, this.#flying);
    let follows: Arrival["follows"];
    for (;;) {
      const arrival: Arrival = { request, line, reservation: undefined, waited: false, follows };
      const admitting = this.#inLine(request, () => this.#admit(arrival));
      // Until then it is one of those who wait for what it joined, so that they find one another.
      const admitted = await admitting.finally(() => this.#leave(follows?.flight));
      if ("kind" in admitted) return admitted;
      const outcome = await this.#serve(admitted);
      if (outcome.kind !== "go_on") return outcome;
      follows = { flight: outcome.from, rowId: admitted.caller.rowId };
    }
  }

  /** See ConnectionObject.cancelToolCall. */
  async cancel(request: CancelRequest): Promise<boolean> {
    const core = this.#core;
    if (!(await core.ready())) return false;
    const use = core.transaction((sql, now) => useCredential(sql, request.credential, now));
    if (!use.ok) return false;
    const whose = kept.holderKey(use.holder);
    const meant = [...this.#callers].filter(
      ({ holder, request: { idJson, session } }) =>
        kept.holderKey(holder) === whose && idJson === request.idJson && session?.given === request.session,
    );
    // Two of one holder with one id and no session to tell them by: nobody's is ended, which the protocol allows.
    if (meant.length === 1) meant[0]?.cancel();
    return meant.length > 0;
  }

  /** Deletes what is over and marks calls that a crash cut off. */
  sweep(): void {
    markLost(this.#core, this.#flying);
    this.#core.transaction((sql, now) => {
      kept.sweepKept(sql, now);
      pruneLedger(sql, this.#core.config.ledgerSeconds, now);
    });
  }

  /** One admission of the same call at a time, so that the next one finds the first in flight. */
  async #inLine<T>({ shareable, callHash }: PaidCallRequest, admit: () => Promise<T>): Promise<T> {
    if (!shareable) return admit();
    while (this.#admitting.has(callHash)) await this.#admitting.get(callHash);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#admitting.set(callHash, promise);
    try {
      return await admit();
    } finally {
      this.#admitting.delete(callHash);
      resolve();
    }
  }

  /** Decides, asks policy, and decides again in the transaction that lets the call in. */
  async #admit(arrival: Arrival): Promise<Admitted | PaidOutcome> {
    for (;;) {
      // Once policy was asked, what it says about reuse counts: else the two plans could differ for ever.
      const policy = arrival.reservation?.permit ?? ANY_REUSE;
      const plan = this.#core.transaction((sql, now) => this.#plan(sql, arrival, policy, now));
      if (plan.kind === "settling") {
        await inTime(plan.flight.settled, SETTLING_MS);
        arrival.waited = true;
        continue;
      }
      const refused = plan.kind === "refused" ? plan : await reserveFor(this.#core, arrival, plan);
      if (refused !== undefined) {
        giveBack(this.#core, arrival, refused);
        return refused.kind === "refused" ? refused.outcome : this.#refuse(arrival, refused);
      }
      const admitted = this.#enter(arrival);
      if (admitted !== undefined) return admitted;
    }
  }

  #plan(sql: SqlStorage, arrival: Arrival, said: kept.ReusePolicy, now: number): Plan {
    const { request, waited, follows } = arrival;
    // A personal connection is one person's, whichever of their agents asks.
    const shareResults = said.shareResults || this.#core.row()?.access === "personal";
    const over = follows?.flight.takenOverBy;
    const flying = over ?? this.#flights.get(request.callHash);
    const flight = flying !== undefined && isOfAnotherUser(this.#core, flying) ? undefined : flying;
    const isTaken = flight !== undefined && flight === over;
    const policy = { ...said, shareResults };
    return planCall(sql, request, { flight, isTaken, waited, policy, callers: this.#callers }, now);
  }

  /** Lets the call in, if the plan of this moment is one that it has reserved for. */
  #enter(arrival: Arrival): Admitted | PaidOutcome | undefined {
    const { request, reservation } = arrival;
    if (reservation === undefined) return undefined;
    const { id, gong, permit } = reservation;
    if (!permit.pays) return this.#letThrough(request, gong);
    const entered = this.#core.transaction((sql, now) => {
      const plan = this.#plan(sql, arrival, permit, now);
      if (plan.kind === "refused" || plan.kind === "forbidden" || plan.kind === "settling") return undefined;
      if (plan.kind === "pay" && gong === undefined) return undefined;
      if (FAILPOINTS) void failpoint("paid.admitting", sql);
      recordArrival(sql, arrival, reservation, plan, now);
      if (plan.kind === "pay") noteProbe(sql, now);
      return { plan, parts: plan.kind === "kept" ? kept.keptParts(sql, plan.result.row.call_id) : [] };
    });
    if (entered === undefined) return undefined;
    const { plan, parts } = entered;
    const caller = this.#caller(id, plan.holder, arrival);
    switch (plan.kind) {
      case "join":
        return this.#join(caller, plan.flight);
      case "kept": {
        const { call_id: callId } = plan.result.row;
        this.#count(caller, plan.result.how);
        const answer = () => answerKept(this.#core, caller, plan.result, parts);
        return { caller, flight: undefined, callId, answer };
      }
      case "pay":
        return gong === undefined ? undefined : this.#takeOff(arrival, caller, gong, permit);
    }
  }

  /** A call that costs nothing, if its credential is live at this moment. */
  #letThrough({ credential }: PaidCallRequest, gong: GongToken | undefined): PaidOutcome | undefined {
    const use = this.#core.transaction((sql, now) => useCredential(sql, credential, now));
    return use.ok && gong !== undefined ? { kind: "unpaid", gong } : undefined;
  }

  #caller(rowId: string, holder: Holder, { request, line }: Arrival): PaidCaller {
    const revoked = (): boolean => isRevoked(this.#core.sql, request.credential, holder, nowSeconds());
    const caller = new PaidCaller(rowId, holder, request, line, revoked);
    this.#callers.add(caller);
    return caller;
  }

  #join(caller: PaidCaller, flight: PaidFlight): Admitted {
    const { rowId, startedAt } = caller;
    flight.joined.push({ rowId, startedAt });
    flight.waiting += 1;
    return { caller, flight, callId: flight.id, answer: () => caller.join(flight) };
  }

  #takeOff({ follows }: Arrival, caller: PaidCaller, gong: GongToken, permit: Permit): Admitted {
    const { rowId, request } = caller;
    const flight = new PaidFlight(rowId, request.callHash, signInOf(this.#core, gong.generation));
    flight.waiting = 1;
    this.#flying.add(flight);
    if (request.shareable) {
      flight.follow(follows?.flight.last ?? this.#flights.get(request.callHash));
      this.#flights.set(request.callHash, flight);
    }
    this.#core.keepAlive(this.#fly(flight, caller, gong, permit.reuseSeconds));
    const answer = async (): Promise<PaidOutcome> => {
      try {
        return await caller.passOn(flight, permit.warning);
      } finally {
        flight.payerHasLeft();
      }
    };
    return { caller, flight, callId: rowId, answer };
  }

  /** From the row in the ledger to its end, whoever still waits. */
  async #fly(flight: PaidFlight, payer: PaidCaller, gong: GongToken, reuseSeconds: number): Promise<void> {
    const core = this.#core;
    let end: FlightEnd;
    try {
      await core.schedule();
      if (FAILPOINTS) await failpoint("paid.admitted", core.sql);
      const { integration } = core.row() ?? { integration: "main" as const };
      const { mcpUrl } = integrationNamed(core.config, integration);
      end = await askGong({ core, queue: this.#queue, flight, payer, mcpUrl, gong });
    } catch (error) {
      log("error", "paid_call.failed", { connection: core.id, ...errorFields(error) });
      const failure: PaidOutcome = { kind: "failed", status: 503, reason: "failed", retryAfterSeconds: 1 };
      end = { outcome: "unknown", gongStatus: undefined, broken: true, failure };
    }
    try {
      await landFlight(core, flight, payer, end, reuseSeconds);
    } finally {
      this.#flying.delete(flight);
      this.#close(flight);
    }
  }

  /** Answers one caller to its end, and notes whether it got everything. */
  async #serve({ caller, flight, callId, answer }: Admitted): ReturnType<PaidCaller["join"]> {
    const core = this.#core;
    let outcome: Awaited<ReturnType<PaidCaller["join"]>> = { kind: "left" };
    try {
      outcome = await answer();
      if (UNDELIVERED.has(outcome.kind)) return outcome;
      if (FAILPOINTS) await failpoint("paid.delivered", core.sql);
      core.transaction((sql, now) => {
        ledger.markDelivered(sql, caller.rowId);
        if (flight === undefined) kept.settleKept(sql, callId, now);
      });
      return outcome;
    } catch (error) {
      if (await caller.isThere()) throw error;
      return outcome;
    } finally {
      this.#callers.delete(caller);
      const goesOn = outcome.kind === "go_on";
      if (flight !== undefined && flight.id !== caller.rowId)
        this.#count(caller, goesOn ? "failed" : "joined");
      if (!goesOn) this.#leave(flight);
    }
  }

  #leave(flight: PaidFlight | undefined): void {
    if (flight === undefined) return;
    flight.waiting -= 1;
    this.#close(flight);
  }

  /** Counts a caller that cost nothing. */
  #count({ rowId, holder, request }: PaidCaller, served: CallUse["served"]): void {
    settleCall(this.#core, rowId, "released", useOf(this.#core, request.tool, holder, served, 0));
  }

  /** Once a flight has landed and nobody waits: what was delivered to everybody is gone. */
  #close(flight: PaidFlight): void {
    if (flight.end === undefined || flight.waiting > 0) return;
    if (this.#flights.get(flight.callHash) === flight) this.#flights.delete(flight.callHash);
    try {
      this.#core.transaction((sql, now) => kept.settleKept(sql, flight.id, now));
    } catch (error) {
      // The result then waits to its end, for nobody.
      log("error", "paid_call.failed", { connection: this.#core.id, ...errorFields(error) });
    }
    flight.settle();
  }

  /** Answers with a tool error of ours, which the ledger knows. */
  #refuse(arrival: Arrival, refusal: OwnRefusal): Admitted {
    const rowId = randomId();
    const row = newRow(rowId, arrival, refusal);
    this.#core.transaction((sql, now) => ledger.recordCall(sql, row, now));
    const caller = this.#caller(rowId, refusal.holder, arrival);
    const answer = (): Promise<PaidOutcome> => caller.answer(refusedResult(refusal.message), undefined);
    return { caller, flight: undefined, callId: rowId, answer };
  }
}
