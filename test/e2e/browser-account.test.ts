// A person's account in a real Chromium, in the order of a day: sign in by Gong's word, look, stop an agent by
// keyboard, heal a lost connection, download the record, end it all, sign out.

import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createAgent, type Agent } from "../support/agent.ts";
import { launchBrowser } from "../support/browser.ts";
import { createPerson } from "../support/person.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";
import { startWorld, type World } from "./gateway.ts";
import { lookEveryWay } from "./looks.ts";
import { allowAtGong, openRealPerson, type RealPerson } from "./real-person.ts";
import { ASK } from "./story.ts";

let world: World;
let browser: Browser;
let person: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  person = await openRealPerson(browser);
});
afterAll(async () => {
  await person.close();
  await browser.close();
  await world.stop();
});

const account = (): string => `${world.gateway.origin}/account`;

/** An agent that Ada has let in, under this name. */
async function agentNamed(name: string): Promise<Agent> {
  const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), name });
  await agent.signIn();
  return agent;
}

/** The status of a question of the agent. */
const asks = (agent: Agent): Promise<number> => statusWith(agent.tokens?.access_token);

/** The status of a question with this credential. */
async function statusWith(credential: string | undefined): Promise<number> {
  const answer = await fetch(world.mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${credential}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: ASK }),
  });
  await answer.text();
  return answer.status;
}

async function signIn(page: Page): Promise<void> {
  await page.goto(account());
  await page.getByRole("button", { name: "Sign in at Gong" }).click();
  await allowAtGong(page);
  await isIn(page);
}

const isIn = (page: Page): Promise<void> => page.getByRole("button", { name: "Sign out" }).waitFor();

const agents: Agent[] = [];

// One story: each step needs the one before.
describe(verifies("browser.account", "a person's account"), () => {
  it("gateway: the page explains itself, Gong says who it is, and no policy is violated on the way", async () => {
    agents.push(await agentNamed("Claude Code (gong)"), await agentNamed("Quarterly report"));
    const { page, context } = person;
    await page.goto(account());
    expect(await lookEveryWay(page, "account-sign-in")).toEqual([]);
    await signIn(page);
    expect(new URL(page.url()).pathname).toBe("/account");
    const names = await page.getByRole("heading", { level: 3 }).allTextContents();
    expect(names.toSorted()).toEqual(["Claude Code (gong)", "Quarterly report"]);
    expect(await lookEveryWay(page, "account")).toEqual([]);
    const cookie = (await context.cookies(world.gateway.origin)).find(
      ({ name }) => name === "__Host-account",
    );
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Strict" });
    expect(person.troubles).toEqual([]);
  });

  it("WCAG 2.2 2.1.1: an agent is stopped with nothing but the keyboard, and its next call is refused", async () => {
    const { page } = person;
    await page.goto(account());
    const item = page.locator(".items > li").filter({ hasText: "Quarterly report" });
    await tabTo(page, "End access… Quarterly report");
    await page.keyboard.press("Enter");
    await item.getByText("Its next call to Gong is refused").waitFor();
    expect(await lookEveryWay(page, "account-stop")).toEqual([]);
    await tabTo(page, "End this agent's access Quarterly report");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "The agent's access has ended" }).waitFor();
    expect(await lookEveryWay(page, "account-stopped")).toEqual([]);
    expect([await asks(agents[0] as Agent), await asks(agents[1] as Agent)]).toEqual([200, 401]);
  });

  it("gateway: a connection that Gong has ended is shown as lost, and Connect at Gong again heals it", async () => {
    const { page } = person;
    world.gong.killTokens({ kind: "all", person: "ada" });
    expect(await asks(agents[0] as Agent)).toBe(401);
    await page.goto(account());
    await page.getByText("Needs to be connected again").waitFor();
    expect(await lookEveryWay(page, "account-lost")).toEqual([]);
    await page.getByRole("button", { name: "Connect at Gong again" }).click();
    await allowAtGong(page);
    await isIn(page);
    expect(await asks(agents[0] as Agent)).toBe(200);
  });

  it("gateway: an agent key is made, shown once with lines to copy, works, and is revoked", async () => {
    const { page } = person;
    await page.goto(account());
    await page.locator("summary", { hasText: "Make an agent key" }).click();
    await page.getByLabel("Name").fill("Nightly report");
    expect(await lookEveryWay(page, "account-key-form")).toEqual([]);
    await page.getByRole("button", { name: "Make the key" }).click();
    const key = (await page.locator("#key").textContent()) ?? "";
    expect(key).toMatch(/^gak_/);
    expect(await lookEveryWay(page, "account-key-made")).toEqual([]);
    expect(await statusWith(key)).toBe(200);
    await page.getByRole("link", { name: "Back to your Gong access" }).click();
    await isIn(page);
    expect(await page.content()).not.toContain(key);
    await page.locator("summary", { hasText: "Nightly report" }).click();
    await page.getByRole("button", { name: "Revoke this key" }).click();
    await page.getByRole("status").filter({ hasText: "The agent key was revoked" }).waitFor();
    expect(await lookEveryWay(page, "account-key-revoked")).toEqual([]);
    expect(await statusWith(key)).toBe(401);
  });

  it.each(["CSV", "NDJSON"])("gateway: the record is saved as %s", async (format) => {
    const { page } = person;
    const saved = page.waitForEvent("download");
    await page.getByRole("link", { name: `Download as ${format}` }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe(`gong-connection-record.${format.toLowerCase()}`);
    const text = await readFile(await download.path(), "utf8");
    expect(text).toContain("agent.approved");
    expect(text).toContain("needs_reconnect");
  });

  it("gateway: the calls of each agent are counted, and drawn by day and by tool", async () => {
    const { page } = person;
    await page.goto(account());
    await page
      .getByText(/calls? in 30 days/)
      .first()
      .waitFor();
    await page.getByRole("link", { name: "Calls and spend" }).click();
    await page.getByRole("heading", { name: "Your calls to Gong" }).waitFor();
    expect(await page.getByRole("img").first().getAttribute("aria-label")).toContain(
      "Calls that were answered",
    );
    expect(await lookEveryWay(page, "account-calls")).toEqual([]);
    await page.getByLabel("Split by").selectOption("tool");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("table", { name: "By tool" }).waitFor();
    await page.getByText("Erase the record of my calls…").click();
    expect(await lookEveryWay(page, "account-calls-by-tool")).toEqual([]);
    await page.getByRole("button", { name: "Erase the record of my calls" }).click();
    await page.getByText("The record of your calls was erased.").waitFor();
  });

  it("gateway: another tab that signs in takes over; the first one's forms say that the page is out of date", async () => {
    const first = person.page;
    await first.goto(account());
    const second = await person.context.newPage();
    await second.goto(account());
    await second.getByRole("button", { name: "Connect at Gong again" }).click();
    await allowAtGong(second);
    await isIn(second);
    await first.getByRole("button", { name: "Sign out" }).click();
    await first.getByRole("heading", { name: "This account page is out of date" }).waitFor();
    expect(await lookEveryWay(first, "account-stale")).toEqual([]);
    await second.reload();
    await isIn(second);
    await second.close();
  });

  it(
    "OWASP ASVS 1.2.1: hostile names stay text, run nothing, and fit on a phone",
    { timeout: 120_000 },
    async () => {
      const names = [
        ...XSS_CORPUS.filter((_, at) => at % 12 === 0),
        `\u202Egnoigve ${"very ".repeat(30)}long`,
        "",
      ];
      for (const name of names) await agentNamed(name);
      const { page } = person;
      await page.goto(account());
      expect(await page.locator("main script, main img, main iframe, main svg, main style").count()).toBe(0);
      expect(await lookEveryWay(page, "account-hostile")).toEqual([]);
      expect(person.troubles).toEqual([]);
    },
  );

  it("gateway: two people in two browsers see two connections", async () => {
    const grace = await openRealPerson(browser);
    await grace.page.goto(account());
    await grace.page.getByRole("button", { name: "Sign in at Gong" }).click();
    await grace.page.locator("select[name=person]").selectOption("grace");
    await allowAtGong(grace.page);
    await isIn(grace.page);
    expect(await grace.page.getByText("No agent uses your connection").count()).toBe(1);
    expect(await lookEveryWay(grace.page, "account-without-agents")).toEqual([]);
    expect(await shortId(grace.page)).not.toBe(await shortId(person.page));
    await grace.close();
  });

  it("ASVS 7.4.5: Sign out everywhere, by keyboard, ends the visit in the other browser too, and no agent", async () => {
    const { page } = person;
    const elsewhere = await openRealPerson(browser);
    await signIn(elsewhere.page);
    await page.goto(account());
    await tabTo(page, "Sign out everywhere…");
    await page.keyboard.press("Enter");
    expect(await lookEveryWay(page, "account-sign-out-everywhere")).toEqual([]);
    await tabTo(page, "Sign out everywhere");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    await elsewhere.page.reload();
    await elsewhere.page.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    await elsewhere.close();
    expect(await asks(agents[0] as Agent)).toBe(200);
    await signIn(page);
  });

  it("gateway: ending the connection says what will happen, stops every agent, and says what Gong can't do", async () => {
    const { page } = person;
    await page.goto(account());
    await page.locator("summary", { hasText: "End my connection" }).click();
    expect(await page.getByText("Gong offers no way to revoke tokens").count()).toBe(1);
    await page.getByRole("button", { name: "End my connection" }).click();
    await page.getByRole("status").filter({ hasText: "Your connection has ended" }).waitFor();
    expect(await lookEveryWay(page, "account-ended")).toEqual([]);
    expect(await asks(agents[0] as Agent)).toBe(401);
  });

  it("OWASP ASVS 14.3.2: after Sign out neither Back nor Reload brings the page back", async () => {
    const { page, context } = person;
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    const cookies = await context.cookies(world.gateway.origin);
    expect(cookies.filter(({ name }) => name === "__Host-account")).toEqual([]);
    expect(person.troubles).toEqual([]);
  });

  it("gateway: a person who refuses at Gong, and one whom Gong does not name, are told what to do", async () => {
    const { page } = person;
    await page.goto(account());
    await page.getByRole("button", { name: "Sign in at Gong" }).click();
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "Gong did not let you in" }).waitFor();
    expect(await lookEveryWay(page, "account-denied")).toEqual([]);
    world.gong.setKnobs({ accessTokenForm: "opaque" });
    await page.goto(account());
    await page.getByRole("button", { name: "Sign in at Gong" }).click();
    await allowAtGong(page);
    await page.getByRole("heading", { name: "Gong did not say who you are" }).waitFor();
    expect(await lookEveryWay(page, "account-unnamed")).toEqual([]);
    world.gong.setKnobs({ accessTokenForm: "jwt" });
  });
});

async function shortId(page: Page): Promise<string> {
  return (await page.locator("#connection ~ * code, section code").first().textContent()) ?? "";
}

/** Presses Tab until the element with this text has the focus. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() =>
      document.activeElement?.textContent?.replace(/\s+/g, " ").trim(),
    );
    if (focused === text) return;
  }
  throw new Error(`Tab never reached ${text}`);
}
