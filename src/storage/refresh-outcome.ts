// What a refresh of Gong's tokens came to, in the few buckets that an operator counts: one log line each. Called by
// gong-refresh.ts.

import { Unsealable } from "../crypto/seal.ts";
import { GongError, type GongErrorKind } from "../errors.ts";
import type { RefreshFailure } from "../gong/refresh-machine.ts";
import { errorFields, log } from "../log.ts";

/** What the one log line of a refresh says: its bucket, and what belongs to it. */
export interface RefreshOutcome {
  readonly outcome: "refreshed" | "superseded" | "ended" | "unreadable" | "failed" | GongErrorKind;
  readonly [detail: string]: string | number | undefined;
}

/**
 * How loudly each outcome is logged; `warn` where nothing is said. A client secret that Gong refuses ends everybody.
 */
export const LEVELS: Readonly<Partial<Record<RefreshOutcome["outcome"], "info" | "error">>> = {
  refreshed: "info",
  superseded: "info",
  misconfigured: "error",
  failed: "error",
};

/** Something newer was there first. */
export const SUPERSEDED: RefreshOutcome = { outcome: "superseded" };

/** Which of the few ways a refresh failed. Our own failures by class and code: foreign messages can quote secrets. */
export function bucketOf(connectionId: string, error: unknown): RefreshOutcome {
  if (error instanceof GongError) return { outcome: error.kind };
  if (!(error instanceof Unsealable)) return { outcome: "failed", ...errorFields(error) };
  logUnreadable(connectionId, error);
  return { outcome: "unreadable" };
}

/** What the failure says about Gong: of our own, that it did not answer. */
export function failureOf(error: unknown): RefreshFailure {
  if (error instanceof GongError) return error;
  return { kind: "unavailable", status: undefined, retryAfterSeconds: undefined };
}

/** Names the key that a record of this connection needs. */
export function logUnreadable(connectionId: string, { missingKid }: Unsealable): void {
  log("error", "record.unreadable", { connection: connectionId, missingKid });
}
