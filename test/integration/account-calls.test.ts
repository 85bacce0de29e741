// /account/calls: what a person's own calls cost, what was saved, and the end of their record by their own hand.
// Counted against what the stand-in Gong charged.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdminObject } from "../../src/storage/admin-object.ts";
import { verifies } from "../conformance/verifies.ts";
import { accountBrowser } from "../support/account.ts";
import { adminBrowser } from "../support/admin.ts";
import { DAY, now, rows, tamper } from "../support/connection.ts";
import { reportOf } from "../support/connection-report.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  leave,
  reusing,
  rowsWhen,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ era: "both", answerAs: "sse" });
  await setPolicy(reusing(60));
  await begin();
});
afterEach(async () => {
  vi.useRealTimers();
  await setPolicy({});
});

const admin = () => env.ADMIN.getByName("admin");

async function textAt(browser: TestBrowser, path: string): Promise<string> {
  const answer = await browser.open(path);
  expect(answer.status).toBe(200);
  return readText(await answer.text());
}

/** Two calls that Gong charges, and one each that is joined, recovered and reused. Returns the connection's id. */
async function fiveCalls(person: string): Promise<string> {
  const before = await settled();
  const [one, other] = await twoClients(person);
  const deal = {
    tool: "ask_deal",
    params: { arguments: { crmDeal: "opp-1", question: crypto.randomUUID() } },
  };
  const held = (toolsHeld: boolean) => gong.knobs({ toolsHeld });
  await held(true);
  const paying = askPaid(one, { id: 1 });
  await untilAtGong();
  const joining = askPaid(other, { id: 2 });
  await rowsWhen((all) => all.length === 2);
  await held(false);
  await answerOf(await paying);
  await answerOf(await joining);
  await answerOf(await askPaid(one, { id: 3 }));
  await held(true);
  await leave(await askPaid(one, { id: 4, ...deal, meta: { progressToken: 1 } }));
  await held(false);
  await rowsWhen((all) => all.length === 4 && all.every(({ outcome }) => outcome === "ok"));
  await answerOf(await askPaid(other, { id: 5, ...deal }));
  const used = await rowsWhen((all) => all.filter(({ delivered }) => delivered === 1).length === 4);
  expect(used.map(({ served }) => served).toSorted()).toEqual([
    "joined",
    "paid",
    "paid",
    "recovered",
    "reused",
  ]);
  const connectionId = (await connectionUsed()).name ?? "";
  await vi.waitFor(async () => expect(await settled()).toBe(before + 5));
  return connectionId;
}

/** Calls that the company's counters know of. */
async function settled(): Promise<number> {
  const rows = await admin().usage({ from: "2000-01-01", to: "2100-01-01", groupBy: "day" });
  return rows.reduce((sum, { calls }) => sum + calls, 0);
}

const erase = async (browser: TestBrowser, changes: Record<string, string> = {}): Promise<Response> => {
  const page = await (await browser.open("/account/calls")).text();
  const form = readForms(page).find(({ action }) => action.endsWith("/erase"));
  return browser.post(form?.action ?? "", { ...Object.fromEntries(form?.fields ?? []), ...changes });
};

describe(verifies("spend.account", "a person's own calls"), () => {
  it("gateway: what was asked of Gong and what was saved is counted as Gong charged it, for the person and the company", async () => {
    const company = await adminBrowser();
    const before = await admin().usage({ from: "2000-01-01", to: "2100-01-01", groupBy: "day" });
    const sum = (served: string): number =>
      before.filter((row) => row.served === served).reduce((total, { calls }) => total + calls, 0);
    await fiveCalls("ada");
    expect(await gong.credits()).toBe(2);
    const ada = await accountBrowser("ada");
    const own = await textAt(ada, "/account/calls");
    expect(own).toContain("Asked of Gong 2Each");
    expect(own).toContain("Saved 3Joined: 1. Recovered: 1. Reused: 1.");
    const all = await textAt(company, "/admin/spend");
    expect(all).toContain(`Asked of Gong ${sum("paid") + 2}Each`);
    expect(all).toContain(
      `Joined: ${sum("joined") + 1}. Recovered: ${sum("recovered") + 1}. Reused: ${sum("reused") + 1}.`,
    );
    const byTool = await textAt(ada, "/account/calls?by=tool");
    expect(byTool).toContain("ask_account: 1");
    expect(byTool).toContain("ask_deal: 1");
    expect(await textAt(ada, "/account/calls?by=client")).toContain("Test client");
  });

  it("GDPR Article 20: a person downloads the record of their calls, and of nobody else's", async () => {
    await fiveCalls("ada");
    const expected = await (await connectionUsed()).ledgerPage({ limit: 1000 });
    const [ada, grace] = [await accountBrowser("ada"), await accountBrowser("grace")];
    const answer = await ada.open("/account/calls/ndjson");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="gong-calls.ndjson"');
    const lines = (await answer.text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { call: string }).call)).toEqual(
      expected.rows.map(({ id }) => id),
    );
    expect(await (await ada.open("/account/calls/ndjson?from=2099-01-01")).text()).toBe("");
    expect(await (await grace.open("/account/calls/ndjson")).text()).toBe("");
    expect((await ada.open("/account/calls/xml")).status).toBe(404);
    expect((await new TestBrowser().open("/account/calls/csv")).status).toBe(303);
  });

  it("ASVS 8.2.2: nobody sees the calls of another person, and without a visit nobody sees any", async () => {
    const grace = await accountBrowser("grace");
    for (const by of ["served", "tool", "client", "key", "connection"]) {
      expect(await textAt(grace, `/account/calls?by=${by}`)).toContain("No tool was called on these days.");
    }
    expect((await new TestBrowser().open("/account/calls")).status).toBe(303);
  });
});

describe(verifies("spend.own_erasure", "a person erases the record of their calls"), () => {
  it("GDPR Article 17: rows, kept results and whose the sums are go; the connection goes on, and the audit says so", async () => {
    // The day must not end between the calls and the erasure.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const id = await fiveCalls("ada");
    const connection = await connectionUsed();
    const key = "INSERT INTO budget_counters (scope, id, period, used) VALUES ('connection', ?, ?, 7)";
    await tamper(admin(), key, id, "2001-01-01");
    const counted = async () =>
      new Set(
        (await rowsOf("ADMIN", "budget_counters"))
          .filter((row) => row["id"] === id)
          .map((row) => row["period"]),
      );
    const today = new Date().toISOString();
    expect(await counted()).toEqual(new Set(["2001-01-01", today.slice(0, 7), today.slice(0, 10)]));
    const ada = await accountBrowser("ada");
    const answer = await erase(ada);
    expect(answer.headers.get("location")).toMatch(/\/account\?done=calls_erased$/);
    expect(await textAt(ada, "/account?done=calls_erased")).toContain("The record of your calls was erased.");
    expect(await rows(connection, "paid_calls")).toEqual([]);
    expect(await rows(connection, "kept_results")).toEqual([]);
    expect((await rowsOf("ADMIN", "usage")).filter((row) => row["connection_id"] === id)).toEqual([]);
    // A budget that starts anew with the erasure would be none.
    expect(await counted()).toEqual(new Set([today.slice(0, 7), today.slice(0, 10)]));
    expect(await textAt(ada, "/account/calls")).toContain("No tool was called on these days.");
    const audit = (await rowsOf("ADMIN", "audit")).filter((row) => row["action"] === "ledger.erased");
    expect(audit.at(-1)).toMatchObject({ actor: "person", cause: "person", target: id });
    expect((await connection.describe())?.state).toBe("connected");
  });

  it("ASVS 3.5.1: without the form's token nothing is erased", async () => {
    await fiveCalls("ada");
    const ada = await accountBrowser("ada");
    expect((await erase(ada, { csrf: "x" })).status).toBe(403);
    expect((await rows(await connectionUsed(), "paid_calls")).length).toBeGreaterThan(0);
  });
});

describe(verifies("spend.people_end", "how long people are known by their address"), () => {
  const person = (name: string) => ({ email_hash: `hash of ${name}`, email_sealed: `sealed ${name}` });
  const alarm = () => runInDurableObject(admin(), (object: AdminObject) => object.alarm());
  const known = async (): Promise<ReadonlySet<unknown>> =>
    new Set((await rowsOf("ADMIN", "people")).map((row) => row["email_sealed"]));

  it("GDPR Article 5(1)(e): a person goes when their last connection has left the list and the ledger is over", async () => {
    const begun = now();
    for (const [id, name] of [
      ["ended-1", "ada"],
      ["ended-2", "both"],
      ["lives", "both"],
    ] as const) {
      await admin().recordConnection({ id, integration: "main" }, undefined, person(name));
    }
    for (const id of ["ended-1", "ended-2"])
      await admin().recordState(id, reportOf("disconnected", { since: begun }));
    const due = await runInDurableObject(admin(), (_, { storage }) => storage.getAlarm());
    expect(due).toBeLessThanOrEqual((begun + DAY + 2) * 1000);
    vi.useFakeTimers({ toFake: ["Date"], now: (begun + 91 * DAY) * 1000 });
    await alarm();
    const links = (await rowsOf("ADMIN", "connection_people")).map((row) => row["connection_id"]);
    expect(links).toContain("lives");
    expect(links).not.toContain("ended-1");
    // The ledger may still name her.
    expect(await known()).toEqual(new Set(["sealed ada", "sealed both"]));
    vi.setSystemTime((begun + 400 * DAY + 1) * 1000);
    await alarm();
    expect(await known()).toEqual(new Set(["sealed both"]));
    expect(await everythingStored()).not.toContain("sealed ada");
  });
});
