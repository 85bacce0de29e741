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

/** What a failed refresh means. Only `expired`, Gong's `invalid_grant`, ends a connection. */
export function afterFailure(
  kind: GongErrorKind,
  failures: number,
  retryAfterSeconds: number | undefined,
  random: number,
): { readonly kind: "ended" } | { readonly kind: "retry"; readonly afterSeconds: number } {
  if (kind === "expired") return { kind: "ended" };
  const ceiling = Math.min(2 ** failures, LONGEST_BACKOFF_SECONDS);
  const backoff = Math.ceil(ceiling * (0.5 + 0.5 * random));
  return { kind: "retry", afterSeconds: Math.max(backoff, retryAfterSeconds ?? 0, 1) };
}
