// An admin of a new deployment at a real Chromium, by keyboard alone: from the first page to a set-up that is well,
// past what Gong can refuse; then the same gateway behind Cloudflare Access.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { PERSONAL_CLIENT_ID } from "../gong/integrations.ts";
import { type AccessOrigin, startAccessOrigin } from "../support/access-origin.ts";
import { launchBrowser } from "../support/browser.ts";
import type { Gateway } from "../support/workerd.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { type ListeningClient, startListeningClient } from "./listening-client.ts";
import { lookEveryWay } from "./looks.ts";
import { approve, openRealPerson, type RealPerson } from "./real-person.ts";

let world: World;
let browser: Browser;
let admin: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser);
});
afterAll(async () => {
  await admin.close();
  await browser.close();
  await world.stop();
});

const MOST_STOPS = 60;

/** Tabs to the button or link with this text, and presses Enter. */
async function pressByKeyboard(page: Page, name: string): Promise<void> {
  await page.locator("h1").waitFor();
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
    if (focused !== name) continue;
    await page.keyboard.press("Enter");
    return;
  }
  throw new Error(`No way by keyboard to "${name}"`);
}

const isAtSetup = (page: Page): Promise<void> =>
  page.getByRole("heading", { level: 1, name: "Set-up" }).waitFor();

const check = (page: Page, title: string) =>
  page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });

/** Through Gong's page, as the person chosen there. */
async function answerAtGong(page: Page, button: "Allow" | "Deny", person = "ada"): Promise<void> {
  await page.getByRole("heading", { name: "Allow access to Gong" }).waitFor();
  await page.getByLabel("Signed in as").selectOption(person);
  await page.getByRole("button", { name: button }).focus();
  await page.keyboard.press("Enter");
  await isAtSetup(page);
}

// One story: each step needs the one before.
describe(verifies("browser.setup", "the set-up of a new deployment"), () => {
  it("gateway: after the first sign-in the set-up is there, and nothing is checked yet", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin`);
    await page.getByLabel("Admin token").focus();
    await page.keyboard.type(SECRETS.ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await isAtSetup(page);
    expect(await page.getByLabel("Redirect URI to register").inputValue()).toBe(
      `${world.gateway.origin}/callback`,
    );
    expect(await page.getByRole("status").first().textContent()).toContain("12 of 12 checks have not passed");
    expect(await page.getByText("Can't be changed later").count()).toBe(2);
    expect(await lookEveryWay(page, "setup-new")).toEqual([]);
  });

  it("gateway: a wrong secret is named, and mended without a restart at Gong", async () => {
    const { page } = admin;
    world.gong.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: "another" });
    await pressByKeyboard(page, "Run the checks");
    await check(page, "Gong accepts the client ID and the secret (Personal access)")
      .getByText("Problem")
      .waitFor();
    expect(await page.getByText("View credentials", { exact: false }).count()).toBeGreaterThan(0);
    expect(await lookEveryWay(page, "setup-client-refused")).toEqual([]);
    world.gong.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: SECRETS.GONG_CLIENT_SECRET });
    await pressByKeyboard(page, "Run the checks");
    await check(page, "Gong accepts the client ID and the secret (Personal access)")
      .getByText("OK")
      .waitFor();
  });

  it("gateway: a redirect URI that Gong does not know leaves the admin on Gong's page; the set-up explains it", async () => {
    const { page } = admin;
    world.gong.editIntegration(PERSONAL_CLIENT_ID, { redirectUris: ["https://wrong.example/callback"] });
    await pressByKeyboard(page, "Sign in at Gong");
    await page.getByRole("alert").waitFor();
    expect(new URL(page.url()).origin).toBe(world.gongAppOrigin);
    await page.goto(`${world.gateway.origin}/admin/setup`);
    await check(page, "Gong accepts the redirect URI").first().getByText("have not come back").waitFor();
    expect(await lookEveryWay(page, "setup-not-back")).toEqual([]);
    const redirectUris = [`${world.gateway.origin}/callback`];
    world.gong.editIntegration(PERSONAL_CLIENT_ID, { redirectUris });
  });

  it("gateway: a person without a paid seat is recognised", async () => {
    const { page } = admin;
    await pressByKeyboard(page, "Sign in at Gong");
    await answerAtGong(page, "Allow", "collaborator");
    await check(page, "Gong accepts the redirect URI").first().getByText("needs a paid seat").waitFor();
    expect(await lookEveryWay(page, "setup-no-seat")).toEqual([]);
  });

  it("gateway: a company without credits is recognised by the list of tools, and an IP restriction by the token endpoint", async () => {
    const { page } = admin;
    // As the page says: sign out of Gong first. Gong refuses the person it knows without showing its page.
    await admin.context.clearCookies({ name: "gong_user" });
    world.gong.setKnobs({ creditBalance: 0, creditsRefusedAt: "every_request" });
    await pressByKeyboard(page, "Sign in at Gong");
    await answerAtGong(page, "Allow");
    await check(page, "Gong lists its tools").first().getByText("no Gong credits left").waitFor();
    expect(await lookEveryWay(page, "setup-no-credits")).toEqual([]);
    world.gong.setKnobs({ creditBalance: 1000, creditsRefusedAt: "call" });
    world.gong.setKnobs({ refusedAddressAt: "token" });
    await pressByKeyboard(page, "Run the checks");
    await check(page, "Gong accepts the client ID and the secret (Personal access)")
      .getByText("turn off the IP restriction")
      .waitFor();
    expect(await lookEveryWay(page, "setup-ip-restriction")).toEqual([]);
    world.gong.setKnobs({ refusedAddressAt: "nowhere" });
    await pressByKeyboard(page, "Run the checks");
  });

  it("gateway: with both integrations signed in, the set-up is well and /admin is the overview", async () => {
    const { page } = admin;
    await pressByKeyboard(page, "Sign in at Gong");
    await answerAtGong(page, "Allow");
    await pressByKeyboard(page, "Connect shared access");
    await answerAtGong(page, "Allow");
    await page.getByText("The set-up is well.").waitFor();
    expect(await page.getByText("ask_account, ask_deal, generate_brief").count()).toBe(2);
    expect(await lookEveryWay(page, "setup-well")).toEqual([]);
    await page.goto(`${world.gateway.origin}/admin`);
    await page.getByRole("heading", { level: 1, name: "Admin", exact: true }).waitFor();
  });

  it("ASVS 7.4.5: all admin sessions are ended from their page, after saying what will happen", async () => {
    const { page } = admin;
    await pressByKeyboard(page, "Sessions");
    await page.getByRole("heading", { level: 1, name: "Admin sessions" }).waitFor();
    await page.locator("summary").filter({ hasText: "End all" }).focus();
    await page.keyboard.press("Enter");
    expect(await lookEveryWay(page, "admin-sessions")).toEqual([]);
    await page.getByRole("button", { name: "End all admin sessions" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Admin sign-in" }).waitFor();
    expect(admin.troubles).toEqual([]);
  });
});

describe(
  verifies("access.admins", "access.people", "browser.accessible", "a gateway behind Cloudflare Access"),
  () => {
    let access: AccessOrigin;
    let gateway: Gateway;
    let client: ListeningClient;

    beforeAll(async () => {
      access = await startAccessOrigin("ada@example.com");
      gateway = await world.another(access.settings);
      world.gong.editIntegration(PERSONAL_CLIENT_ID, { redirectUris: [`${gateway.origin}/callback`] });
      client = await startListeningClient(gateway.origin, { client_name: "Claude Code (gong)" });
    });
    afterAll(async () => {
      await client.close();
      await access.close();
    });

    /** A browser whose requests to the gateway come through Access as this person; without one, around it. */
    async function browserOf(email?: string): Promise<RealPerson> {
      const person = await openRealPerson(browser);
      if (email !== undefined) {
        const added = await access.headersFor(email);
        await person.context.route(`${gateway.origin}/**`, async (route) => {
          await route.continue({ headers: { ...(await route.request().allHeaders()), ...added } });
        });
      }
      return person;
    }

    it("gateway: a listed admin signs in by one button, and the audit knows the name", async () => {
      const person = await browserOf("ada@example.com");
      const { page } = person;
      await page.goto(`${gateway.origin}/admin`);
      expect(await lookEveryWay(page, "admin-sign-in-access")).toEqual([]);
      await pressByKeyboard(page, "Sign in with Cloudflare Access");
      await isAtSetup(page);
      await page.goto(`${gateway.origin}/admin/sessions`);
      expect(await page.getByRole("heading", { name: "ada@example.com" }).count()).toBe(1);
      expect(person.troubles).toEqual([]);
      await person.close();
    });

    it("gateway: somebody else whom Access lets in is told that they are no admin", async () => {
      const person = await browserOf("grace@example.com");
      await person.page.goto(`${gateway.origin}/admin`);
      await person.page.getByText("who is not an admin of this gateway").waitFor();
      expect(await lookEveryWay(person.page, "admin-sign-in-not-admin")).toEqual([]);
      await person.close();
    });

    it("ASVS 8.2.2: a person chooses among their own connections, and another person's id opens nothing", async () => {
      const grace = await browserOf("grace@example.com");
      const { page } = grace;
      for (const name of ["ada", "grace"]) {
        await grace.context.clearCookies({ name: "gong_user" });
        await page.goto(client.authorizationUrl(name));
        await approve(page);
        await page.getByRole("heading", { name: "Allow access to Gong" }).waitFor();
        await page.getByLabel("Signed in as").selectOption(name);
        await page.getByRole("button", { name: "Allow" }).click();
        await expect
          .poll(() => client.arrived.at(-1)?.searchParams.get("state"), { timeout: 30_000 })
          .toBe(name);
        await client.redeem(client.arrived.at(-1));
      }
      await page.goto(`${gateway.origin}/account`);
      await page.getByRole("heading", { name: "Your connections" }).waitFor();
      const choices = page.getByRole("button", { name: /^Open connection/ });
      expect(await choices.count()).toBe(2);
      expect(await lookEveryWay(page, "account-choice")).toEqual([]);
      const chosen = await page.locator("input[name=connection]").last().inputValue();
      await choices.last().focus();
      await page.keyboard.press("Enter");
      await page.getByText(`Connection ${chosen.slice(0, 8)}`).waitFor();
      await page.getByRole("button", { name: "Sign out", exact: true }).click();

      const stranger = await browserOf("eve@example.com");
      await stranger.page.goto(`${gateway.origin}/account`);
      await stranger.page.getByText("No connection to Gong is recorded with this address").waitFor();
      expect(await lookEveryWay(stranger.page, "account-choice-empty")).toEqual([]);
      // The form that grace has, in another person's page.
      await page.getByRole("heading", { name: "Your connections" }).waitFor();
      await stranger.page.evaluate((connection) => {
        const form = document.querySelector("form") as HTMLFormElement;
        const field = document.createElement("input");
        field.name = "connection";
        field.value = connection;
        form.insertBefore(field, null);
        form.setAttribute("action", "/account/open");
        form.requestSubmit();
      }, chosen);
      await stranger.page.getByRole("heading", { name: "This connection is not yours" }).waitFor();
      await stranger.page.goto(`${gateway.origin}/account`);
      await stranger.page.getByText("No connection to Gong is recorded with this address").waitFor();
      expect([...grace.troubles, ...stranger.troubles]).toEqual([]);
      await grace.close();
      await stranger.close();
    });

    it("gateway: the consent page opens through Access, and around it a page says what is wrong", async () => {
      const through = await browserOf("grace@example.com");
      await through.page.goto(client.authorizationUrl("through"));
      await through.page.getByRole("button", { name: "Approve", exact: true }).waitFor();
      await through.close();
      const around = await browserOf();
      await around.page.goto(client.authorizationUrl("around"));
      await around.page
        .getByRole("heading", { name: "Cloudflare Access is not in front of this page" })
        .waitFor();
      expect(await lookEveryWay(around.page, "error-access-missing")).toEqual([]);
      await around.page.goto(`${gateway.origin}/admin`);
      expect(await lookEveryWay(around.page, "admin-sign-in-around-access")).toEqual([]);
      expect(around.troubles).toEqual([]);
      await around.close();
    });
  },
);
