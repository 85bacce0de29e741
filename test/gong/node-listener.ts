// A fetch-shaped server on Node.js sockets, with what frameworks hide: a dropped connection is a reset socket, a body
// is sent as it comes, headers go out as they are, and a client that leaves aborts the request. Called by serve.ts and
// for-tests.ts.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { once } from "node:events";
import { ConnectionDropped } from "./streams.ts";

/**
 * How long an idle connection stays open, in milliseconds: as long as common servers and load balancers keep one.
 * Node.js closes after five seconds by default, and a POST that goes out on a connection in that moment is lost, which
 * no client can repeat for sure.
 */
export const KEEP_ALIVE_MS = 75_000;

/** Answers one Node.js request with `fetch`. `origin` is what its URL starts with. Never rejects. */
export async function respond(
  fetch: (request: Request) => Promise<Response>,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  try {
    const response = await fetch(requestFrom(origin, incoming, gone.signal));
    await send(response, outgoing, gone.signal);
  } catch (error) {
    if (!(error instanceof ConnectionDropped) && !gone.signal.aborted) {
      console.error("The stand-in failed to answer:", error);
    }
    outgoing.socket?.resetAndDestroy();
  }
}

function requestFrom(origin: string, incoming: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = incoming.rawHeaders.slice(at, at + 2);
    headers.append(name, value);
  }
  const method = incoming.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  // The target is a path here; an absolute one must not choose another origin.
  const url = `${origin}${new URL(incoming.url ?? "/", origin).href.slice(new URL(origin).origin.length)}`;
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array>) : null;
  // `duplex` is what Node.js wants beside a streaming body (Fetch standard); the types do not know it.
  const init = { method, headers, body, signal, duplex: "half" };
  return new Request(url, init);
}

async function send(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  const cookies = response.headers.getSetCookie();
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (response.body === null) {
    outgoing.end();
    return;
  }
  // A stream may stay silent for long: its client must know at once that it is open.
  if (response.headers.get("content-type") === "text/event-stream") outgoing.flushHeaders();
  const reader = response.body.getReader();
  const cancel = (): void => void reader.cancel("client gone");
  gone.addEventListener("abort", cancel);
  let sent = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.aborted) break;
      if (!sent) outgoing.flushHeaders();
      sent = true;
      if (!outgoing.write(value) && !gone.aborted) await once(outgoing, "drain", { signal: gone });
    }
    outgoing.end();
  } catch (error) {
    // What was written must reach the other side before the reset does.
    if (sent && !gone.aborted) await new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
    throw error;
  } finally {
    gone.removeEventListener("abort", cancel);
  }
}

const FLUSH_MS = 20;
