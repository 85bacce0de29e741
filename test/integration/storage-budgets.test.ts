// The AdminObject decides and counts tool calls: two hundred at once, settled twice or never, and two policies at once.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { randomId } from "../../src/crypto/credential.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import type { AdminObject } from "../../src/storage/admin-object.ts";
import type { CallRequest, CallUse } from "../../src/storage/admin-rpc.ts";
import { DAY, rows } from "../support/connection.ts";

type Admin = DurableObjectStub<AdminObject>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-11-22T12:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const admin = (): Admin => env.ADMIN.getByName(randomId());

async function withPolicy(policy: Partial<Policy>): Promise<Admin> {
  const object = admin();
  expect(await object.setPolicy(actorNamed("admin"), 0, { ...DEFAULT_POLICY, ...policy })).toMatchObject({
    ok: true,
  });
  return object;
}
const withBudgets = (budgets: Partial<Policy["budgets"]>, policy: Partial<Policy> = {}): Promise<Admin> =>
  withPolicy({ ...policy, budgets: { ...DEFAULT_POLICY.budgets, ...budgets } });

const call = (changes: Partial<CallRequest> = {}): CallRequest => ({
  reservationId: randomId(),
  integration: "main",
  connectionId: "connection-1",
  clientId: "client-1",
  tool: "ask_account",
  arguments: { crmAccount: "Acme", question: "What next?" },
  pays: true,
  ...changes,
});
const use = (changes: Partial<CallUse> = {}): CallUse => ({
  tool: "ask_account",
  connectionId: "connection-1",
  clientId: "client-1",
  served: "paid",
  milliseconds: 1200,
  ...changes,
});
const refusedBy = async (object: Admin, request: CallRequest): Promise<string | undefined> => {
  const permit = await object.reserveCall(request);
  return permit.ok ? undefined : permit.message;
};
const usedToday = async (object: Admin): Promise<unknown> => {
  const counters = await rows(object, "budget_counters");
  return counters.find((row) => row["scope"] === "company" && row["period"] === "2030-11-22")?.["used"];
};

describe(verifies("policy.budgets_exact", "budgets"), () => {
  it("Gong credits: of 200 calls at once against a budget of 100 exactly 100 are admitted", async () => {
    const object = await withBudgets({ company: { perDay: 100 } });
    const permits = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        object.reserveCall(call({ connectionId: `connection-${n % 7}` })),
      ),
    );
    expect(permits.filter((permit) => permit.ok)).toHaveLength(100);
    expect(new Set(permits.flatMap((permit) => (permit.ok ? [] : [permit.reason])))).toEqual(
      new Set(["budget"]),
    );
    expect(await usedToday(object)).toBe(100);
  });

  it("Gong credits: the refusal says what is used up, when it starts anew, and for whom", async () => {
    const object = await withBudgets({ company: { perDay: 1 } }, { timeZone: "Europe/Berlin" });
    await object.reserveCall(call());
    expect(await refusedBy(object, call())).toBe(
      "The company's budget of 1 calls a day is used up. It starts anew on 2030-11-23 at 00:00 Europe/Berlin; an admin can raise it.",
    );
  });

  it.each([
    ["connection", { connectionId: "connection-2" }],
    ["client", { clientId: "client-2" }],
    ["key", { keyId: "key-2" }],
  ] as const)("Gong credits: the budget of each %s holds for it alone", async (scope, other) => {
    const object = await withBudgets({ [scope]: { each: { perDay: 2 }, byId: {} } });
    const one = { keyId: "key-1" };
    expect((await object.reserveCall(call(one))).ok).toBe(true);
    expect((await object.reserveCall(call(one))).ok).toBe(true);
    expect((await object.reserveCall(call(one))).ok).toBe(false);
    expect((await object.reserveCall(call({ ...one, ...other }))).ok).toBe(true);
  });

  it("Gong credits: a budget of its own holds in place of the one that each has", async () => {
    const object = await withBudgets({
      client: { each: { perDay: 0 }, byId: { "client-1": { perMonth: 1 } } },
    });
    expect((await object.reserveCall(call({ clientId: "client-2" }))).ok).toBe(false);
    expect((await object.reserveCall(call())).ok).toBe(true);
    expect(await refusedBy(object, call())).toContain("This client's budget of 1 calls a month is used up.");
  });

  it("Gong credits: a refused call takes no place in any budget", async () => {
    const object = await withBudgets({ company: { perDay: 10 }, client: { each: { perDay: 1 }, byId: {} } });
    await object.reserveCall(call());
    for (let tries = 0; tries < 20; tries += 1) expect((await object.reserveCall(call())).ok).toBe(false);
    expect(await usedToday(object)).toBe(1);
  });

  it("Gong credits: calls count by weight, and one that does not fit is refused while a lighter one still fits", async () => {
    const tools = { ...DEFAULT_POLICY.tools, generate_brief: { pays: true, weight: 5, reuseSeconds: 0 } };
    const object = await withBudgets({ company: { perDay: 7 } }, { tools });
    expect((await object.reserveCall(call({ tool: "generate_brief" }))).ok).toBe(true);
    expect((await object.reserveCall(call({ tool: "generate_brief" }))).ok).toBe(false);
    expect((await object.reserveCall(call())).ok).toBe(true);
    expect(await usedToday(object)).toBe(6);
  });

  it("Gong credits: a call that is served without Gong, and a tool that costs nothing, take no place", async () => {
    const tools = { ...DEFAULT_POLICY.tools, ask_deal: { pays: false, weight: 1, reuseSeconds: 0 } };
    const object = await withBudgets({ company: { perDay: 0 } }, { tools });
    expect((await object.reserveCall(call())).ok).toBe(false);
    expect((await object.reserveCall(call({ pays: false }))).ok).toBe(true);
    expect((await object.reserveCall(call({ tool: "ask_deal" }))).ok).toBe(true);
  });

  it("Gong credits: from the warning mark on, and not before, the permit carries a warning", async () => {
    const object = await withBudgets({ company: { perDay: 10 } }, { warnAtPercent: 80 });
    const warnings: boolean[] = [];
    for (let n = 0; n < 10; n += 1) warnings.push("warning" in (await object.reserveCall(call())));
    expect(warnings).toEqual([...Array<boolean>(7).fill(false), true, true, true]);
  });

  it("ECMA-402: a new day in the admins' time zone brings a new budget, the month goes on", async () => {
    const object = await withBudgets({ company: { perDay: 1, perMonth: 2 } }, { timeZone: "Asia/Tokyo" });
    expect((await object.reserveCall(call())).ok).toBe(true);
    pass(3 * 3600 - 1);
    expect((await object.reserveCall(call())).ok).toBe(false);
    pass(1);
    expect((await object.reserveCall(call())).ok).toBe(true);
    pass(DAY);
    expect(await refusedBy(object, call())).toContain("2 calls a month");
  });

  it("gateway: the same call asked again keeps its one place", async () => {
    const object = await withBudgets({ company: { perDay: 1 } });
    const request = call();
    expect((await object.reserveCall(request)).ok).toBe(true);
    await evictDurableObject(object);
    expect((await object.reserveCall(request)).ok).toBe(true);
    expect(await usedToday(object)).toBe(1);
  });
});

describe(verifies("policy.settled_once", "settling"), () => {
  it("Gong credits: a released call gives its place back once, however often it is released", async () => {
    const object = await withBudgets({ company: { perDay: 2 } });
    const [one, two] = [call(), call()];
    await object.reserveCall(one);
    await object.reserveCall(two);
    await Promise.all(
      Array.from({ length: 5 }, () =>
        object.settleCall(one.reservationId, "released", use({ served: "failed" })),
      ),
    );
    expect(await usedToday(object)).toBe(1);
    expect(await object.usage({ from: "2030-11-22", to: "2030-11-22", groupBy: "day" })).toEqual([
      { name: "2030-11-22", served: "failed", calls: 1, milliseconds: 1200 },
    ]);
  });

  it("Gong credits: what was spent stays spent when it is released afterwards", async () => {
    const object = await withBudgets({ company: { perDay: 2 } });
    const request = call();
    await object.reserveCall(request);
    await object.settleCall(request.reservationId, "spent", use());
    await object.settleCall(request.reservationId, "released", use({ served: "failed" }));
    expect(await usedToday(object)).toBe(1);
  });

  it("gateway: an id that was never reserved settles nothing, and does not write an object that was never written", async () => {
    const object = admin();
    await object.settleCall(randomId(), "released", use());
    expect(await object.usage({ from: "2030-01-01", to: "2030-12-31", groupBy: "day" })).toEqual([]);
    const written = await withBudgets({});
    await written.settleCall(randomId(), "spent", use());
    expect(await rows(written, "usage")).toEqual([]);
  });

  it("Gong credits: a call whose Worker died counts as spent after ten minutes, by the alarm alone", async () => {
    const object = await withBudgets({ company: { perDay: 2 } });
    await object.reserveCall(call());
    await evictDurableObject(object);
    pass(599);
    await runDurableObjectAlarm(object);
    expect(await rows(object, "reservations")).toMatchObject([{ assumed: 0 }]);
    pass(1);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await rows(object, "reservations")).toMatchObject([{ assumed: 1 }]);
    expect(await usedToday(object)).toBe(1);
    expect(await rows(object, "usage")).toMatchObject([{ served: "paid", calls: 1, milliseconds: 0 }]);
  });

  it("Gong credits: the truth about a call that was taken for spent sets the count right, once", async () => {
    const object = await withBudgets({ company: { perDay: 2 } });
    const request = call();
    await object.reserveCall(request);
    pass(601);
    await runDurableObjectAlarm(object);
    await object.settleCall(request.reservationId, "released", use({ served: "failed" }));
    await object.settleCall(request.reservationId, "released", use({ served: "failed" }));
    expect(await usedToday(object)).toBe(0);
    expect(await object.usage({ from: "2030-11-22", to: "2030-11-22", groupBy: "tool" })).toEqual([
      { name: "ask_account", served: "failed", calls: 1, milliseconds: 1200 },
    ]);
  });

  it("gateway: after a day nothing of an unsettled call is left but its count", async () => {
    const object = await withBudgets({});
    await object.reserveCall(call());
    pass(601);
    await runDurableObjectAlarm(object);
    pass(DAY);
    await runDurableObjectAlarm(object);
    expect(await rows(object, "reservations")).toEqual([]);
    expect(await rows(object, "usage")).toHaveLength(1);
  });
});

describe(verifies("policy.usage", "usage"), () => {
  it("Gong credits: settled and refused calls are counted by day, client, tool and way, and can be filtered", async () => {
    const object = await withBudgets({ client: { each: {}, byId: { "client-2": { perDay: 0 } } } });
    const served = async (request: CallRequest, way: CallUse["served"]): Promise<void> => {
      await object.reserveCall(request);
      await object.settleCall(request.reservationId, "spent", use({ ...request, served: way }));
    };
    await served(call(), "paid");
    await served(call({ pays: false }), "joined");
    await served(call({ clientId: "client-2" }), "paid");
    pass(DAY);
    await served(call({ tool: "ask_deal", keyId: "key-1", clientId: undefined }), "paid");
    const days = { from: "2030-11-22", to: "2030-11-23" };
    expect(await object.usage({ ...days, groupBy: "day" })).toEqual([
      { name: "2030-11-22", served: "joined", calls: 1, milliseconds: 1200 },
      { name: "2030-11-22", served: "paid", calls: 1, milliseconds: 1200 },
      { name: "2030-11-22", served: "refused", calls: 1, milliseconds: 0 },
      { name: "2030-11-23", served: "paid", calls: 1, milliseconds: 1200 },
    ]);
    expect(await object.usage({ ...days, groupBy: "client", clientId: "client-2" })).toEqual([
      { name: "client-2", served: "refused", calls: 1, milliseconds: 0 },
    ]);
    expect(await object.usage({ ...days, groupBy: "key", tool: "ask_deal" })).toEqual([
      { name: "key-1", served: "paid", calls: 1, milliseconds: 1200 },
    ]);
    expect(await object.usage({ from: "2030-11-24", to: "2030-12-24", groupBy: "day" })).toEqual([]);
  });

  it("OWASP ASVS 14.2.6: tool names that somebody made up share one row, and nothing of the arguments is kept", async () => {
    const object = await withBudgets({});
    for (let n = 0; n < 5; n += 1) await object.reserveCall(call({ tool: `made_up_${n}` }));
    expect(await rows(object, "usage")).toMatchObject([{ tool: "other", served: "refused", calls: 5 }]);
    await object.reserveCall(call());
    expect(JSON.stringify(await rows(object, "reservations"))).not.toContain("Acme");
  });

  it("gateway: counts are forgotten after 400 days", async () => {
    const object = await withBudgets({});
    await object.reserveCall(call({ tool: "unknown" }));
    pass(400 * DAY);
    await runDurableObjectAlarm(object);
    expect(await rows(object, "usage")).toHaveLength(1);
    pass(DAY);
    await runDurableObjectAlarm(object);
    expect(await rows(object, "usage")).toEqual([]);
  });
});

describe(verifies("policy.cost_guards", "guards on a call"), () => {
  it("Gong credits: a call beyond a guard is refused and takes no place; a tool that is not paid is not guarded", async () => {
    const tools = { ...DEFAULT_POLICY.tools, ask_deal: { pays: false, weight: 1, reuseSeconds: 0 } };
    const object = await withPolicy({ tools, guards: { ...DEFAULT_POLICY.guards, rangeRequired: true } });
    expect(await object.reserveCall(call())).toMatchObject({ ok: false, reason: "arguments" });
    expect(await object.reserveCall(call({ pays: false }))).toMatchObject({ ok: false, reason: "arguments" });
    expect(await object.reserveCall(call({ tool: "ask_deal" }))).toMatchObject({ ok: true });
    expect(await usedToday(object)).toBeUndefined();
  });
});

describe(verifies("policy.allowed_tools", "a call's tool"), () => {
  it("gateway: the rule for shared access does not touch a call with personal access", async () => {
    const access = { ...DEFAULT_POLICY.access, shared: { allow: [], deny: [] } };
    const object = await withPolicy({ access });
    expect(await object.reserveCall(call({ integration: "shared" }))).toMatchObject({
      ok: false,
      reason: "tool_not_allowed",
    });
    expect(await object.reserveCall(call())).toMatchObject({ ok: true });
  });

  it("MCP Tools: a tool that nobody has seen at Gong waits for an admin", async () => {
    const object = await withPolicy({});
    expect(await object.reserveCall(call({ tool: "new_tool" }))).toMatchObject({ reason: "tool_held_back" });
  });

  it("gateway: a permit says how long results may be reused, and shares them on shared access only", async () => {
    const tools = { ask_account: { pays: true, weight: 1, reuseSeconds: 60 } };
    const object = await withPolicy({ tools, shareResults: true });
    expect(await object.reserveCall(call())).toEqual({
      ok: true,
      pays: true,
      policyVersion: 1,
      reuseSeconds: 60,
      shareResults: false,
    });
    expect(await object.reserveCall(call({ integration: "shared" }))).toEqual({
      ok: true,
      pays: true,
      policyVersion: 1,
      reuseSeconds: 60,
      shareResults: true,
    });
    expect(await object.reserveCall(call({ tool: "ask_deal" }))).toMatchObject({ reuseSeconds: 0 });
  });
});

describe(verifies("policy.versions", "changing the policy"), () => {
  it("gateway: of two changes to one version, at once, one is taken and the other is told", async () => {
    const object = admin();
    const changes = await Promise.all(
      [90, 95].map((warnAtPercent) =>
        object.setPolicy(actorNamed("admin"), 0, { ...DEFAULT_POLICY, warnAtPercent }),
      ),
    );
    expect(changes.filter((change) => change.ok)).toHaveLength(1);
    expect(changes).toContainEqual({ ok: false, reason: "changed_meanwhile", version: 1 });
    expect((await object.policy()).version).toBe(1);
  });

  it("OWASP ASVS 16.2.1: a change is audited with who made it, from what, to what; no change is not", async () => {
    const object = admin();
    const changed = { ...DEFAULT_POLICY, warnAtPercent: 90 };
    await object.setPolicy(actorNamed("ada@example.com"), 0, changed);
    await object.setPolicy(actorNamed("bob@example.com"), 1, changed);
    expect(await rows(object, "audit")).toMatchObject([
      { actor: "ada@example.com", action: "policy.changed", target: "warnAtPercent: 80 → 90" },
    ]);
    expect(await object.policy()).toEqual({ version: 1, policy: changed });
  });

  it("OWASP ASVS 2.2.1: a policy that is none is refused and leaves the one in force", async () => {
    const object = await withPolicy({ warnAtPercent: 90 });
    expect(
      await object.setPolicy(actorNamed("admin"), 1, { ...DEFAULT_POLICY, warnAtPercent: 0 }),
    ).toMatchObject({
      ok: false,
      reason: "invalid",
      problems: [{ path: "warnAtPercent" }],
    });
    expect((await object.policy()).policy.warnAtPercent).toBe(90);
  });

  it("gateway: asking for the policy does not write an object that was never written", async () => {
    expect(await admin().policy()).toEqual({ version: 0, policy: DEFAULT_POLICY });
  });
});
