// How a paid call may be served, decided inside one transaction of the ConnectionObject: by a credential that is live
// right then, its scope and tools, what is in flight and what is kept. Called by paid-calls.ts.

import { missingScope } from "../mcp/tool-policy.ts";
import { isOutOfCredits } from "./gong-credits.ts";
import { findKept, holderKey, OWED_SECONDS, type KeptResult, type ReusePolicy } from "./kept-results.ts";
import type { PaidCaller } from "./paid-caller.ts";
import type { PaidFlight } from "./paid-flight.ts";
import type { PaidCallRequest, PaidOutcome } from "./paid-rpc.ts";
import type { CallOutcome } from "./paid-schema.ts";
import { useCredential, type Holder } from "./presented-credential.ts";

/** A call that Gong is not asked. */
export interface OwnRefusal {
  readonly kind: "forbidden";
  readonly holder: Holder;
  readonly outcome: Extract<CallOutcome, "refused" | "out_of_credits">;
  /** For the agent: why, and what would be allowed. */
  readonly message: string;
}

/** How a call can be served. */
export type Plan =
  | { readonly kind: "refused"; readonly outcome: PaidOutcome }
  /** Refused by us: a tool error that tells the agent why. */
  | OwnRefusal
  | { readonly kind: "join"; readonly holder: Holder; readonly flight: PaidFlight }
  /** The answer is on its way to others: whether they get it decides. */
  | { readonly kind: "settling"; readonly holder: Holder; readonly flight: PaidFlight }
  | { readonly kind: "kept"; readonly holder: Holder; readonly result: KeptResult }
  | { readonly kind: "pay"; readonly holder: Holder };

/**
 * Callers of one holder at a time, and bytes of answers that they
 * have not taken yet: everything that waits is in memory.
 */
const MOST_CALLERS = 128;
const MOST_UNREAD = 16 * 1024 * 1024;

const NO_CREDITS = "Gong has no credits left, so it was not asked. Ask your Gong admin to add credits.";

/** Before policy was asked: whatever may be reused counts. */
export const ANY_REUSE: ReusePolicy = { reuseSeconds: Number.POSITIVE_INFINITY, shareResults: true };

/**
 * Decides how `request` can be served now. `flight` is the one with the same call; `waited` says it was waited for,
 * `isTaken` that it took over what the caller had joined.
 */
export function planCall(
  sql: SqlStorage,
  request: PaidCallRequest,
  known: {
    readonly flight: PaidFlight | undefined;
    readonly waited: boolean;
    readonly isTaken: boolean;
    readonly policy: ReusePolicy;
    /** Everybody who waits for an answer, or is being handed one. */
    readonly callers: Iterable<Pick<PaidCaller, "holder" | "unread">>;
  },
  now: number,
): Plan {
  const use = useCredential(sql, request.credential, now);
  if (!use.ok) return { kind: "refused", outcome: { kind: "unauthorized", reason: use.reason } };
  const { holder } = use;
  if (hasTooMany(holder, known.callers)) return { kind: "refused", outcome: TOO_MANY };
  const called = { method: "tools/call", toolName: request.tool };
  // An agent key that is held to tools has their scopes and no more, so policy says which tools those are.
  const isHeld = holder.tools !== undefined;
  const scope = isHeld ? undefined : missingScope(called, new Set(holder.scope.split(" ")));
  if (scope !== undefined) return { kind: "refused", outcome: { kind: "insufficient_scope", scope } };
  return (
    (request.shareable ? sharedPlan(sql, request, holder, known, now) : undefined) ??
    payPlan(sql, holder, now)
  );
}

const TOO_MANY: PaidOutcome = {
  kind: "failed",
  status: 503,
  reason: "too_many_unread",
  retryAfterSeconds: 5,
};

function hasTooMany(holder: Holder, callers: Parameters<typeof planCall>[2]["callers"]): boolean {
  const whose = holderKey(holder);
  const own = [...callers].filter((caller) => holderKey(caller.holder) === whose);
  return own.length >= MOST_CALLERS || own.reduce((sum, { unread }) => sum + unread, 0) >= MOST_UNREAD;
}

function sharedPlan(
  sql: SqlStorage,
  request: PaidCallRequest,
  holder: Holder,
  known: Parameters<typeof planCall>[2],
  now: number,
): Plan | undefined {
  const { flight, waited, isTaken, policy } = known;
  if (flight !== undefined && (flight.joinable || isTaken)) return { kind: "join", holder, flight };
  // From here on its answer is one that was given before.
  if (!request.fresh && flight?.hasResult === true) {
    if (!waited) return { kind: "settling", holder, flight };
    // A caller that never takes its answer holds the flight for as long as it likes.
    const answeredAt = flight.answeredAt ?? 0;
    if (now * 1000 < answeredAt + OWED_SECONDS * 1000) return { kind: "join", holder, flight };
  }
  const result = request.fresh ? undefined : findKept(sql, request.callHash, holder, policy, now);
  return result === undefined ? undefined : { kind: "kept", holder, result };
}

function payPlan(sql: SqlStorage, holder: Holder, now: number): Plan {
  const probeAt = isOutOfCredits(sql, now);
  if (probeAt === undefined) return { kind: "pay", holder };
  const at = new Date(probeAt * 1000).toISOString().replace(".000", "");
  const message = `${NO_CREDITS} Gong is asked again by the first call after ${at}.`;
  return { kind: "forbidden", holder, outcome: "out_of_credits", message };
}
