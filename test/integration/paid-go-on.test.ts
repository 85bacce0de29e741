// A call that somebody pays for and Gong never runs: its payer is revoked while it waits its turn, or Gong refuses the
// payer's own request. Whoever joined goes on as one call. Asserted against what the stand-in Gong was asked and
// charged.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULT_POLICY } from "../../src/mcp/policy.ts";
import { verifies } from "../conformance/verifies.ts";
import { connectionOf } from "../support/agent-key.ts";
import { gong } from "../support/gong.ts";
import { atGong, type Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  cancelPaid,
  ledgerRows,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  type PaidCall,
} from "../support/paid.ts";
import { agentBeside } from "../support/paid-agents.ts";

const CANARY = "CANARY-ada-7f3a90";

let ticking: ReturnType<typeof setInterval> | undefined;
/** The queue lives as long as the connection's object, so no test may begin before the end of another one. */
let latest = 0;

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both" });
  await setPolicy({});
  await begin();
  // Time stands still until the test lets it pass.
  vi.useFakeTimers({ toFake: ["Date"], now: Math.max(Date.now(), latest + 2000) });
});
afterEach(() => {
  clearInterval(ticking);
  latest = Date.now();
  vi.useRealTimers();
});

type Client = Pick<Connected, "tokens">;

/** Lets time pass, so that whoever waits its turn gets it. */
function letTimePass(): void {
  ticking = setInterval(() => vi.setSystemTime(Date.now() + 250), 100);
}

/** Gong sends the next call away with 429: it has been asked once, and waits its turn until time passes. */
async function queued(client: Client, call: PaidCall = {}, asked = 0): Promise<readonly [Promise<Response>]> {
  await gong.fault({ endpoint: "mcp", fault: { kind: "rate_limited", retryAfter: "1" } });
  const asking = askPaid(client, call);
  for (let tries = 0; (await atGong()).length === asked; tries += 1) {
    if (tries > 500) throw new Error("Gong was never asked");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return [asking];
}

const joined = (count: number) =>
  rowsWhen((all) => all.filter(({ served }) => served === "joined").length === count);

/** What the company has spent of its budgets today. */
async function spent(): Promise<number> {
  const uses = await env.ADMIN.getByName("admin").budgetUses();
  return uses.find(({ scope, period }) => scope === "company" && period === "day")?.used ?? 0;
}

async function spentWhen(used: number): Promise<void> {
  for (let tries = 0; (await spent()) !== used; tries += 1) {
    if (tries > 100) throw new Error(`${await spent()} is spent, not ${used}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const summary = async (): Promise<readonly string[]> =>
  (await ledgerRows()).map(({ served, outcome, delivered }) => `${served} ${outcome} ${delivered}`);

describe(verifies("paid.gone_on", "the payer is revoked before its turn"), () => {
  it.each(["grant", "token", "key"] as const)(
    "ASVS 7.4.1: its %s is revoked: it gets 401, Gong is not asked for it, and those who joined are one call",
    async (kind) => {
      const [other] = await twoClients();
      const agent = await agentBeside(other, kind);
      const before = await spent();
      const [paying] = await queued(agent.client);
      const joining = ["a", "b", "c"].map((id) => askPaid(other, { id }));
      await joined(3);
      await agent.revoke();
      letTimePass();
      const answers = await Promise.all(joining.map(async (response) => answerOf(await response)));
      expect((await paying).status).toBe(401);
      expect(answers.map(({ id }) => id)).toEqual(["a", "b", "c"]);
      for (const answer of answers) expect(JSON.stringify(answer)).toContain(CANARY);
      expect(answers.map((answer) => servedNote(answer)?.how ?? "paid").toSorted()).toEqual([
        "joined",
        "joined",
        "paid",
      ]);
      expect(await gong.credits()).toBe(1);
      expect(await atGong()).toHaveLength(2);
      await rowsWhen((all) => all.filter(({ delivered }) => delivered === 1).length === 3);
      expect((await summary()).toSorted()).toEqual([
        "joined ok 1",
        "joined ok 1",
        "paid not_sent 0",
        "paid ok 1",
      ]);
      await spentWhen(before + 1);
    },
  );

  it("ASVS 7.4.1: alone: Gong is not asked, and its place in the budgets is given back", async () => {
    const [other] = await twoClients();
    const agent = await agentBeside(other, "grant");
    const before = await spent();
    const [paying] = await queued(agent.client);
    expect(await spent()).toBe(before + 1);
    await agent.revoke();
    letTimePass();
    expect((await paying).status).toBe(401);
    await rowsWhen((all) => all[0]?.outcome === "not_sent");
    await spentWhen(before);
    expect(await atGong()).toHaveLength(1);
    expect(await gong.credits()).toBe(0);
  });

  it("ASVS 7.4.1: the whole connection ends: nobody is served, and Gong is not asked", async () => {
    const [ada, other] = await twoClients();
    const [paying] = await queued(ada);
    const joining = askPaid(other, { id: 2 });
    await joined(1);
    await env.CONNECTIONS.getByName(await connectionOf(ada.tokens.access_token)).disconnect("ended_by_admin");
    letTimePass();
    for (const response of await Promise.all([paying, joining])) expect(response.status).toBe(401);
    expect(await atGong()).toHaveLength(1);
  });

  it("gateway: it was to find out whether Gong has credits again: who goes on finds out", async () => {
    const [ada, other] = await twoClients();
    const agent = await agentBeside(ada, "grant");
    await gong.knobs({ creditBalance: 0 });
    await (await askPaid(ada, { question: "The last one?" })).text();
    await rowsWhen((all) => all[0]?.outcome === "out_of_credits");
    await gong.knobs({ creditBalance: null });
    const asked = (await atGong()).length;
    vi.setSystemTime(Date.now() + 301_000);
    const [paying] = await queued(agent.client, {}, asked);
    const joining = askPaid(other, { id: 2 });
    await joined(1);
    await agent.revoke();
    letTimePass();
    expect(JSON.stringify(await answerOf(await joining))).toContain(CANARY);
    expect((await paying).status).toBe(401);
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: who goes on is held to its own budget", async () => {
    const [ada, other] = await twoClients();
    const agent = await agentBeside(ada, "grant");
    const none = { each: {}, byId: { [other.clientId]: { perDay: 0 } } };
    await setPolicy({ budgets: { ...DEFAULT_POLICY.budgets, client: none } });
    const [paying] = await queued(agent.client);
    const joining = askPaid(other, { id: 2 });
    await joined(1);
    await agent.revoke();
    letTimePass();
    expect((await answerOf(await joining)).result).toMatchObject({ isError: true });
    expect((await paying).status).toBe(401);
    expect(await atGong()).toHaveLength(1);
    expect((await summary()).toSorted()).toEqual(["paid not_sent 0", "refused refused 1"]);
  });

  it("MCP 2025-11-25, Cancellation: cancelled before its turn, with nobody else waiting, it is not sent; with somebody, it is", async () => {
    for (const others of [0, 1]) {
      await gong.reset();
      await begin();
      vi.setSystemTime(Date.now() + 2000);
      const [ada, other] = await twoClients();
      const [paying] = await queued(ada, { id: "c" });
      const joining = Array.from({ length: others }, (_, id) => askPaid(other, { id }));
      await joined(others);
      const cancelled = await cancelPaid(ada, "c");
      expect(cancelled.status).toBe(202);
      letTimePass();
      expect(await (await paying).text()).toBe("");
      for (const response of joining) expect(servedNote(await answerOf(await response))?.how).toBe("joined");
      await rowsWhen((all) => all.every(({ outcome }) => outcome !== "running"));
      clearInterval(ticking);
      expect(await gong.credits()).toBe(others);
      expect(await atGong()).toHaveLength(1 + others);
    }
  });
});

describe(verifies("paid.gone_on", "Gong refuses the payer's own request"), () => {
  it.each([400, 404, 413])(
    "RFC 9110 §15.5: %i: it passes to the payer, and those who joined go on as one call",
    async (status) => {
      const [ada, other] = await twoClients();
      const [paying] = await queued(ada);
      await gong.fault({ endpoint: "mcp", fault: { kind: "status", status, body: "" } });
      const joining = ["a", "b"].map((id) => askPaid(other, { id }));
      await joined(2);
      letTimePass();
      const refused = await paying;
      expect(refused.status).toBe(status);
      await refused.text();
      const answers = await Promise.all(joining.map(async (response) => answerOf(await response)));
      for (const answer of answers) expect(JSON.stringify(answer)).toContain(CANARY);
      expect(await gong.credits()).toBe(1);
      expect(await atGong()).toHaveLength(3);
      await rowsWhen((all) => all.every(({ delivered }) => delivered === 1));
      expect((await summary()).toSorted()).toEqual(["joined ok 1", "paid ok 1", "paid refused_by_gong 1"]);
    },
  );

  it.each([403, 503])(
    "RFC 9110 §15: %i says nothing of the kind, so Gong is not asked again for those who joined",
    async (status) => {
      const [ada, other] = await twoClients();
      const [paying] = await queued(ada);
      await gong.fault({ endpoint: "mcp", fault: { kind: "status", status, body: "" }, times: "always" });
      const joining = askPaid(other, { id: 2 });
      await joined(1);
      letTimePass();
      const responses = await Promise.all([paying, joining]);
      expect(responses[0]?.status).toBe(responses[1]?.status);
      for (const response of responses) await response.text();
      await rowsWhen((all) => all.every(({ delivered }) => delivered === 1));
      expect(await atGong()).toHaveLength(2);
      expect((await summary()).toSorted()).toEqual(
        status < 500
          ? ["joined refused_by_gong 1", "paid refused_by_gong 1"]
          : ["joined unknown 1", "paid unknown 1"],
      );
    },
  );

  it("MCP 2025-11-25, Protocol Version Header: one client's revision that Gong does not speak harms nobody who joined it", async () => {
    await gong.knobs({ era: "legacy" });
    const [ada, other] = await twoClients();
    const [paying] = await queued(ada, { headers: { "mcp-protocol-version": "2019-01-01" } });
    const joining = askPaid(other, { id: 2, headers: { "mcp-protocol-version": "2025-06-18" } });
    await joined(1);
    letTimePass();
    expect((await paying).status).toBe(400);
    expect(JSON.stringify(await answerOf(await joining))).toContain(CANARY);
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: Gong refuses everybody: each of the first four is sent once, and the others are told so", async () => {
    const clients = await twoClients();
    const [paying] = await queued(clients[0]);
    await gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 400, body: "" }, times: "always" });
    const joining = Array.from({ length: 7 }, (_, id) => askPaid(clients[id % 2] ?? clients[0], { id }));
    await joined(7);
    letTimePass();
    for (const response of await Promise.all([paying, ...joining])) {
      expect(response.status).toBe(400);
      await response.text();
    }
    expect(await atGong()).toHaveLength(5);
    expect(await gong.credits()).toBe(0);
    await rowsWhen((all) => all.every(({ delivered }) => delivered === 1));
    const rows = await summary();
    expect(rows.filter((row) => row === "paid refused_by_gong 1")).toHaveLength(4);
    expect(rows.filter((row) => row === "joined refused_by_gong 1")).toHaveLength(4);
  });

  it("gateway: an error that one caller never takes is nobody else's", async () => {
    const [ada, other] = await twoClients();
    const error = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32_602, message: "Not so" } });
    await gong.fault({
      endpoint: "mcp",
      fault: { kind: "status", status: 200, body: error, headers: { "content-type": "application/json" } },
    });
    const stalled = await askPaid(ada);
    await rowsWhen((all) => all[0]?.outcome === "rpc_error");
    const answer = await answerOf(await askPaid(other));
    expect(answer.error).toBeUndefined();
    expect(servedNote(answer)).toBeUndefined();
    await stalled.body?.cancel();
  });
});
