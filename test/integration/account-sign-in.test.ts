// /account, the way in under attack: callbacks twice, late, in another browser and for another purpose; cookies of
// other people, made up, planted, idle, old and signed out.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { tokenRequests } from "../gong/ledger-questions.ts";
import { ACCOUNT_COOKIE, accountAct, accountBrowser, accountPage, goToGongFor } from "../support/account.ts";
import { everythingStored, objectIds, rowsOf } from "../support/evidence.ts";
import {
  agreeAtGong,
  approve,
  ask,
  ASK_ACCOUNT,
  askOutside,
  authorizationQuery,
  call,
  leadsTo,
  register,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { expectRefusalPage } from "../support/refusals.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const exchanges = async (): Promise<number> => tokenRequests(await gong.ledger(), "authorization_code");
const sessions = () => rowsOf("CONNECTIONS", "account_sessions");
const cookieOf = (browser: TestBrowser): string => browser.cookies.get(ACCOUNT_COOKIE) ?? "";

/** The browser's newest transaction cookie, and the transaction it names. */
function transactionOf(browser: TestBrowser): {
  readonly name: string;
  readonly value: string;
  readonly id: string;
} {
  const [name, value] = [...browser.cookies].findLast(([key]) => key.startsWith("__Host-txn-")) ?? ["", ""];
  return { name, value, id: name.slice("__Host-txn-".length) };
}

/** The status of the account page for a cookie: 200 is signed in, 401 is the sign-in page. */
const statusWith = async (cookie: string): Promise<number> =>
  (await ask("/account", { headers: { cookie: `${ACCOUNT_COOKIE}=${cookie}` } })).status;

describe(verifies("account.callback", "the callback of an account sign-in"), () => {
  it("RFC 9700 §4.5: twenty at once mean one exchange at Gong and one session", async () => {
    await gong.knobs({ tokenDelayMs: 50 });
    const browser = new TestBrowser();
    const callback = await goToGongFor(browser);
    const { name, value } = transactionOf(browser);
    const before = (await sessions()).length;
    const asked = Array.from({ length: 20 }, () =>
      ask(callback, { headers: { cookie: `${name}=${value}` } }),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    const cookies = answers.flatMap((answer) => answer.headers.getSetCookie());
    expect(new Set(cookies.filter((cookie) => cookie.startsWith(ACCOUNT_COOKIE))).size).toBe(1);
    expect(await exchanges()).toBe(1);
    expect((await sessions()).length - before).toBe(1);
  });

  it("gateway: a reload within a minute gives the same cookie again; after signing out that cookie opens nothing", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const browser = new TestBrowser();
    const callback = await goToGongFor(browser);
    await browser.open(callback);
    const first = cookieOf(browser);
    await browser.open(callback);
    expect(cookieOf(browser)).toBe(first);
    await accountAct(browser, /\/sign-out$/);
    await browser.open(callback);
    expect((await browser.open("/account")).status).toBe(401);
    vi.setSystemTime(now + 61_000);
    expect(await expectRefusalPage(await browser.open(callback))).toContain("already finished");
    expect(await exchanges()).toBe(1);
  });

  it("RFC 9700 §4.7: in another browser it signs nobody in, before and after, and Gong is not asked", async () => {
    const attacker = new TestBrowser();
    const callback = await goToGongFor(attacker);
    const victim = new TestBrowser();
    await goToGongFor(victim);
    await expectRefusalPage(await victim.open(callback));
    expect(await exchanges()).toBe(0);
    await attacker.open(callback);
    await expectRefusalPage(await victim.open(callback));
    expect(victim.cookies.has(ACCOUNT_COOKIE)).toBe(false);
  });

  it.each([
    [599, 200],
    [600, 400],
  ])("gateway: %d seconds after the beginning it answers %d", async (seconds, status) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const browser = new TestBrowser();
    const callback = await goToGongFor(browser);
    vi.setSystemTime(now + seconds * 1000);
    expect((await browser.open(callback)).status).toBe(status);
    expect(browser.cookies.has(ACCOUNT_COOKIE)).toBe(status === 200);
  });

  it("RFC 9700 §4.7: the state of an account sign-in with the cookie of a client's, and the other way round, is refused", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const clientCallback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const ofClient = transactionOf(browser);
    const accountCallback = await goToGongFor(browser);
    const ofAccount = transactionOf(browser);
    const mixed = [
      [accountCallback, `${ofAccount.name}=${ofClient.value}`],
      [clientCallback, `${ofClient.name}=${ofAccount.value}`],
      [accountCallback, `${ofClient.name}=${ofClient.value}`],
    ] as const;
    for (const [callback, cookie] of mixed)
      await expectRefusalPage(await ask(callback, { headers: { cookie } }));
    expect(await exchanges()).toBe(0);
    // Each still works for what it was begun for, and for nothing else.
    const client = await browser.open(clientCallback);
    expect([client.status, client.headers.getSetCookie()]).toEqual([303, []]);
    const signedIn = await browser.open(accountCallback);
    expect([signedIn.status, signedIn.headers.get("location")]).toEqual([200, null]);
  });

  it("gateway: no admin page waits for an account sign-in, and its transaction is not shown as one", async () => {
    const browser = new TestBrowser();
    await goToGongFor(browser);
    await expectRefusalPage(await browser.open(`/authorize/waiting/${transactionOf(browser).id}`));
  });

  it("RFC 6749 §4.1.2.1: a person who refuses at Gong is told so, and nothing was changed", async () => {
    const browser = new TestBrowser();
    const url = leadsTo(await (await browser.post("/account/sign-in", {})).text());
    await gong.knobs({ authorizePage: "deny" });
    const location = (await askOutside(url.href)).headers.get("location") ?? "";
    const callback = new URL(location);
    const answer = await browser.open(callback.pathname + callback.search);
    expect(await expectRefusalPage(answer)).toContain("Gong did not let you in");
    expect(await exchanges()).toBe(0);
  });

  it("gateway: two tabs sign in at once; the one that is done last is signed in, the other session has ended", async () => {
    const browser = new TestBrowser();
    const [one, two] = [await goToGongFor(browser), await goToGongFor(browser)];
    await browser.open(one);
    const first = cookieOf(browser);
    await browser.open(two);
    expect(cookieOf(browser)).not.toBe(first);
    expect([await statusWith(first), await statusWith(cookieOf(browser))]).toEqual([401, 200]);
  });
});

describe(verifies("account.session", "the account session"), () => {
  it("RFC 6265bis §4.1.3: the cookie is __Host-, Secure, HttpOnly, Strict, and stored as a hash only", async () => {
    const browser = new TestBrowser();
    const answer = await browser.open(await goToGongFor(browser));
    const line = answer.headers.getSetCookie().find((cookie) => cookie.startsWith(ACCOUNT_COOKIE)) ?? "";
    expect(line).toMatch(/^__Host-account=gas_[A-Za-z0-9_-]{124}; /);
    const attributes = line.split("; ").slice(1).toSorted();
    expect(attributes).toEqual(["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Strict", "Secure"]);
    expect(await everythingStored()).not.toContain(cookieOf(browser));
  });

  it.each([
    ["thirty minutes without a request", [30 * 60], 401],
    ["a request every 29 minutes for four hours", Array.from({ length: 8 }, () => 29 * 60), 200],
    ["eight hours, whatever its use", Array.from({ length: 17 }, () => 29 * 60), 401],
  ] as const)("ASVS 7.3: after %s", async (_, pauses, status) => {
    let now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const browser = await accountBrowser("ada");
    let last = 200;
    for (const seconds of pauses) {
      now += seconds * 1000;
      vi.setSystemTime(now);
      last = (await browser.open("/account")).status;
    }
    expect(last).toBe(status);
  });

  it("ASVS 7.4.1: a copied cookie ends with the sign-out", async () => {
    const browser = await accountBrowser("ada");
    const copy = cookieOf(browser);
    expect(await statusWith(copy)).toBe(200);
    await accountAct(browser, /\/sign-out$/);
    expect(browser.cookies.has(ACCOUNT_COOKIE)).toBe(false);
    expect(await statusWith(copy)).toBe(401);
  });

  it("ASVS 7.4.5: signing out everywhere ends every visit of the person, no one else's, and no agent", async () => {
    const { tokens } = await connectAs("ada");
    const [here, there] = [await accountBrowser("ada"), await accountBrowser("ada")];
    const grace = await accountBrowser("grace");
    const cookies = [here, there, grace].map(cookieOf);
    expect(await Promise.all(cookies.map(statusWith))).toEqual([200, 200, 200]);
    const answer = await accountAct(here, /\/sign-out-everywhere$/);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "https://gateway.test/account"]);
    expect(here.cookies.has(ACCOUNT_COOKIE)).toBe(false);
    expect(await Promise.all(cookies.map(statusWith))).toEqual([401, 401, 200]);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect(readText(await accountPage(await accountBrowser("ada")))).toContain(
      "Signed out of this page in every browser",
    );
  });

  it("ASVS 7.2.4: a session that somebody planted ends with the person's own sign-in", async () => {
    const attacker = await accountBrowser("grace");
    const planted = cookieOf(attacker);
    const victim = new TestBrowser();
    victim.cookies.set(ACCOUNT_COOKIE, planted);
    await accountBrowser("ada", victim);
    expect(cookieOf(victim)).not.toBe(planted);
    expect(await statusWith(planted)).toBe(401);
  });

  it("gateway: a hundred made-up and altered cookies wake no object", async () => {
    const good = cookieOf(await accountBrowser("ada"));
    const before = await objectIds();
    for (let round = 0; round < 100; round += 1) {
      const at = 4 + ((round * 7) % 124);
      const altered = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
      const bytes = crypto.getRandomValues(new Uint8Array(93));
      const made = `gas_${btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")}`;
      expect([await statusWith(altered), await statusWith(made)]).toEqual([401, 401]);
    }
    expect(await objectIds()).toEqual(before);
    expect(await statusWith(good)).toBe(200);
  });

  it("ASVS 9.2.2: no other credential opens an account, and the account cookie opens nothing else", async () => {
    const { tokens } = await connectAs("ada");
    const browser = await accountBrowser("ada");
    const account = cookieOf(browser);
    const others = [tokens.access_token, tokens.refresh_token, transactionOf(browser).value];
    for (const other of others) {
      expect(await statusWith(other)).toBe(401);
      expect(await statusWith(`gas_${other.slice(4)}`)).toBe(401);
    }
    const headers = { authorization: `Bearer ${account}`, cookie: `__Host-admin=${account}` };
    expect((await ask("/mcp", { method: "POST", headers })).status).toBe(401);
    expect((await ask("/admin", { headers })).status).toBe(401);
    for (const cookie of [`${ACCOUNT_COOKIE}=${account}; ${ACCOUNT_COOKIE}=x`, `account=${account}`]) {
      expect((await ask("/account", { headers: { cookie } })).status).toBe(401);
    }
    expect(readText(await accountPage(browser))).toContain("Your Gong access");
  });
});
