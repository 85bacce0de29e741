// The line from the ConnectionObject to one caller of a paid call: the object writes, the Worker hands on to the
// client. Each write resolves when the client's side has taken it, so that the object knows what was delivered; it
// rejects when the client has left. Opened by domain/call-paid.ts, written by paid-caller.ts.

import { RpcTarget } from "cloudflare:workers";

/** Status and headers of an answer, before its first byte. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
  /** Gong's MCP session id in its answer, when there was one. */
  readonly upstreamSessionId: string | undefined;
}

/** What the object can do with the line, over RPC. */
export class AnswerLine extends RpcTarget {
  readonly #begin: (head: AnswerHead) => void;
  readonly #body: LineBody;

  constructor(begin: (head: AnswerHead) => void, body: LineBody) {
    super();
    this.#begin = begin;
    this.#body = body;
  }

  /** Begins the answer. */
  head(head: AnswerHead): void {
    this.#begin(head);
  }

  /** Resolves when the client's side has taken the bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#body.write(bytes);
  }

  /** Ends the answer. Resolves when the client's side has taken all of it. */
  async end(): Promise<void> {
    await this.#body.end();
  }

  /** Breaks the answer off, so that it is seen to be incomplete (RFC 9112 §8). */
  breakOff(): void {
    this.#body.breakOff();
  }

  /** Rejects when nobody is on the line any more. */
  ping(): boolean {
    return true;
  }
}

/** The Worker's end of a line. */
export interface OpenLine {
  readonly line: AnswerLine;
  readonly head: Promise<AnswerHead>;
  readonly body: ReadableStream<Uint8Array>;
  /** Breaks the body off from this side, because the object is gone. */
  breakOff(): void;
}

/** Opens a line to the client of one request. */
export function openLine(): OpenLine {
  const begun = Promise.withResolvers<AnswerHead>();
  const body = new LineBody();
  return {
    line: new AnswerLine(begun.resolve, body),
    head: begun.promise,
    body: body.stream,
    breakOff: () => body.breakOff(),
  };
}

/** A body that takes one piece at a time, when the client's side asks for it. */
class LineBody {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #asked = Promise.withResolvers<void>();
  #over = false;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#asked.resolve(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    this.#controller?.enqueue(bytes);
    // Asked for more: what there was is on its way.
    await this.#asked.promise;
  }

  async end(): Promise<void> {
    await this.#asked.promise;
    this.#over = true;
    this.#controller?.close();
  }

  breakOff(): void {
    if (this.#over) return;
    this.#leave();
    this.#controller?.error(new Error("The answer broke off"));
  }

  #leave(): void {
    this.#over = true;
    // Nobody may be waiting for it.
    this.#asked.promise.catch(() => undefined);
    this.#asked.reject(new Error("The client has left"));
  }
}
