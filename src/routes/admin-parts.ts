// What the routes of the admin's sections share: the frame's view, the list's query, who acts, and the way on.

import type { Context } from "hono";
import { nonceOf, searchOf, type AppEnv } from "../context.ts";
import { actorIn, type Actor } from "../domain/gateway.ts";
import type { BudgetUse } from "../domain/edit-policy.ts";
import { parseListQuery, type ListPage, type ListQuery } from "../listing.ts";
import type { Policy } from "../mcp/policy.ts";
import { nextPeriodAt } from "../mcp/time-zone.ts";
import type { BudgetRow } from "../pages/budget-panel.tsx";
import { momentIn } from "../pages/parts.tsx";

/** What every admin page is given. */
export function frameOf(c: Context<AppEnv>): { readonly nonce: string; readonly csrf: string } {
  return { nonce: nonceOf(c), csrf: c.get("viewer")?.csrf ?? "" };
}

/** The query of a list, with these filters. */
export function queryOf(c: Context<AppEnv>, filters: readonly string[] = []): ListQuery {
  return parseListQuery(new URLSearchParams(searchOf(c)), filters);
}

/** Who acts, for the audit. Behind the admin form middleware only. */
export function actorOf(c: Context<AppEnv>): Actor {
  return actorIn(c.get("gateway"), c.get("act")?.actor ?? "unknown");
}

/** Leads on to a page of ours; 303, so that nothing is posted again. */
export function goTo(c: Context<AppEnv>, path: string): Response {
  return c.redirect(`${c.get("gateway").config.publicUrl}${path}`, 303);
}

/** The same page with other rows. */
export function mapPage<From, To>(page: ListPage<From>, map: (row: From) => To): ListPage<To> {
  return { ...page, rows: page.rows.map(map) };
}

const OWNERS = { company: "The whole company", connection: "Connection", client: "Client", key: "Agent key" };

/** How much of one budget is used, in words. */
export function budgetRow(
  policy: Policy,
  { scope, id, period, used, most }: BudgetUse,
  now: number,
): BudgetRow {
  const isNear = most !== undefined && used * 100 >= most * policy.warnAtPercent;
  return {
    owner: OWNERS[scope],
    ...(id === "" ? {} : { id }),
    period,
    used,
    most,
    resets: momentIn(nextPeriodAt(period, now, policy.timeZone), policy.timeZone),
    state: most !== undefined && used >= most ? "used_up" : isNear ? "near" : "fine",
  };
}
