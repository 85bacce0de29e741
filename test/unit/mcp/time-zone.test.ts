// src/mcp/time-zone.ts: days and months in time zones whose clocks change, by property and by the worst nights known.

import { assert, constantFrom, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { isTimeZone, localTime, nextPeriodAt, periodName } from "../../../src/mcp/time-zone.ts";

const at = (iso: string): number => Date.parse(iso) / 1000;

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Sao_Paulo",
  "Asia/Kolkata",
  "Asia/Beirut",
  "Africa/Cairo",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
  "America/St_Johns",
];

describe(verifies("policy.periods", "days and months"), () => {
  it.each([
    ["Europe/Berlin", "clocks go forward: 23 hours", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["Europe/Berlin", "clocks go back: 25 hours", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    ["America/New_York", "clocks go back: 25 hours", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
    ["Australia/Lord_Howe", "by half an hour: 23.5 hours", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"],
    ["Africa/Cairo", "the next day has no midnight", "2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z"],
    ["Pacific/Apia", "the next day was left out", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
  ])("ECMA-402: in %s, %s", (zone, _, begins, ends) => {
    const next = at(ends);
    for (const moment of [at(begins), at(begins) + 1, next - 3601, next - 1]) {
      expect(nextPeriodAt("day", moment, zone)).toBe(next);
    }
    expect(nextPeriodAt("day", next, zone)).toBeGreaterThan(next);
  });

  it("ECMA-402: where clocks go forward at midnight the day begins at one", () => {
    const next = nextPeriodAt("day", at("2026-04-23T12:00:00Z"), "Africa/Cairo");
    expect(localTime(next, "Africa/Cairo")).toEqual({ day: "2026-04-24", clock: "01:00" });
  });

  it("ECMA-402: a month ends at the zone's own midnight, also with a change of clocks in it", () => {
    expect(nextPeriodAt("month", at("2026-03-01T00:00:00Z"), "Europe/Berlin")).toBe(
      at("2026-03-31T22:00:00Z"),
    );
    expect(nextPeriodAt("month", at("2026-12-31T12:00:00Z"), "America/New_York")).toBe(
      at("2027-01-01T05:00:00Z"),
    );
  });

  it.each(["day", "month"] as const)(
    "ECMA-402: the next %s begins in the second in which its name changes",
    (period) => {
      const moment = integer({ min: at("2015-01-01T00:00:00Z"), max: at("2037-12-31T00:00:00Z") });
      assert(
        property(moment, constantFrom(...ZONES), (now, zone) => {
          const next = nextPeriodAt(period, now, zone);
          const current = periodName(period, now, zone);
          expect(next).toBeGreaterThan(now);
          expect(periodName(period, next - 1, zone)).toBe(current);
          expect(periodName(period, next, zone) > current).toBe(true);
        }),
        { seed: 20_261_122, numRuns: 400 },
      );
    },
  );

  it.each(["", "+01:00", "Mars/Olympus", "Europe/Berlin ", "Europe/Berlin\n", "<b>", "1/2"])(
    "ECMA-402: %j is no time zone",
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
