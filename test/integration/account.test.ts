// /account, the story: a person signs in by Gong's word, sees the connection that is theirs, and acts on it.

import { env } from "cloudflare:workers";
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { accountAct, accountBrowser, accountForm, accountPage, goToGongFor } from "../support/account.ts";
import { tamper } from "../support/connection.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { defaultPeople } from "../gong/people.ts";
import { agreeAtGong, ASK_ACCOUNT, call, leadsTo, TestBrowser, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { expectRefusalPage } from "../support/refusals.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const canaryOf = (person: string): string => defaultPeople().get(person)?.canary ?? "nobody";
const connections = () => rowsOf("CONNECTIONS", "connection");
const liveSessions = async (): Promise<number> => (await rowsOf("CONNECTIONS", "account_sessions")).length;

/** The connection that an account page is about, by the short id on it. */
async function shortId(browser: TestBrowser): Promise<string> {
  return /Connection ([A-Za-z0-9_-]{8})/.exec(readText(await accountPage(browser)))?.[1] ?? "";
}

/** A stub of the connection whose id begins with `short`. */
async function stubOf(short: string) {
  const entries = await env.ADMIN.getByName("admin").listConnections(100);
  return env.CONNECTIONS.getByName(entries.find(({ id }) => id.startsWith(short))?.id ?? "");
}

describe(verifies("account.sign_in", "whose account it is"), () => {
  it("gateway: before a sign-in the page explains itself, and nothing is stored or asked at Gong", async () => {
    const before = await everythingStored();
    const answer = await new TestBrowser().open("/account");
    expect(answer.status).toBe(401);
    expect(readText(await answer.text())).toContain("Sign in at Gong once more");
    expect(await everythingStored()).toBe(before);
    expect(await gong.requests()).toEqual([]);
  });

  it("gateway: Gong names the person, and the page shows the agents that this person approved", async () => {
    await connectAs("ada");
    await connectAs("grace");
    const ada = readText(await accountPage(await accountBrowser("ada")));
    expect(ada).toContain("Connected");
    expect(ada).toContain("Test client");
    expect(ada.match(/End this agent's access/g)?.length).toBe((await connectedAgents("ada")).length);
  });

  it("gateway: two people see two connections", async () => {
    const [one, two] = [await accountBrowser("ada"), await accountBrowser("grace")];
    const ids = [await shortId(one), await shortId(two)];
    expect(new Set(ids).size).toBe(2);
    expect(await shortId(await accountBrowser("ada"))).toBe(ids[0]);
  });
});

/** The agents on the account of `person`. */
async function connectedAgents(person: string): Promise<readonly unknown[]> {
  const stub = await stubOf(await shortId(await accountBrowser(person)));
  return (await stub.describe())?.grants ?? [];
}

describe(verifies("account.adopts", "the tokens of an account sign-in"), () => {
  it("gateway: where a second authorization ends the first one's tokens, the agent goes on with the new ones", async () => {
    await gong.knobs({ secondAuthorization: "first_dies" });
    const { tokens } = await connectAs("ada");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    await accountBrowser("ada");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: Connect at Gong again heals a connection that Gong had ended, and its agents need no approval", async () => {
    const { tokens } = await connectAs("ada");
    const browser = await accountBrowser("ada");
    await gong.killTokens({ kind: "all", person: "ada" });
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect(readText(await accountPage(browser))).toContain("Needs to be connected again");
    const answer = await accountAct(browser, /\/reconnect$/);
    await browser.open(await agreeAtGong(leadsTo(await answer.text())));
    expect(readText(await accountPage(browser))).toContain("Agents that you approved can use Gong");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: connecting again as another person opens that person's account and leaves the first one's agents alone", async () => {
    const { tokens } = await connectAs("ada");
    const browser = await accountBrowser("ada");
    const ada = await shortId(browser);
    await gong.signIn("grace");
    const answer = await browser.open(await goToGongFor(browser));
    expect(await answer.text()).toContain("?done=other_person");
    expect(await shortId(browser)).not.toBe(ada);
    const text = await (await call(tokens.access_token, ASK_ACCOUNT)).text();
    expect(text).toContain(canaryOf("ada"));
    expect(text).not.toContain(canaryOf("grace"));
  });
});

describe(verifies("account.unnamed", "when Gong names nobody"), () => {
  it("gateway: nothing is kept, no session is opened, and the page says what to do", async () => {
    await gong.knobs({ accessTokenForm: "opaque" });
    const browser = new TestBrowser();
    const callback = await goToGongFor(browser);
    const [before, sessions] = [(await connections()).length, await liveSessions()];
    const text = await expectRefusalPage(await browser.open(callback));
    expect(text).toContain("Gong did not say who you are");
    expect(text).toContain("ask your admin");
    expect(await expectRefusalPage(await browser.open(callback))).toContain("did not say who you are");
    expect([(await connections()).length, await liveSessions()]).toEqual([before, sessions]);
  });
});

describe(verifies("account.nothing_left", "a person without agents"), () => {
  const visitorWithoutAgents = async (): Promise<TestBrowser> => {
    const browser = await accountBrowser("grace");
    const stub = await stubOf(await shortId(browser));
    await stub.disconnect("ended_by_person");
    // The visits of the tests before.
    await tamper(stub, "DELETE FROM account_sessions");
    return accountBrowser("grace", browser);
  };
  const CLOCK = Date.now();

  it("gateway: signing out lets Gong's tokens go when no agent uses them", async () => {
    const browser = await visitorWithoutAgents();
    const stub = await stubOf(await shortId(browser));
    expect((await stub.describe())?.sealedWith).toBe("k1");
    await accountAct(browser, /\/sign-out$/);
    expect(await stub.describe()).toMatchObject({
      state: "disconnected",
      reason: "unused",
      sealedWith: undefined,
    });
  });

  it("gateway: so does the alarm, once the visit has idled out", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: CLOCK });
    const browser = await visitorWithoutAgents();
    const stub = await stubOf(await shortId(browser));
    vi.setSystemTime(CLOCK + 29 * 60_000);
    await runDurableObjectAlarm(stub);
    expect((await stub.describe())?.state).toBe("connected");
    vi.setSystemTime(CLOCK + 31 * 60_000);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await stub.describe()).toMatchObject({
      state: "disconnected",
      reason: "unused",
      sealedWith: undefined,
    });
  });

  it("gateway: with an agent, neither the end of the visit nor the alarm changes anything", async () => {
    const { tokens } = await connectAs("ada");
    await accountAct(await accountBrowser("ada"), /\/sign-out$/);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });
});

describe(verifies("account.acts", "what a person does takes effect at once"), () => {
  it("gateway: stopping one agent refuses its next call and no other's", async () => {
    // The agents of the tests before.
    await (await stubOf(await shortId(await accountBrowser("ada")))).endAllGrants("ended_by_person");
    const [one, other] = [await connectAs("ada"), await connectAs("ada")];
    const browser = await accountBrowser("ada");
    const form = await accountForm(browser, /\/agents\/[^/]{22}\/end$/);
    const answer = await browser.post(form.action, form.fields);
    expect([answer.status, answer.headers.get("location")]).toEqual([
      303,
      "https://gateway.test/account?done=agent_ended",
    ]);
    const calls = [one, other].map(({ tokens }) => call(tokens.access_token, ASK_ACCOUNT));
    expect((await Promise.all(calls)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 401,
    ]);
    expect(readText(await (await browser.open("/account?done=agent_ended")).text())).toContain(
      "access has ended",
    );
    await expectRefusalPage(await browser.post(form.action, form.fields), 404);
  });

  it("gateway: stopping all refuses them all, and Gong's tokens go", async () => {
    const agents = [await connectAs("grace"), await connectAs("grace")];
    const browser = await accountBrowser("grace");
    const stub = await stubOf(await shortId(browser));
    expect((await accountAct(browser, /\/end-all$/)).status).toBe(303);
    for (const { tokens } of agents) expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect(await stub.describe()).toMatchObject({ state: "disconnected", reason: "no_agent_left" });
    expect(readText(await accountPage(browser))).toContain("No agent uses your connection");
  });

  it("gateway: ending the connection refuses every agent, deletes Gong's tokens, and the page tells the truth about Gong", async () => {
    const { tokens } = await connectAs("ada");
    const browser = await accountBrowser("ada");
    expect(readText(await accountPage(browser))).toContain("Gong offers no way to revoke tokens from here");
    expect((await accountAct(browser, /\/disconnect$/)).status).toBe(303);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    const page = readText(await accountPage(browser));
    expect(page).toContain("Ended");
    expect(page).toContain("It was ended on the account page.");
    expect(page).not.toContain("End my connection");
  });
});
