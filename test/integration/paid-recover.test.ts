// A paid call whose caller is gone goes on, and its result waits for whoever asks the same again: once, sealed, for ten
// minutes. Reuse of delivered results is policy. Asserted against what the stand-in Gong charged.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs, decide, waitForShared } from "../support/admin.ts";
import { runAlarm, rows, tamper } from "../support/connection.ts";
import { everythingStored } from "../support/evidence.ts";
import { redeem } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { connectAs, type Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  leave,
  letGo,
  ledgerRows,
  reusing,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
  type PaidCall,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both", answerAs: "sse" });
  await setPolicy({});
  await begin();
});
afterEach(() => {
  vi.useRealTimers();
});

const CANARY = "CANARY-ada-7f3a90";

/** Asks, leaves the stream at its first event, and waits until the call is over all the same. */
async function askAndLeave(client: Connected, call: PaidCall = {}): Promise<void> {
  await leave(await askPaid(client, { ...call, meta: { progressToken: 1 } }));
  await rowsWhen((all) => all.some(({ outcome }) => outcome !== "running"));
}

const summary = async (): Promise<readonly string[]> =>
  (await ledgerRows()).map(({ served, outcome, delivered }) => `${served} ${outcome} ${delivered}`);

describe(verifies("paid.recovered", "a result that nobody got"), () => {
  it.each([
    ["legacy", "legacy", "application/json, text/event-stream"],
    ["legacy", "modern", "application/json, text/event-stream"],
    ["modern", "legacy", "text/event-stream"],
    ["modern", "modern", "application/json"],
  ] as const)(
    "gateway: a %s caller leaves; a %s one that accepts %s gets the result once, and then it is gone",
    async (first, second, accept) => {
      const [ada, other] = await twoClients();
      await askAndLeave(ada, { era: first });
      expect(await summary()).toEqual(["paid ok 0"]);
      const answer = await answerOf(await askPaid(other, { id: "again", era: second, accept }));
      expect(answer.id).toBe("again");
      expect(JSON.stringify(answer)).toContain(CANARY);
      expect(servedNote(answer)).toMatchObject({ how: "recovered" });
      expect(answer.result?.resultType).toBe(second === "modern" ? "complete" : undefined);
      expect(await gong.credits()).toBe(1);
      expect(await summary()).toEqual(["recovered ok 1", "paid ok 0"]);
      expect(await rows(await connectionUsed(), "kept_parts")).toEqual([]);
      expect(servedNote(await answerOf(await askPaid(other)))).toBeUndefined();
      expect(await gong.credits()).toBe(2);
    },
  );

  it("gateway: a caller that leaves while a recovered result is on its way leaves it recoverable", async () => {
    const [ada] = await twoClients();
    await askAndLeave(ada);
    await (await askPaid(ada)).body?.cancel();
    expect(servedNote(await answerOf(await askPaid(ada)))?.how).toBe("recovered");
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: two who left are owed it both; who got it and asks again pays", async () => {
    await gong.knobs({ toolsHeld: true });
    const [ada, other] = await twoClients();
    const paying = askPaid(ada, { meta: { progressToken: 1 } });
    await untilAtGong();
    await (await askPaid(other, { id: 2 })).body?.cancel();
    await letGo(1);
    expect(servedNote(await answerOf(await paying))).toBeUndefined();
    expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
    expect(servedNote(await answerOf(await askPaid(other)))?.how).toBe("recovered");
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: after ten minutes it is gone, and the next call pays", async () => {
    const [ada] = await twoClients();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await askAndLeave(ada);
    vi.setSystemTime(Date.now() + 599_000);
    const connection = await connectionUsed();
    await runAlarm(connection);
    expect(await rows(connection, "kept_results")).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2_000);
    expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
    await runAlarm(connection);
    expect(await rows(connection, "kept_results")).toEqual([]);
    expect(await rows(connection, "kept_parts")).toEqual([]);
  });

  it("gateway: it is kept for this connection alone, and sealed", async () => {
    const [ada] = await twoClients();
    const grace = await connectAs("grace");
    await askAndLeave(ada);
    const stored = JSON.stringify(await everythingStored());
    expect(stored).toContain("result_sealed");
    expect(stored).not.toContain(CANARY);
    expect(stored).not.toContain("Is the renewal on track?");
    const answer = await answerOf(await askPaid(grace));
    expect(servedNote(answer)).toBeUndefined();
    expect(JSON.stringify(answer)).toContain("CANARY-grace");
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: a tool error that was paid for can be recovered, a JSON-RPC error is asked for again", async () => {
    await gong.knobs({ workspaces: ["One", "Two"] });
    const [ada] = await twoClients();
    await askAndLeave(ada);
    const answer = await answerOf(await askPaid(ada));
    expect(answer.result?.isError).toBe(true);
    expect(servedNote(answer)?.how).toBe("recovered");
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: `gong-mcp-gateway/fresh` gets a new answer, which is paid", async () => {
    const [ada] = await twoClients();
    await askAndLeave(ada);
    const answer = await answerOf(await askPaid(ada, { meta: { "gong-mcp-gateway/fresh": true } }));
    expect(servedNote(answer)).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: a credential that ended meanwhile gets nothing of it, and disconnecting deletes it", async () => {
    const [ada, other] = await twoClients();
    await askAndLeave(ada);
    const connection = await connectionUsed();
    const before = await rows(connection, "kept_results");
    await tamper(
      connection,
      "DELETE FROM access_tokens WHERE grant_id = (SELECT grant_id FROM paid_calls ORDER BY seq DESC LIMIT 1)",
    );
    expect(before.length).toBeGreaterThan(0);
    expect((await askPaid(ada)).status).toBe(401);
    expect(await rows(connection, "kept_results")).toEqual(before);
    await connection.disconnect("ended_by_admin");
    expect(await rows(connection, "kept_results")).toEqual([]);
    expect(await rows(connection, "kept_parts")).toEqual([]);
    expect((await askPaid(other)).status).toBe(401);
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: a result that no key opens any more is deleted, and the next call pays", async () => {
    const [ada] = await twoClients();
    await askAndLeave(ada);
    const connection = await connectionUsed();
    await tamper(connection, "UPDATE kept_parts SET result_sealed = 'a.b.c.d'");
    const refused = await askPaid(ada);
    expect(refused.status).toBe(503);
    await refused.text();
    expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });
});

describe(verifies("paid.recovered", "a result that one caller never takes"), () => {
  /** Gong has answered a caller that holds its line and reads nothing. */
  async function askAndStall(client: Connected): Promise<void> {
    stalled = await askPaid(client, { meta: { progressToken: 1 } });
    await rowsWhen((all) => all.some(({ outcome }) => outcome === "ok"));
  }
  let stalled: Response | undefined;
  afterEach(async () => {
    await stalled?.body?.cancel();
  });

  it("gateway: for ten minutes others get it, with its age", async () => {
    const [ada, other] = await twoClients();
    await askAndStall(ada);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 590_000 });
    const note = servedNote(await answerOf(await askPaid(other)));
    expect(note?.how).toBe("joined");
    expect(note?.ageSeconds).toBeGreaterThanOrEqual(589);
    expect(await gong.credits()).toBe(1);
  });

  it("gateway: after ten minutes the next call pays, however long the line is held", async () => {
    const [ada, other] = await twoClients();
    await askAndStall(ada);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 610_000 });
    expect(servedNote(await answerOf(await askPaid(other)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: `gong-mcp-gateway/fresh` gets a new answer, which is paid", async () => {
    const [ada, other] = await twoClients();
    await askAndStall(ada);
    const fresh = await askPaid(other, { meta: { "gong-mcp-gateway/fresh": true } });
    expect(servedNote(await answerOf(fresh))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });
});

describe(verifies("paid.recovered", "a result of shared access"), () => {
  it.each([
    ["goes to who asks again", false, "recovered", 1],
    ["is gone once an admin has connected as another Gong user, who may see less", true, undefined, 2],
  ] as const)("gateway: it %s", async (_, again, how, credits) => {
    const admin = await adminBrowser();
    await connectSharedAs(admin);
    const waiting = await waitForShared();
    await decide(admin, waiting, "approve");
    const location = (await waiting.browser.open(waiting.path)).headers.get("location") ?? "";
    const code = new URL(location).searchParams.get("code") ?? "";
    const agent = { clientId: waiting.clientId, tokens: await redeem(waiting.clientId, code) };
    await leave(await askPaid(agent, { path: "/shared/mcp", meta: { progressToken: 1 } }));
    await rowsWhen((all) => all.some(({ outcome }) => outcome === "ok"));
    if (again) {
      await gong.signIn("grace");
      await connectSharedAs(admin);
    }
    const note = servedNote(await answerOf(await askPaid(agent, { path: "/shared/mcp" })));
    expect(note?.how).toBe(how);
    expect(await gong.credits()).toBe(credits);
  });
});

describe(verifies("paid.crash", "a call that a crash cut off"), () => {
  it("gateway: a row that says running in an instance that runs nothing becomes unknown, at the next call or the alarm", async () => {
    const [ada] = await twoClients();
    await (await askPaid(ada)).text();
    const connection = await connectionUsed();
    for (const wake of ["alarm", "call"]) {
      await runInDurableObject(connection, (_, { storage }) => {
        storage.sql.exec("UPDATE paid_calls SET outcome = 'running', delivered = 0");
      });
      await evictDurableObject(connection);
      if (wake === "alarm") await runAlarm(connection);
      else await (await askPaid(ada)).text();
      const outcomes = (await ledgerRows()).map(({ outcome }) => outcome);
      expect(outcomes.at(-1)).toBe("unknown");
      expect(outcomes).not.toContain("running");
    }
  });
});

describe(verifies("paid.reused", "a result that was delivered"), () => {
  it("gateway: without a policy it is never given again", async () => {
    const [ada] = await twoClients();
    await (await askPaid(ada)).text();
    expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: by policy it is given again for N seconds to the person's agents, with its age", async () => {
    await setPolicy(reusing(300));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const [ada, other] = await twoClients();
    await (await askPaid(ada)).text();
    vi.setSystemTime(Date.now() + 120_000);
    for (const client of [ada, other, ada]) {
      const note = servedNote(await answerOf(await askPaid(client)));
      expect(note).toEqual({ how: "reused", ageSeconds: 120 });
    }
    expect(await gong.credits()).toBe(1);
    vi.setSystemTime(Date.now() + 181_000);
    expect(servedNote(await answerOf(await askPaid(other)))).toBeUndefined();
    expect(await gong.credits()).toBe(2);
  });

  it("gateway: a policy that is taken back counts at once, and fresh asks anew", async () => {
    await setPolicy(reusing(300));
    const [ada] = await twoClients();
    await (await askPaid(ada)).text();
    const fresh = await answerOf(await askPaid(ada, { meta: { "gong-mcp-gateway/fresh": true } }));
    expect(servedNote(fresh)).toBeUndefined();
    expect(servedNote(await answerOf(await askPaid(ada)))?.how).toBe("reused");
    await setPolicy({});
    expect(servedNote(await answerOf(await askPaid(ada)))).toBeUndefined();
    expect(await gong.credits()).toBe(3);
  });

  it("gateway: an error is never reused, and never another person's result", async () => {
    await setPolicy(reusing(300));
    await gong.knobs({ workspaces: ["One", "Two"] });
    const [ada] = await twoClients();
    for (let times = 0; times < 2; times += 1) {
      const answer = await answerOf(await askPaid(ada));
      expect(answer.result?.isError).toBe(true);
      expect(servedNote(answer)).toBeUndefined();
    }
    await gong.knobs({ workspaces: ["Main"] });
    await (await askPaid(ada)).text();
    const grace = await connectAs("grace");
    expect(JSON.stringify(await answerOf(await askPaid(grace)))).toContain("CANARY-grace");
    expect(await gong.credits()).toBe(4);
  });
});
