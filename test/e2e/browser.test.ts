// Signing in with a real Chromium, from a client's authorization request to its loopback port: what each answer leads
// to, one hand or only a keyboard, two tabs, back and reload, and nothing that the browser has to block.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import { type ListeningClient, startListeningClient } from "./listening-client.ts";
import { allowAtGong, approve, openRealPerson, type RealPerson } from "./real-person.ts";
import { atGong } from "./story.ts";

let world: World;
let browser: Browser;
let client: ListeningClient;
let person: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});
beforeEach(async () => {
  client = await startListeningClient(world.gateway.origin);
  person = await openRealPerson(browser);
});
afterEach(async () => {
  await person.close();
  await client.close();
});

async function arrives(count = 1): Promise<void> {
  await expect.poll(() => client.arrived.length, { timeout: 30_000 }).toBe(count);
}

describe(verifies("browser.sign_in", "signing in with a real browser"), () => {
  it("RFC 6749 §4.1.2: Approve, then Allow at Gong, brings code, state and iss to the client's port", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("state of my own"));
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Let this client use Gong?");
    await approve(page);
    await allowAtGong(page);
    await arrives();
    const [callback] = client.arrived;
    expect([...(callback?.searchParams.keys() ?? [])].toSorted()).toEqual(["code", "iss", "state"]);
    expect(callback?.searchParams.get("state")).toBe("state of my own");
    expect(callback?.searchParams.get("iss")).toBe(world.gateway.origin);
    expect(await client.redeem(callback)).toBeDefined();
  });

  it("RFC 6749 §4.1.2.1: Deny brings access_denied to the client, and Gong is never visited", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await page.getByRole("button", { name: "Deny", exact: true }).click();
    await arrives();
    expect(client.arrived[0]?.searchParams.get("error")).toBe("access_denied");
    expect(client.arrived[0]?.searchParams.get("state")).toBe("s");
    expect((await person.requests()).filter(({ url }) => url.origin === world.gongAppOrigin)).toEqual([]);
  });

  it("RFC 6749 §4.1.2.1: Deny at Gong brings access_denied to the client too", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await approve(page);
    await page.getByRole("button", { name: "Deny" }).click();
    await arrives();
    expect(client.arrived[0]?.searchParams.get("error")).toBe("access_denied");
  });

  it("gateway: the keyboard alone, Tab and Enter, goes all the way", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await page.waitForTimeout(800);
    await tabTo(page, "Approve");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${world.gongAppOrigin}/**`);
    await tabTo(page, "Allow");
    await page.keyboard.press("Enter");
    await arrives();
    expect(await client.redeem(client.arrived[0])).toBeDefined();
  });

  it("WCAG 2.2 2.1.1: the keyboard alone denies as easily, one Tab further, and at once", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await tabTo(page, "Deny");
    await page.keyboard.press("Enter");
    await arrives();
    expect(client.arrived[0]?.searchParams.get("error")).toBe("access_denied");
  });

  it("gateway: two sign-ins at once in two tabs both arrive, each with its own state and a code that works", async () => {
    const one = person.page;
    const other = await person.context.newPage();
    await one.goto(client.authorizationUrl("one"));
    await other.goto(client.authorizationUrl("other"));
    await approve(one);
    await one.waitForURL(`${world.gongAppOrigin}/**`);
    await approve(other);
    await allowAtGong(other);
    await arrives(1);
    await allowAtGong(one);
    await arrives(2);
    expect(client.arrived.map(({ searchParams }) => searchParams.get("state"))).toEqual(["other", "one"]);
    expect(await Promise.all(client.arrived.map((url) => client.redeem(url)))).not.toContain(undefined);
  });
});

describe(verifies("browser.history", "back, reload and old pages"), () => {
  it("gateway: a reloaded consent page asks again, and its Approve works", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await page.reload();
    await approve(page);
    await allowAtGong(page);
    await arrives();
    expect(await client.redeem(client.arrived[0])).toBeDefined();
  });

  it("gateway: Back from Gong leads to a consent page that works", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await approve(page);
    await page.waitForURL(`${world.gongAppOrigin}/**`);
    await page.goBack();
    await approve(page);
    await allowAtGong(page);
    await arrives();
    expect(await client.redeem(client.arrived[0])).toBeDefined();
  });

  it("RFC 6749 §4.1.2: the callback opened again leads to the same answer, and Gong is not asked again", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await approve(page);
    await allowAtGong(page);
    await arrives(1);
    const callback = (await person.requests()).find(
      ({ url }) => url.pathname === "/callback" && url.origin === world.gateway.origin,
    );
    const { signIns } = atGong(world);
    await page.goto(callback?.url.href ?? "");
    await arrives(2);
    expect(client.arrived[1]?.href).toBe(client.arrived[0]?.href);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("RFC 6265bis §5.7: cookies outlive the pages they bind, so an old page is called old and not foreign", async () => {
    const { page, context } = person;
    await page.goto(client.authorizationUrl("s"));
    await approve(page);
    await page.waitForURL(`${world.gongAppOrigin}/**`);
    const cookies = await context.cookies(world.gateway.origin);
    expect(cookies.map(({ name }) => name.replace(/-txn-.*/, "-txn")).toSorted()).toEqual([
      "__Host-consent",
      "__Host-txn",
    ]);
    const tenMinutes = Date.now() / 1000 + 660;
    expect(cookies.filter(({ expires }) => expires < tenMinutes)).toEqual([]);
  });

  it("gateway: a browser that lost its cookies is told so, and nothing begins at Gong", async () => {
    const { page, context } = person;
    await page.goto(client.authorizationUrl("s"));
    await context.clearCookies();
    await approve(page);
    await page.getByRole("heading", { name: "This sign-in belongs to another browser" }).waitFor();
    expect(client.arrived).toEqual([]);
    expect((await person.requests()).some(({ url }) => url.origin === world.gongAppOrigin)).toBe(false);
  });
});

describe(verifies("browser.nothing_blocked", "what the browser sees on the way"), () => {
  it("CSP3 §6.4.2, RFC 9700 §4.2: nothing is blocked, nobody else is asked, and no Referer takes a query to another origin", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await approve(page);
    await allowAtGong(page);
    await arrives();
    expect(person.troubles).toEqual([]);
    const requests = await person.requests();
    const origins = new Set(requests.map(({ url }) => url.origin));
    expect(origins).toEqual(new Set([world.gateway.origin, world.gongAppOrigin, client.origin]));
    const leaving = requests.filter(
      ({ url, referer }) => referer !== undefined && !referer.startsWith(url.origin),
    );
    expect(leaving.filter(({ referer }) => referer?.includes("?"))).toEqual([]);
    expect(leaving.filter(({ referer }) => referer?.startsWith(world.gateway.origin))).toEqual([]);
  });
});

async function tabTo(page: RealPerson["page"], label: string): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (focused === label) return;
  }
  throw new Error(`Tab does not reach ${label}`);
}
