// One caller of a paid call and the line to its client: Gong's own bytes for the caller that pays, and for every other
// one the same answer under its own id, progress under its own token, in a form that it accepts. Called by
// paid-calls.ts. MCP 2026-07-28 and 2025-11-25 Streamable HTTP.

import { inTime } from "../clock.ts";
import type { BudgetWarning } from "../mcp/budgets.ts";
import { KEEP_ALIVE, messageEvent } from "../mcp/event-stream.ts";
import { CREDENTIAL_REVOKED, GATEWAY_UNAVAILABLE } from "../mcp/errors.ts";
import { errorFor, progressFor, responseFor, type PaidAnswer, type ServedNote } from "../mcp/paid-answer.ts";
import type { AnswerHead, AnswerLine } from "./answer-line.ts";
import { isEventStream, type PaidFlight } from "./paid-flight.ts";
import { piecesOf, type Pieces } from "./paid-pieces.ts";
import type { PaidCallRequest, PaidOutcome } from "./paid-rpc.ts";
import type { Holder } from "./presented-credential.ts";

/** How often a silent line is looked at: a stream gets a comment, and a caller that left is noticed. */
const SILENCE_MS = 10_000;
/** A client that takes nothing of its answer for so long has left, as far as we can tell. */
const STALLED_MS = 60_000;
/** From its arrival to the last byte: Gong has eight and a half minutes of it. */
const LONGEST_MS = 900_000;
/** Bytes that a client has to take at once. */
const LONGEST_WRITE = 65_536;

const REVOKED = "Your access was revoked while this call ran, so its answer is withheld. Sign in again.";

const OWN_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** What became of a caller that joined: Gong ran nothing, so it goes on as if it had just come. */
interface GoOn {
  readonly kind: "go_on";
  readonly from: PaidFlight;
}

/** The line as the object holds it: every call crosses to the Worker, and rejects when the client has left. */
export type Line = Pick<Rpc.Stub<AnswerLine>, "head" | "write" | "end" | "breakOff" | "ping">;

export class PaidCaller {
  /** Its own row in the ledger. */
  readonly rowId: string;
  readonly isRevoked: () => boolean;
  readonly holder: Holder;
  readonly request: PaidCallRequest;
  readonly startedAt = Date.now();
  readonly #line: Line;
  readonly #cancelled = Promise.withResolvers<void>();
  #flight: PaidFlight | undefined;
  #longestText = 0;
  #hasStalled = false;
  #isCancelled = false;
  #begun = false;
  #isEventStream = false;

  /** `isRevoked` is asked before anything of Gong's goes over the line. */
  constructor(rowId: string, holder: Holder, request: PaidCallRequest, line: Line, isRevoked: () => boolean) {
    this.rowId = rowId;
    this.holder = holder;
    this.request = request;
    this.#line = line;
    this.isRevoked = isRevoked;
  }

  /** Bytes of its answer that are in memory until it has taken them or has left. */
  get unread(): number {
    return Math.max(this.#flight?.bytes ?? 0, this.#longestText);
  }

  /** MCP 2025-11-25, Cancellation: its answer ends without a response; the call goes on. */
  cancel(): void {
    this.#isCancelled = true;
    this.#cancelled.resolve();
  }

  /** Hands Gong's bytes on as they come. For the caller that pays, whose own message Gong answers. */
  async passOn(flight: PaidFlight, warning: BudgetWarning | undefined): Promise<PaidOutcome> {
    this.#flight = flight;
    let pieces: Pieces | undefined;
    for (;;) {
      if (this.#isCancelled) return this.#endUnanswered();
      if (flight.head !== undefined) {
        pieces ??= piecesOf(flight, warning);
        if (!this.#begun && !this.isRevoked()) await this.#begin(flight.head);
      }
      for (;;) {
        if (this.isRevoked()) return this.#withhold(pieces?.mayInterrupt);
        const piece = pieces?.next();
        if (piece === undefined) break;
        await this.#take(piece);
      }
      if (flight.end !== undefined) break;
      await this.#wait(flight, flight.isEventStream && pieces?.mayInterrupt === true);
    }
    const { failure, broken } = flight.end;
    if (failure !== undefined) return failure;
    if (broken) {
      await this.#line.breakOff();
      return { kind: "left" };
    }
    if (flight.head?.hasBody === true) await this.#end();
    return { kind: "answered" };
  }

  /** Waits for the answer of a call that somebody else pays for. */
  async join(flight: PaidFlight): Promise<PaidOutcome | GoOn> {
    this.#flight = flight;
    let next = flight.progress.length;
    const { progressTokenJson: token } = this.request;
    for (;;) {
      if (this.#isCancelled) return this.#endUnanswered();
      if (this.isRevoked()) return this.#withhold();
      if (flight.isEventStream && !this.#begun && accepts(this.request, "text/event-stream")) {
        await this.#begin(ownHead("text/event-stream"));
      }
      for (; next < flight.progress.length; next += 1) {
        if (this.isRevoked()) return this.#withhold();
        const params = flight.progress[next];
        const wanted = this.#begun && token !== undefined && params !== undefined;
        if (wanted) await this.#write(messageEvent(progressFor(token, params)));
      }
      if (flight.end !== undefined) break;
      // Nobody is left to answer what Gong asks.
      if (flight.interactive && flight.payerLeft) return this.#fail(502, "The call was left unfinished.");
      await this.#wait(flight, this.#begun);
    }
    if (flight.letsGo && !this.#begun) return { kind: "go_on", from: flight };
    return this.#joined(flight);
  }

  /** Answers at once. */
  async answer(answer: PaidAnswer, note: ServedNote | undefined): Promise<PaidOutcome> {
    if (this.isRevoked()) return this.#withhold();
    if (!this.#begun) {
      const stream = !accepts(this.request, "application/json");
      await this.#begin(ownHead(stream ? "text/event-stream" : "application/json"));
      if (this.isRevoked()) return this.#withhold();
    }
    await this.#writeMessage(responseFor(this.request, answer, note));
    await this.#end();
    return { kind: "answered" };
  }

  /** Whether somebody is still there, and takes what is written. */
  async isThere(): Promise<boolean> {
    return !this.#hasStalled && (await isThere(this.#line));
  }

  async #joined(flight: PaidFlight): Promise<PaidOutcome> {
    const { answer, end, head } = flight;
    const isRefusal = head !== undefined && head.status >= 400 && end?.broken === false;
    if (answer !== undefined && (!isRefusal || this.#begun)) {
      const age = Math.floor((this.startedAt - (flight.answeredAt ?? this.startedAt)) / 1000);
      return this.answer(answer, { how: "joined", ageSeconds: Math.max(age, 0) });
    }
    if (end?.failure !== undefined && !this.#begun) return end.failure;
    if (this.isRevoked()) return this.#withhold();
    if (!isRefusal || this.#begun) {
      return this.#fail(
        502,
        "Gong gave no whole answer to this call. It may have cost credits all the same.",
      );
    }
    await this.#begin({ ...head, upstreamSessionId: undefined });
    if (head.hasBody) {
      // Under this caller's id, where it is a JSON-RPC error.
      await this.#write(answer?.kind === "error" ? errorFor(this.request, answer.json) : flight.text());
      await this.#end();
    }
    return { kind: "answered" };
  }

  /** A JSON-RPC error in the stream that has begun, else the HTTP status. */
  async #fail(status: 502, text: string): Promise<PaidOutcome> {
    if (!this.#begun) return { kind: "failed", status, reason: "unanswered" };
    await this.#endWithError(GATEWAY_UNAVAILABLE, text);
    return { kind: "answered" };
  }

  /**
   * Nothing more of Gong's: a JSON-RPC error where one may stand, the
   * line breaks off where none may, else the HTTP status.
   */
  async #withhold(mayStand = true): Promise<PaidOutcome> {
    if (this.#begun && mayStand) await this.#endWithError(CREDENTIAL_REVOKED, REVOKED);
    else if (this.#begun) await this.#line.breakOff();
    return { kind: "unauthorized", reason: "revoked" };
  }

  async #endWithError(code: number, text: string): Promise<void> {
    await this.#writeMessage(errorFor(this.request, JSON.stringify({ code, message: text })));
    await this.#end();
  }

  async #endUnanswered(): Promise<PaidOutcome> {
    if (!this.#begun) await this.#begin(ownHead("text/event-stream"));
    await this.#end();
    return { kind: "left" };
  }

  async #begin(head: AnswerHead): Promise<void> {
    this.#begun = true;
    this.#isEventStream = isEventStream(head);
    await this.#line.head(head);
  }

  async #writeMessage(json: string): Promise<void> {
    await this.#write(this.#isEventStream ? messageEvent(json) : json);
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    this.#longestText = Math.max(this.#longestText, bytes.byteLength);
    await this.#take(bytes);
  }

  /** Has the client take these bytes, piece by piece. */
  async #take(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += LONGEST_WRITE)
      await this.#taken(this.#line.write(bytes.slice(at, at + LONGEST_WRITE)));
  }

  #end(): Promise<void> {
    return this.#taken(this.#line.end());
  }

  /** Throws, with the line broken off, when the client is too slow for its answer to be held in memory any longer. */
  async #taken(work: Promise<void>): Promise<void> {
    const left = this.startedAt + LONGEST_MS - Date.now();
    const taken = await inTime(
      work.then(() => true),
      Math.min(STALLED_MS, left),
    );
    if (taken !== undefined) return;
    this.#hasStalled = true;
    await this.#line.breakOff();
    throw new Error("The client takes nothing of its answer");
  }

  /** Until something changes. In silence a stream gets a comment, where one may stand; any line is tried. */
  async #wait(flight: PaidFlight, mayComment: boolean): Promise<void> {
    const woken = Promise.race([flight.changed, this.#cancelled.promise]).then(() => "woken");
    if ((await inTime(woken, SILENCE_MS)) !== undefined) return;
    if (mayComment && this.#begun) await this.#write(KEEP_ALIVE);
    else await this.#line.ping();
  }
}

/** Whether anybody still holds the other end of a line. */
export async function isThere(line: Line): Promise<boolean> {
  try {
    await line.ping();
    return true;
  } catch {
    // The context of the caller's request is gone.
    return false;
  }
}

function ownHead(contentType: string): AnswerHead {
  const headers = { ...OWN_HEADERS, "content-type": contentType };
  return { status: 200, headers, hasBody: true, upstreamSessionId: undefined };
}

/** RFC 9110 §12.5.1, without weights: MCP clients list both types, or one. */
function accepts({ headers }: PaidCallRequest, type: "application/json" | "text/event-stream"): boolean {
  const accept = headers.find(([name]) => name === "accept")?.[1].toLowerCase();
  if (accept === undefined) return type === "application/json";
  const anyOf = type.slice(0, type.indexOf("/"));
  return accept.includes(type) || accept.includes("*/*") || accept.includes(`${anyOf}/*`);
}
