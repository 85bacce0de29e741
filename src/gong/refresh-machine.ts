// When to use, refresh, wait for or give up Gong's tokens: pure decisions, without clock, storage or network. The
// ConnectionObject feeds it stored state and carries out what it says. Gong's refresh tokens are treated as single
// use (RFC 9700 §4.14.2 from the client's side): one lost answer logs a person out.

import type { GongErrorKind } from "../errors.ts";

/** What is stored about Gong's tokens of one connection. Times are epoch seconds. */
export interface GongTokenState {
  readonly state: "connected" | "needs_reconnect" | "disconnected";
  readonly hasRefreshToken: boolean;
  readonly expiresAt: number;
  readonly refreshedAt: number;
  /** When the next refresh is due: early in good times, after a back-off in bad ones. */
  readonly dueAt: number;
  /** Consecutive refreshes that came to nothing. */
  readonly failures: number;
}

export type UseDecision =
  /** The access token is good. */
  | { readonly kind: "use" }
  /** It is good, and due for an early refresh that nobody waits for. */
  | { readonly kind: "use_and_refresh" }
  | { readonly kind: "refresh" }
  /** Gong failed lately: asking again at once would make an outage worse. */
  | { readonly kind: "wait"; readonly retryAfterSeconds: number }
  /** Only a person can help. */
  | { readonly kind: "dead" };

/** A token this close to its end could expire on its way to Gong. */
const EXPIRY_MARGIN_SECONDS = 10;

/** Refreshing early more often than this can't help, whatever Gong says of the token's life. */
const SHORTEST_REFRESH_INTERVAL_SECONDS = 30;

/** A second 401 within this time of a refresh that answered a 401 has another cause than the token. */
const REJECTION_PAUSE_SECONDS = 10;

const LONGEST_BACKOFF_SECONDS = 300;

/** What to do when a caller needs a Gong access token at `now`. */
export function decideUse(state: GongTokenState, now: number): UseDecision {
  const alive = state.expiresAt - expiryMargin(state) > now;
  if (state.state === "disconnected") return { kind: "dead" };
  if (state.state === "needs_reconnect") return alive ? { kind: "use" } : { kind: "dead" };
  if (alive) {
    return state.hasRefreshToken && state.dueAt <= now ? { kind: "use_and_refresh" } : { kind: "use" };
  }
  if (!state.hasRefreshToken) return { kind: "dead" };
  if (state.failures > 0 && state.dueAt > now) return { kind: "wait", retryAfterSeconds: state.dueAt - now };
  return { kind: "refresh" };
}

/** Tokens of a few seconds would never be used if the margin were not smaller than their life. */
function expiryMargin(state: GongTokenState): number {
  return Math.min(EXPIRY_MARGIN_SECONDS, Math.floor((state.expiresAt - state.refreshedAt) / 5));
}

/**
 * Whether a 401 from Gong for the current access token is worth a refresh. Not right after another one for the same
 * reason: Gong then refuses what it has just issued, for instance because the person lost their seat.
 */
export function mayRefreshRejected(
  state: GongTokenState,
  lastRejectionAt: number | undefined,
  now: number,
): boolean {
  if (state.state !== "connected" || !state.hasRefreshToken) return false;
  if (state.failures > 0 && state.dueAt > now) return false;
  return lastRejectionAt === undefined || now - lastRejectionAt >= REJECTION_PAUSE_SECONDS;
}

/**
 * When to refresh a token early: between 50 and 80 % of its life, so that a failure leaves time to recover, spread by
 * `random` (0 to 1) so that connections made together do not refresh together.
 */
export function refreshDueAt(now: number, expiresInSeconds: number, random: number): number {
  const wait = Math.floor(expiresInSeconds * (0.5 + 0.3 * random));
  return now + Math.max(wait, SHORTEST_REFRESH_INTERVAL_SECONDS);
}

/**
 * What a refresh begins with: `nothing` when there is nothing to refresh, `replaced` when the refresh token was issued
 * to another client than `clientId`, which is configured now (RFC 6749 §6), else `refresh`.
 */
export function planRefresh(
  state: GongTokenState,
  issuedTo: string | null,
  clientId: string,
): "nothing" | "replaced" | "refresh" {
  if (state.state !== "connected" || !state.hasRefreshToken) return "nothing";
  return issuedTo === null || issuedTo === clientId ? "refresh" : "replaced";
}

/** How a refresh failed. */
export interface RefreshFailure {
  readonly kind: GongErrorKind;
  /** Of Gong's answer; undefined when there was none. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** What is known of the refresh token that failed. */
export interface SpentToken {
  /** An answer to it came and could not be read. */
  readonly isAnswerKept: boolean;
  /** An attempt with it before this one had no answer. */
  readonly isAnswerMissing: boolean;
}

/** What a failed refresh changes, and whom it is told. */
export type AfterFailure =
  /** Gong's word that the grant is dead: only a person can help. */
  | {
      readonly kind: "ended";
      readonly reason: "answer_not_understood" | "answer_lost" | "ended_by_gong";
    }
  | {
      readonly kind: "retry";
      readonly dueAt: number;
      /** Whether it is certain that no attempt has spent the refresh token. */
      readonly isTokenUnspent: boolean;
      /** Whether people are told: at the first failure of a row, and when no try is left before the access ends. */
      readonly isNews: boolean;
      /** Whether the next try comes too late for the access token. */
      readonly isAtRisk: boolean;
    };

/**
 * What a failed refresh means. Only `expired`, Gong's `invalid_grant`, ends a connection; every other failure is tried
 * again after a growing pause, not before Retry-After (RFC 9110 §10.2.3), and each connection at a moment of its own by
 * `random` (0 to 1), so that a Gong that comes back is not asked by all at once.
 */
export function afterFailure(
  failure: RefreshFailure,
  state: GongTokenState,
  token: SpentToken,
  now: number,
  random: number,
): AfterFailure {
  if (failure.kind === "expired") return { kind: "ended", reason: lossOf(token) };
  const dueAt = now + pauseAfter(state.failures, failure.retryAfterSeconds ?? 0, random);
  const isAtRisk = dueAt >= state.expiresAt;
  return {
    kind: "retry",
    dueAt,
    isTokenUnspent: isRefusal(failure.status) && !token.isAnswerMissing,
    isNews: state.failures === 0 || (isAtRisk && state.dueAt < state.expiresAt),
    isAtRisk,
  };
}

/** Seconds until the next try: doubling, between half and all of it, and up to a tenth more than Gong asked for. */
function pauseAfter(failures: number, asked: number, random: number): number {
  const ceiling = Math.min(2 ** failures, LONGEST_BACKOFF_SECONDS);
  const backoff = Math.ceil(ceiling * (0.5 + 0.5 * random));
  return Math.max(backoff, asked + Math.floor((asked / 10) * random), 1);
}

/** 4xx but 408, and 503, say that nothing was done (RFC 9110 §15.5, §15.6.4); all else can come from a spent token. */
function isRefusal(status: number | undefined): boolean {
  if (status === undefined || status === 408) return false;
  return (status >= 400 && status < 500) || status === 503;
}

/** Why Gong knows the refresh token no more: an answer we have and can't read, one that never came, or its own word. */
function lossOf({
  isAnswerKept,
  isAnswerMissing,
}: SpentToken): "answer_not_understood" | "answer_lost" | "ended_by_gong" {
  if (isAnswerKept) return "answer_not_understood";
  return isAnswerMissing ? "answer_lost" : "ended_by_gong";
}
