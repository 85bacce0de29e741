// The admin's lists with ten thousand rows each in a real Chromium: written into the object's database while the
// gateway is down, then looked at, searched and paged. How the rows are read: integration/admin-lists.test.ts.

import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import { lookAt, type Look } from "./looks.ts";
import { openRealPerson, signInAsAdmin, type RealPerson } from "./real-person.ts";

const MANY = 10_000;
/** A page that grew with its list would be megabytes. */
const LARGEST_PAGE = 90_000;
const PHONE: Look = { colorScheme: "light", width: 320 };

let world: World;
let browser: Browser;
let admin: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  admin = await openRealPerson(browser);
  await signInAsAdmin(admin.page, world.gateway);
  await world.gateway.kill();
  fillLists(world.gateway.stateDir);
  await world.gateway.restart();
});
afterAll(async () => {
  await admin.close();
  await browser.close();
  await world.stop();
});

/** `expression` for each number up to MANY, which it calls `i`, into `table`. */
const fill = (table: string, columns: string, expression: string): string =>
  `WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${MANY})
   INSERT INTO ${table} (${columns}) SELECT ${expression} FROM numbers`;

/** Names as clients choose them: most ordinary, some right to left, some long, some that look like another. */
const NAME = `CASE i % 50 WHEN 7 THEN 'סוכן המכירות ' || i WHEN 11 THEN 'Gоng (verified) ' || i
  WHEN 13 THEN i || replace(hex(zeroblob(120)), '00', '-very-long') ELSE 'Agent ' || i END`;

function fillLists(stateDir: string): void {
  const folder = readdirSync(stateDir).find((name) => /admin/i.test(name)) ?? "";
  const files = readdirSync(path.join(stateDir, folder)).filter((name) =>
    /^[0-9a-f]{64}\.sqlite$/.test(name),
  );
  expect(files).toHaveLength(1);
  const database = new DatabaseSync(path.join(stateDir, folder, files[0] ?? ""));
  const now = Math.floor(Date.now() / 1000);
  const day = now - (now % 86_400);
  database.exec(`BEGIN;
    ${fill(
      "connections",
      "id, integration, created_at, state, state_since, used_on, agents, agent_count, kid",
      `printf('con-%018d', i), 'main', ${now} - i * 60,
       CASE WHEN i % 100 = 0 THEN 'needs_reconnect' ELSE 'connected' END, ${now} - i * 60, ${day}, ${NAME}, 1, 'k1'`,
    )};
    ${fill("audit", "at, actor, action, target, request_id, cause", `${now} - ${MANY} + i, 'ada@example.com', 'connection.ended', printf('con-%018d', i), 'req-' || i, 'admin'`)};
    ${fill("client_index", "client_id, registration, name, redirect_uri, first_at, used_on", `'gcl_' || i, 'dynamic', ${NAME}, 'https://client-' || i || '.example/callback', ${now} - i, ${day}`)};
    ${fill("traces", "at, kept_at, client_id, name, step, reason, request_id, proven", `${now} - ${MANY} + i, ${now}, 'gcl_' || (i % 1000), ${NAME}, 'authorize', 'invalid_scope', 'req-' || i, 1`)};
    ${fill("key_index", "id, connection_id, integration, name, created_by, created_at, expires_at, ended_at", `printf('key-%018d', i), printf('con-%018d', i), 'main', ${NAME}, 'person', ${now} - i, ${now} + 864000, ${now} + 864000`)};
    ${fill("machine_clients", "id, name, secret_hash, scope, created_at, created_by, ended_at, ended_by", `printf('gmc_%022d', i), ${NAME}, 'h', 'mcp:ai-ask:read', ${now} - i, 'admin', ${now}, 'admin'`)};
    ${fill("approvals", "transaction_id, code, client_id, client_name, redirect_uri, requested_at, expires_at", `printf('%022d', i), 'ABCDEF', 'gcl_' || i, ${NAME}, 'https://client-' || i || '.example/callback', ${now} - i % 500, ${now} + 3600`)};
    ${fill("usage", "day, connection_id, client_id, key_id, tool, served, calls, milliseconds", `date(${now} - (i % 30) * 86400, 'unixepoch'), printf('con-%018d', i), 'gcl_' || i, '', 'ask_account', 'paid', i % 9, 900`)};
    ${fill("budget_counters", "scope, id, period, used", `'client', 'gcl_' || i, date(${now}, 'unixepoch'), i % 90`)};
  COMMIT`);
  database.close();
}

describe(verifies("list.paging", "browser.accessible", "ten thousand rows in a browser"), () => {
  it.each([
    ["/admin/connections", "Connections", "10,000 in all"],
    ["/admin/audit", "Security audit", "in all"],
    ["/admin/clients", "Clients", "10,000 in all"],
    ["/admin/doctor", "Client doctor", "in all"],
    ["/admin/agent-keys", "Agent keys", "10,000 in all"],
    ["/admin/machine-clients", "Machine clients", "10,000 in all"],
    ["/admin/approvals", "Requests for shared access", "10,000 in all"],
  ])(
    "gateway: %s is one small page of them, fits a phone, and leads on by keyboard",
    async (where, heading, total) => {
      const { page } = admin;
      const answer = await page.goto(`${world.gateway.origin}${where}`);
      await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      expect((await answer?.body())?.length).toBeLessThan(LARGEST_PAGE);
      expect(await page.getByText(total).count()).toBe(1);
      const rows = page.locator("table.list tbody tr");
      const first = await rows.allTextContents();
      expect(first.length).toBeGreaterThanOrEqual(20);
      expect(first.length).toBeLessThanOrEqual(50);
      expect(await lookAt(page, `many${where.replaceAll("/", "-")}`, PHONE)).toEqual([]);
      await page.getByRole("link", { name: "Next page" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "Previous page" }).waitFor();
      const second = await rows.allTextContents();
      expect(second.filter((row) => first.includes(row))).toEqual([]);
      expect(admin.troubles).toEqual([]);
    },
  );

  it("gateway: a search finds one row of them, and says when there is none", async () => {
    const { page } = admin;
    await page.goto(`${world.gateway.origin}/admin/connections`);
    expect(await lookAt(page, "many-admin-connections", { colorScheme: "dark", width: 1200 })).toEqual([]);
    await page.getByLabel("Search id or client name").fill("agent 4321");
    await page.keyboard.press("Enter");
    await page.getByText("1 matches").waitFor();
    await page.getByRole("link", { name: "Agent 4321 · con-0000" }).waitFor();
    await page.getByLabel("Search id or client name").fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing matches.").waitFor();
  });

  it.each([
    ["/admin", "Admin"],
    ["/admin/spend?by=client", "Spend"],
    ["/admin/policy", "Policy"],
  ])("gateway: %s adds them up and stays small", async (where, heading) => {
    const { page } = admin;
    const answer = await page.goto(`${world.gateway.origin}${where}`);
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
    expect((await answer?.body())?.length).toBeLessThan(LARGEST_PAGE);
    expect(await lookAt(page, `many${where.split("?")[0]?.replaceAll("/", "-")}`, PHONE)).toEqual([]);
    expect(admin.troubles).toEqual([]);
  });
});
