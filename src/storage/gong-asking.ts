// Asks Gong one paid call, once: in its turn, within its time and size, with one
// replay after a 401 and a wait after a 429, both of which ran nothing. Whatever
// else happens is never asked again. Fills a PaidFlight. RFC 9110 §9.2.2, §10.2.3.

import { inTime, nowSeconds } from "../clock.ts";
import { GongError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { parseRetryAfter } from "../gong/answer.ts";
import { discardBody, gongRefusal, passGongResponse, requestGongMcp } from "../gong/mcp.ts";
import { log } from "../log.ts";
import type { ConnectionCore } from "./connection-core.ts";
import type { FairQueue } from "./fair-queue.ts";
import type { GongAuthorization } from "./gong-tokens.ts";
import { holderKey } from "./kept-results.ts";
import type { PaidCaller } from "./paid-caller.ts";
import type { FlightEnd, PaidFlight } from "./paid-flight.ts";
import type { PaidCallRequest, PaidOutcome } from "./paid-rpc.ts";
import type { CallOutcome } from "./paid-schema.ts";

/** Gong answers in seconds. This long without headers, it does not. */
const HEADERS_WITHIN_MS = 180_000;
/** For the whole answer, once its headers have come. */
const ANSWER_WITHIN_MS = 300_000;
/** The rest of a stream whose answer has come. */
const REST_WITHIN_MS = 3000;
/** Decoded bytes. Everything that several callers wait for is in memory. */
const LONGEST_ANSWER = 8 * 1024 * 1024;
/** How long a caller is kept waiting in all because Gong throttles. */
export const PATIENCE_MS = 30_000;

type Gong = Extract<GongAuthorization, { ok: true }>;

export interface Asking {
  readonly core: ConnectionCore;
  readonly queue: FairQueue;
  readonly flight: PaidFlight;
  readonly payer: PaidCaller;
  readonly mcpUrl: URL;
  readonly gong: Gong;
}

/** Asks Gong and collects its answer in the flight. Resolves when the answer is over; never throws GongError. */
export async function askGong(asking: Asking): Promise<FlightEnd> {
  const control = new AbortController();
  try {
    const asked = await askInTurn(asking, control);
    if ("outcome" in asked) return asked;
    if (FAILPOINTS) await failpoint("paid.asked", asking.core.sql);
    return await collect(asking, asked, control);
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    log("warn", "mcp.upstream_failed", { kind: error.kind, connection: asking.core.id });
    return unanswered(502, error.kind);
  } finally {
    control.abort();
  }
}

interface Answered {
  readonly response: Response;
  readonly accessToken: string;
}

async function askInTurn(asking: Asking, control: AbortController): Promise<Answered | FlightEnd> {
  const { core, queue, flight, payer } = asking;
  const until = Date.now() + PATIENCE_MS;
  let { gong } = asking;
  let replaced = false;
  for (;;) {
    const turn = await queue.turn(holderKey(payer.holder), until);
    if (!turn.ok) return throttled(turn.retryAfterSeconds);
    // Nothing is paid for a caller that was revoked meanwhile, or for nobody.
    if (flight.waiting === 0 || payer.isRevoked()) return NOT_SENT;
    if (FAILPOINTS) await failpoint("paid.asking", core.sql);
    const response = await inTime(send(asking, gong, control), HEADERS_WITHIN_MS);
    if (response === undefined) {
      log("warn", "mcp.upstream_failed", { kind: "late", connection: core.id });
      return unanswered(504, "late");
    }
    const seconds = retryAfter(response);
    if (seconds > 0 && queue.holdBack(seconds, until)) {
      await discardBody(response);
    } else if (!replaced && gongRefusal(response) === "unauthorized") {
      await discardBody(response);
      const newer = await core.gong.replaceRejected(gong.generation);
      if (!newer.ok) return refused("refused_by_gong", 401, refusalOf(newer));
      gong = newer;
      replaced = true;
    } else {
      return { response, accessToken: gong.accessToken };
    }
  }
}

function send(
  { payer: { request }, mcpUrl }: Asking,
  gong: Gong,
  control: AbortController,
): Promise<Response> {
  return requestGongMcp({
    mcpUrl,
    method: "POST",
    headers: new Headers(request.headers.map(([name, value]): [string, string] => [name, value])),
    body: request.body,
    authorization: `Bearer ${gong.accessToken}`,
    sessionId: request.session?.upstream,
    signal: control.signal,
  });
}

/**
 * RFC 6585 §4: the seconds after which Gong wants to be asked again,
 * by a 429. 0 for any other answer, and where it does not say.
 */
function retryAfter({ status, headers }: Response): number {
  return status === 429 ? (parseRetryAfter(headers.get("retry-after"), nowSeconds()) ?? 0) : 0;
}

async function collect(
  { flight, core, payer: { request } }: Asking,
  { response, accessToken }: Answered,
  control: AbortController,
): Promise<FlightEnd> {
  const refusal = gongRefusal(response);
  if (refusal !== undefined) {
    await discardBody(response);
    log("warn", "mcp.upstream_failed", { kind: refusal, connection: core.id });
    const failure: PaidOutcome =
      refusal === "unauthorized"
        ? { kind: "unauthorized", reason: "needs_reconnect" }
        : { kind: "insufficient_scope", scope: undefined };
    return refused("refused_by_gong", response.status, failure);
  }
  const requestId: unknown = JSON.parse(request.idJson);
  const passed = await passGongResponse(response, {
    sessionId: undefined,
    cors: undefined,
    accessToken,
    requestId: typeof requestId === "string" || typeof requestId === "number" ? requestId : null,
  });
  if (passed.status >= 500)
    log("warn", "mcp.upstream_failed", { kind: "answer", status: response.status, connection: core.id });
  flight.begin({
    status: passed.status,
    headers: Object.fromEntries(passed.headers),
    hasBody: passed.body !== null,
    upstreamSessionId: response.headers.get("mcp-session-id") ?? undefined,
  });
  const stopped = await readInto(flight, passed, control);
  if (stopped === undefined) flight.readWhole();
  const end = endOf(flight, response.status, stopped);
  // Gong may repeat what it was sent: an agent's own words must not stop everybody's calls.
  const isEcho = end.outcome === "out_of_credits" && response.status !== 402 && speaksOfCredits(request);
  return isEcho ? { ...end, outcome: flight.answer?.kind === "error" ? "rpc_error" : "tool_error" } : end;
}

/** Whether the caller itself wrote about credits. */
function speaksOfCredits({ arguments: given }: PaidCallRequest): boolean {
  return /credit/i.test(JSON.stringify(given) ?? "");
}

type Stopped = "broken" | "late" | "too_long";

/** Reads the body into the flight, within its bounds; says why it stopped before the end. */
async function readInto(
  flight: PaidFlight,
  { body }: Response,
  control: AbortController,
): Promise<Stopped | undefined> {
  if (body === null) return undefined;
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const until = Date.now() + ANSWER_WITHIN_MS;
  try {
    for (;;) {
      const answered = flight.answer !== undefined;
      const read = await inTime(reader.read(), answered ? REST_WITHIN_MS : until - Date.now());
      if (read === undefined) {
        control.abort();
        return answered ? undefined : "late";
      }
      if (read.done) return undefined;
      flight.push(read.value);
      if (flight.bytes > LONGEST_ANSWER) {
        control.abort();
        return "too_long";
      }
    }
  } catch {
    // A read rejects when the answer breaks off, and for nothing else.
    return flight.answer === undefined ? "broken" : undefined;
  }
}

function endOf(flight: PaidFlight, status: number, stopped: Stopped | undefined): FlightEnd {
  const end = (outcome: CallOutcome): FlightEnd => ({
    outcome,
    gongStatus: status,
    broken: stopped !== undefined,
  });
  if (stopped !== undefined) return end(stopped === "too_long" ? "too_long" : "unknown");
  if (status === 402) return end("out_of_credits");
  if (status === 429) return end("rate_limited");
  if (status >= 500 || (status >= 300 && status < 400)) return end("unknown");
  if (status >= 400) return end("refused_by_gong");
  const { answer } = flight;
  if (answer === undefined) return end("unanswered");
  if (answer.outOfCredits) return end("out_of_credits");
  if (answer.kind === "error") return end("rpc_error");
  if (answer.asksBack) return end("input_required");
  return end(answer.isError ? "tool_error" : "ok");
}

function refused(outcome: CallOutcome, gongStatus: number | undefined, failure: PaidOutcome): FlightEnd {
  return { outcome, gongStatus, broken: false, failure };
}

const NOT_SENT = refused("not_sent", undefined, {
  kind: "failed",
  status: 503,
  reason: "not_sent",
  retryAfterSeconds: 1,
});

/** No answer: Gong may have run the call all the same. */
function unanswered(status: 502 | 504, reason: string): FlightEnd {
  return refused("unknown", undefined, { kind: "failed", status, reason });
}

function throttled(retryAfterSeconds: number): FlightEnd {
  return refused("rate_limited", 429, {
    kind: "failed",
    status: 503,
    reason: "rate_limited",
    retryAfterSeconds,
  });
}

/** Why there is no Gong access token, as the caller is told. */
export function refusalOf(gong: Extract<GongAuthorization, { ok: false }>): PaidOutcome {
  const { reason, retryAfterSeconds } = gong;
  if (reason === "not_connected" || reason === "needs_reconnect") return { kind: "unauthorized", reason };
  return { kind: "failed", status: 503, reason, retryAfterSeconds };
}
