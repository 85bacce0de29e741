// An admin at a real Chromium, in the order of a first day: sign in, register the redirect URI, connect shared access,
// decide about a client that waits, end a connection, sign out.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { COMPANY_CANARY } from "../gong/people.ts";
import { createAgent } from "../support/agent.ts";
import { launchBrowser } from "../support/browser.ts";
import { createPerson } from "../support/person.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { type ListeningClient, startListeningClient } from "./listening-client.ts";
import { lookEveryWay } from "./looks.ts";
import { allowAtGong, approve, openRealPerson, type RealPerson } from "./real-person.ts";
import { ASK, asksGong } from "./story.ts";

let world: World;
let browser: Browser;
let admin: RealPerson;
let client: ListeningClient;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser);
  client = await startListeningClient(world.gateway.origin, { client_name: "Quarterly report" });
});
afterAll(async () => {
  await client.close();
  await admin.close();
  await browser.close();
  await world.stop();
});

async function signIn(page: Page, token: string = SECRETS.ADMIN_TOKEN): Promise<void> {
  await page.goto(`${world.gateway.origin}/admin`);
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const isIn = (page: Page): Promise<void> =>
  page.getByRole("heading", { level: 1, name: "Admin", exact: true }).waitFor();

/** A person whose client asks for shared access, up to the page that waits for an admin. */
async function askForSharedAccess(state: string, asking: ListeningClient = client): Promise<RealPerson> {
  const person = await openRealPerson(browser);
  await person.page.goto(asking.authorizationUrl(state, world.sharedMcpUrl));
  await approve(person.page);
  await person.page.getByRole("heading", { name: "An admin must approve this" }).waitFor();
  return person;
}

// One story: each step needs the one before.
describe(verifies("browser.admin", "an admin's first day"), () => {
  it("gateway: a wrong token signs nobody in and the page says so", async () => {
    const { page } = admin;
    await signIn(page, `${SECRETS.ADMIN_TOKEN}x`);
    expect(await page.getByRole("alert").textContent()).toContain("not right");
    expect(await lookEveryWay(page, "admin-sign-in-refused")).toEqual([]);
    expect(await admin.context.cookies(world.gateway.origin)).toEqual([]);
  });

  it("gateway: the right token leads to the set-up, with the redirect URI to register at Gong", async () => {
    const { page } = admin;
    await signIn(page);
    await page.getByRole("heading", { level: 1, name: "Set-up" }).waitFor();
    expect(await page.getByLabel("Redirect URI to register").inputValue()).toBe(
      `${world.gateway.origin}/callback`,
    );
    const [session] = await admin.context.cookies(world.gateway.origin);
    expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: "Strict" });
  });

  it("gateway: nobody can ask for shared access before an admin has connected it", async () => {
    const person = await openRealPerson(browser);
    await person.page.goto(client.authorizationUrl("early", world.sharedMcpUrl));
    await approve(person.page);
    await person.page.getByRole("heading", { name: "Shared access is not set up yet" }).waitFor();
    expect(client.arrived).toEqual([]);
    await person.close();
  });

  it("gateway: Connect shared access leads through Gong and back to what it came to", async () => {
    const { page } = admin;
    await page.getByRole("button", { name: "Connect shared access" }).click();
    await allowAtGong(page);
    await page.getByRole("button", { name: "Connect shared access again" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/admin/setup");
    await page.getByRole("link", { name: "Overview" }).click();
    await isIn(page);
    await page.getByRole("listitem").filter({ hasText: "Shared access" }).getByText("Connected").waitFor();
  });

  it("gateway: a client waits, the admin approves it, and the waiting page goes on by itself", async () => {
    const person = await askForSharedAccess("waited");
    expect(await lookEveryWay(person.page, "waiting")).toEqual([]);
    const code = await person.page.locator(".code").textContent();
    const { page } = admin;
    await page.reload();
    const request = page.getByRole("row").filter({ hasText: "Quarterly report" });
    expect(await request.locator(".mono").textContent()).toBe(code);
    expect(await lookEveryWay(page, "admin-request")).toEqual([]);
    await request.getByRole("button", { name: "Approve" }).click();
    await isIn(page);
    expect(await page.getByText("Requests for shared access").count()).toBe(0);

    await expect.poll(() => client.arrived.length, { timeout: 30_000 }).toBe(1);
    expect(client.arrived[0]?.searchParams.get("state")).toBe("waited");
    const tokens = await client.redeem(client.arrived[0]);
    expect(await answerTo(world.sharedMcpUrl, tokens?.access_token)).toContain(COMPANY_CANARY);
    await person.close();
  });

  it("RFC 6749 §4.1.2.1: a client that an admin denies is told access_denied", async () => {
    const person = await askForSharedAccess("denied");
    const { page } = admin;
    await page.reload();
    await page
      .getByRole("row")
      .filter({ hasText: "Quarterly report" })
      .getByRole("button", { name: "Deny" })
      .click();
    await expect.poll(() => client.arrived.length, { timeout: 30_000 }).toBe(2);
    expect(client.arrived[1]?.searchParams.get("error")).toBe("access_denied");
    await person.close();
  });

  it("OWASP ASVS 1.2.1: names that are markup are text on the admin page and on the waiting page", async () => {
    const people: RealPerson[] = [];
    for (const name of XSS_CORPUS.filter((_, index) => index % 10 === 0)) {
      const hostile = await startListeningClient(world.gateway.origin, { client_name: name });
      const person = await askForSharedAccess(name, hostile);
      people.push(person);
      expect(person.troubles).toEqual([]);
      await hostile.close();
    }
    await admin.page.reload();
    expect(
      await admin.page.locator("main script, main img, main iframe, main svg:not(.chart svg)").count(),
    ).toBe(0);
    await Promise.all(people.map((person) => person.close()));
  });

  it("gateway: ending a connection stops its agent at once", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), name: "Agent to be ended" });
    const signedIn = await agent.connect();
    await asksGong(signedIn);
    const { page } = admin;
    await page.reload();
    expect(await lookEveryWay(page, "admin-overview")).toEqual([]);
    await page.getByRole("link", { name: "Connections", exact: true }).click();
    await page.getByLabel("Search id or client name").fill("to be ended");
    await page.keyboard.press("Enter");
    await page.waitForURL(/[?&]q=/);
    expect(await lookEveryWay(page, "admin-connections")).toEqual([]);
    await page.getByRole("link", { name: /Agent to be ended/ }).click();
    await page.locator("summary").filter({ hasText: "End this connection" }).waitFor();
    expect(await lookEveryWay(page, "admin-connection")).toEqual([]);
    await page.locator("summary").filter({ hasText: "End this connection" }).click();
    expect(await lookEveryWay(page, "admin-connection-ending")).toEqual([]);
    await page.getByRole("button", { name: "End this connection" }).click();
    await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
    expect(await answerTo(world.mcpUrl, agent.tokens?.access_token)).toBe("401");
    await signedIn.close();
  });

  it.each([
    ["/admin/clients", "Clients", "admin-clients"],
    ["/admin/registrations", "Registrations", "admin-registrations"],
    ["/admin/registrations?q=nobody+has+this+name", "Registrations", "admin-registrations-no-match"],
    ["/admin/doctor", "Client doctor", "admin-doctor"],
    ["/admin/spend", "Spend", "admin-spend"],
    ["/admin/spend?by=client", "Spend", "admin-spend-by-client"],
    ["/admin/approvals", "Requests for shared access", "admin-approvals"],
    ["/admin/audit", "Security audit", "admin-audit"],
    ["/admin/sealing-keys", "Sealing keys", "admin-sealing-keys"],
  ])("WCAG 2.2 AA: %s, light and dark, narrow and wide", async (path, heading, name) => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}${path}`);
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
    expect(await lookEveryWay(page, name)).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });

  it("WCAG 2.2 AA: what the key sweep found, light and dark, narrow and wide", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin/sealing-keys`);
    await page.getByRole("button", { name: "Check the sealing keys" }).click();
    await page.getByText("seals now.").waitFor();
    expect(await lookEveryWay(page, "admin-key-sweep")).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });

  it("gateway: the doctor leads from the list to what a client tried, by keyboard", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin/doctor`);
    await page.getByLabel("Search client, reason or reference").focus();
    await page.keyboard.type("Agent to be ended");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Agent to be ended" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 2, name: "What it tried, the last first" }).waitFor();
    expect(await page.getByText("First call").count()).toBe(1);
    expect(await lookEveryWay(page, "admin-client")).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });

  it("gateway: the spend leads to a connection's calls, and Erase asks first, by keyboard", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin/spend`);
    await page.getByLabel("Split by").focus();
    await page.getByLabel("Split by").selectOption("connection");
    await page.getByRole("button", { name: "Show" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("table", { name: "By connection" }).getByRole("link").first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Calls of a connection" }).waitFor();
    expect(await lookEveryWay(page, "admin-ledger")).toEqual([]);
    await page.locator("summary").filter({ hasText: "Erase this ledger" }).focus();
    await page.keyboard.press("Enter");
    expect(await lookEveryWay(page, "admin-ledger-erasing")).toEqual([]);
    await page.getByRole("button", { name: "Erase this ledger" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("No paid call was made on this connection.").waitFor();
    expect(admin.troubles).toEqual([]);
  });

  it("CSP3 §6: every link of the admin's pages leads to a page with one heading, and none violates its policy", async () => {
    const { page } = admin;
    const links = new Set(["/admin"]);
    for (const link of links) {
      const answer = await page.goto(world.gateway.origin + link);
      expect([link, answer?.status(), await page.locator("h1").count()]).toEqual([link, 200, 1]);
      const found = await page
        .locator("a[href^='/']")
        .evaluateAll((all) => all.map((each) => each.getAttribute("href")));
      // One page of each kind: rows and filters lead to more of the same.
      const known = new Set([...links].map(kindOf));
      for (const href of found) {
        if (href === null || /[?&]format=/.test(href) || known.has(kindOf(href))) continue;
        links.add(href);
        known.add(kindOf(href));
      }
    }
    expect(links.size).toBeGreaterThan(18);
    expect(admin.troubles).toEqual([]);
  });

  it("OWASP ASVS 7.4.1: after Sign out the page is gone, and Back does not bring it back", async () => {
    const { page, context } = admin;
    await page.goto(`${world.gateway.origin}/admin`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Admin sign-in" }).waitFor();
    expect(await lookEveryWay(page, "admin-sign-in")).toEqual([]);
    await page.goBack();
    await page.getByRole("heading", { name: "Admin sign-in" }).waitFor();
    expect(
      (await context.cookies(world.gateway.origin)).filter(({ name }) => name === "__Host-admin"),
    ).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });
});

/** A link without what differs from row to row. */
const kindOf = (href: string): string =>
  href.replace(/[?#].*$/, "").replace(/\/[A-Za-z0-9_-]{22}(?=\/|$)/, "/id");

/** The body of the answer to a tools/call, or its status when it is refused. */
async function answerTo(mcpUrl: string, accessToken: string | undefined): Promise<string> {
  const answer = await fetch(mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: ASK }),
  });
  const text = await answer.text();
  return answer.ok ? text : String(answer.status);
}
