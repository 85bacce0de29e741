// How the pages of a sign-in look in a real Chromium: axe-core, no sideways scrolling, in light and dark, on a phone
// and on a desk. The pictures in test/output/e2e are for people. The admin's pages and the waiting page:
// browser-admin.test.ts.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { LOOPBACK_REDIRECT, PUBLIC_CLIENT, startWorld, type World } from "./gateway.ts";
import { type ListeningClient, PKCE, startListeningClient } from "./listening-client.ts";
import { holdInterstitial, lookEveryWay } from "./looks.ts";
import { approve, openRealPerson, type RealPerson } from "./real-person.ts";

let world: World;
let browser: Browser;
let client: ListeningClient;
let person: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  client = await startListeningClient(world.gateway.origin, { client_name: "Claude Code (gong)" });
});
afterAll(async () => {
  await client.close();
  await browser.close();
  await world.stop();
});
beforeEach(async () => {
  person = await openRealPerson(browser);
});
afterEach(() => person.close());

describe(verifies("browser.accessible", "how the pages look"), () => {
  it("WCAG 2.2 AA: the consent page of a client that registered itself, personal and shared", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    expect(await lookEveryWay(page, "consent")).toEqual([]);
    await page.goto(client.authorizationUrl("s", world.sharedMcpUrl));
    expect(await lookEveryWay(page, "consent-shared")).toEqual([]);
    expect(person.troubles).toEqual([]);
  });

  it("WCAG 2.2 AA: the consent page of a pre-registered client, which says so", async () => {
    const { page } = person;
    const query = new URLSearchParams({
      response_type: "code",
      client_id: PUBLIC_CLIENT.clientId,
      redirect_uri: LOOPBACK_REDIRECT,
      code_challenge: PKCE.challenge,
      code_challenge_method: "S256",
    });
    await page.goto(`${world.gateway.origin}/authorize?${query}`);
    expect(await page.getByText("Set up by your admin").count()).toBe(1);
    expect(await lookEveryWay(page, "consent-preregistered")).toEqual([]);
  });

  it.each([
    ["Approve", "interstitial-gong"],
    ["Deny", "interstitial-denied"],
  ])(
    "WCAG 2.2 AA: the page after %s, with a link for browsers that do not go on by themselves",
    async (button, name) => {
      const { page } = person;
      await page.goto(client.authorizationUrl("s"));
      await holdInterstitial(page);
      if (button === "Approve") await approve(page);
      else await page.getByRole("button", { name: button, exact: true }).click();
      const link = page.getByRole("link", { name: "Continue" });
      await link.waitFor();
      expect(await lookEveryWay(page, name)).toEqual([]);
      const target = new URL((await link.getAttribute("href")) ?? "");
      expect(target.origin).toBe(button === "Approve" ? world.gongAppOrigin : client.origin);
    },
  );

  it.each([
    ["an unknown client", "/authorize?client_id=gcl_nobody", "error-client"],
    ["a callback that nobody began", "/callback?code=c&state=s", "error-callback"],
    ["the front page", "/", "home"],
  ])("WCAG 2.2 AA: %s", async (_, path, name) => {
    const { page } = person;
    await page.goto(`${world.gateway.origin}${path}`);
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    expect(await lookEveryWay(page, name)).toEqual([]);
    expect(person.troubles).toEqual([]);
  });
});
