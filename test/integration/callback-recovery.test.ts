// A gateway that dies between Gong's answer to a sign-in and the connection: the answer was kept before it was read,
// and whoever comes next goes on from it, once. What came in between (a newer sign-in, the end of the connection)
// stays.

import { createExecutionContext, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { sha256 } from "../../src/crypto/encoding.ts";
import { exchangeGongCode } from "../../src/domain/exchange-gong-code.ts";
import { openGateway } from "../../src/domain/gateway.ts";
import { openContinuation, readState } from "../../src/domain/transaction.ts";
import type { TransactionObject } from "../../src/storage/transaction-object.ts";
import { redemptionsOf, tokenRequests } from "../gong/ledger-questions.ts";
import { ACCOUNT_COOKIE, goToGongFor } from "../support/account.ts";
import { connectionAt, connectionRow, rows, tamper, type Connection } from "../support/connection.ts";
import { rowsOf } from "../support/evidence.ts";
import {
  agreeAtGong,
  approve,
  authorizationQuery,
  call,
  redeem,
  register,
  TestBrowser,
  TOOLS_LIST,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { connectAs } from "../support/mcp.ts";
import { copyOf } from "../support/restore.ts";
import { expectRefusalPage } from "../support/refusals.ts";

let clientId = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  await gong.reset();
  await gong.knobs({ secondAuthorization: "first_dies" });
  clientId = (await register()).client_id;
});
afterEach(() => void vi.useRealTimers());

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const exchanges = async (): Promise<number> => tokenRequests(await gong.ledger(), "authorization_code");
const works = async (accessToken: string): Promise<number> => (await call(accessToken, TOOLS_LIST)).status;
const codeIn = (answer: Response): string =>
  new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";

interface AtCallback {
  readonly browser: TestBrowser;
  readonly callback: string;
}

async function atCallback(person = "ada"): Promise<AtCallback> {
  await gong.signIn(person);
  const browser = new TestBrowser();
  return { browser, callback: await agreeAtGong(await approve(browser, authorizationQuery(clientId))) };
}

/**
 * What a Worker does with a callback until it dies: it takes the transaction and, with `asked`, gets Gong's answer,
 * which is kept. The object dies with it.
 */
async function dies(
  { browser, callback }: AtCallback,
  asked = true,
): Promise<DurableObjectStub<TransactionObject>> {
  const gateway = openGateway(env, createExecutionContext());
  const query = new URL(callback, "https://gateway.test").searchParams;
  const state = await readState(gateway, query.get("state") ?? "");
  if (state === undefined) throw new Error("The callback has no state of ours");
  const transaction = env.TRANSACTIONS.getByName(state.id);
  const binding = browser.cookies.get(`__Host-txn-${state.id}`) ?? "";
  const taken = await transaction.take(state.hash, await sha256(binding));
  if (taken.kind !== "taken") throw new Error(`The transaction was ${taken.kind}`);
  const continuation = await openContinuation(gateway, state.id, taken.continuationSealed);
  const [integration] = gateway.config.integrations;
  if (integration === undefined) throw new Error("There is no integration");
  const proven = { transactionId: state.id, integration, continuation, callback: query };
  if (asked) await exchangeGongCode(gateway, { ...proven, answerSealed: undefined });
  await evictDurableObject(transaction);
  return transaction;
}

/** The connection that the person's newest grant is on. */
async function connectionOfGrants(): Promise<Connection> {
  const entries = await env.ADMIN.getByName("admin").listConnections(1);
  return connectionAt(entries[0]?.id);
}

describe(verifies("restore.transaction", "a finished sign-in whose TransactionObject is restored"), () => {
  /** Finishes the sign-in, and ends what it opened. */
  async function finishAndEnd({ browser, callback }: AtCallback): Promise<string> {
    const { access_token: token } = await redeem(clientId, codeIn(await browser.open(callback)));
    expect(await works(token)).toBe(200);
    expect(await (await connectionOfGrants()).endAllGrants("ended_by_person")).toBeGreaterThan(0);
    // For as long an isolate trusts a token that it has checked.
    pass(11);
    expect(await works(token)).toBe(401);
    return token;
  }

  it("gateway: to before Gong's answer: no second grant, and none that ended lives again", async () => {
    const visit = await atCallback();
    const state = await readState(
      openGateway(env, createExecutionContext()),
      new URL(visit.callback, "https://gateway.test").searchParams.get("state") ?? "",
    );
    const transaction = env.TRANSACTIONS.getByName(state?.id ?? "");
    const [restore, cookies] = [await copyOf(transaction), new Map(visit.browser.cookies)];
    const token = await finishAndEnd(visit);
    const grants = await rowsOf("CONNECTIONS", "grants");
    await restore();
    for (const [name, value] of cookies) visit.browser.cookies.set(name, value);
    const answer = await visit.browser.open(visit.callback);
    // Gong refuses the code, which is spent.
    expect(new URL(answer.headers.get("location") ?? "").searchParams.get("error")).toBe("server_error");
    expect(await rowsOf("CONNECTIONS", "grants")).toEqual(grants);
    expect(await works(token)).toBe(401);
  });

  it("gateway: to when Gong's answer was kept: the same", async () => {
    const visit = await atCallback();
    const transaction = await dies(visit);
    const [restore, cookies] = [await copyOf(transaction), new Map(visit.browser.cookies)];
    const token = await finishAndEnd(visit);
    const grants = await rowsOf("CONNECTIONS", "grants");
    await restore();
    for (const [name, value] of cookies) visit.browser.cookies.set(name, value);
    const answer = await visit.browser.open(visit.callback);
    expect(new URL(answer.headers.get("location") ?? "").searchParams.get("error")).toBe("access_denied");
    expect(await rowsOf("CONNECTIONS", "grants")).toEqual(grants);
    expect(await works(token)).toBe(401);
    // Nor by its alarm.
    await restore();
    await runDurableObjectAlarm(transaction);
    expect(await works(token)).toBe(401);
    expect(await exchanges()).toBe(1);
  });
});

describe(verifies("callback.recovered", "a sign-in whose gateway died with Gong's answer kept"), () => {
  it("gateway: the reload goes on at once: one exchange, one grant, tokens that work", async () => {
    const visit = await atCallback();
    await dies(visit);
    const before = (await rowsOf("CONNECTIONS", "grants")).length;
    const answer = await visit.browser.open(visit.callback);
    expect(answer.status).toBe(303);
    const { access_token: token } = await redeem(clientId, codeIn(answer));
    expect(await works(token)).toBe(200);
    expect(await exchanges()).toBe(1);
    expect((await rowsOf("CONNECTIONS", "grants")).length - before).toBe(1);
  });

  it("gateway: fifty reloads at once open one grant, and its code works", { timeout: 60_000 }, async () => {
    const visit = await atCallback();
    await dies(visit);
    const before = (await rowsOf("CONNECTIONS", "grants")).length;
    const answers = await Promise.all(Array.from({ length: 50 }, () => visit.browser.open(visit.callback)));
    expect(answers.filter(({ status }) => status !== 303 && status !== 409)).toEqual([]);
    const codes = new Set(answers.filter(({ status }) => status === 303).map(codeIn));
    expect(codes.size).toBe(1);
    expect(await works((await redeem(clientId, [...codes][0] ?? "")).access_token)).toBe(200);
    expect((await rowsOf("CONNECTIONS", "grants")).length - before).toBe(1);
  });

  it("gateway: killed after the connection was written, the reload gives one more code of the same grant; one of them works", async () => {
    const visit = await atCallback();
    const transaction = await dies(visit);
    const before = (await rowsOf("CONNECTIONS", "grants")).length;
    const [{ answer_sealed: answerSealed } = { answer_sealed: null }] = await rows<{
      answer_sealed: string | null;
    }>(transaction, "transaction_record");
    const first = codeIn(await visit.browser.open(visit.callback));
    // As if the Worker had died before it could say so.
    const unfinished =
      "UPDATE transaction_record SET status = 'taken', outcome_sealed = NULL, answer_sealed = ?";
    await tamper(transaction, unfinished, answerSealed);
    await evictDurableObject(transaction);
    const second = codeIn(await visit.browser.open(visit.callback));
    const { access_token: token } = await redeem(clientId, first);
    await expect(redeem(clientId, second)).rejects.toThrow("400");
    expect(await works(token)).toBe(200);
    expect((await rowsOf("CONNECTIONS", "grants")).length - before).toBe(1);
    await tamper(transaction, unfinished, answerSealed);
    await evictDurableObject(transaction);
    const third = new URL((await visit.browser.open(visit.callback)).headers.get("location") ?? "");
    expect(third.searchParams.get("error")).toBe("access_denied");
  });

  it("gateway: a visit to the account is finished as well", async () => {
    await connectAs("ada");
    const browser = new TestBrowser();
    const callback = await goToGongFor(browser);
    await dies({ browser, callback });
    expect((await browser.open(callback)).status).toBe(200);
    expect(browser.cookies.has(ACCOUNT_COOKIE)).toBe(true);
    expect((await browser.open("/account")).status).toBe(200);
    expect(await exchanges()).toBe(2);
  });

  it("gateway: when nobody comes back, the alarm heals the person's connection, which Gong has cut off", async () => {
    const { tokens } = await connectAs("ada");
    const transaction = await dies(await atCallback("ada"));
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    expect(await works(tokens.access_token)).toBe(200);
    expect(tokenRequests(await gong.ledger(), "refresh_token")).toBe(0);
  });

  it("gateway: for a person without a connection the alarm keeps nothing, and the answer goes with the rest", async () => {
    const before = (await rowsOf("CONNECTIONS", "connection")).length;
    const transaction = await dies(await atCallback("grace"));
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    expect((await rowsOf("CONNECTIONS", "connection")).length).toBe(before);
    pass(660);
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    expect(await rows(transaction, "transaction_record")).toEqual([]);
  });

  it("gateway: storage that fails sends nobody away: the page loads again, and then it works", async () => {
    await connectAs("ada");
    const connection = await connectionOfGrants();
    const visit = await atCallback();
    await tamper(connection, "ALTER TABLE codes RENAME TO codes_gone");
    const busy = await visit.browser.open(visit.callback);
    expect([busy.status, busy.headers.get("refresh"), busy.headers.get("retry-after")]).toEqual([
      409,
      "2",
      "2",
    ]);
    expect(await busy.text()).not.toContain("code=");
    await tamper(connection, "ALTER TABLE codes_gone RENAME TO codes");
    const answer = await visit.browser.open(visit.callback);
    expect(await works((await redeem(clientId, codeIn(answer))).access_token)).toBe(200);
    expect(await exchanges()).toBe(2);
  });
});

describe(verifies("callback.lost", "a sign-in whose gateway died before Gong's answer was kept"), () => {
  it("gateway: after twenty seconds the page says so and begins the same request again; Gong's code is not sent twice", async () => {
    const visit = await atCallback();
    await dies(visit, false);
    expect((await visit.browser.open(visit.callback)).status).toBe(409);
    pass(21);
    const page = await visit.browser.open(visit.callback);
    expect(page.status).toBe(400);
    const [, again = ""] = /href="([^"]*\/authorize\?[^"]*)"/.exec(await page.text()) ?? [];
    const url = new URL(again.replaceAll("&amp;", "&"));
    expect(Object.fromEntries(url.searchParams)).toMatchObject(
      Object.fromEntries(new URLSearchParams(authorizationQuery(clientId))),
    );
    const gongUrl = await approve(visit.browser, url.search.slice(1));
    const answer = await visit.browser.open(await agreeAtGong(gongUrl));
    expect(await works((await redeem(clientId, codeIn(answer))).access_token)).toBe(200);
    const code = new URL(visit.callback, "https://gateway.test").searchParams.get("code") ?? "";
    expect(redemptionsOf(await gong.ledger(), code)).toEqual([]);
  });

  it("RFC 9700 §4.7: another browser is told nothing of it", async () => {
    const visit = await atCallback();
    await dies(visit, false);
    pass(21);
    const page = await new TestBrowser().open(visit.callback);
    expect(await expectRefusalPage(page)).not.toContain("Begin again");
  });
});

describe(verifies("callback.newest_wins", "a sign-in that is finished late"), () => {
  it("gateway: it does not replace the tokens of a newer one, and its agent works on those", async () => {
    const late = await atCallback();
    await dies(late);
    pass(5);
    const newer = await connectAs("ada");
    const { generation } = await connectionRow(await connectionOfGrants());
    const { access_token: token } = await redeem(clientId, codeIn(await late.browser.open(late.callback)));
    expect([await works(token), await works(newer.tokens.access_token)]).toEqual([200, 200]);
    expect((await connectionRow(await connectionOfGrants())).generation).toBe(generation);
  });

  it("gateway: it does not bring back a connection that was ended meanwhile, nor does the alarm", async () => {
    await connectAs("ada");
    const late = await atCallback();
    const transaction = await dies(late);
    pass(5);
    const connection = await connectionOfGrants();
    await connection.disconnect("ended_by_person");
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    const told = new URL((await late.browser.open(late.callback)).headers.get("location") ?? "");
    expect(told.searchParams.get("error")).toBe("access_denied");
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      gong_access_token_sealed: null,
      gong_refresh_token_sealed: null,
    });
  });

  it("gateway: finished again after a refresh it does not bring back the refresh token that was spent", async () => {
    const late = await atCallback();
    const transaction = await dies(late);
    const [{ answer_sealed: answerSealed } = { answer_sealed: null }] = await rows<{
      answer_sealed: string | null;
    }>(transaction, "transaction_record");
    const { access_token: token } = await redeem(clientId, codeIn(await late.browser.open(late.callback)));
    await gong.killTokens({ kind: "access" });
    expect(await works(token)).toBe(200);
    await tamper(
      transaction,
      "UPDATE transaction_record SET status = 'taken', answer_sealed = ?",
      answerSealed,
    );
    await evictDurableObject(transaction);
    await late.browser.open(late.callback);
    pass(11);
    await gong.killTokens({ kind: "access" });
    expect(await works(token)).toBe(200);
    expect(tokenRequests(await gong.ledger(), "refresh_token")).toBe(2);
  });
});
