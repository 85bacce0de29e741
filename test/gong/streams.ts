// Bodies that misbehave, and bodies that are watched to their end. Called by fault-answers.ts and stand-in.ts.

/**
 * The connection is gone. Thrown instead of an answer, or out of a body half way; node-listener.ts turns it into a
 * reset of the socket. In one process it is what `fetch` does then: a TypeError.
 */
export class ConnectionDropped extends TypeError {
  constructor() {
    super("fetch failed: the stand-in dropped the connection");
    this.name = "ConnectionDropped";
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Waits `ms` before answering; a reset of the stand-in meanwhile drops the connection, as the request is forgotten. */
export async function answerAfter(ms: number, ended: AbortSignal): Promise<void> {
  if (ms === 0) return;
  await wait(ms, ended);
  if (ended.aborted) throw new ConnectionDropped();
}

/** A body of these chunks; after the last it ends, or the connection drops. */
export function bodyOf(chunks: Uint8Array[], end: "close" | "drop", everyMs = 0): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = left.shift();
        if (chunk === undefined) {
          if (end === "drop") controller.error(new ConnectionDropped());
          else controller.close();
          return;
        }
        if (everyMs > 0) await wait(everyMs);
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

/** An endless body: `chunk` every `everyMs` until it is cancelled or `ended` aborts. */
export function endlessBody(
  chunk: Uint8Array,
  everyMs: number,
  ended: AbortSignal,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await wait(everyMs, ended);
        if (ended.aborted) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

export type BodyEnd = "complete" | "client_gone" | "dropped";

/** `response`, unchanged, with `note` called once: when its last byte was taken, refused, or never came. */
export function watched(response: Response, note: (end: BodyEnd) => void): Response {
  let ended = false;
  const onEnd = (end: BodyEnd): void => {
    // Leaving a stream also ends the read that was under way: the first reason is the true one.
    if (!ended) note(end);
    ended = true;
  };
  if (response.body === null) {
    onEnd("complete");
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (ended) return;
          if (!done) {
            controller.enqueue(value);
            return;
          }
          onEnd("complete");
          controller.close();
        } catch (error) {
          onEnd("dropped");
          controller.error(error);
        }
      },
      async cancel(reason) {
        onEnd("client_gone");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
