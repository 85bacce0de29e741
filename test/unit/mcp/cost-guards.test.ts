// src/mcp/cost-guards.ts and date-range.ts: what the arguments of a paid call may ask for.

import {
  array,
  assert,
  constant,
  constantFrom,
  dictionary,
  integer,
  oneof,
  property,
  stringMatching,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { argumentsProblem } from "../../../src/mcp/cost-guards.ts";
import { DEFAULT_POLICY, type CostGuards } from "../../../src/mcp/policy.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z") / 1000;
const DAY_MS = 86_400_000;

const problem = (guards: Partial<CostGuards>, given: unknown): string | undefined =>
  argumentsProblem({ ...DEFAULT_POLICY.guards, ...guards }, given, NOW);
const daysAgo = (days: number): string => new Date(NOW * 1000 - days * DAY_MS).toISOString();

describe(verifies("policy.cost_guards", "the date range"), () => {
  const longest = { longestRangeDays: 31 };

  it("Gong credits: without a guard any arguments pass", () => {
    for (const given of [undefined, null, [], "text", { from: 7 }, { FROM: 1, from: 2 }]) {
      expect(problem({}, given)).toBeUndefined();
    }
  });

  it("Gong credits: a refusal says how many days are allowed and how many were asked for", () => {
    expect(problem(longest, { fromDateTime: daysAgo(90), toDateTime: daysAgo(0) })).toBe(
      "A call may ask for at most 31 days. This call asked for 90. Set fromDateTime and toDateTime closer together.",
    );
  });

  it("Gong credits: exactly those ranges pass that are no longer than allowed, an hour for the clocks aside", () => {
    assert(
      property(
        integer({ min: 1, max: 400 }),
        integer({ min: 0, max: 500 * 24 * 60 }),
        integer({ min: 0, max: 1000 }),
        (most, minutes, endedDaysAgo) => {
          const to = NOW * 1000 - endedDaysAgo * DAY_MS;
          const given = {
            fromDateTime: new Date(to - minutes * 60_000).toISOString(),
            toDateTime: new Date(to).toISOString(),
          };
          const isAllowed = minutes * 60_000 <= most * DAY_MS + 3_600_000;
          expect(problem({ longestRangeDays: most }, given) === undefined).toBe(isAllowed);
        },
      ),
    );
  });

  it.each([
    ["no end: it ends now", { fromDateTime: daysAgo(32) }],
    ["no start", { toDateTime: daysAgo(0) }],
    ["another spelling", { from_date_time: daysAgo(90), "To-Date-Time": daysAgo(0) }],
    ["a named period that is longer", { timePeriod: "LAST_90DAYS" }],
    ["a named period without an end", { periodType: "all_conversations" }],
    ["a short range beside a long named period", { timePeriod: "LAST_YEAR", fromDateTime: daysAgo(1) }],
    ["a named period that nobody knows", { timePeriod: "LAST_DECADE" }],
    ["a custom range without dates", { timePeriod: "CUSTOM_RANGE" }],
    ["a number for a date", { fromDateTime: 1_700_000_000 }],
    ["a date in words", { fromDateTime: "yesterday" }],
    ["a day that is none", { fromDateTime: "2026-02-31T25:00:00Z" }],
    ["a start after the end", { fromDateTime: daysAgo(1), toDateTime: daysAgo(2) }],
    ["the same name twice", { fromDateTime: daysAgo(1), FromDateTime: daysAgo(90) }],
    ["two names for the start", { fromDateTime: daysAgo(1), startDate: daysAgo(90) }],
  ])("Gong credits: refused: %s", (_, given) => {
    expect(problem(longest, given)).toEqual(expect.any(String));
  });

  it.each([
    ["no end", { fromDateTime: daysAgo(31) }],
    ["dates without times", { fromDateTime: "2026-10-01", toDateTime: "2026-11-01" }],
    [
      "a month in which clocks go back",
      { fromDateTime: "2026-10-01T00:00:00+02:00", toDateTime: "2026-11-01T00:00:00+01:00" },
    ],
    ["a named period that is short enough", { timePeriod: "LAST_30DAYS" }],
    ["a custom range with dates", { timePeriod: "CUSTOM_RANGE", fromDateTime: daysAgo(2) }],
    ["no range at all", { question: "What next?", fromDateTime: null }],
  ])("Gong credits: allowed: %s", (_, given) => {
    expect(problem(longest, given)).toBeUndefined();
  });

  it("Gong credits: a required range must be named", () => {
    expect(problem({ rangeRequired: true }, { question: "What next?" })).toBe(
      "Name a date range: set fromDateTime and toDateTime.",
    );
    expect(problem({ ...longest, rangeRequired: true }, {})).toContain("At most 31 days are allowed.");
    expect(problem({ rangeRequired: true }, { fromDateTime: daysAgo(5000) })).toBeUndefined();
  });
});

describe(verifies("policy.cost_guards", "accounts and deals"), () => {
  it.each([
    [{ crmAccount: "Secret Ltd" }],
    [{ crmAccount: "secret  LTD" }],
    [{ crmAccount: "Secret Ltd (0015x00002abcde)" }],
    [{ crm_account: "Secret Ltd" }],
    [{ crmAccountId: "Secret Ltd" }],
    [{ crmAccount: "Se\u200bcret Ltd" }],
    [{ crmAccount: "Ｓecret Ltd" }],
    [{ entityType: "account", entity: "Secret Ltd" }],
    [{ crmAccount: ["Secret Ltd"] }],
    [{ entity: "Secret Ltd" }],
    [{ entityType: 1, entity: "Secret Ltd" }],
  ])("gateway: %j does not get around a denied account", (given) => {
    expect(problem({ denyAccounts: ["Secret Ltd"] }, given)).toEqual(expect.any(String));
  });

  it.each([
    [{ crmAccount: "Secretary Ltd" }],
    [{ crmAccount: "Other" }],
    [{ crmDeal: "Secret Ltd" }],
    [{ entityType: "DEAL", entity: "Secret Ltd" }],
    [{ question: "Secret Ltd?" }],
  ])("gateway: %j is another account than the denied one, or none", (given) => {
    expect(problem({ denyAccounts: ["Secret Ltd"] }, given)).toBeUndefined();
  });

  it("gateway: with a list of allowed deals only they pass, written as on the list; a denial wins", () => {
    const guards = { allowDeals: ["006A", "006B"], denyDeals: ["006B"] };
    expect(problem(guards, { crmDeal: "006a " })).toBeUndefined();
    expect(problem(guards, { crmDeal: "006A Other" })).toContain("Only deals on the company's list");
    expect(problem(guards, { crmDeal: "006B" })).toContain("excludes this deal");
    expect(problem(guards, { crmAccount: "Any" })).toBeUndefined();
    expect(problem(guards, { question: "Anything new?" })).toContain("Name an account or a deal");
    expect(problem(guards, { entityType: "CONTACT", entity: "Ada" })).toContain("Name an account or a deal");
  });

  it("gateway: whatever is sent, a refusal repeats none of it and no entry of a list", () => {
    const canary = stringMatching(/^zq[a-z0-9]{8}$/);
    const guards = {
      longestRangeDays: 3,
      denyAccounts: ["zqdenied"],
      allowDeals: ["zqallowed"],
      maxArgumentsBytes: 300,
    };
    const names = constantFrom(
      "crmAccount",
      "crmDeal",
      "fromDateTime",
      "timePeriod",
      "entityType",
      "entity",
      "zqname",
    );
    assert(
      property(dictionary(names, oneof(canary, array(canary), constant("zqdenied"))), (given) => {
        expect(problem(guards, given) ?? "").not.toContain("zq");
      }),
    );
  });
});

describe(verifies("policy.cost_guards", "the size"), () => {
  it("gateway: bytes of JSON in UTF-8 count, to the byte", () => {
    const filled = (bytes: number) => ({ q: "é".repeat((bytes - 8) / 2) });
    expect(JSON.stringify(filled(300)).length).toBeLessThan(300);
    expect(problem({ maxArgumentsBytes: 300 }, filled(300))).toBeUndefined();
    expect(problem({ maxArgumentsBytes: 300 }, filled(302))).toBe(
      "The arguments may be at most 300 bytes of JSON; these are 302.",
    );
  });
});
