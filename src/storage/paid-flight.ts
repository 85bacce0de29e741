// One call that Gong is being asked, and everything it has answered so far: shared by the caller that pays and by those that
// joined it. Filled by gong-asking.ts, watched by paid-caller.ts.

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

/** Whether an answer that begins so is a stream of events. */
export function isEventStream({ headers }: AnswerHead): boolean {
  return /^text\/event-stream/i.test(headers["content-type"] ?? "");
}

export class PaidFlight {
  /** The row in the ledger that pays. */
  readonly id: string;
  readonly callHash: string;
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

  constructor(id: string, callHash: string) {
    this.id = id;
    this.callHash = callHash;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.settle = resolve;
  }

  /** Resolves at the next change of anything above. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Whether a newcomer with the same call may wait for this answer. */
  get joinable(): boolean {
    return !this.interactive && this.answer === undefined && this.end === undefined;
  }

  get isEventStream(): boolean {
    return this.head !== undefined && isEventStream(this.head);
  }

  /** Whether something of ours may stand after the bytes so far. */
  get betweenEvents(): boolean {
    return this.#events?.betweenEvents ?? false;
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
    this.#between.push(this.betweenEvents);
    this.#change();
  }

  /** The last byte of a JSON answer has come: now it can be read. */
  readWhole(): void {
    if (this.#events !== undefined) return;
    const decoder = new TextDecoder();
    this.#read(
      this.chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode(),
    );
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
