// Named places where a test build of the Worker can be made to fail: before and after every write and every answer that
// must not get lost. A build without FAILPOINTS, which is every build but the crash campaign's, has none of this in it.

declare global {
  /** Set at build time: wrangler.toml, vitest.config.ts; true only for test/campaign. */
  const FAILPOINTS: boolean;
}

/** The places, in the order in which a story comes by. Where it says "writing", a transaction is open. */
export const FAILPOINT_NAMES = [
  "transaction.beginning",
  "transaction.taking",
  "connect.taken",
  "connect.asking",
  "connect.answered",
  "connect.sealed",
  "answer.keeping",
  "connect.kept",
  "index.writing",
  "connect.indexed",
  "connect.witnessed",
  "connect.writing",
  "connect.stored",
  "connect.connected",
  "transaction.finishing",
  "connect.finished",
  "token.proven",
  "redeem.writing",
  "rotate.writing",
  "codeless.writing",
  "token.decided",
  "wake.writing",
  "refresh.begun",
  "refresh.recovering",
  "refresh.quarantining",
  "refresh.before_intent",
  "refresh.intent_written",
  "refresh.answer_received",
  "refresh.answer_sealed",
  "refresh.keeping",
  "escrow.keeping",
  "refresh.kept",
  "refresh.before_commit",
  "refresh.committed",
  "escrow.settling",
  "refresh.settled",
  "refresh.failing",
  "refresh.ending",
  "end.writing",
  "outbox.telling",
  "escrow.ending",
  "outbox.told",
  "alarm.setting",
  "paid.reserving",
  "paid.reserved",
  "paid.admitting",
  "paid.admitted",
  "paid.asking",
  "paid.asked",
  "paid.answered",
  "paid.sealed",
  "paid.ending",
  "paid.keeping",
  "paid.kept",
  "paid.settling",
  "paid.delivered",
] as const;

export type Failpoint = (typeof FAILPOINT_NAMES)[number];

/** What happens at a place; `at` is the database of the object that came by, undefined in the Worker itself. */
export type FailpointHook = (name: Failpoint, at: SqlStorage | undefined) => Promise<void> | undefined;

let hook: FailpointHook | undefined;

/** Called by the campaign's own entry point. */
export function setFailpointHook(newHook: FailpointHook): void {
  hook = newHook;
}

/**
 * Comes by a place: may throw, abort the object, take its time or never return. Written as `if (FAILPOINTS)
 * await failpoint("refresh.kept", sql);`, with `void` for `await` where a transaction is open.
 */
export function failpoint(name: Failpoint, at?: SqlStorage): Promise<void> | undefined {
  return hook?.(name, at);
}
