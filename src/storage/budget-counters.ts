// How many calls each budget has used in its day and month, in the AdminObject. Part of call-reservations.ts, which
// decides and counts in one transaction; read by the budgets panel.

import {
  budgetNearlyUsed,
  budgetsOf,
  budgetUsedUp,
  limitOf,
  type Budget,
  type BudgetHolder,
  type BudgetScope,
  type BudgetWarning,
} from "../mcp/budgets.ts";
import type { Policy } from "../mcp/policy.ts";
import { periodName, type Period } from "../mcp/time-zone.ts";
import type { BudgetUse } from "./admin-rpc.ts";

/** What a budget has used in one period, and how much it may. */
export interface Counter {
  readonly budget: Budget;
  readonly period: Period;
  /** The day or month. */
  readonly name: string;
  readonly used: number;
  readonly most: number | undefined;
}

const PERIODS: readonly Period[] = ["day", "month"];

/** The counters that a call of `holder` counts in, as they are now. */
export function countersOf(
  sql: SqlStorage,
  policy: Policy,
  holder: BudgetHolder,
  now: number,
): readonly Counter[] {
  return PERIODS.flatMap((period) => {
    const name = periodName(period, now, policy.timeZone);
    return budgetsOf(policy, holder).map((budget) => ({
      budget,
      period,
      name,
      used: usedOf(sql, budget, name),
      most: period === "day" ? budget.limit.perDay : budget.limit.perMonth,
    }));
  });
}

function usedOf(sql: SqlStorage, { scope, id }: Budget, name: string): number {
  const [row] = sql
    .exec<{ used: number }>(
      "SELECT used FROM budget_counters WHERE scope = ? AND id = ? AND period = ?",
      scope,
      id,
      name,
    )
    .toArray();
  return row?.used ?? 0;
}

/** The message of the first budget in which `weight` more calls have no place; undefined when there is room in all. */
export function fullBudget(
  counters: readonly Counter[],
  weight: number,
  policy: Policy,
  now: number,
): string | undefined {
  const full = counters.find(({ used, most }) => most !== undefined && used + weight > most);
  if (full?.most === undefined) return undefined;
  return budgetUsedUp(full.budget.scope, full.period, full.most, now, policy.timeZone);
}

/** Counts `weight` calls in each counter. Returns a warning when most of a budget is used, undefined otherwise. */
export function countBudgets(
  sql: SqlStorage,
  counters: readonly Counter[],
  weight: number,
  policy: Policy,
  now: number,
): BudgetWarning | undefined {
  for (const { budget, name } of counters) {
    sql.exec(
      `INSERT INTO budget_counters (scope, id, period, used) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (scope, id, period) DO UPDATE SET used = used + ?4`,
      budget.scope,
      budget.id,
      name,
      weight,
    );
  }
  const near = counters.find(
    ({ used, most }) => most !== undefined && (used + weight) * 100 >= most * policy.warnAtPercent,
  );
  if (near?.most === undefined) return undefined;
  const use = { used: near.used + weight, limit: near.most };
  return budgetNearlyUsed(near.budget.scope, near.period, use, now, policy.timeZone);
}

/** Gives back what a call took from each counter of the day and month it was counted in. */
export function releaseBudgets(
  sql: SqlStorage,
  taken: {
    readonly connection_id: string;
    readonly client_id: string | null;
    readonly key_id: string | null;
    readonly weight: number;
    readonly day: string;
    readonly month: string;
  },
): void {
  sql.exec(
    `UPDATE budget_counters SET used = MAX(0, used - ?1)
     WHERE period IN (?2, ?3) AND (scope = 'company' OR (scope = 'connection' AND id = ?4)
       OR (scope = 'client' AND id = ?5) OR (scope = 'key' AND id = ?6))`,
    taken.weight,
    taken.day,
    taken.month,
    taken.connection_id,
    taken.client_id,
    taken.key_id,
  );
}

/** Forgets what a connection and its agent keys used in days and months that are over; today's still limits them. */
export function forgetPastCounters(
  sql: SqlStorage,
  { timeZone }: Policy,
  connectionId: string,
  now: number,
): void {
  sql.exec(
    `DELETE FROM budget_counters WHERE period NOT IN (?1, ?2) AND ((scope = 'connection' AND id = ?3)
       OR (scope = 'key' AND id IN (SELECT id FROM key_index WHERE connection_id = ?3)))`,
    periodName("day", now, timeZone),
    periodName("month", now, timeZone),
    connectionId,
  );
}

/** Forgets the counters of days and months long over. */
export function pruneCounters(sql: SqlStorage, now: number): void {
  // Names sort by time, and a month's comes before those of its days.
  const oldest = periodName("month", now - 62 * 86_400, "UTC");
  sql.exec("DELETE FROM budget_counters WHERE period < ?", oldest);
}

/** Budgets that are shown at once: those that are used most. */
const MOST_SHOWN = 60;

/** How much of each budget of this day and month is used: the company's first, then the most used ones. */
export function budgetUses(sql: SqlStorage, policy: Policy, now: number): readonly BudgetUse[] {
  const { timeZone } = policy;
  const names = PERIODS.map((period) => [period, periodName(period, now, timeZone)] as const);
  return names.flatMap(([period, name]) =>
    sql
      .exec<{ scope: BudgetScope; id: string; used: number }>(
        `SELECT scope, id, used FROM budget_counters WHERE period = ?
         ORDER BY scope = 'company' DESC, used DESC, id LIMIT ?`,
        name,
        MOST_SHOWN,
      )
      .toArray()
      .map(({ scope, id, used }) => {
        const limit = scope === "company" ? policy.budgets.company : limitOf(policy, scope, id);
        const most = period === "day" ? limit.perDay : limit.perMonth;
        return { scope, id, period, used, most };
      }),
  );
}
