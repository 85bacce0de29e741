// What the bench and its Gong agree on. Called by paid.ts and upstream.ts.

/** A question with this in it is answered late. */
export const SLOW_MARK = "slow question";
export const SLOW_ANSWER_MS = 10_000;
