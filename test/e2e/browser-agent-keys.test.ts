// Agent keys in a real Chromium: an admin makes one with the keyboard alone, copies it, and revokes it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import { lookEveryWay } from "./looks.ts";
import { askGong } from "./raw-call.ts";
import { allowAtGong, openRealPerson, signInAsAdmin, type RealPerson } from "./real-person.ts";

let world: World;
let browser: Browser;
let admin: RealPerson;
let page: Page;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  page = admin.page;
  await signInAsAdmin(page, world.gateway);
});
afterAll(async () => {
  await admin.close();
  await browser.close();
  await world.stop();
});

/** Presses Tab until the element with this accessible name has the focus. */
async function tabTo(
  name: string | RegExp,
  role: "textbox" | "radio" | "checkbox" | "button",
): Promise<void> {
  const wanted = page.getByRole(role, { name });
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab never reaches ${String(name)}`);
}

// One story: each step needs the one before.
describe(verifies("browser.agent_keys", "an admin's agent keys"), () => {
  it("WCAG 2.2 AA: before shared access is connected the page says what to do", async () => {
    await page.getByRole("link", { name: "Agent keys" }).click();
    await page.getByText("Connect shared access first").waitFor();
    expect(await lookEveryWay(page, "agent-keys-empty")).toEqual([]);
    await page.getByRole("link", { name: "Set-up" }).click();
    await page.getByRole("button", { name: "Connect shared access" }).click();
    await allowAtGong(page);
    await page.getByRole("button", { name: "Connect shared access again" }).waitFor();
  });

  it("WCAG 2.1.1: a key is made with the keyboard alone, and Copy copies it", async () => {
    await page.goto(`${world.gateway.origin}/admin/agent-keys`);
    expect(await lookEveryWay(page, "agent-keys-form")).toEqual([]);
    await tabTo("Name", "textbox");
    await page.keyboard.type("Nightly forecast");
    await tabTo(/Every tool/, "radio");
    await page.keyboard.press("ArrowDown");
    await tabTo(/ask_account/, "checkbox");
    await page.keyboard.press("Space");
    await tabTo("Make the key", "button");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "New agent key" }).waitFor();
    expect(await lookEveryWay(page, "agent-key-made")).toEqual([]);
    await page.getByRole("button", { name: "Copy the key" }).click();
    const key = await page.evaluate(() => navigator.clipboard.readText());
    expect(key).toMatch(/^gak_[A-Za-z0-9_-]{124}$/);
    expect((await askGong(world.sharedMcpUrl, key)).status).toBe(200);
  });

  it("gateway: the list shows it without the key, and a press on Revoke says first what will happen", async () => {
    await page.getByRole("link", { name: "Back to agent keys" }).click();
    const row = page.getByRole("row", { name: /Nightly forecast/ });
    expect(await row.textContent()).toContain("ask_account");
    expect(await page.content()).not.toContain("gak_");
    await row.locator("summary").click();
    expect(await lookEveryWay(page, "agent-keys-revoking")).toEqual([]);
    await row.getByRole("button", { name: "Revoke this key" }).click();
    await row.getByText("Revoked").waitFor();
    expect(await lookEveryWay(page, "agent-keys-revoked")).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });

  it("ASVS 14.3.2: going back shows no key again and makes none", async () => {
    await page.goto(`${world.gateway.origin}/admin/agent-keys`);
    await page.getByLabel("Name", { exact: true }).fill("Second job");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByRole("link", { name: "Back to agent keys" }).click();
    await page.getByRole("row", { name: /Second job/ }).waitFor();
    await page.goBack();
    expect(await page.content()).not.toMatch(/gak_[A-Za-z0-9_-]{124}/);
    await page.goto(`${world.gateway.origin}/admin/agent-keys`);
    expect(await page.getByRole("row", { name: /Second job/ }).count()).toBe(1);
  });
});
