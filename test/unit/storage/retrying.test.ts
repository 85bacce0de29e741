// src/storage/stubs.ts: the one rule for repeating a call to an object.

import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { retrying } from "../../../src/storage/stubs.ts";

/** A call that fails as told, one error for each try, and then answers; counts how often it was made. */
function failing(...errors: readonly unknown[]): {
  readonly call: () => Promise<string>;
  tries: () => number;
} {
  let tries = 0;
  return {
    call: async () => {
      const error = errors[tries];
      tries += 1;
      if (error !== undefined) throw error;
      return "answer";
    },
    tries: () => tries,
  };
}

/** An error as the Durable Objects platform marks it. */
function platformError(marks: Record<string, unknown>): Error {
  return Object.assign(new Error("Durable Object reset"), marks);
}

const RETRYABLE = platformError({ retryable: true });

describe(verifies("storage.retry", "calls to objects"), () => {
  it("gateway: a call that works is made once", async () => {
    const { call, tries } = failing();
    expect([await retrying(call), tries()]).toEqual(["answer", 1]);
  });

  it.each([1, 2])("Durable Objects, error handling: %i retryable failures are got over", async (failures) => {
    const { call, tries } = failing(...Array.from({ length: failures }, () => RETRYABLE));
    expect([await retrying(call), tries()]).toEqual(["answer", failures + 1]);
  });

  it("Durable Objects, error handling: the third retryable failure is thrown as it is", async () => {
    const last = platformError({ retryable: true, remote: true });
    const { call, tries } = failing(RETRYABLE, RETRYABLE, last);
    await expect(retrying(call)).rejects.toBe(last);
    expect(tries()).toBe(3);
  });

  it.each([
    ["an overloaded object", platformError({ retryable: true, overloaded: true })],
    ["an error that is not retryable", platformError({ retryable: false })],
    ["an error without a mark", platformError({})],
    ["a mark that is not true", platformError({ retryable: "true" })],
    ["something that is no error", { retryable: true }],
  ])("Durable Objects, error handling: %s is not asked again", async (_, error) => {
    const { call, tries } = failing(error);
    await expect(retrying(call)).rejects.toBe(error);
    expect(tries()).toBe(1);
  });

  it("gateway: the pauses between tries grow and differ", async () => {
    const before = Date.now();
    await retrying(failing(RETRYABLE, RETRYABLE).call);
    const took = Date.now() - before;
    // 50 to 100 ms, then 100 to 200 ms; a slow machine may add to it.
    expect(took).toBeGreaterThanOrEqual(145);
    expect(took).toBeLessThan(2000);
  });
});
