// The words for how tool calls were served and what became of them. Used by the pages about spend.

const SERVED = new Map<string, string>([
  ["paid", "Asked of Gong"],
  ["joined", "Joined a call in flight"],
  ["recovered", "Recovered after a lost connection"],
  ["reused", "Reused an earlier answer"],
  ["refused", "Refused"],
  ["failed", "Failed"],
]);

const OUTCOMES = new Map<string, string>([
  ["running", "Running"],
  ["ok", "Answered"],
  ["tool_error", "Tool error"],
  ["rpc_error", "Protocol error"],
  ["input_required", "Gong asked back"],
  ["unanswered", "Ended without an answer"],
  ["refused_by_gong", "Refused by Gong"],
  ["rate_limited", "Rate limited by Gong"],
  ["out_of_credits", "Out of credits"],
  ["not_sent", "Not sent to Gong"],
  ["refused", "Refused by the gateway"],
  ["too_long", "Answer too long"],
  ["unknown", "Not known"],
]);

export const SERVED_IN_WORDS: readonly (readonly [string, string])[] = [...SERVED];
export const OUTCOMES_IN_WORDS: readonly (readonly [string, string])[] = [...OUTCOMES];

/** How a call got its answer. */
export function servedInWords(served: string): string {
  return SERVED.get(served) ?? served;
}

/** What became of a call. */
export function outcomeInWords(outcome: string): string {
  return OUTCOMES.get(outcome) ?? outcome;
}
