// src/gong/refresh-machine.ts over random histories: a connection and a Gong of single-use tokens, played in memory.
// What the machine says is done as the ConnectionObject does it, and what must never happen is looked for after every
// step.

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
} from "../../../src/gong/refresh-machine.ts";

const LIFE = 3600;
const RUNS = { numRuns: 1500, seed: 20_262 };

/** How Gong's next answer comes out. The last three are after it has spent the refresh token. */
type Weather = "good" | "no_answer" | "busy" | "wrong_secret" | "lost" | "garbled" | "crashed";

type Event =
  | { readonly kind: "pass"; readonly seconds: number }
  | { readonly kind: "weather"; readonly weather: Weather; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "use" | "alarm" | "rejected" | "gong_ends" | "disconnect" | "reconnect" };

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("pass" as const), seconds: fc.nat({ max: 2 * LIFE }) }),
  fc.record({
    kind: fc.constant("weather" as const),
    weather: fc.constantFrom<Weather>(
      "good",
      "no_answer",
      "busy",
      "wrong_secret",
      "lost",
      "garbled",
      "crashed",
    ),
    retryAfterSeconds: fc.option(fc.nat({ max: 3600 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constantFrom("use" as const, "use" as const, "alarm" as const, "rejected" as const) }),
  fc.record({ kind: fc.constantFrom("gong_ends" as const, "disconnect" as const, "reconnect" as const) }),
);

/** One connection and the Gong behind it. */
class World {
  now = 1_800_000_000;
  weather: Weather = "good";
  retryAfterSeconds: number | undefined;
  state: GongTokenState = this.#fresh();
  generation = 1;
  reason: string | undefined;
  /** What the row knows of its refresh token. */
  isAnswerKept = false;
  isAttemptOpen = false;
  /** What only Gong knows of it. */
  isSpent = false;
  isEnded = false;
  /** When Gong was asked, and whether a pause ran then. */
  readonly asked: { readonly at: number; readonly tooSoon: boolean }[] = [];
  #rejectedAt: number | undefined;

  play(event: Event): void {
    switch (event.kind) {
      case "pass":
        this.now += event.seconds;
        break;
      case "weather":
        this.weather = event.weather;
        this.retryAfterSeconds = event.retryAfterSeconds;
        break;
      case "use":
        if (decideUse(this.state, this.now).kind === "refresh") this.#refresh();
        break;
      case "alarm":
        if (this.state.state === "connected" && this.state.dueAt <= this.now) this.#refresh();
        break;
      case "rejected": {
        if (!mayRefreshRejected(this.state, this.#rejectedAt, this.now)) return;
        const { generation } = this;
        this.#refresh();
        if (this.generation > generation) this.#rejectedAt = this.now;
        break;
      }
      case "gong_ends":
        this.isEnded = true;
        break;
      case "disconnect":
        this.state = { ...this.state, state: "disconnected", hasRefreshToken: false, expiresAt: 0 };
        break;
      case "reconnect":
        this.#put();
    }
  }

  #fresh(): GongTokenState {
    const { now } = this;
    const dueAt = refreshDueAt(now, LIFE, 0.5);
    return {
      state: "connected",
      hasRefreshToken: true,
      expiresAt: now + LIFE,
      refreshedAt: now,
      dueAt,
      failures: 0,
    };
  }

  #put(): void {
    this.state = this.#fresh();
    this.generation += 1;
    this.reason = undefined;
    this.isAnswerKept = this.isAttemptOpen = this.isSpent = this.isEnded = false;
  }

  #refresh(): void {
    if (planRefresh(this.state, "client", "client") !== "refresh") return;
    const wasOpen = this.isAttemptOpen;
    const paused = this.state.failures > 0 && this.state.dueAt > this.now;
    this.asked.push({ at: this.now, tooSoon: paused });
    this.isAttemptOpen = true;
    const [kind, status] = this.#answer();
    if (kind === "tokens") {
      this.#put();
      return;
    }
    // Dead before anything was written: only the intent is left.
    if (kind === "crashed") return;
    if (kind === "malformed") this.isAnswerKept = true;
    const failure = { kind, status, retryAfterSeconds: this.retryAfterSeconds };
    const token = { isAnswerKept: this.isAnswerKept, isAnswerMissing: wasOpen };
    const next = afterFailure(failure, this.state, token, this.now, 0.5);
    if (next.kind === "ended") {
      this.state = { ...this.state, state: "needs_reconnect" };
      this.reason = next.reason;
      return;
    }
    if (next.isTokenUnspent) this.isAttemptOpen = false;
    this.state = { ...this.state, dueAt: next.dueAt, failures: this.state.failures + 1 };
  }

  #answer(): readonly ["tokens" | "crashed" | GongErrorKind, number | undefined] {
    if (this.weather === "no_answer") return ["unavailable", undefined];
    if (this.weather === "busy") return ["rate_limited", 429];
    if (this.weather === "wrong_secret") return ["misconfigured", 401];
    if (this.isSpent || this.isEnded) return ["expired", 400];
    if (this.weather === "good") return ["tokens", 200];
    this.isSpent = true;
    if (this.weather === "lost") return ["unavailable", undefined];
    return this.weather === "garbled" ? ["malformed", 200] : ["crashed", undefined];
  }
}

/** Plays a history, looks at the world after each step, and then lets it have two good hours. */
function playAll(events: readonly Event[], look: (world: World, before: number) => void): World {
  const world = new World();
  for (const event of events) {
    const { generation } = world;
    world.play(event);
    look(world, generation);
  }
  world.play({ kind: "weather", weather: "good", retryAfterSeconds: undefined });
  for (let minute = 0; minute < 120; minute += 1) {
    world.play({ kind: "pass", seconds: 60 });
    world.play({ kind: "alarm" });
    world.play({ kind: "use" });
  }
  return world;
}

/** Why a connection may have ended at Gong, as only Gong and the history know. */
function trueReasons({ isAnswerKept, isSpent, isEnded }: World): readonly string[] {
  if (isAnswerKept) return ["answer_not_understood"];
  if (isSpent) return ["answer_lost"];
  // Ended while an attempt was without an answer, it can have been either.
  return isEnded ? ["ended_by_gong", "answer_lost"] : [];
}

const histories = fc.array(anyEvent, { minLength: 1, maxLength: 40 });

describe(verifies("gong.refresh_machine", "any history of a connection"), () => {
  it("gateway: only Gong's word ends it, the reason is the true one, and generations only rise", () => {
    fc.assert(
      fc.property(histories, (events) => {
        playAll(events, (world, before) => {
          expect(world.generation).toBeGreaterThanOrEqual(before);
          if (world.state.state !== "needs_reconnect") return;
          expect(trueReasons(world)).toContain(world.reason);
        });
      }),
      RUNS,
    );
  });

  it("gateway: Gong is never asked while a pause runs, and ten events at one moment ask it twice at most", () => {
    fc.assert(
      fc.property(histories, fc.array(anyEvent, { minLength: 10, maxLength: 10 }), (events, atOnce) => {
        const { asked } = playAll(events, () => undefined);
        expect(asked.filter(({ tooSoon }) => tooSoon)).toEqual([]);
        const world = new World();
        for (const event of events) world.play(event);
        const before = world.asked.length;
        const calls = atOnce.filter(({ kind }) => kind === "use" || kind === "alarm" || kind === "rejected");
        for (const event of calls) world.play(event);
        // Once because it is due, and once more if Gong then refuses what it has just issued. A crash knows of no
        // pause.
        const most = world.weather === "crashed" ? atOnce.length : 2;
        expect(world.asked.length - before).toBeLessThanOrEqual(most);
      }),
      RUNS,
    );
  });

  it("gateway: two good hours later it works, unless Gong has ended it or a person has", () => {
    fc.assert(
      fc.property(histories, (events) => {
        const { state, now, isSpent, isEnded } = playAll(events, () => undefined);
        const ended = state.state === "disconnected" || isSpent || isEnded;
        expect(ended || decideUse(state, now).kind.startsWith("use")).toBe(true);
        expect(ended && state.state === "connected").toBe(false);
      }),
      RUNS,
    );
  });
});
