// The warning that a budget is nearly used, on its way to the agent: in the result's `_meta`, on every revision, as
// JSON and as events, and nothing else of Gong's answer is another than it would be without.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import { verifies } from "../conformance/verifies.ts";
import { gong } from "../support/gong.ts";
import { connectAs } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  messagesOf,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
  type Era,
  type Message,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both", protocolVersions: ["2025-11-25", "2025-06-18", "2025-03-26"] });
  await setPolicy({});
  await begin();
});
afterEach(() => {
  vi.useRealTimers();
});

const warningIn = ({ result }: Message): unknown => result?._meta?.["gong-mcp-gateway/budget"];

/** A budget of `perDay` calls for this client alone, with a warning from `warnAtPercent` on. */
function budgetOf(clientId: string, perDay: number, changes: Partial<Policy> = {}): Promise<void> {
  const client = { each: {}, byId: { [clientId]: { perDay } } };
  return setPolicy({ budgets: { ...DEFAULT_POLICY.budgets, client }, warnAtPercent: 50, ...changes });
}

const REVISIONS = (["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const).flatMap((revision) =>
  (["json", "sse"] as const).map((answerAs) => [revision, answerAs] as const),
);

describe(verifies("paid.budget_warning", "most of a budget is used"), () => {
  it.each(REVISIONS)(
    "MCP %s, Gong answers %s: the result says so, and not before",
    async (revision, answerAs) => {
      await gong.knobs({ answerAs });
      const { clientId, tokens } = await connectAs("ada");
      await budgetOf(clientId, 3);
      const era: Era = revision === "2026-07-28" ? "modern" : "legacy";
      const headers = { "mcp-protocol-version": revision };
      const warnings: unknown[] = [];
      for (const id of [1, 2, 3]) {
        const meta = answerAs === "sse" ? { progressToken: "p" } : {};
        const response = await askPaid({ tokens }, { id, era, headers, meta });
        expect(response.headers.get("content-type")).toMatch(
          answerAs === "sse" ? /^text\/event-stream/ : /json/,
        );
        const messages = await messagesOf(response);
        const answer = messages.at(-1);
        expect(answer?.id).toBe(id);
        expect(JSON.stringify(answer)).toContain("CANARY-ada");
        expect(answer?.result?.resultType).toBe(era === "modern" ? "complete" : undefined);
        expect(messages.filter(({ method }) => method !== undefined)).toHaveLength(
          answerAs === "sse" ? 2 : 0,
        );
        warnings.push(answer === undefined ? answer : warningIn(answer));
      }
      expect(warnings).toEqual([
        undefined,
        expect.objectContaining({ budget: "client", period: "day", used: 2, limit: 3 }),
        expect.objectContaining({ budget: "client", period: "day", used: 3, limit: 3 }),
      ]);
      const refused = await answerOf(await askPaid({ tokens }, { era, headers }));
      expect(refused.result?.isError).toBe(true);
      expect(warningIn(refused)).toBeUndefined();
      expect(await gong.credits()).toBe(3);
    },
  );

  it.each(["json", "sse"] as const)(
    "gateway, Gong answers %s: but for the warning it is Gong's answer, whether its bytes come one by one or at once",
    async (answerAs) => {
      await gong.knobs({ answerAs, structuredContent: true });
      const { clientId, tokens } = await connectAs("ada");
      const ask = async (): Promise<string> => {
        const response = await askPaid(
          { tokens },
          { meta: { progressToken: "p" }, question: "What is new, Zoë?" },
        );
        // The stand-in counts its requests.
        return (await response.text()).replaceAll(/stand-in-\d+/g, "stand-in");
      };
      const plain = await ask();
      await budgetOf(clientId, 100, { warnAtPercent: 1 });
      for (const everyMs of [undefined, 0]) {
        if (everyMs !== undefined) {
          await gong.fault({ endpoint: "mcp", fault: { kind: "trickle", bytes: 40, everyMs } });
        }
        const warned = await ask();
        expect(warned).toContain("gong-mcp-gateway/budget");
        const without = warned.replace(/,"_meta":\{"gong-mcp-gateway\/budget":\{.*?\}\}/, "");
        expect(without).toBe(plain);
      }
    },
  );

  it("WHATWG HTML §9.2.6: it is in events that end in CR as well", async () => {
    await gong.knobs({ answerAs: "sse" });
    await gong.fault({ endpoint: "mcp", fault: { kind: "cr_only_events" } });
    const { clientId, tokens } = await connectAs("ada");
    await budgetOf(clientId, 1);
    const text = await (await askPaid({ tokens })).text();
    expect(text).toContain('"gong-mcp-gateway/budget":{"budget":"client"');
    expect(text).toContain("CANARY-ada");
  });

  it("gateway: who joins, and who is given a kept result, spends nothing and is warned of nothing", async () => {
    await gong.knobs({ answerAs: "sse", toolsHeld: true });
    const [ada, other] = await twoClients();
    await budgetOf(ada.clientId, 1);
    const paying = askPaid(ada);
    await untilAtGong();
    const joining = askPaid(other, { id: 2 });
    const leaving = await askPaid(ada, { id: 3 });
    await rowsWhen((all) => all.length === 3);
    await leaving.body?.cancel();
    await gong.knobs({ toolsHeld: false });
    expect(warningIn(await answerOf(await paying))).toMatchObject({ used: 1, limit: 1 });
    const joined = await answerOf(await joining);
    expect([servedNote(joined)?.how, warningIn(joined)]).toEqual(["joined", undefined]);
    await rowsWhen((all) => all.filter(({ delivered }) => delivered === 1).length === 2);
    const recovered = await answerOf(await askPaid(ada, { id: 4 }));
    expect([servedNote(recovered)?.how, warningIn(recovered)]).toEqual(["recovered", undefined]);
    expect(await gong.credits()).toBe(1);
  });

  it("JSON-RPC 2.0 §5.1: an error of Gong's passes as it is", async () => {
    const { clientId, tokens } = await connectAs("ada");
    await budgetOf(clientId, 1);
    const error = '{"jsonrpc":"2.0","id":1, "error":{"code":-32602,"message":"Not so"}}';
    const headers = { "content-type": "application/json" };
    await gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 200, body: error, headers } });
    expect(await (await askPaid({ tokens })).text()).toBe(error);
  });

  it("RFC 8259 §6: digits that JavaScript can't hold stay in the answer as Gong wrote them", async () => {
    const { clientId, tokens } = await connectAs("ada");
    await budgetOf(clientId, 1);
    const body = '{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"n":12345678901234567890.50}}}';
    const headers = { "content-type": "application/json" };
    await gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 200, body, headers } });
    const text = await (await askPaid({ tokens })).text();
    expect(text).toContain('"n":12345678901234567890.50,"gong-mcp-gateway/budget":{');
  });

  it.each([
    ["before a new year", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00.000Z", "2027-01-01 at 00:00"],
    ["as summer time begins", "2027-03-28T00:30:00Z", "2027-03-28T22:00:00.000Z", "2027-03-29 at 00:00"],
    ["as summer time ends", "2027-10-31T00:30:00Z", "2027-10-31T23:00:00.000Z", "2027-11-01 at 00:00"],
  ])("ECMA-402: %s it says when the day ends in the admins' time zone", async (_, now, resetsAt, words) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(now) });
    const { clientId, tokens } = await connectAs("ada");
    await budgetOf(clientId, 1, { timeZone: "Europe/Berlin" });
    const warning = warningIn(await answerOf(await askPaid({ tokens })));
    expect(warning).toMatchObject({ used: 1, limit: 1, resetsAt });
    expect(warning).toMatchObject({ message: expect.stringContaining(`${words} Europe/Berlin`) });
  });
});
