// Answers of Gong's at the bound of 8 MiB: what is within it reaches everybody whole, now or later; what is beyond it
// breaks off, and the ledger says why.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { rows } from "../support/connection.ts";
import { gong } from "../support/gong.ts";
import { atGong } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
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
