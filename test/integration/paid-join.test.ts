// The same paid call asked twice at the same time costs once, and every caller gets the answer as if it were alone: its
// own id, its own protocol revision, its own stream. Asserted against what the stand-in Gong charged.

import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { beginSession, connectAs, type Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  cancelPaid,
  leave,
  letGo,
  ledgerRows,
  messagesOf,
  rowsWhen,
  servedNote,
  twoClients,
  untilAtGong,
  type Era,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await begin();
  await gong.knobs({ toolsHeld: true, era: "both" });
});
// Ends the streams that wait for an answer to Gong's question.
afterAll(() => gong.reset());

const FORMS = (["json", "sse"] as const).flatMap((answerAs) =>
  (["legacy", "modern"] as const).flatMap((first) =>
    (["legacy", "modern"] as const).map((second): [string, Era, Era] => [answerAs, first, second]),
  ),
);

describe(verifies("paid.joined", "one call for all who ask the same"), () => {
  it.each(FORMS)(
    "MCP: Gong answers %s, a %s caller pays, a %s one joins: each gets its own answer",
    async (answerAs, first, second) => {
      await gong.knobs({ answerAs: answerAs as "json" | "sse" });
      const [ada, other] = await twoClients();
      const paying = askPaid(ada, { id: 7, era: first });
      await untilAtGong();
      const joining = askPaid(other, { id: "seven", era: second });
      await letGo(1);
      const [paid, joined] = [await answerOf(await paying), await answerOf(await joining)];
      expect(paid.id).toBe(7);
      expect(servedNote(paid)).toBeUndefined();
      expect(joined.id).toBe("seven");
      expect(servedNote(joined)).toEqual({ how: "joined", ageSeconds: 0 });
      expect(joined.result?.content).toEqual(paid.result?.content);
      expect(joined.result?.resultType).toBe(second === "modern" ? "complete" : undefined);
      expect(await gong.credits()).toBe(1);
      const rows = await rowsWhen((all) => all.filter(({ delivered }) => delivered === 1).length === 2);
      expect(rows.map(({ served, outcome }) => `${served} ${outcome}`)).toEqual(["joined ok", "paid ok"]);
      expect(rows[0]?.paid_by).toBe(rows[1]?.id);
    },
  );

  it.each([
    ["json", "text/event-stream", "text/event-stream"],
    ["sse", "application/json", "application/json"],
    ["json", "*/*", "application/json"],
    ["sse", "*/*", "text/event-stream"],
  ] as const)(
    "RFC 9110 §12.5.1: Gong answers %s, and a joined caller that accepts %s gets %s",
    async (answerAs, accept, type) => {
      await gong.knobs({ answerAs });
      const [ada, other] = await twoClients();
      const paying = askPaid(ada);
      await untilAtGong();
      const joining = askPaid(other, { id: 2, accept });
      await letGo(1);
      const joined = await joining;
      expect(joined.headers.get("content-type")).toBe(type);
      expect((await answerOf(joined)).id).toBe(2);
      await (await paying).text();
      expect(await gong.credits()).toBe(1);
    },
  );

  it("MCP 2025-11-25, Progress: each caller hears of progress under its own token, and only if it gave one", async () => {
    await gong.knobs({ answerAs: "sse" });
    const [ada, other] = await twoClients();
    const paying = askPaid(ada, { meta: { progressToken: "mine" } });
    await untilAtGong();
    const joining = [askPaid(other, { id: 2, meta: { progressToken: 99 } }), askPaid(other, { id: 3 })];
    await letGo(2);
    const all = await Promise.all([paying, ...joining].map(async (response) => messagesOf(await response)));
    const tokens = all.map((messages) =>
      messages.filter(({ method }) => method !== undefined).map(({ params }) => params?.["progressToken"]),
    );
    expect(tokens[0]).toEqual(["mine", "mine"]);
    expect(tokens[1]?.at(-1)).toBe(99);
    expect(new Set(tokens[1])).toEqual(new Set([99]));
    expect(tokens[2]).toEqual([]);
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: fifty of the same call at once are one at Gong, and the ledger says what each one was", async () => {
    const clients = await twoClients();
    const calls = Array.from({ length: 50 }, (_, at) => askPaid(clients[at % 2] ?? clients[0], { id: at }));
    await letGo(49);
    const answers = await Promise.all(calls.map(async (response) => answerOf(await response)));
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => at));
    expect(await gong.credits()).toBe(1);
    const rows = await rowsWhen((all) => all.every(({ delivered }) => delivered === 1));
    expect(rows.filter(({ served }) => served === "paid")).toHaveLength(1);
    expect(rows.filter(({ served }) => served === "joined")).toHaveLength(49);
  });

  it("gateway: another question, another tool and another person's same question are calls of their own", async () => {
    await letGo();
    const [ada, other] = await twoClients();
    const grace = await connectAs("grace");
    const answers = await Promise.all(
      [
        askPaid(ada),
        askPaid(other, { question: "Who is the champion?" }),
        askPaid(other, { tool: "ask_deal", params: { arguments: { crmDeal: "D-1", question: "?" } } }),
        askPaid(grace),
      ].map(async (response) => answerOf(await response)),
    );
    expect(answers.map(servedNote)).toEqual([undefined, undefined, undefined, undefined]);
    expect(JSON.stringify(answers[3])).toContain("CANARY-grace");
    expect(await gong.credits()).toBe(4);
  });

  it.each([
    ["another one is a call of its own", "us", 2],
    ["the same one is the same call", "eu", 1],
  ])("MCP 2026-07-28, Mcp-Param headers go on to Gong, so %s", async (_, region, credits) => {
    const [ada, other] = await twoClients();
    const calls = [
      askPaid(ada, { headers: { "mcp-param-region": "eu" } }),
      askPaid(other, { headers: { "mcp-param-region": region } }),
    ];
    await letGo(2 - credits);
    for (const response of await Promise.all(calls)) await response.text();
    expect(await gong.credits()).toBe(credits);
  });

  it("gateway: the same call after the answer was delivered is paid again", async () => {
    await letGo();
    const [ada] = await twoClients();
    for (let times = 1; times <= 3; times += 1) {
      expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
      expect(await gong.credits()).toBe(times);
    }
  });
});

describe(verifies("paid.cancelled", "one caller's end is not another's"), () => {
  it("MCP 2026-07-28, Cancellation: whoever pays leaves its stream, and the one that joined is answered", async () => {
    await gong.knobs({ answerAs: "sse" });
    const [ada, other] = await twoClients();
    const paying = await askPaid(ada, { era: "modern", meta: { progressToken: 1 } });
    const joining = askPaid(other, { id: 2 });
    await leave(paying);
    await letGo(1);
    expect(servedNote(await answerOf(await joining))?.how).toBe("joined");
    expect(await gong.credits()).toBe(1);
    const rows = await rowsWhen((all) =>
      all.some(({ served, delivered }) => served === "joined" && delivered === 1),
    );
    expect(rows.find(({ served }) => served === "paid")).toMatchObject({ outcome: "ok", delivered: 0 });
  });

  it("MCP 2025-11-25, Cancellation: a joined caller cancels; it gets no response, Gong hears nothing, the payer is answered", async () => {
    await gong.knobs({ answerAs: "sse" });
    const [ada, other] = await twoClients();
    const paying = askPaid(ada, { id: "same" });
    await untilAtGong();
    const joined = await askPaid(other, { id: "same" });
    expect((await cancelPaid(other, "same")).status).toBe(202);
    expect(await messagesOf(joined)).toEqual([]);
    await letGo();
    expect((await answerOf(await paying)).id).toBe("same");
    const sent = (await gong.ledger()).filter(
      (entry) => entry.kind === "request" && entry.rpcMethod === "notifications/cancelled",
    );
    expect(sent).toEqual([]);
    expect(await gong.credits()).toBe(1);
  });

  it("MCP 2025-11-25, Cancellation: the payer cancels in its session; the call goes on for the one that joined", async () => {
    await gong.knobs({ answerAs: "sse", sessions: true, era: "legacy" });
    const [ada, other] = await twoClients();
    const sessions = [
      await beginSession(ada.tokens.access_token),
      await beginSession(other.tokens.access_token),
    ];
    const paid = await askPaid(ada, { id: 5, session: sessions[0] ?? "" });
    const joining = askPaid(other, { id: 5, session: sessions[1] ?? "" });
    await untilAtGong();
    expect((await cancelPaid(ada, 5, sessions[0])).status).toBe(202);
    expect(await messagesOf(paid)).toEqual([]);
    await letGo(1);
    expect(servedNote(await answerOf(await joining))?.how).toBe("joined");
    expect(await gong.credits()).toBe(1);
  });

  it("MCP 2025-11-25, Cancellation: a cancellation of another client, or of no paid call, ends nothing", async () => {
    const [ada, other] = await twoClients();
    const paying = askPaid(ada, { id: 5 });
    await untilAtGong();
    await (await cancelPaid(other, 5)).text();
    await (await cancelPaid(ada, 6)).text();
    await letGo();
    expect((await answerOf(await paying)).result?.isError).toBeUndefined();
  });

  it("MCP 2025-11-25, Elicitation: Gong's question goes to the payer alone; who joined waits, who comes later asks anew", async () => {
    await gong.knobs({
      answerAs: "sse",
      sessions: true,
      era: "legacy",
      asksBeforeAnswer: true,
      toolsHeld: false,
    });
    const [ada, other] = await twoClients();
    const session = await beginElicitingSession(ada);
    const paid = await askPaid(ada, { id: 1, session });
    const reader = paid.body?.getReader();
    const question = new TextDecoder().decode((await reader?.read())?.value);
    expect(question).toContain("elicitation/create");
    const { id } = JSON.parse(question.slice(question.indexOf("{"))) as { id: number };
    const later = await askPaid(other, { id: 2, session: await beginElicitingSession(other) });
    expect(new TextDecoder().decode((await later.body?.getReader().read())?.value)).toContain(
      "elicitation/create",
    );
    const reply = { jsonrpc: "2.0", id, result: { action: "accept", content: { sure: true } } };
    const replied = await ask("/mcp", {
      method: "POST",
      headers: {
        authorization: `Bearer ${ada.tokens.access_token}`,
        "content-type": "application/json",
        "mcp-session-id": session,
      },
      body: JSON.stringify(reply),
    });
    expect(replied.status).toBe(202);
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("CANARY-ada");
    expect((await ledgerRows()).map(({ served }) => served)).toEqual(["paid", "paid"]);
    expect(await gong.credits()).toBe(1);
  });
});

async function beginElicitingSession({ tokens }: Connected): Promise<string> {
  const response = await ask("/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokens.access_token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: {
        protocolVersion: "2025-06-18",
        capabilities: { elicitation: {} },
        clientInfo: { name: "test", version: "1" },
      },
    }),
  });
  await response.text();
  return response.headers.get("mcp-session-id") ?? "";
}
