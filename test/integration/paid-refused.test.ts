// Calls that must not be paid for: over budget, while Gong throttles, and once Gong has no credits left. What the agent
// is told, what the ledger says, and what Gong was asked.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULT_POLICY } from "../../src/mcp/policy.ts";
import { verifies } from "../conformance/verifies.ts";
import { creditsCharged, toolCalls } from "../gong/ledger-questions.ts";
import { adminBrowser, adminPage } from "../support/admin.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { atGong, connectAs } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  ledgerRows,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both" });
  await setPolicy({});
  await begin();
});
afterEach(() => {
  vi.useRealTimers();
});

const textOf = (message: Awaited<ReturnType<typeof answerOf>>): string =>
  message.result?.content?.[0]?.text ?? "";

describe(verifies("paid.budget", "a call over budget"), () => {
  const budget = (perDay: number) =>
    setPolicy({ budgets: { ...DEFAULT_POLICY.budgets, company: { perDay } } });

  it.each([
    ["json", "legacy"],
    ["json", "modern"],
    ["sse", "legacy"],
    ["sse", "modern"],
  ] as const)(
    "gateway, Gong answers %s: a %s caller over budget gets a tool error that says so, and Gong is not asked",
    async (answerAs, era) => {
      await gong.knobs({ answerAs });
      await budget(0);
      const [ada] = await twoClients();
      const response = await askPaid(ada, { id: "x", era });
      expect(response.status).toBe(200);
      const answer = await answerOf(response);
      expect(answer).toMatchObject({ id: "x", result: { isError: true } });
      expect(answer.result?.resultType).toBe(era === "modern" ? "complete" : undefined);
      expect(textOf(answer)).toMatch(/budget/i);
      expect(toolCalls(await gong.ledger())).toEqual([]);
      expect((await ledgerRows())[0]).toMatchObject({ served: "refused", outcome: "refused", delivered: 1 });
    },
  );

  it("gateway: 200 different calls at once against a budget of 100 are exactly 100 at Gong", async () => {
    await budget(100);
    const clients = await twoClients();
    const calls = Array.from({ length: 200 }, (_, at) =>
      askPaid(clients[at % 2] ?? clients[0], {
        id: at,
        question: `Question ${at} of ${crypto.randomUUID()}`,
      }),
    );
    const answers = await Promise.all(calls.map(async (response) => answerOf(await response)));
    expect(answers.filter(({ result }) => result?.isError === true)).toHaveLength(100);
    expect(await gong.credits()).toBe(100);
    const rows = await ledgerRows();
    expect(rows.filter(({ served }) => served === "paid")).toHaveLength(100);
    expect(rows.filter(({ served }) => served === "refused")).toHaveLength(100);
  }, 60_000);

  it("gateway: on the last place of a budget, joining costs none of it", async () => {
    // A day of its own, in which nothing was spent.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await gong.knobs({ toolLatencyMs: 300 });
    const [ada, other] = await twoClients();
    await setPolicy({
      budgets: { ...DEFAULT_POLICY.budgets, connection: { each: { perDay: 1 }, byId: {} } },
      timeZone: "Pacific/Kiritimati",
    });
    const grace = await connectAs("grace");
    await (await askPaid(grace)).text();
    const calls = [ada, other, ada, other].map(async (client, id) => answerOf(await askPaid(client, { id })));
    const notes = (await Promise.all(calls)).map(
      (answer) => servedNote(answer)?.how ?? (answer.result?.isError === true ? "refused" : "paid"),
    );
    expect(new Set(notes).size).toBeLessThanOrEqual(2);
    const rows = await rowsWhen((all) => all.every(({ outcome }) => outcome !== "running"));
    const paid = rows.filter(({ served }) => served === "paid").length;
    expect(await gong.credits()).toBe(paid);
  });
});

describe(verifies("paid.throttled", "429 of Gong"), () => {
  it("RFC 6585 §4: a Retry-After within the caller's patience is waited for, and the call is asked once more", async () => {
    await gong.fault({ endpoint: "mcp", fault: { kind: "rate_limited", retryAfter: "1" } });
    const [ada] = await twoClients();
    const began = Date.now();
    expect((await answerOf(await askPaid(ada))).result?.isError).toBeUndefined();
    expect(Date.now() - began).toBeGreaterThanOrEqual(950);
    expect(await gong.credits()).toBe(1);
  });

  it("RFC 6585 §4: one beyond it passes, also to those who joined, under their own ids", async () => {
    await gong.fault({
      endpoint: "mcp",
      fault: { kind: "rate_limited", retryAfter: "600" },
      times: "always",
    });
    const [ada] = await twoClients();
    const response = await askPaid(ada);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "600"]);
    await response.text();
    const [row] = await rowsWhen((all) => all.length === 1 && all[0]?.outcome !== "running");
    expect(row).toMatchObject({ outcome: "rate_limited", gong_status: 429 });
    const asked = (await atGong()).length;
    // Everybody is told how long, and Gong is left alone meanwhile.
    const next = await askPaid(ada, { question: "Another one?" });
    expect(next.status).toBe(503);
    expect(Number(next.headers.get("retry-after"))).toBeGreaterThan(590);
    expect(await atGong()).toHaveLength(asked);
    expect(creditsCharged(await gong.ledger())).toBe(0);
    // Only in memory.
    await evictDurableObject(await connectionUsed());
  });
});

/** What a fresh admin session learns of Gong's credits in /health, on the overview and in the list of connections. */
async function toldToAdmins() {
  const admin = await adminBrowser();
  const health: { outOfCredits: { connections: number } } = await (await admin.open("/health")).json();
  const list = readText(await adminPage(admin, "/admin/connections?state=no_credits"));
  return {
    outOfCredits: health.outOfCredits.connections,
    overview: readText(await adminPage(admin)).includes("Gong credits are used up, as Gong says since"),
    listed: list.includes("Gong's credits are used up, since"),
  };
}

describe(verifies("paid.credits", "Gong has no credits left"), () => {
  it.each(["tool_error", "http_402"] as const)(
    "gateway, Gong says so by %s: it is asked once, everybody is told, one call in five minutes finds out, and then it works again",
    async (creditsUsedUpAs) => {
      const [, other] = await twoClients(creditsUsedUpAs === "http_402" ? "grace" : "ada");
      await gong.knobs({ creditBalance: 0, creditsUsedUpAs });
      const first = await askPaid(other);
      expect(first.status).toBe(creditsUsedUpAs === "http_402" ? 402 : 200);
      expect(await first.text()).toMatch(/credits/i);
      await rowsWhen((all) => all[0]?.outcome === "out_of_credits");
      const asked = (await atGong()).length;
      const told = await Promise.all([1, 2, 3].map(async (id) => answerOf(await askPaid(other, { id }))));
      for (const answer of told) {
        expect(answer.result?.isError).toBe(true);
        expect(textOf(answer)).toContain("Gong has no credits left");
      }
      expect(await atGong()).toHaveLength(asked);
      expect((await ledgerRows())[0]).toMatchObject({ served: "refused", outcome: "out_of_credits" });
      await expect.poll(toldToAdmins).toEqual({ outOfCredits: 1, overview: true, listed: true });
      expect((await (await connectionUsed()).describe())?.outOfCreditsSince).toBeGreaterThan(0);
      await gong.knobs({ creditBalance: null, toolLatencyMs: 200 });
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
      const probing = askPaid(other, { id: "probe" });
      await untilAtGong();
      expect((await answerOf(await askPaid(other, { question: "Another?" }))).result?.isError).toBe(true);
      expect((await answerOf(await probing)).result?.isError).toBeUndefined();
      expect(
        (await answerOf(await askPaid(other, { question: "And another?" }))).result?.isError,
      ).toBeUndefined();
      expect(await gong.credits()).toBe(2);
      await expect.poll(toldToAdmins).toEqual({ outOfCredits: 0, overview: false, listed: false });
      expect((await (await connectionUsed()).describe())?.outOfCreditsSince).toBeUndefined();
    },
  );

  it.each([
    ["that names other workspaces", ["One", "Two"], undefined],
    ["in words that the caller sent", ["No credits left", "Two"], "No credits left?"],
  ] as const)(
    "gateway: an error %s is no word about credits, so one agent's argument stops nobody else's calls",
    async (_, workspaces, workspace) => {
      const ada = await connectAs("ada");
      await gong.knobs({ workspaces: [...workspaces] });
      const sent = { crmAccount: "Globex", question: "Who is the champion?", workspace };
      const refused = await answerOf(await askPaid(ada, { params: { arguments: sent } }));
      expect(refused.result?.isError).toBe(true);
      const [row] = await rowsWhen((all) => all.length === 1 && all[0]?.outcome !== "running");
      expect(row?.outcome).toBe("tool_error");
      await gong.knobs({ workspaces: ["Main"] });
      expect((await answerOf(await askPaid(ada))).result?.isError).toBeUndefined();
    },
  );
});
