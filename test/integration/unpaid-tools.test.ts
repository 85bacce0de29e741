// Calls of a tool that the policy says costs nothing: they are checked like any other call, then go straight to Gong
// and back. What the ledger, the budgets and the stand-in Gong say of them.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import { verifies } from "../conformance/verifies.ts";
import { connectionOf, makeKey } from "../support/agent-key.ts";
import { rows } from "../support/connection.ts";
import { ask } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, connectAs, ledgerWhen } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  leave,
  ledgerRows,
  messagesOf,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both" });
  await begin();
});

const free = { ...DEFAULT_POLICY.tools, ask_account: { pays: false, weight: 1, reuseSeconds: 300 } };

/** Puts a policy in force under which ask_account costs nothing. */
const freeOfCharge = (changes: Partial<Policy> = {}): Promise<void> => setPolicy({ tools: free, ...changes });

const reservations = (): Promise<readonly unknown[]> => rows(env.ADMIN.getByName("admin"), "reservations");

describe(verifies("paid.unpaid_tools", "a call of a tool that costs nothing"), () => {
  it.each([
    ["legacy", "json"],
    ["legacy", "sse"],
    ["modern", "json"],
    ["modern", "sse"],
  ] as const)(
    "gateway, %s, Gong answers %s: Gong's own answer, no row, no reservation; the same call by another is a call of its own",
    async (era, answerAs) => {
      await gong.knobs({ answerAs, toolsHeld: true });
      await freeOfCharge();
      const [ada, other] = await twoClients();
      const before = await reservations();
      const calls = [askPaid(ada, { id: "a", era }), askPaid(other, { id: "b", era })];
      await untilAtGong(2);
      await gong.knobs({ toolsHeld: false });
      const responses = await Promise.all(calls);
      const answers = await Promise.all(responses.map((response) => answerOf(response)));
      expect(answers.map(({ id }) => id)).toEqual(["a", "b"]);
      for (const answer of answers) expect(JSON.stringify(answer)).toContain("CANARY-ada");
      expect(answers.map(servedNote)).toEqual([undefined, undefined]);
      expect(await atGong()).toHaveLength(2);
      expect(await ledgerRows()).toEqual([]);
      expect(await reservations()).toEqual(before);
      await setPolicy({});
      await (await askPaid(ada, { era })).text();
      expect((await ledgerRows()).map(({ served }) => served)).toEqual(["paid"]);
    },
  );

  it("MCP 2025-11-25, Progress: events of its stream come as Gong sends them, and its end is Gong's to hear", async () => {
    await gong.knobs({ answerAs: "sse", era: "modern", toolsHeld: true });
    await freeOfCharge();
    const ada = await connectAs("ada");
    const response = await askPaid(ada, { era: "modern", meta: { progressToken: 1 } });
    await leave(response);
    const entries = await ledgerWhen((all) =>
      all.some((entry) => entry.kind === "tool_call" && entry.event === "cancelled"),
    );
    expect(entries.some((entry) => entry.kind === "tool_call" && entry.event === "answered")).toBe(false);
  });

  it("gateway: no budget holds it, and no want of credits", async () => {
    await setPolicy({});
    const ada = await connectAs("grace");
    await gong.knobs({ creditBalance: 0 });
    await (await askPaid(ada)).text();
    await rowsWhen((all) => all[0]?.outcome === "out_of_credits");
    await gong.knobs({ creditBalance: null });
    const none = { ...DEFAULT_POLICY.budgets, company: { perDay: 0 } };
    await freeOfCharge({ budgets: none });
    expect((await answerOf(await askPaid(ada))).result?.isError).toBeUndefined();
    await setPolicy({ budgets: none });
    expect((await answerOf(await askPaid(ada, { question: "Another?" }))).result?.isError).toBe(true);
  });

  it("RFC 6750 §3.1: a credential that was revoked a moment ago is refused, though it was good for the call before", async () => {
    await freeOfCharge();
    const ada = await connectAs("ada");
    expect((await askPaid(ada)).status).toBe(200);
    const body = new URLSearchParams({ client_id: ada.clientId, token: ada.tokens.access_token });
    expect((await ask("/revoke", { method: "POST", body })).status).toBe(200);
    const refused = await askPaid(ada);
    expect(refused.status).toBe(401);
    expect(await refused.text()).not.toContain("CANARY");
    expect(await atGong()).toHaveLength(1);
  });

  it("MCP Tools: policy says who may call it, as for any other", async () => {
    const ada = await connectAs("ada");
    await freeOfCharge({ clients: { [ada.clientId]: { deny: ["ask_account"] } } });
    const refused = await answerOf(await askPaid(ada));
    expect(refused.result?.isError).toBe(true);
    expect(await atGong()).toEqual([]);
    expect((await ledgerRows())[0]).toMatchObject({ served: "refused", outcome: "refused" });
    await freeOfCharge();
    expect((await answerOf(await askPaid(ada))).result?.isError).toBeUndefined();
  });

  it("MCP authorization, Scope Challenge: a client without the tool's scope is asked for it, and an agent key is held to its tools", async () => {
    await freeOfCharge();
    const briefer = await connectAs("ada", { scope: "mcp:ai-briefer:read" });
    const response = await askPaid(briefer);
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toContain("mcp:ai-ask:read");
    const other = await connectAs("ada");
    const key = await makeKey(await connectionOf(other.tokens.access_token), { tools: ["ask_deal"] });
    const held = { tokens: { ...other.tokens, access_token: key.key } };
    expect((await answerOf(await askPaid(held))).result?.isError).toBe(true);
    expect(await atGong()).toEqual([]);
  });

  it("RFC 6750 §3.1: Gong's 401 is answered by one refresh and one replay", async () => {
    await freeOfCharge();
    const ada = await connectAs("ada");
    await gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" } });
    expect((await messagesOf(await askPaid(ada))).at(-1)?.result?.isError).toBeUndefined();
    expect(await atGong()).toHaveLength(2);
  });

  it("gateway: a tool that nobody named stays paid", async () => {
    await freeOfCharge({ holdBack: "none" });
    const ada = await connectAs("ada");
    await (await askPaid(ada, { tool: "a_tool_of_tomorrow" })).text();
    expect((await rowsWhen((all) => all[0]?.outcome !== "running"))[0]).toMatchObject({ served: "paid" });
  });
});
