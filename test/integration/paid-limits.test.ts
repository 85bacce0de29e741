// Answers of Gong's at the bound of 8 MiB: what is within it reaches everybody whole, now or later; what is beyond it
// breaks off, and the ledger says why.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { rows } from "../support/connection.ts";
import { gong } from "../support/gong.ts";
import { atGong } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  letGo,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
} from "../support/paid.ts";

const MEBIBYTE = 1_048_576;

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both" });
  await setPolicy({});
  await begin();
});

/** Gong answers its next call so. */
async function answersWith(body: string): Promise<void> {
  await gong.fault({
    endpoint: "mcp",
    fault: { kind: "status", status: 200, body, headers: { "content-type": "application/json" } },
  });
}

describe(verifies("paid.bounded", "long answers"), () => {
  it("gateway: 7 MiB reach the payer byte for byte, and who asks again after it was left, whole", async () => {
    const text = "x".repeat(7 * MEBIBYTE);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text }] } });
    const [ada, other] = await twoClients();
    await answersWith(body);
    expect((await (await askPaid(ada)).text()) === body).toBe(true);
    await answersWith(body);
    const left = await askPaid(ada, { question: "And then?" });
    await rowsWhen((all) => all[0]?.outcome === "ok");
    await left.body?.cancel();
    const answer = await answerOf(await askPaid(other, { id: 2, question: "And then?" }));
    expect(servedNote(answer)?.how).toBe("recovered");
    expect(answer.result?.content?.[0]?.text === text).toBe(true);
    expect(await atGong()).toHaveLength(2);
  });

  it.each(["huge_body", "huge_event"] as const)(
    "gateway: more than 8 MiB (%s) breaks off, is kept for nobody, and is counted as it may have been charged",
    async (kind) => {
      const [ada, other] = await twoClients();
      await gong.fault({ endpoint: "mcp", fault: { kind, bytes: 9 * MEBIBYTE } });
      const response = await askPaid(ada);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow("The answer broke off");
      const [row] = await rowsWhen((all) => all[0]?.outcome !== "running");
      expect(row).toMatchObject({ served: "paid", outcome: "too_long", delivered: 0 });
      expect(row?.answer_bytes).toBeGreaterThan(8 * MEBIBYTE);
      expect(await rows(await connectionUsed(), "kept_results")).toEqual([]);
      expect(servedNote(await answerOf(await askPaid(other)))).toBeUndefined();
    },
  );
});

describe(verifies("paid.unread", "callers who do not take their answers"), () => {
  const big = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    result: { content: [{ type: "text", text: "x".repeat(6 * MEBIBYTE) }] },
  });

  /** The gateway's minute, after which a client that takes nothing has left, is over after 30 ms here. */
  function shortenMinute(): void {
    const { setTimeout: set } = globalThis;
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, after: number) =>
      set(run, after === 60_000 ? 30 : after)) as typeof setTimeout);
  }
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("gateway: after a minute without taking anything a caller has left, and its result is kept for it", async () => {
    const [ada] = await twoClients();
    await answersWith(big);
    shortenMinute();
    const stalled = await askPaid(ada);
    // Its result is sealed and kept once nobody waits for the flight any more.
    await expect
      .poll(async () => servedNote(await answerOf(await askPaid(ada)))?.how, { timeout: 20_000 })
      .toBe("recovered");
    await expect(stalled.text()).rejects.toThrow("The answer broke off");
    expect(await atGong()).toHaveLength(1);
  });

  it("gateway: with 16 MiB that it has not taken, a client is told to come back; others of the connection are served", async () => {
    const [ada, other] = await twoClients();
    const stalled: Response[] = [];
    for (let n = 1; n <= 3; n += 1) {
      await answersWith(big);
      stalled.push(await askPaid(ada, { question: `Question ${n}` }));
      await rowsWhen((all) => all.filter(({ outcome }) => outcome === "ok").length === n);
    }
    const refused = await askPaid(ada, { id: 9 });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refused.json()).toMatchObject({ id: 9, error: { code: -32_003 } });
    expect((await answerOf(await askPaid(other))).result).toBeDefined();
    for (const response of stalled) await response.body?.cancel();
    await expect.poll(async () => (await askPaid(ada)).status, { timeout: 20_000 }).toBe(200);
  });

  it("gateway: 128 calls of one client may wait at once, one more is told to come back, and others are served", async () => {
    const [ada, other] = await twoClients();
    await gong.knobs({ toolsHeld: true });
    const waiting = Array.from({ length: 128 }, () => askPaid(ada));
    await rowsWhen((all) => all.length === 128);
    expect((await askPaid(ada)).status).toBe(503);
    const others = askPaid(other);
    await letGo(128);
    const answers = await Promise.all(waiting.map(async (response) => answerOf(await response)));
    expect(answers.every(({ result }) => result !== undefined)).toBe(true);
    expect((await answerOf(await others)).result).toBeDefined();
    expect(await gong.credits()).toBe(1);
  });
});
