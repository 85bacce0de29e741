// Turns while Gong throttles: nobody waits without need, nobody is starved, and nobody waits for longer than its
// patience.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FairQueue } from "../../../src/storage/fair-queue.ts";
import { verifies } from "../../conformance/verifies.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const inSeconds = (seconds: number): number => Date.now() + seconds * 1000;

describe(verifies("paid.throttled", "turns while Gong throttles"), () => {
  it("gateway: without a 429 every call goes at once", async () => {
    const queue = new FairQueue();
    const turns = await Promise.all(["a", "a", "b"].map((holder) => queue.turn(holder, inSeconds(30))));
    expect(turns).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  });

  it("gateway: one holder's hundred calls do not keep another's one waiting", async () => {
    const queue = new FairQueue();
    expect(queue.holdBack(2, inSeconds(30))).toBe(true);
    const order: string[] = [];
    const ask = (holder: string, name: string): void => {
      void queue.turn(holder, inSeconds(300)).then(() => order.push(name));
    };
    for (let call = 1; call <= 100; call += 1) ask("greedy", `greedy ${call}`);
    ask("modest", "modest 1");
    await vi.advanceTimersByTimeAsync(1900);
    expect(order).toEqual([]);
    await vi.advanceTimersByTimeAsync(1200);
    expect(order.slice(0, 3)).toEqual(["greedy 1", "modest 1", "greedy 2"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(order).toHaveLength(101);
    expect(await queue.turn("late", inSeconds(30))).toEqual({ ok: true });
  });

  it("RFC 9110 §10.2.3: who would wait for too long is told how long, at once or when it becomes clear", async () => {
    const queue = new FairQueue();
    expect(queue.holdBack(20, inSeconds(30))).toBe(true);
    const waiting = queue.turn("a", inSeconds(30));
    await vi.advanceTimersByTimeAsync(1000);
    expect(queue.holdBack(60, inSeconds(30))).toBe(false);
    expect(await queue.turn("b", inSeconds(30))).toEqual({ ok: false, retryAfterSeconds: 60 });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await waiting).toEqual({ ok: false, retryAfterSeconds: 41 });
  });
});
