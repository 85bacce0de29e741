// The pages of machine clients in a real Chromium: made by keyboard, shown once, found, ended, and how they look.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import { lookEveryWay } from "./looks.ts";
import { openRealPerson, signInAsAdmin, type RealPerson } from "./real-person.ts";

let world: World;
let browser: Browser;
let admin: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser);
  await signInAsAdmin(admin.page, world.gateway);
});
afterAll(async () => {
  await admin.close();
  await browser.close();
  await world.stop();
});

// One story: each step needs the one before.
describe(verifies("machine.admin", "browser.accessible", "machine clients in a browser"), () => {
  it("WCAG 2.2 AA: the empty list and the form", async () => {
    const { page } = admin;
    await page.getByRole("link", { name: "Machine clients" }).click();
    await page.getByText("None yet.").waitFor();
    expect(await lookEveryWay(page, "admin-machine-clients-empty")).toEqual([]);
  });

  it("WCAG 2.1.1: a machine client is made by keyboard alone, and its secret is shown", async () => {
    const { page } = admin;
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("Nightly report");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Machine client made" }).waitFor();
    expect(await page.locator("#client-secret").textContent()).toMatch(/^gcs_/);
    expect(await lookEveryWay(page, "admin-machine-client-made")).toEqual([]);
  });

  it("gateway: a form that can't be used says what to mend", async () => {
    const { page } = admin;
    await page.getByRole("link", { name: "Back to the machine clients" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Signing job");
    await page.getByLabel("these are its public keys").check();
    await page.getByRole("button", { name: "Make the machine client" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("Paste a JWK Set");
    expect(await lookEveryWay(page, "admin-machine-clients-refused")).toEqual([]);
  });

  it("gateway: ending one asks first, says what will happen, and leaves it on the list as ended", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin/machine-clients?q=nightly`);
    await page.getByText("End access…").click();
    expect(await lookEveryWay(page, "admin-machine-clients-ending")).toEqual([]);
    await page.getByRole("button", { name: "End its access" }).click();
    await page.getByText("Ended", { exact: true }).waitFor();
    expect(await lookEveryWay(page, "admin-machine-clients-ended")).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });
});
