// An admin who keeps what agents ask, in a real Chromium: switched on, told to people, read, and switched off.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createAgent } from "../support/agent.ts";
import { launchBrowser } from "../support/browser.ts";
import { createPerson } from "../support/person.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { type ListeningClient, startListeningClient } from "./listening-client.ts";
import { lookEveryWay } from "./looks.ts";
import { openRealPerson, type RealPerson } from "./real-person.ts";
import { ASK } from "./story.ts";

let world: World;
let browser: Browser;
let admin: RealPerson;
let client: ListeningClient;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser);
  client = await startListeningClient(world.gateway.origin, { client_name: "Claude Code (gong)" });
});
afterAll(async () => {
  await client.close();
  await admin.close();
  await browser.close();
  await world.stop();
});

const go = (path: string) => admin.page.goto(`${world.gateway.origin}${path}`);

// One story: each step needs the one before.
describe(verifies("browser.kept_questions", "kept questions in a browser"), () => {
  it("WCAG 2.1.1: by keyboard alone an admin switches it on and is told that it is saved", async () => {
    const { page } = admin;
    await go("/admin");
    await page.getByLabel("Admin token").fill(SECRETS.ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Policy", exact: true }).waitFor();
    await go("/admin/policy/content");
    await page.getByLabel("Keep what agents ask").focus();
    await page.keyboard.press("Y");
    await page.getByLabel("For how many days").fill("7");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "Saved." }).waitFor();
    expect(await page.getByLabel("Keep what agents ask").inputValue()).toBe("yes");
    expect(await page.getByLabel("For how many days").inputValue()).toBe("7");
    expect(await lookEveryWay(page, "admin-policy-content")).toEqual([]);
  });

  it("GDPR Article 13: whoever is asked to approve an agent is told", async () => {
    const person = await openRealPerson(browser);
    await person.page.goto(client.authorizationUrl("s"));
    await person.page.getByText("keeps the questions that agents send to Gong for 7 days").waitFor();
    expect(await lookEveryWay(person.page, "consent-kept-questions")).toEqual([]);
    expect(person.troubles).toEqual([]);
    await person.close();
  });

  it("gateway: a call is read from the ledger of its connection, after a question that says what happens", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), name: "Claude Code (gong)" });
    await agent.signIn();
    const answer = await fetch(world.mcpUrl, {
      method: "POST",
      headers: {
        authorization: `Bearer ${agent.tokens?.access_token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: ASK }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    const { page } = admin;
    await go("/admin/connections");
    const path = await page.locator('a[href^="/admin/connections/"]').first().getAttribute("href");
    await go((path ?? "").replace("/connections/", "/spend/"));
    await page.locator("summary").filter({ hasText: "Read…" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The audit notes that you read this call.").waitFor();
    expect(await lookEveryWay(page, "admin-ledger-reading")).toEqual([]);
    await page.getByRole("button", { name: "Read what was asked" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "What was asked" }).waitFor();
    const shown = await page.getByLabel("Arguments of the call").textContent();
    expect(JSON.parse(shown ?? "")).toEqual(ASK.arguments);
    expect(await lookEveryWay(page, "admin-call")).toEqual([]);
    await page.getByRole("link", { name: "Back to the calls of this connection" }).click();
    await page.getByRole("heading", { level: 1, name: "Calls of a connection" }).waitFor();
    expect(admin.troubles).toEqual([]);
  });
});
