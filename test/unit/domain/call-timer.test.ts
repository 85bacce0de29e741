// Subject: src/domain/call-timer.ts. How long a call waits for its client and for Gong, on a clock of our own.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startCallTimer, type CallTimer } from "../../../src/domain/call-timer.ts";
import { verifies } from "../../conformance/verifies.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** What a wait has come to by now. */
async function stateOf(wait: Promise<unknown>): Promise<unknown> {
  return Promise.race([wait.then((value) => ({ value })), Promise.resolve().then(() => "waiting")]);
}

/** The state just before and at the end of `seconds`, of a wait that begins at once. */
async function aroundEnd(limit: keyof CallTimer, seconds: number): Promise<readonly unknown[]> {
  const wait = startCallTimer()[limit](never<string>());
  await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
  const before = await stateOf(wait);
  await vi.advanceTimersByTimeAsync(1);
  return [before, await stateOf(wait)];
}

describe(verifies("operations.bodies_bounded", "proxy.late_answer", "the limits of one call"), () => {
  it("RFC 9110 §15.5.9: the client has 30 s to send its message", async () => {
    expect(await aroundEnd("upload", 30)).toEqual(["waiting", { value: undefined }]);
  });

  it("RFC 9110 §15.6.5: Gong has 180 s for its headers", async () => {
    expect(await aroundEnd("answer", 180)).toEqual(["waiting", { value: undefined }]);
  });

  it("gateway: both count from the start of the call", async () => {
    const timer = startCallTimer();
    const upload = timer.upload(Promise.resolve("message"));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await upload).toBe("message");
    const answer = timer.answer(never<string>());
    await vi.advanceTimersByTimeAsync(150_999);
    expect(await stateOf(answer)).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await stateOf(answer)).toEqual({ value: undefined });
  });

  it("gateway: work that is done in time comes back as it is, and so does its failure", async () => {
    const timer = startCallTimer();
    expect(await timer.upload(Promise.resolve("message"))).toBe("message");
    await expect(timer.answer(Promise.reject(new Error("no answer")))).rejects.toThrow("no answer");
    expect(await timer.answer(Promise.resolve("answer"))).toBe("answer");
    await vi.advanceTimersByTimeAsync(180_000);
    expect(await timer.answer(never<string>())).toBeUndefined();
  });
});
