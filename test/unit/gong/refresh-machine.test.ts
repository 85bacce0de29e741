// src/gong/refresh-machine.ts: tables of decisions, and what holds for any time, lifetime and outage.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import type { GongErrorKind } from "../../../src/errors.ts";
import {
  afterFailure,
  decideUse,
  mayRefreshRejected,
  planRefresh,
  refreshDueAt,
  type GongTokenState,
  type RefreshFailure,
} from "../../../src/gong/refresh-machine.ts";

const NOW = 1_800_000_000;
const RUNS = { numRuns: 2000, seed: 20_261 };
const TRANSIENT = ["denied", "misconfigured", "rate_limited", "unavailable", "malformed"] as const;

/** Tokens of an hour, refreshed ten minutes ago, due for refresh in half an hour. */
const GOOD: GongTokenState = {
  state: "connected",
  hasRefreshToken: true,
  expiresAt: NOW + 3000,
  refreshedAt: NOW - 600,
  dueAt: NOW + 1800,
  failures: 0,
};
const EXPIRED = { expiresAt: NOW - 1, refreshedAt: NOW - 3601, dueAt: NOW - 1200 };

const anyState: fc.Arbitrary<GongTokenState> = fc
  .record({
    state: fc.constantFrom("connected", "needs_reconnect", "disconnected"),
    hasRefreshToken: fc.boolean(),
    life: fc.integer({ min: 30, max: 7 * 86_400 }),
    age: fc.integer({ min: 0, max: 14 * 86_400 }),
    due: fc.integer({ min: -1000, max: 1000 }),
    failures: fc.nat({ max: 40 }),
  })
  .map(({ life, age, due, ...rest }) => ({
    ...rest,
    refreshedAt: NOW - age,
    expiresAt: NOW - age + life,
    dueAt: NOW + due,
  }));

describe(verifies("gong.refresh_machine", "a caller needs a Gong access token"), () => {
  it.each<[string, Partial<GongTokenState>, ReturnType<typeof decideUse>]>([
    ["a good token", {}, { kind: "use" }],
    ["a good token that is due", { dueAt: NOW }, { kind: "use_and_refresh" }],
    ["a good token, due after a failure", { dueAt: NOW, failures: 3 }, { kind: "use_and_refresh" }],
    ["a good token without a refresh token", { dueAt: NOW, hasRefreshToken: false }, { kind: "use" }],
    ["a token that ends in eleven seconds", { expiresAt: NOW + 11 }, { kind: "use" }],
    ["a token that ends in ten seconds", { expiresAt: NOW + 10 }, { kind: "refresh" }],
    ["a token of 5 s in its third", { expiresAt: NOW + 2, refreshedAt: NOW - 3 }, { kind: "use" }],
    ["an expired token", EXPIRED, { kind: "refresh" }],
    ["an expired one without a refresh token", { ...EXPIRED, hasRefreshToken: false }, { kind: "dead" }],
    [
      "an expired one whose refresh just failed",
      { ...EXPIRED, failures: 2, dueAt: NOW + 7 },
      { kind: "wait", retryAfterSeconds: 7 },
    ],
    ["an expired one after its back-off", { ...EXPIRED, failures: 2, dueAt: NOW }, { kind: "refresh" }],
    ["a connection that Gong ended", { state: "needs_reconnect" }, { kind: "use" }],
    ["one that Gong ended, due", { state: "needs_reconnect", dueAt: NOW }, { kind: "use" }],
    ["one that Gong ended, expired", { ...EXPIRED, state: "needs_reconnect" }, { kind: "dead" }],
    ["a connection that a person ended", { state: "disconnected" }, { kind: "dead" }],
  ])("gateway: %s", (_, change, decision) => {
    expect(decideUse({ ...GOOD, ...change }, NOW)).toEqual(decision);
  });

  it("gateway: a token is used only while it lives, and a living one of a live connection always is", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const { kind } = decideUse(state, NOW);
        const used = kind === "use" || kind === "use_and_refresh";
        const living = state.expiresAt > NOW;
        const plenty = state.state !== "disconnected" && state.expiresAt > NOW + 10;
        expect({ used, living, plenty }).not.toMatchObject({ used: true, living: false });
        expect({ used, living, plenty }).not.toMatchObject({ used: false, plenty: true });
      }),
      RUNS,
    );
  });

  it("gateway: a connected one with a refresh token is never given up, whatever failed before", () => {
    const kept = anyState.map((state) => ({ ...state, state: "connected" as const, hasRefreshToken: true }));
    fc.assert(
      fc.property(kept, (state) => {
        expect(decideUse(state, NOW).kind).not.toBe("dead");
      }),
      RUNS,
    );
  });

  it("gateway: an expired token is not refreshed before the back-off is over, and then it is", () => {
    const failed = anyState
      .filter(({ failures, dueAt }) => failures > 0 && dueAt > NOW)
      .map((state) => ({ ...state, ...EXPIRED, dueAt: state.dueAt, state: "connected" as const }));
    fc.assert(
      fc.property(failed, (state) => {
        const known = { ...state, hasRefreshToken: true };
        expect(decideUse(known, NOW)).toEqual({ kind: "wait", retryAfterSeconds: state.dueAt - NOW });
        expect(decideUse(known, state.dueAt)).toEqual({ kind: "refresh" });
      }),
      RUNS,
    );
  });
});

describe(verifies("gong.refresh_machine", "Gong refuses an access token that should be good"), () => {
  it.each<[string, Partial<GongTokenState>, number | undefined, boolean]>([
    ["the first time", {}, undefined, true],
    ["ten seconds after the last time", {}, NOW - 10, true],
    ["nine seconds after the last time", {}, NOW - 9, false],
    ["without a refresh token", { hasRefreshToken: false }, undefined, false],
    ["when Gong ended the connection", { state: "needs_reconnect" }, undefined, false],
    ["when a person ended the connection", { state: "disconnected" }, undefined, false],
    ["while a back-off runs", { failures: 1, dueAt: NOW + 1 }, undefined, false],
    ["when a back-off is over", { failures: 1, dueAt: NOW }, undefined, true],
  ])("gateway: %s", (_, change, lastRejectionAt, may) => {
    expect(mayRefreshRejected({ ...GOOD, ...change }, lastRejectionAt, NOW)).toBe(may);
  });
});

describe(verifies("gong.refresh_machine", "when to refresh early"), () => {
  it("gateway: between half and four fifths of any life, and never sooner than in thirty seconds", () => {
    const life = fc.integer({ min: 0, max: 10 ** 9 });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(life, random, (seconds, chance) => {
        const wait = refreshDueAt(NOW, seconds, chance) - NOW;
        expect(wait).toBeGreaterThanOrEqual(Math.max(30, Math.floor(seconds * 0.5)));
        expect(wait).toBeLessThanOrEqual(Math.max(30, Math.floor(seconds * 0.8)));
      }),
      RUNS,
    );
  });

  it("gateway: connections made together are refreshed apart", () => {
    const moments = Array.from({ length: 11 }, (_, at) => refreshDueAt(NOW, 86_400, at / 10) - NOW);
    expect(new Set(moments).size).toBe(11);
    expect([moments[0], moments[10]]).toEqual([43_200, 69_120]);
  });
});

describe(verifies("gong.refresh_machine", "what a refresh begins with"), () => {
  it.each<[string, Partial<GongTokenState>, string | null, ReturnType<typeof planRefresh>]>([
    ["a token of the integration's own", {}, "client", "refresh"],
    ["a token from before clients were noted", {}, null, "refresh"],
    ["a token of an integration that was replaced", {}, "other", "replaced"],
    ["no refresh token", { hasRefreshToken: false }, "client", "nothing"],
    ["a connection that Gong ended", { state: "needs_reconnect" }, "client", "nothing"],
    [
      "a connection that a person ended, of another integration",
      { state: "disconnected" },
      "other",
      "nothing",
    ],
  ])("RFC 6749 §6: %s", (_, change, issuedTo, plan) => {
    expect(planRefresh({ ...GOOD, ...change }, issuedTo, "client")).toBe(plan);
  });
});

const KNOWN = { isAnswerKept: false, isAnswerMissing: false };
const failed = (kind: GongErrorKind, change: Partial<RefreshFailure> = {}): RefreshFailure => ({
  kind,
  status: undefined,
  retryAfterSeconds: undefined,
  ...change,
});

/** Seconds until the next try. */
function pauseAfter(failure: RefreshFailure, failures: number, random: number): number {
  const next = afterFailure(failure, { ...GOOD, failures }, KNOWN, NOW, random);
  return next.kind === "retry" ? next.dueAt - NOW : Number.NaN;
}

describe(verifies("gong.only_invalid_grant_ends", "gong.refresh_machine", "a refresh that failed"), () => {
  it.each([
    ["Gong's own word", KNOWN, "ended_by_gong"],
    ["an attempt before had no answer", { ...KNOWN, isAnswerMissing: true }, "answer_lost"],
    [
      "an answer came that can't be read",
      { isAnswerKept: true, isAnswerMissing: true },
      "answer_not_understood",
    ],
  ] as const)("RFC 6749 §5.2: invalid_grant ends the connection: %s", (_, token, reason) => {
    const next = afterFailure(failed("expired", { status: 400 }), GOOD, token, NOW, 0.5);
    expect(next).toEqual({ kind: "ended", reason });
  });

  it("gateway: every other failure is tried again, within five minutes unless Gong asks for longer", () => {
    const kind = fc.constantFrom<GongErrorKind>(...TRANSIENT);
    const retryAfter = fc.option(fc.integer({ min: 0, max: 3600 }), { nil: undefined });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(kind, fc.nat({ max: 10_000 }), retryAfter, random, (failure, failures, asked, chance) => {
        const seconds = pauseAfter(failed(failure, { retryAfterSeconds: asked }), failures, chance);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(Math.max(asked ?? 0, 1));
        expect(seconds).toBeLessThanOrEqual(Math.max((asked ?? 0) * 1.1, 300));
      }),
      RUNS,
    );
  });

  it.each([
    [0, 1],
    [1, 2],
    [4, 16],
    [8, 256],
    [9, 300],
    [1_000_000, 300],
  ])(
    "gateway: after %i earlier failures the wait is at most %i s, and at least half of it",
    (failures, most) => {
      const waits = [0, 0.5, 1].map((random) => pauseAfter(failed("unavailable"), failures, random));
      expect(waits).toEqual([0.5, 0.75, 1].map((part) => Math.ceil(most * part)));
    },
  );

  it("gateway: connections that Gong all asks to wait for 600 s come back spread over a minute", () => {
    const limited = failed("rate_limited", { status: 429, retryAfterSeconds: 600 });
    const waits = Array.from({ length: 61 }, (_, at) => pauseAfter(limited, 0, at / 60));
    expect([waits[0], waits[60], new Set(waits).size]).toEqual([600, 660, 61]);
  });

  it.each<[string, Partial<RefreshFailure>, boolean, boolean]>([
    ["400", { status: 400 }, false, true],
    ["429", { status: 429 }, false, true],
    ["408", { status: 408 }, false, false],
    ["200", { status: 200 }, false, false],
    ["503", { status: 503 }, false, true],
    ["502", { status: 502 }, false, false],
    ["no answer", {}, false, false],
    ["429 after an attempt without an answer", { status: 429 }, true, false],
  ])(
    "RFC 9110 §15.5, §15.6.4: the refresh token is known to be unspent after %s: %s",
    (_, answer, isAnswerMissing, unspent) => {
      const token = { ...KNOWN, isAnswerMissing };
      expect(afterFailure(failed("unavailable", answer), GOOD, token, NOW, 0.5)).toMatchObject({
        isTokenUnspent: unspent,
      });
    },
  );

  it.each<[string, Partial<GongTokenState>, number | undefined, { isNews: boolean; isAtRisk: boolean }]>([
    ["the first time", {}, undefined, { isNews: true, isAtRisk: false }],
    ["again", { failures: 1 }, undefined, { isNews: false, isAtRisk: false }],
    ["again, with no try left before the end", { failures: 1 }, 3000, { isNews: true, isAtRisk: true }],
    ["once more after that", { failures: 2, dueAt: NOW + 3000 }, 3600, { isNews: false, isAtRisk: true }],
  ])("gateway: who is told when it fails %s", (_, change, retryAfterSeconds, told) => {
    const failure = failed("rate_limited", { status: 429, retryAfterSeconds });
    expect(afterFailure(failure, { ...GOOD, ...change }, KNOWN, NOW, 0)).toMatchObject(told);
  });
});

/** A connection used every second, with an alarm; counts what Gong is asked. `up` is whether Gong answers. */
function simulate(
  seconds: number,
  life: number,
  up: (now: number) => boolean,
): { asked: number[]; refused: number } {
  const asked: number[] = [];
  let refused = 0;
  let state: GongTokenState = { ...GOOD, refreshedAt: 0, expiresAt: life, dueAt: refreshDueAt(0, life, 0) };
  for (let now = 0; now < seconds; now += 1) {
    const { kind } = decideUse(state, now);
    if (kind === "wait" || kind === "dead") refused += 1;
    if (kind !== "refresh" && kind !== "use_and_refresh") continue;
    asked.push(now);
    if (up(now)) {
      const dueAt = refreshDueAt(now, life, 0);
      state = { ...state, refreshedAt: now, expiresAt: now + life, dueAt, failures: 0 };
      continue;
    }
    const next = afterFailure(failed("unavailable"), state, KNOWN, now, 0);
    const dueAt = next.kind === "retry" ? next.dueAt : Number.NaN;
    state = { ...state, failures: state.failures + 1, dueAt };
    if (decideUse(state, now).kind !== "use") refused += 1;
  }
  return { asked, refused };
}

describe(verifies("gong.refresh_machine", "a day of use"), () => {
  it("gateway: no lifetime that can be read from an answer makes a loop, and no call is refused", () => {
    for (const life of [30, 31, 59, 60, 61, 300, 3600, 86_400, 7 * 86_400]) {
      const { asked, refused } = simulate(86_400, life, () => true);
      const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
      expect(Math.min(Number.POSITIVE_INFINITY, ...gaps)).toBeGreaterThanOrEqual(24);
      expect(refused).toBe(0);
    }
  });

  it("gateway: an hour without Gong costs a few dozen attempts, and the first one after it heals", () => {
    const down = (now: number): boolean => now < 3000 || now >= 6600;
    const { asked } = simulate(20_000, 3600, down);
    const during = asked.filter((at) => at >= 3000 && at < 6600);
    const healed = asked.find((at) => at >= 6600) ?? Number.POSITIVE_INFINITY;
    expect(during.length).toBeLessThan(40);
    expect(healed - 6600).toBeLessThanOrEqual(300);
    expect(asked.filter((at) => at >= 6600 && at < 6600 + 1800)).toEqual([healed]);
  });
});
