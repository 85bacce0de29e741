// Streams of Gong's that stay open: each ends soon after the credential it was opened with. A call that asks for
// something is over in seconds; a stream that listens can last for hours, past a revocation. Called by call-gong.ts for
// what is not a paid call. RFC 7009 §2.1; MCP 2025-11-25, Listening for Messages from the Server; MCP 2026-07-28,
// subscriptions/listen.

import type { IntegrationConfig } from "../config.ts";
import { errorFields, log } from "../log.ts";
import { identify } from "./caller.ts";
import type { Gateway } from "./gateway.ts";
import { isSignInNeeded } from "./mcp-answers.ts";

const CHECK_EVERY_MS = 20_000;
/** A connection that can't be asked so often in a row says nothing about the credential any more. */
const MOST_FAILED_CHECKS = 3;

const EVENT_STREAM = /^text\/event-stream\b/i;

/**
 * Passes an event stream on and closes it, at the client and at Gong, within half a minute after the credential was
 * revoked or ran out, or its connection ended. Every other answer stays as it is. The runtime moves the bytes.
 */
export function endWithCredential(
  gateway: Gateway,
  integration: IntegrationConfig,
  accessToken: string,
  response: Response,
): Response {
  const { body, status, headers } = response;
  if (body === null || !EVENT_STREAM.test(headers.get("content-type") ?? "")) return response;
  const { readable, writable } = new IdentityTransformStream();
  const ending = new AbortController();
  let failures = 0;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  const check = async (): Promise<void> => {
    const identified = await identify(gateway, integration, accessToken).catch((error: unknown) => {
      log("warn", "mcp.stream_unchecked", errorFields(error), gateway);
      return undefined;
    });
    if (isOver) return;
    failures = identified === undefined ? failures + 1 : 0;
    if (failures < MOST_FAILED_CHECKS && (identified?.ok !== false || !isSignInNeeded(identified))) {
      timer = setTimeout(() => void check(), CHECK_EVERY_MS);
      return;
    }
    const reason = identified?.ok === false ? identified.reason : "unavailable";
    log("info", "mcp.stream_ended", { reason }, gateway);
    ending.abort();
  };
  timer = setTimeout(() => void check(), CHECK_EVERY_MS);
  const { signal } = ending;
  // Ended by us it closes, as a server may close a stream at any time, unless the end comes while bytes are being
  // written: then, and when it broke at Gong, it is seen to break.
  void body
    .pipeTo(writable, { signal, preventAbort: true })
    .catch((reason: unknown) => (signal.aborted ? writable.close() : writable.abort(reason)))
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
      clearTimeout(timer);
    });
  return new Response(readable, { status, headers });
}
