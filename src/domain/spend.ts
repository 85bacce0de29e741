// What tool calls cost the company: the days and groups of the usage counters, the budgets, and the ledger of one
// connection. Called by routes/admin-spend.tsx. Files with the rows of many connections are ledger-files.ts.

import type { Policy } from "../mcp/policy.ts";
import { periodName } from "../mcp/time-zone.ts";
import type { ListQuery } from "../listing.ts";
import type { BudgetUse, Served, UsageGroup, UsageQuestion, UsageRow } from "../storage/admin-rpc.ts";
import type { LedgerList } from "../storage/ledger-list.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { nameIds, type NamedIds } from "./named-ids.ts";
import { nameLedgerPeople, peopleOfConnections } from "./people.ts";

/** What a chart of calls can be split by. */
const SPEND_GROUPS = ["served", "tool", "client", "key", "connection"] as const;
export type SpendGroup = (typeof SPEND_GROUPS)[number];

/** How many calls were served in each way. */
export type ServedCounts = Readonly<Record<Served, number>>;

/** Calls of some days. */
export interface CallsByDay {
  /** `YYYY-MM-DD` in the policy's time zone, the oldest first, without gaps. */
  readonly days: readonly string[];
  readonly timeZone: string;
  readonly by: SpendGroup;
  readonly totals: ServedCounts;
  /** By way of serving, or calls asked of Gong by the three names with most of them and all others. */
  readonly series: readonly { readonly name: string | undefined; readonly values: readonly number[] }[];
  /** Those that asked Gong most, first; none when split by way of serving. */
  readonly groups: readonly { readonly name: string; readonly calls: ServedCounts }[];
  /** What the ids among the names stand for. */
  readonly names: NamedIds;
}

const USUAL_DAYS = 30;
/** A quarter. */
const MOST_DAYS = 92;
const MOST_GROUPS = 50;
const OWN_SERIES = 3;
const DAY_MS = 86_400_000;

/** The company's calls of the days that `filters` name, as `callsByDay` does, and its budgets. */
export async function companySpend(
  gateway: Gateway,
  filters: ListQuery["filters"],
): Promise<CallsByDay & { readonly policy: Policy; readonly budgets: readonly BudgetUse[] }> {
  const admin = gateway.objects.admin();
  const [{ policy }, budgets] = await Promise.all([admin.policy(), admin.budgetUses()]);
  const owners = budgets.map(({ id }) => id);
  return { ...(await callsByDay(gateway, policy, filters, {}, owners)), policy, budgets };
}

/** The same days of one connection. */
export async function connectionSpend(
  gateway: Gateway,
  connectionId: string,
  filters: ListQuery["filters"],
): Promise<CallsByDay> {
  const { policy } = await gateway.objects.admin().policy();
  return callsByDay(gateway, policy, filters, { connectionId });
}

type Whose = Pick<UsageQuestion, "connectionId">;

/**
 * Calls of the days that `filters` name (`from`, `to`; the last 30 if they don't, 92 at most), split by `by`; with the
 * names of `alsoNamed`.
 */
async function callsByDay(
  gateway: Gateway,
  policy: Policy,
  filters: ListQuery["filters"],
  whose: Whose,
  alsoNamed: readonly string[] = [],
): Promise<CallsByDay> {
  const admin = gateway.objects.admin();
  const days = daysAsked(filters, periodName("day", gateway.now(), policy.timeZone));
  const asked = { ...whose, from: days.at(0) ?? "", to: days.at(-1) ?? "" };
  const by = SPEND_GROUPS.find((group) => group === filters["by"]) ?? "served";
  const byDay = await admin.usage({ ...asked, groupBy: "day" });
  const groups = by === "served" ? [] : groupsOf(await admin.usage({ ...asked, groupBy: by }));
  const shown = groups.slice(0, MOST_GROUPS);
  const ids = by === "tool" ? [] : shown.map(({ name }) => name);
  return {
    days,
    timeZone: policy.timeZone,
    by,
    totals: countServed(byDay),
    series:
      by === "served"
        ? (["paid", "joined", "recovered", "reused"] as const).map((served) => ({
            name: served,
            values: perDay(days, byDay, served),
          }))
        : await paidSeries(gateway, by, groups, asked, days, byDay),
    groups: shown,
    names: await nameIds(gateway, [...ids, ...alsoNamed]),
  };
}

function daysAsked({ from, to }: ListQuery["filters"], today: string): readonly string[] {
  const last = Math.min(dayNumber(to) ?? Number.POSITIVE_INFINITY, dayNumber(today) ?? 0);
  const first = Math.min(dayNumber(from) ?? last - USUAL_DAYS + 1, last);
  const count = Math.min(last - first + 1, MOST_DAYS);
  return Array.from({ length: count }, (_, at) =>
    new Date((last - count + 1 + at) * DAY_MS).toISOString().slice(0, 10),
  );
}

/** Days since 1970; undefined for text that names none since. */
function dayNumber(day: string | undefined): number | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const milliseconds = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(milliseconds) || milliseconds < 0 ? undefined : milliseconds / DAY_MS;
}

const NONE: ServedCounts = { paid: 0, joined: 0, recovered: 0, reused: 0, refused: 0, failed: 0 };

function countServed(rows: readonly UsageRow[]): ServedCounts {
  const counts = { ...NONE };
  for (const { served, calls } of rows) counts[served] += calls;
  return counts;
}

function groupsOf(rows: readonly UsageRow[]): CallsByDay["groups"] {
  return [...Map.groupBy(rows, ({ name }) => name)]
    .map(([name, those]) => ({ name, calls: countServed(those) }))
    .toSorted((one, other) => other.calls.paid - one.calls.paid || (one.name < other.name ? -1 : 1));
}

function perDay(days: readonly string[], rows: readonly UsageRow[], served: Served): readonly number[] {
  const byDay = new Map(rows.filter((row) => row.served === served).map(({ name, calls }) => [name, calls]));
  return days.map((day) => byDay.get(day) ?? 0);
}

async function paidSeries(
  gateway: Gateway,
  by: Exclude<SpendGroup, "served">,
  groups: CallsByDay["groups"],
  asked: Omit<UsageQuestion, "groupBy">,
  days: readonly string[],
  byDay: readonly UsageRow[],
): Promise<CallsByDay["series"]> {
  const filter = (name: string) => (by === "tool" ? { tool: name } : { [`${by}Id`]: name });
  const groupBy: UsageGroup = "day";
  const own = await Promise.all(
    groups.slice(0, OWN_SERIES).map(async ({ name }) => {
      const rows = await gateway.objects.admin().usage({ ...asked, groupBy, ...filter(name) });
      return { name, values: perDay(days, rows, "paid") };
    }),
  );
  if (groups.length <= OWN_SERIES) return own;
  const others = perDay(days, byDay, "paid").map((total, at) =>
    Math.max(0, total - own.reduce((sum, { values }) => sum + (values[at] ?? 0), 0)),
  );
  return [...own, { name: undefined, values: others }];
}

/**
 * One page of a connection's ledger, with the names of its agents and of whoever signed in to it. Undefined for an id
 * that is not in the index.
 */
export async function connectionLedger(
  gateway: Gateway,
  id: string,
  query: ListQuery,
): Promise<
  | (LedgerList & {
      readonly agents: string;
      readonly owners: readonly string[];
      readonly people: ReadonlyMap<string, string>;
    })
  | undefined
> {
  const indexed = await gateway.objects.admin().findConnection(id);
  if (indexed === undefined) return undefined;
  const list: LedgerList = await gateway.objects.connection(id).listLedger(query);
  const people = new Map<string, string>();
  await nameLedgerPeople(
    gateway,
    list.page.rows.map(({ person }) => person),
    people,
  );
  const { policy } = await gateway.objects.admin().policy();
  const contents = policy.content === undefined ? [] : list.contents;
  const owners = (await peopleOfConnections(gateway, [id])).get(id) ?? [];
  return { ...list, contents, agents: indexed.agents, owners, people };
}

/** Has `eraseCalls` done to a connection. False for an id that is not in the index. */
export async function eraseLedger(gateway: Gateway, id: string, by: Actor): Promise<boolean> {
  if (!(await gateway.objects.admin().hasConnection(id))) return false;
  await eraseCalls(gateway, id, by);
  return true;
}

/**
 * Erases what a connection's ledger and kept results say, takes its id out of the counters by day, whose sums stay, and
 * forgets what counted against its budgets before this month.
 */
export async function eraseCalls(gateway: Gateway, id: string, by: Actor): Promise<void> {
  // Written first: an act that fails half-way is known, and can be done again.
  await gateway.objects.admin().recordErasure(by, id);
  await gateway.objects.connection(id).eraseLedger();
}
