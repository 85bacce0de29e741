// Which budgets a call counts against, and what is said when one of them is used up or nearly so. Pure; the counters
// are the AdminObject's, which decides and counts in one transaction.

import { ownEntry, type Limit, type Policy } from "./policy.ts";
import { localTime, nextPeriodAt, type Period } from "./time-zone.ts";

/** Whose budget it is. */
export type BudgetScope = "company" | "connection" | "client" | "key";

/** Who a call is counted for. */
export interface BudgetHolder {
  readonly connectionId: string;
  readonly clientId?: string | undefined;
  readonly keyId?: string | undefined;
}

export interface Budget {
  readonly scope: BudgetScope;
  /** The connection's, client's or key's id; empty for the company. */
  readonly id: string;
  readonly limit: Limit;
}

/** Every budget that a call of `holder` counts against, limited or not: a limit set later counts earlier calls too. */
export function budgetsOf(policy: Policy, holder: BudgetHolder): readonly Budget[] {
  const { company } = policy.budgets;
  const budgets: Budget[] = [{ scope: "company", id: "", limit: company }];
  const held = [
    ["connection", holder.connectionId],
    ["client", holder.clientId],
    ["key", holder.keyId],
  ] as const;
  for (const [scope, id] of held) {
    if (id !== undefined) budgets.push({ scope, id, limit: limitOf(policy, scope, id) });
  }
  return budgets;
}

/** The limit of one connection, client or key: its own if the policy names it, else the one that each has. */
export function limitOf(policy: Policy, scope: Exclude<BudgetScope, "company">, id: string): Limit {
  const { each, byId } = policy.budgets[scope];
  return ownEntry(byId, id) ?? each;
}

const OWNER: Readonly<Record<BudgetScope, string>> = {
  company: "The company's budget",
  connection: "This connection's budget",
  client: "This client's budget",
  key: "This agent key's budget",
};

/** Tells an agent that a budget allows no further call, and when it does. */
export function budgetUsedUp(
  scope: BudgetScope,
  period: Period,
  most: number,
  now: number,
  zone: string,
): string {
  const when = resetInWords(period, now, zone);
  return `${OWNER[scope]} of ${most} calls a ${period} is used up. It starts anew on ${when}; an admin can raise it.`;
}

/** What an agent is told once most of a budget is used. */
export interface BudgetWarning {
  readonly budget: BudgetScope;
  readonly period: Period;
  /** With this call, by weight. */
  readonly used: number;
  readonly limit: number;
  /** RFC 3339, in UTC: when the budget starts anew. */
  readonly resetsAt: string;
  /** The same in words. */
  readonly message: string;
}

/** Tells an agent that `used` of the `limit` calls of a budget are used. */
export function budgetNearlyUsed(
  budget: BudgetScope,
  period: Period,
  { used, limit }: Pick<BudgetWarning, "used" | "limit">,
  now: number,
  zone: string,
): BudgetWarning {
  const when = resetInWords(period, now, zone);
  const message = `${OWNER[budget]}: ${used} of ${limit} calls a ${period} are used. It starts anew on ${when}.`;
  const resetsAt = new Date(nextPeriodAt(period, now, zone) * 1000).toISOString();
  return { budget, period, used, limit, resetsAt, message };
}

/** `2026-11-23 at 00:00 Europe/Berlin`: when the budget of a period starts anew. */
function resetInWords(period: Period, now: number, zone: string): string {
  const { day, clock } = localTime(nextPeriodAt(period, now, zone), zone);
  return `${day} at ${clock} ${zone}`;
}
