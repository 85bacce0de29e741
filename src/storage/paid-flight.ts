// One call that Gong is being asked, and everything it has answered so far: shared by the caller that pays and by those
// that joined it. Filled by gong-asking.ts, watched by paid-caller.ts.

import type { JsonObject } from "../json.ts";
import { createEventReader, type EventReader } from "../mcp/event-stream.ts";
import { readGongMessage, type PaidAnswer } from "../mcp/paid-answer.ts";
import type { AnswerHead } from "./answer-line.ts";
import type { PaidOutcome } from "./paid-rpc.ts";
import type { CallOutcome } from "./paid-schema.ts";

/** How a flight ended. */
export interface FlightEnd {
  readonly outcome: CallOutcome;
  readonly gongStatus: number | undefined;
  /** Gong's answer broke off, or the gateway broke it off. */
  readonly broken: boolean;
  /** What every caller is told when there is no answer of Gong's to pass on. */
  readonly failure?: PaidOutcome | undefined;
}

/** Refusals of Gong's that are about the request around a call, such as its headers and its session. RFC 9110 §15.5 */
const OF_THE_REQUEST: ReadonlySet<number | undefined> = new Set([400, 404, 406, 413, 415, 431]);
/** How many callers one after another are refused so before the others are told that the call is. */
const MOST_REFUSALS = 3;

/** Whether such an end leaves a result to keep. Errors and questions are none: asking again costs nothing. */
export function isResult({ outcome }: FlightEnd): boolean {
  return outcome === "ok" || outcome === "tool_error";
}

/** Whether an answer that begins so is a stream of events. */
export function isEventStream({ headers }: AnswerHead): boolean {
  return /^text\/event-stream/i.test(headers["content-type"] ?? "");
}

export class PaidFlight {
  /** The row in the ledger that pays. */
  readonly id: string;
  readonly callHash: string;
  /** The sign-in at Gong that the connection was from when the flight began. */
  readonly authorizationId: string | null;
  readonly startedAt = Date.now();
  /** Gong's own bytes, for the caller that pays. */
  readonly chunks: Uint8Array[] = [];
  /** `params` of Gong's progress notifications. */
  readonly progress: JsonObject[] = [];
  bytes = 0;
  head: AnswerHead | undefined;
  answer: PaidAnswer | undefined;
  /** When the answer had come, epoch milliseconds. */
  answeredAt: number | undefined;
  /** Gong asks its caller something on the stream: only the caller that pays can answer. */
  interactive = false;
  /** The caller that pays has left. */
  payerLeft = false;
  end: FlightEnd | undefined;
  /** The flight that the same call became, when Gong ran nothing for this one. */
  successor: PaidFlight | undefined;
  /** How often in a row the same call was refused before, for a reason of its payer's own. */
  #refusals = 0;
  /** The rows of the callers that joined it, and when (epoch milliseconds). */
  readonly joined: { readonly rowId: string; readonly startedAt: number }[] = [];
  /** Callers who wait for it or are being answered. */
  waiting = 0;
  /** Resolves when it has ended and everybody was answered or has left. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  #events: EventReader | undefined;
  /** For each chunk, whether the stream was between two events after it. */
  readonly #between: boolean[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(id: string, callHash: string, authorizationId: string | null) {
    this.id = id;
    this.callHash = callHash;
    this.authorizationId = authorizationId;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.settle = resolve;
  }

  /** Resolves at the next change of anything above. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Whether those who joined may go on without it: Gong ran nothing, for a reason that need not hold for them. */
  get letsGo(): boolean {
    const { outcome, gongStatus } = this.end ?? {};
    if (outcome === "not_sent") return true;
    const isPayersOwn = outcome === "refused_by_gong" && OF_THE_REQUEST.has(gongStatus);
    return isPayersOwn && this.#refusals < MOST_REFUSALS;
  }

  /** The last of its successors; itself when it has none. */
  get last(): PaidFlight {
    return this.successor?.last ?? this;
  }

  /** The successor whose answer or failure is also that of those who go on without this one. */
  get takenOverBy(): PaidFlight | undefined {
    const { last } = this;
    return last === this || last.letsGo || last.interactive ? undefined : last;
  }

  /** Comes after `before`, for those who go on without it. */
  follow(before: PaidFlight | undefined): void {
    if (before?.letsGo !== true) return;
    before.successor = this;
    this.#refusals = before.#refusals + (before.end?.outcome === "not_sent" ? 0 : 1);
  }

  /** Whether a newcomer with the same call may wait for this answer. */
  get joinable(): boolean {
    return !this.interactive && this.answer === undefined && this.end === undefined;
  }

  /** Whether it has a result, as far as is known, that whoever comes now may be given too. */
  get hasResult(): boolean {
    const { answer, end } = this;
    return answer?.kind === "result" && !answer.asksBack && (end === undefined || isResult(end));
  }

  get isEventStream(): boolean {
    return this.head !== undefined && isEventStream(this.head);
  }

  /** Whether something of ours may stand after the first `count` chunks: between events, or before the body of JSON. */
  betweenEventsAfter(count: number): boolean {
    return count === 0 || this.#between[count - 1] === true;
  }

  /** Status and headers have come. */
  begin(head: AnswerHead): void {
    this.head = head;
    if (this.isEventStream) this.#events = createEventReader((data) => this.#read(data));
    this.#change();
  }

  /** More of Gong's bytes have come. */
  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.bytes += bytes.byteLength;
    this.#events?.push(bytes);
    this.#between.push(this.#events?.betweenEvents === true);
    this.#change();
  }

  /** The last byte of a JSON answer has come: now it can be read. */
  readWhole(): void {
    if (this.#events === undefined) this.#read(this.text());
  }

  /** The bytes so far as text. */
  text(): string {
    const decoder = new TextDecoder();
    return this.chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }

  /** It is over, and the ledger says so. */
  finish(end: FlightEnd): void {
    this.end = end;
    this.#change();
  }

  /** The caller that pays has left; it goes on for the others. */
  payerHasLeft(): void {
    this.payerLeft = true;
    this.#change();
  }

  #read(text: string): void {
    const message = readGongMessage(text);
    if (message.kind === "answer") {
      this.answer = message.answer;
      this.answeredAt = Date.now();
    } else if (message.kind === "progress") this.progress.push(message.params);
    else if (message.kind === "request") this.interactive = true;
  }

  #change(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
  }
}
