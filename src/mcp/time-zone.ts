// Days and months as people in one time zone count them, across the nights on which clocks change. Called by the
// budgets and the usage counters, which begin anew at that zone's midnight. ECMA-402, Intl.DateTimeFormat.

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether `name` is a time zone by its IANA name. Offsets such as +01:00 know no summer time and are refused. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    // A RangeError is how Intl says that it does not know the zone.
    return false;
  }
}

interface LocalTime {
  /** `2026-11-22`. */
  readonly day: string;
  /** `00:00`, of a day of 24 hours. */
  readonly clock: string;
}

/** What the calendar and the clock on the wall of `zone` show at `seconds` (epoch). */
export function localTime(seconds: number, zone: string): LocalTime {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(seconds * 1000)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
  const year = part("year").padStart(4, "0");
  return {
    day: `${year}-${part("month")}-${part("day")}`,
    clock: `${part("hour")}:${part("minute")}`,
  };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  // One deployment has one zone; an admin who tries many must not fill the memory.
  if (formats.size > 20) formats.clear();
  formats.set(zone, format);
  return format;
}

/** A stretch of time that a budget holds for. */
export type Period = "day" | "month";

/** The name of the day (`2026-11-22`) or month (`2026-11`) that it is in `zone`. Names sort by time. */
export function periodName(period: Period, seconds: number, zone: string): string {
  const { day } = localTime(seconds, zone);
  return period === "day" ? day : day.slice(0, 7);
}

/** Longer than any day or month, also where a calendar left out a day. */
const LONGEST: Readonly<Record<Period, number>> = { day: 51 * 3600, month: 33 * 86_400 };

/**
 * The first second (epoch) of the next day or month in `zone`. It need not be midnight: where clocks go forward at
 * midnight the day begins at one.
 */
export function nextPeriodAt(period: Period, seconds: number, zone: string): number {
  const current = periodName(period, seconds, zone);
  let before = seconds;
  let after = seconds + LONGEST[period];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (periodName(period, middle, zone) > current) after = middle;
    else before = middle;
  }
  return after;
}
