// The date range that a call asks Gong for, read from its arguments, and whether the policy allows it. Part of
// cost-guards.ts. RFC 3339 §5.6, ISO 8601.

import type { NamedArguments } from "./named-arguments.ts";
import type { CostGuards } from "./policy.ts";

const DAY_MS = 86_400_000;
/** A month of local days is an hour longer when clocks go back in it. */
const CLOCK_CHANGE_MS = 3_600_000;

const FROM = ["fromdatetime", "fromdate", "from", "startdatetime", "startdate"];
const TO = ["todatetime", "todate", "to", "enddatetime", "enddate"];
const PERIOD = ["timeperiod", "periodtype", "period"];

/** The longest that each of Gong's named periods can be, in days. */
const PERIOD_DAYS: ReadonlyMap<string, number> = new Map([
  ["LAST_7DAYS", 7],
  ["LAST_30DAYS", 30],
  ["LAST_90DAYS", 90],
  ["LAST_90_DAYS_SINCE_LAST_ACTIVITY", 90],
  ["LAST_YEAR_SINCE_LAST_ACTIVITY", 366],
  ["LAST_YEAR", 366],
  ["THIS_WEEK", 7],
  ["THIS_MONTH", 31],
  ["THIS_QUARTER", 92],
  ["THIS_YEAR", 366],
  ["ALL_CONVERSATIONS", Number.POSITIVE_INFINITY],
]);
const BY_DATES = "CUSTOM_RANGE";

/**
 * Says what is wrong with the range that a call asks for; undefined when the policy allows it. A range without an end
 * ends `now` (epoch seconds), one without a start is as long as can be. A call that names no range at all is allowed
 * unless one is required.
 */
export function rangeProblem(guards: CostGuards, named: NamedArguments, now: number): string | undefined {
  const { longestRangeDays: longest, rangeRequired } = guards;
  if (longest === undefined && !rangeRequired) return undefined;
  const days = askedDays(named, now);
  const atMost = longest === undefined ? "" : ` At most ${longest} days are allowed.`;
  if (days === "unreadable") {
    return `Set fromDateTime and toDateTime to ISO 8601 times, such as 2026-01-31T00:00:00Z, the first before the second.${atMost}`;
  }
  if (days === undefined) {
    return rangeRequired ? `Name a date range: set fromDateTime and toDateTime.${atMost}` : undefined;
  }
  if (longest === undefined || days <= longest + CLOCK_CHANGE_MS / DAY_MS) return undefined;
  const asked = Number.isFinite(days)
    ? ` This call asked for ${Math.ceil(days)}.`
    : " This call set no start.";
  return `A call may ask for at most ${longest} days.${asked} Set fromDateTime and toDateTime closer together.`;
}

/** How many days the call asks for; undefined when it names no range. */
function askedDays(named: NamedArguments, now: number): number | "unreadable" | undefined {
  const [from, to, period] = [FROM, TO, PERIOD].map((names) =>
    names.flatMap((name) => (named.has(name) ? [named.get(name)] : [])),
  );
  if (from === undefined || to === undefined || period === undefined) return "unreadable";
  if (from.length > 1 || to.length > 1 || period.length > 1) return "unreadable";
  const byPeriod = period.length === 0 ? undefined : daysOfPeriod(period[0]);
  const byDates = from.length + to.length === 0 ? undefined : daysBetween(from[0], to[0], now);
  if (byPeriod === "unreadable" || byDates === "unreadable") return "unreadable";
  if (byPeriod === BY_DATES) return byDates ?? "unreadable";
  if (byPeriod === undefined || byDates === undefined) return byPeriod ?? byDates;
  // Which of the two Gong would go by is not known.
  return Math.max(byPeriod, byDates);
}

function daysOfPeriod(period: unknown): number | typeof BY_DATES | "unreadable" {
  if (typeof period !== "string") return "unreadable";
  const name = period.toUpperCase();
  return name === BY_DATES ? BY_DATES : (PERIOD_DAYS.get(name) ?? "unreadable");
}

function daysBetween(from: unknown, to: unknown, now: number): number | "unreadable" {
  const end = to === undefined ? now * 1000 : readTime(to);
  if (end === undefined) return "unreadable";
  if (from === undefined) return Number.POSITIVE_INFINITY;
  const start = readTime(from);
  if (start === undefined || start > end) return "unreadable";
  return (end - start) / DAY_MS;
}

/** A date, or a date and a time with or without an offset; nothing that readers could take for different times. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

function readTime(value: unknown): number | undefined {
  if (typeof value !== "string" || !ISO_8601.test(value)) return undefined;
  const milliseconds = Date.parse(value);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
