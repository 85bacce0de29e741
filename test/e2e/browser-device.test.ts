// The device grant with a real Chromium as the person's browser and plain requests as the device: how the pages look,
// and that the keyboard is enough. RFC 8628 §3.3, §5.4.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import { lookEveryWay } from "./looks.ts";
import { allowAtGong, openRealPerson, type RealPerson } from "./real-person.ts";

const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

let world: World;
let browser: Browser;
let person: RealPerson;
let clientId: string;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  const response = await fetch(`${world.gateway.origin}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Build server on rack 4",
      token_endpoint_auth_method: "none",
      grant_types: [DEVICE_CODE_GRANT, "refresh_token"],
    }),
  });
  ({ client_id: clientId } = (await response.json()) as { client_id: string });
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});
beforeEach(async () => {
  person = await openRealPerson(browser);
});
afterEach(() => person.close());

interface Begun {
  readonly device_code: string;
  readonly user_code: string;
}

async function begin(): Promise<Begun> {
  const response = await fetch(`${world.gateway.origin}/device_authorization`, {
    method: "POST",
    body: new URLSearchParams({ client_id: clientId }),
    headers: { "cf-connecting-ip": "198.51.100.20", "cf-ipcountry": "DE" },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Begun;
}

const poll = (begun: Begun): Promise<Response> =>
  fetch(`${world.gateway.origin}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: DEVICE_CODE_GRANT,
      client_id: clientId,
      device_code: begun.device_code,
    }),
  });

describe(verifies("browser.accessible", "device.consent", "the pages of the device grant"), () => {
  it("WCAG 2.2 AA: entering a code, a wrong code, the question, and every end", async () => {
    const { page } = person;
    await page.goto(`${world.gateway.origin}/device`);
    expect(await lookEveryWay(page, "device")).toEqual([]);
    await page.getByLabel("Code", { exact: true }).fill("BBBB-BBBB");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").waitFor();
    expect(await lookEveryWay(page, "device-wrong-code")).toEqual([]);
    const { user_code: userCode } = await begin();
    await page.getByLabel("Code", { exact: true }).fill(userCode);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Build server on rack 4").waitFor();
    expect(await page.getByText(userCode).count()).toBe(1);
    expect(await lookEveryWay(page, "device-consent")).toEqual([]);
    for (const end of ["connected", "denied", "late", "failed"]) {
      await page.goto(`${world.gateway.origin}/device/done?end=${end}`);
      expect(await lookEveryWay(page, `device-${end}`)).toEqual([]);
    }
    expect(person.troubles).toEqual([]);
  });

  it("RFC 8628 §3.3: with the keyboard alone, from the code to the end, and the device gets its tokens", async () => {
    const { page } = person;
    const begun = await begin();
    await page.goto(`${world.gateway.origin}/device`);
    await page.keyboard.press("Tab");
    await page.keyboard.type(begun.user_code.toLowerCase());
    await page.keyboard.press("Enter");
    await page.getByText("Let this client use Gong?").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    // The page takes an approval once it has been in front for 700 ms.
    await page.waitForFunction(() => document.querySelector("[value=approve]:not([aria-disabled])") !== null);
    await page.keyboard.press("Enter");
    await allowAtGong(page);
    await page.getByRole("heading", { name: "Your device is connected" }).waitFor();
    expect(person.troubles).toEqual([]);
    const tokens = await poll(begun);
    expect(tokens.status).toBe(200);
  });

  it("RFC 8628 §5.4: the browser does not send an approval without the box ticked, and Deny needs none", async () => {
    const { page } = person;
    const begun = await begin();
    await page.goto(`${world.gateway.origin}/device`);
    await page.getByLabel("Code", { exact: true }).fill(begun.user_code);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("device_checked");
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "You denied access" }).waitFor();
    expect(await (await poll(begun)).json()).toMatchObject({ error: "access_denied" });
  });
});
