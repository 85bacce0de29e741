// Questions that tests ask of a ledger. Pure: they run on the entries, in the stand-in's process or, over the control
// API, inside workerd.
import type { LedgerEntry, RedemptionEntry, RequestEntry, ToolCallEntry, TokensEntry } from "./ledger.ts";

/** Each time `value`, a code or refresh token, was presented, oldest first. */
export function redemptionsOf(entries: readonly LedgerEntry[], value: string): RedemptionEntry[] {
  return entries.filter((entry) => entry.kind === "redemption").filter((entry) => entry.value === value);
}

/**
 * R3. The codes and refresh tokens that were presented again after they had been accepted once, whatever the
 * stand-in answered. A gateway that never loses a grant has none, but for replays it can justify.
 */
export function doubleRedemptions(entries: readonly LedgerEntry[]): string[] {
  const accepted = new Set<string>();
  const doubled = new Set<string>();
  for (const entry of entries) {
    if (entry.kind !== "redemption") continue;
    if (accepted.has(entry.value)) doubled.add(entry.value);
    if (entry.result === "accepted") accepted.add(entry.value);
  }
  return [...doubled];
}

/** R3. Redemptions that the stand-in refused because the code or refresh token was spent. */
export function refusedReuses(entries: readonly LedgerEntry[]): RedemptionEntry[] {
  return entries.filter((entry) => entry.kind === "redemption").filter((entry) => entry.result === "reused");
}

/** R4. Token answers whose last byte left the stand-in: what the gateway must still have. */
export function tokensDelivered(entries: readonly LedgerEntry[]): TokensEntry[] {
  return tokensWhere(entries, (outcome) => outcome === "complete");
}

/** R4. Token answers that were cut or never taken: what the gateway could not have. */
export function tokensLost(entries: readonly LedgerEntry[]): TokensEntry[] {
  return tokensWhere(entries, (outcome) => outcome !== "complete");
}

function tokensWhere(
  entries: readonly LedgerEntry[],
  matches: (outcome: string | undefined) => boolean,
): TokensEntry[] {
  const outcomes = new Map<number, string>();
  for (const entry of entries) if (entry.kind === "answer") outcomes.set(entry.request, entry.outcome);
  return entries
    .filter((entry) => entry.kind === "tokens_issued")
    .filter((entry) => matches(outcomes.get(entry.request)));
}

/** Requests to `path`, oldest first, with headers and body. */
export function requestsTo(entries: readonly LedgerEntry[], path: string): RequestEntry[] {
  return entries.filter((entry) => entry.kind === "request").filter((entry) => entry.path === path);
}

/** How many token requests had `grantType`. */
export function tokenRequests(entries: readonly LedgerEntry[], grantType: string): number {
  return entries.filter((entry) => entry.kind === "request" && entry.grantType === grantType).length;
}

/** K6. Credits charged so far. */
export function creditsCharged(entries: readonly LedgerEntry[]): number {
  let credits = 0;
  for (const entry of entries) if (entry.kind === "tool_call") credits += entry.credits ?? 0;
  return credits;
}

/** K10. The tool calls, each with the events of its life in order. */
export function toolCalls(
  entries: readonly LedgerEntry[],
): Array<{ request: number; tool: string; person: string; events: Array<ToolCallEntry["event"]> }> {
  const calls = new Map<number, ReturnType<typeof toolCalls>[number]>();
  for (const entry of entries) {
    if (entry.kind !== "tool_call") continue;
    const call = calls.get(entry.request);
    if (call === undefined) {
      calls.set(entry.request, { ...pick(entry), events: [entry.event] });
    } else call.events.push(entry.event);
  }
  return [...calls.values()];
}

function pick({ request, tool, person }: ToolCallEntry): { request: number; tool: string; person: string } {
  return { request, tool, person };
}
