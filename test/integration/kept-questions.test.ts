// What agents ask of Gong, kept for admins to read: nothing by default; where policy says so sealed, for its days, read
// by an act that the audit notes; and gone by every way that it may go.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, RpcTarget } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256 } from "../../src/crypto/encoding.ts";
import { identifyCall } from "../../src/mcp/call-identity.ts";
import { DEFAULT_POLICY, parsePolicy } from "../../src/mcp/policy.ts";
import type { AnswerLine } from "../../src/storage/answer-line.ts";
import { recordCall } from "../../src/storage/paid-ledger.ts";
import { verifies } from "../conformance/verifies.ts";
import { accountBrowser } from "../support/account.ts";
import { actorNamed } from "../support/actor.ts";
import { adminBrowser } from "../support/admin.ts";
import { DAY, rows, tamper, type Connection } from "../support/connection.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { ask, authorizationQuery, register, TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  letGo,
  rowsWhen,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";

let admin: TestBrowser;

beforeEach(async () => {
  await gong.reset();
  await setPolicy({});
  await begin();
  admin = await adminBrowser();
});
afterEach(() => {
  vi.useRealTimers();
});

const PATH = "/admin/policy/content";

/** Presses "Save what is kept" as an admin. */
async function keep(fields: { readonly keep: "yes" | ""; readonly days: string }): Promise<Response> {
  const html = await (await admin.open(PATH)).text();
  const form = readForms(html).find(({ action }) => action === PATH);
  return admin.post(PATH, {
    ...Object.fromEntries(form?.fields ?? []),
    "content.keep": fields.keep,
    "content.keepDays": fields.days,
  });
}
const keepFor = async (days: number): Promise<void> => {
  expect((await keep({ keep: "yes", days: String(days) })).status).toBe(303);
};
const stop = async (): Promise<void> => {
  expect((await keep({ keep: "", days: "30" })).status).toBe(303);
};

interface Asked {
  readonly connection: Connection;
  readonly callId: string;
  readonly canary: string;
}

/** One paid call to its end. */
async function askOnce(client?: Awaited<ReturnType<typeof connectAs>>): Promise<Asked> {
  const canary = `CANARY-${crypto.randomUUID()}`;
  await begin();
  await answerOf(await askPaid(client ?? (await connectAs("ada")), { question: canary }));
  const [row] = await rowsWhen(([newest]) => newest?.delivered === 1);
  return { connection: await connectionUsed(), callId: row?.id ?? "", canary };
}

const kept = (connection: Connection) => rows(connection, "call_contents");

/** Has an admin read a call. */
async function read({ connection, callId }: Asked, browser = admin): Promise<Response> {
  const path = `/admin/spend/${connection.name ?? ""}`;
  const csrf = readForms(await (await browser.open("/admin/policy")).text())[0]?.fields.find(
    ([name]) => name === "csrf",
  );
  return browser.post(`${path}/read`, { csrf: csrf?.[1] ?? "", call: callId });
}

const readAudits = async () =>
  (await rowsOf("ADMIN", "audit")).filter(({ action }) => action === "call.read");

describe(verifies("spend.content", "gateway: what agents ask, kept for admins to read"), () => {
  it("gateway: off by default, nothing is kept, nothing can be read, and nobody is told that it can", async () => {
    await stop();
    const asked = await askOnce();
    expect(await kept(asked.connection)).toEqual([]);
    expect(await everythingStored()).not.toContain(asked.canary);
    const ledger = await (await admin.open(`/admin/spend/${asked.connection.name ?? ""}`)).text();
    expect(readForms(ledger).map(({ action }) => action)).not.toContain(
      `/admin/spend/${asked.connection.name ?? ""}/read`,
    );
    expect((await read(asked)).status).toBe(404);
    const { client_id: clientId } = await register();
    const consent = await new TestBrowser().open(`/authorize?${authorizationQuery(clientId)}`);
    expect(readText(await consent.text())).not.toContain("keeps the questions");
  });

  it("gateway: switched on, a call is kept sealed, and read by an admin's act that the audit notes", async () => {
    await keepFor(30);
    const asked = await askOnce();
    const [row, ...others] = await kept(asked.connection);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ call_id: asked.callId });
    expect(Number(row?.["kept_until"]) - Number(row?.["kept_at"])).toBe(30 * DAY);
    expect(await everythingStored()).not.toContain(asked.canary);
    const id = asked.connection.name ?? "";
    const ledger = await (await admin.open(`/admin/spend/${id}`)).text();
    expect(ledger).not.toContain(asked.canary);
    const form = readForms(ledger).find(({ action }) => action === `/admin/spend/${id}/read`);
    expect(form?.fields).toContainEqual(["call", asked.callId]);
    const before = (await readAudits()).length;
    const answer = await admin.post(form?.action ?? "", Object.fromEntries(form?.fields ?? []));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(readText(await answer.text())).toContain(asked.canary);
    expect((await readAudits()).slice(before)).toEqual([
      expect.objectContaining({ actor: "admin", target: `${id} ${asked.callId}` }),
    ]);
  });

  it.each(["csv", "ndjson"])("gateway: no download has it (%s)", async (format) => {
    await keepFor(30);
    const { connection, canary } = await askOnce();
    const id = connection.name ?? "";
    for (const path of [`/admin/spend/${id}/export`, "/admin/spend/export"]) {
      const file = await (await admin.open(`${path}?format=${format}`)).text();
      expect(file).toContain("ask_account");
      expect(file).not.toContain(canary);
    }
  });

  it("ASVS 5.0 3.5.1: without the form's token or a session nobody reads, and the audit notes no reading", async () => {
    await keepFor(30);
    const asked = await askOnce();
    const before = (await readAudits()).length;
    const path = `/admin/spend/${asked.connection.name ?? ""}/read`;
    for (const answer of [
      await admin.post(path, { csrf: "made-up", call: asked.callId }),
      await new TestBrowser().post(path, { csrf: "made-up", call: asked.callId }),
      await ask(path),
    ]) {
      expect(answer.status).not.toBe(200);
      expect(await answer.text()).not.toContain(asked.canary);
    }
    expect(await readAudits()).toHaveLength(before);
  });

  it("GDPR Article 13: while it is on, people are told where they approve an agent and where they see their calls", async () => {
    await keepFor(1);
    const { connection } = await askOnce();
    const { client_id: clientId } = await register();
    const consent = await new TestBrowser().open(`/authorize?${authorizationQuery(clientId)}`);
    const told = "keeps the questions that agents send to Gong for 1 day, and an admin";
    expect(readText(await consent.text())).toContain(told);
    const account = await accountBrowser("ada");
    expect(readText(await (await account.open("/account/calls")).text())).toContain(told);
    expect(await kept(connection)).toHaveLength(1);
  });

  it("gateway: of callers who share one call, each row keeps what its own caller asked", async () => {
    await keepFor(30);
    const [one, other] = await twoClients();
    await gong.knobs({ toolsHeld: true });
    const canary = `CANARY-${crypto.randomUUID()}`;
    const calls = [askPaid(one, { id: 1, question: canary })];
    await untilAtGong();
    calls.push(askPaid(other, { id: 2, question: canary }));
    await letGo(1);
    for (const call of calls) await answerOf(await call);
    const all = await rowsWhen((found) => found.length === 2 && found.every((row) => row.delivered === 1));
    const connection = await connectionUsed();
    const ids = (await kept(connection)).map((row) => row["call_id"]);
    for (const { id: callId } of all) {
      expect(ids).toContain(callId);
      expect(readText(await (await read({ connection, callId, canary })).text())).toContain(canary);
    }
  });

  it("gateway: what policy refuses is not kept, and what is long is kept to its 65,536th character", async () => {
    await keepFor(30);
    const { policy, version } = await env.ADMIN.getByName("admin").policy();
    const guards = { ...policy.guards, maxArgumentsBytes: 200_000 };
    const by = actorNamed("test");
    await env.ADMIN.getByName("admin").setPolicy(by, version, { ...policy, guards });
    const client = await connectAs("ada");
    await answerOf(await askPaid(client, { question: "x".repeat(150_000) }));
    const [long] = await rowsWhen(([row]) => row?.delivered === 1);
    const connection = await connectionUsed();
    const opened = await connection.openContent(long?.id ?? "", policy.content ?? { keepDays: 1, since: 1 });
    expect(opened).toMatchObject({ kind: "opened" });
    expect(opened.kind === "opened" ? opened.arguments.length : 0).toBe(65_537);
    await answerOf(await askPaid(client, { question: "x".repeat(250_000) }));
    const [refused] = await rowsWhen(([row]) => row?.served === "refused");
    expect((await kept(connection)).map((row) => row["call_id"])).not.toContain(refused?.id);
  });

  it("GDPR Article 5(1)(e): when its days are over it can't be read, and the alarm deletes it, not before", async () => {
    await keepFor(2);
    const asked = await askOnce();
    const { content } = (await env.ADMIN.getByName("admin").policy()).policy;
    if (content === undefined) throw new Error("Nothing is kept");
    const { connection, callId } = asked;
    const at = Number((await kept(connection)).find((row) => row["call_id"] === callId)?.["kept_at"]);
    const has = async () => (await kept(connection)).some((row) => row["call_id"] === callId);
    vi.useFakeTimers({ toFake: ["Date"], now: (at + 2 * DAY - 1) * 1000 });
    await runDurableObjectAlarm(connection);
    expect(await has()).toBe(true);
    expect((await connection.openContent(callId, content)).kind).toBe("opened");
    vi.setSystemTime((at + 2 * DAY) * 1000);
    expect((await connection.openContent(callId, content)).kind).toBe("gone");
    await runDurableObjectAlarm(connection);
    expect(await has()).toBe(false);
  });

  it("GDPR Article 5(1)(e): fewer days hold for what is kept already", async () => {
    await keepFor(10);
    const { connection, callId } = await askOnce();
    const { content } = (await env.ADMIN.getByName("admin").policy()).policy;
    await keepFor(2);
    const { content: fewer } = (await env.ADMIN.getByName("admin").policy()).policy;
    expect(fewer).toEqual({ keepDays: 2, since: content?.since });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * DAY * 1000 });
    expect((await connection.openContent(callId, fewer ?? { keepDays: 1, since: 0 })).kind).toBe("gone");
    await runDurableObjectAlarm(connection);
    expect((await kept(connection)).map((row) => row["call_id"])).not.toContain(callId);
  });

  it("gateway: switched off, it can't be read at once, also when it is switched on again", async () => {
    await keepFor(30);
    const asked = await askOnce();
    expect((await read(asked)).status).toBe(200);
    await stop();
    expect((await read(asked)).status).toBe(404);
    await keepFor(30);
    expect((await read(asked)).status).toBe(404);
    expect((await read(await askOnce())).status).toBe(200);
    expect((await kept(asked.connection)).map((row) => row["call_id"])).not.toContain(asked.callId);
  });

  it("gateway: switched off, the next paid call deletes it", async () => {
    await keepFor(30);
    const client = await connectAs("ada");
    const { connection } = await askOnce(client);
    expect(await kept(connection)).not.toEqual([]);
    await stop();
    await askOnce(client);
    expect(await kept(connection)).toEqual([]);
  });

  it("gateway: a call that was let in just before it is switched on deletes nothing that was kept just after", async () => {
    await stop();
    const client = await connectAs("ada");
    await askOnce(client);
    const connection = await connectionUsed();
    const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // Whether its client is there is asked once policy has let the call in.
    class SlowLine extends RpcTarget {
      async ping(): Promise<boolean> {
        asked.resolve();
        await goOn.promise;
        return true;
      }
      taken = 0;
      head(): void {
        this.taken += 1;
      }
      write(): void {
        this.taken += 1;
      }
      end(): void {
        this.taken += 1;
      }
    }
    const given = { crmAccount: "Globex", question: `the early one ${crypto.randomUUID()}` };
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call" };
    const text = JSON.stringify({ ...message, params: { name: "ask_account", arguments: given } });
    const early = connection.callTool(
      {
        ...identifyCall(text),
        credential: { kind: "access", hash: await sha256(client.tokens.access_token) },
        tool: "ask_account",
        arguments: given,
        callHash: crypto.randomUUID(),
        modern: false,
        headers: [["accept", "application/json"]],
        body: new TextEncoder().encode(text),
        session: undefined,
      },
      new SlowLine() as unknown as AnswerLine,
    );
    await asked.promise;
    await keepFor(30);
    const later = await askOnce(client);
    goOn.resolve();
    expect(await early).toEqual({ kind: "answered" });
    expect((await kept(connection)).map((row) => row["call_id"])).toEqual([later.callId]);
  });

  it("gateway: switched off, the alarm deletes it, which comes within a day", async () => {
    await keepFor(30);
    const { connection } = await askOnce();
    expect(await kept(connection)).not.toEqual([]);
    await stop();
    const due = await runInDurableObject(connection, (_, { storage }) => storage.getAlarm());
    expect(due).toBeGreaterThan(0);
    expect(due).toBeLessThanOrEqual(Date.now() + DAY * 1000);
    expect(await runDurableObjectAlarm(connection)).toBe(true);
    expect(await kept(connection)).toEqual([]);
  });

  it("GDPR Article 17: it goes with the ledger that is erased, also of a call that still runs", async () => {
    await keepFor(30);
    const client = await connectAs("ada");
    await askOnce(client);
    await begin();
    await gong.knobs({ toolsHeld: true });
    const running = askPaid(client);
    await untilAtGong(2);
    const connection = await connectionUsed();
    expect((await kept(connection)).length).toBeGreaterThan(1);
    await connection.eraseLedger();
    expect(await kept(connection)).toEqual([]);
    await gong.knobs({ toolsHeld: false });
    await answerOf(await running);
    await rowsWhen(([row]) => row?.delivered === 1);
    expect(await kept(connection)).toEqual([]);
  });

  it("gateway: it goes when the connection is ended, and with its row of the ledger", async () => {
    await keepFor(30);
    const { connection } = await askOnce(await connectAs("grace"));
    await runInDurableObject(connection, (_, { storage }) => {
      const call = { id: "kept-1", holder: {}, tool: "ask_deal", callHash: "h", requestBytes: 1 } as const;
      recordCall(storage.sql, { ...call, served: "paid", paidBy: undefined, outcome: "ok" }, 1);
      storage.sql.exec("INSERT INTO call_contents VALUES ('kept-1', 1, 1, 9000000000, 'sealed')");
      storage.sql.exec("DELETE FROM paid_calls WHERE id = 'kept-1'");
    });
    expect((await kept(connection)).map((row) => row["call_id"])).not.toContain("kept-1");
    expect(await kept(connection)).not.toEqual([]);
    await connection.disconnect("ended_by_admin");
    expect(await kept(connection)).toEqual([]);
  });

  it.each([
    ["0", "Write a number of at least 1."],
    ["91", "Write a number of at most 90."],
    ["", "Write a whole number."],
  ])("ASVS 5.0 2.2.1: %o days are refused, and nothing is switched on", async (days, problem) => {
    const answer = await keep({ keep: "yes", days });
    expect(answer.status).toBe(400);
    expect(readText(await answer.text())).toContain(problem);
    expect((await env.ADMIN.getByName("admin").policy()).policy.content).toBeUndefined();
  });

  it("gateway: a policy that an older version stored is read as one that keeps nothing", () => {
    const stored = JSON.stringify(DEFAULT_POLICY);
    expect(stored).not.toContain("content");
    expect(parsePolicy(JSON.parse(stored))).toEqual({ ok: true, policy: DEFAULT_POLICY });
  });
});

describe(verifies("spend.content_keys", "the sealing keys of what is kept"), () => {
  it("NIST SP 800-57: counted by key until it is gone, told as unreadable without its key, opened nowhere else", async () => {
    await keepFor(30);
    const client = await connectAs("grace");
    const first = await askOnce(client);
    const second = await askOnce(client);
    const { connection } = first;
    const until = Number((await kept(connection)).at(-1)?.["kept_until"]);
    expect((await connection.reseal()).results).toEqual({ k1: { count: 2, until } });
    const sealed = `SELECT arguments_sealed FROM call_contents WHERE call_id = '${first.callId}'`;
    await tamper(
      connection,
      `UPDATE call_contents SET arguments_sealed = (${sealed}) WHERE call_id = '${second.callId}'`,
    );
    expect((await read(first)).status).toBe(200);
    const moved = await read(second);
    expect(moved.status).toBe(404);
    expect(await moved.text()).not.toContain(first.canary);
    const header = btoa(JSON.stringify({ alg: "dir", enc: "A256GCM", kid: "k0" })).replaceAll("=", "");
    await tamper(
      connection,
      `UPDATE call_contents SET arguments_sealed = '${header}' || substr(arguments_sealed, instr(arguments_sealed, '.'))
       WHERE call_id = '${first.callId}'`,
    );
    const counted = (await connection.reseal()).results;
    expect(Object.entries(counted).map(([kid, { count }]) => [kid, count])).toEqual([
      ["k0", 1],
      ["k1", 1],
    ]);
    expect(readText(await (await read(first)).text())).toContain("missing from SEALING_KEYS");
    const page = await admin.open("/admin/sealing-keys");
    const form = readForms(await page.text()).find(({ action }) => action === "/admin/keys/sweep");
    const swept = await admin.post("/admin/keys/sweep", Object.fromEntries(form?.fields ?? []));
    const text = readText(await swept.text());
    expect(text).toMatch(/Key k0 ?0 connections, .*, 1 results and questions of calls, gone by/);
    expect(text).toContain("Keep the older keys that are listed.");
    await connection.eraseLedger();
    expect((await connection.reseal()).results).toEqual({});
  });
});
