// /account behind Cloudflare Access: Access says who it is, the connections recorded with that address are theirs, and
// nobody goes on with another person's session.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { tokenRequests } from "../gong/ledger-questions.ts";
import { ACCESS_HEADER, newAccessTeam, type AccessTeam } from "../support/access.ts";
import { ACCOUNT_COOKIE, accountAct, accountBrowser, accountPage } from "../support/account.ts";
import { clientSites } from "../support/client-site.ts";
import { rowsOf } from "../support/evidence.ts";
import { agreeAtGong, approve, ask, authorizationQuery, register, TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { expectRefusalPage } from "../support/refusals.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";

let team: AccessTeam;
let gateway: Ask;

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
  team = await newAccessTeam();
  gateway = gatewayWith({ ...team.settings });
});

/** A browser of somebody whom Access lets through. */
async function browserOf(email: string): Promise<TestBrowser> {
  const token = await team.token(email);
  return new TestBrowser((path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set(ACCESS_HEADER, token);
    return gateway(path, { ...init, headers });
  });
}

/** Lets an agent in as `person` at Gong, in a browser of `email`. */
async function letIn(email: string, person: string): Promise<TestBrowser> {
  await gong.signIn(person);
  const { client_id: clientId } = await register({ client_name: `Agent of ${person}` });
  const browser = await browserOf(email);
  await browser.open(await agreeAtGong(await approve(browser, authorizationQuery(clientId))));
  return browser;
}

/** The connections that the page offers to open. */
async function offered(browser: TestBrowser): Promise<readonly string[]> {
  const html = await (await browser.open("/account")).text();
  const forms = readForms(html).filter(({ action }) => action === "/account/open");
  return forms.flatMap(({ fields }) => fields.filter(([name]) => name === "connection").map(([, id]) => id));
}

const exchanges = async (): Promise<number> => tokenRequests(await gong.ledger(), "authorization_code");

describe(verifies("account.by_access", "an account behind Cloudflare Access"), () => {
  it("gateway: the connection a person let an agent use is offered, and opens without another visit to Gong", async () => {
    const browser = await letIn(ADA, "ada");
    const before = await exchanges();
    const [id = "", ...more] = await offered(browser);
    expect(more).toEqual([]);
    expect((await browser.post("/account/open", { connection: id })).status).toBe(303);
    const page = readText(await accountPage(browser));
    expect(page).toContain("Agent of ada");
    expect(page).toContain(id.slice(0, 8));
    expect(await exchanges()).toBe(before);
  });

  it("ASVS 8.2.2: another person is offered nothing of it and can't open it by its id", async () => {
    const [id = ""] = await offered(await letIn(ADA, "ada"));
    const grace = await letIn(GRACE, "grace");
    expect(await offered(grace)).not.toContain(id);
    await expectRefusalPage(await grace.post("/account/open", { connection: id }), 404);
    await expectRefusalPage(await grace.post("/account/open", { connection: "A".repeat(22) }), 404);
    expect(grace.cookies.has(ACCOUNT_COOKIE)).toBe(false);
  });

  it("ASVS 7.4.1: a session is of no use to the next person that Access lets through at the same browser", async () => {
    const ada = await letIn(ADA, "ada");
    const [id = ""] = await offered(ada);
    await ada.post("/account/open", { connection: id });
    const { cookies } = ada;
    const csrf = readForms(await accountPage(ada))[0]?.fields[0]?.[1] ?? "";
    const grace = await browserOf(GRACE);
    for (const [name, value] of cookies) grace.cookies.set(name, value);
    expect((await grace.open("/account")).status).toBe(401);
    await expectRefusalPage(await grace.post("/account/disconnect", { csrf }), 401);
    expect((await grace.open("/account/record/csv")).status).toBe(303);
    expect((await ada.open("/account")).status).toBe(200);
  });

  it("gateway: without Access's token nothing of /account is there, also with a good cookie", async () => {
    const browser = await letIn(ADA, "ada");
    const [id = ""] = await offered(browser);
    await browser.post("/account/open", { connection: id });
    const headers = { cookie: `${ACCOUNT_COOKIE}=${browser.cookies.get(ACCOUNT_COOKIE)}` };
    for (const path of ["/account", "/account/record/csv"]) {
      await expectRefusalPage(await gateway(path, { headers }), 403);
    }
    for (const path of ["/account/sign-in", "/account/open", "/account/disconnect"]) {
      const own = { ...headers, origin: "https://gateway.test", "sec-fetch-site": "same-origin" };
      await expectRefusalPage(
        await gateway(path, { method: "POST", headers: own, body: new URLSearchParams({ connection: id }) }),
        403,
      );
    }
  });

  it("gateway: a connection from before is recorded once its person signs in at Gong, and the audit names them", async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const browser = await browserOf(email);
    expect(await offered(browser)).toEqual([]);
    await accountBrowser("grace", browser);
    await accountAct(browser, /sign-out$/);
    expect((await offered(browser)).length).toBe(1);
    const [id = ""] = await offered(browser);
    await browser.post("/account/open", { connection: id });
    await accountAct(browser, /disconnect$/);
    const acts = (await rowsOf("ADMIN", "audit")).filter(({ actor }) => actor === email);
    expect(acts.map(({ action, target }) => [action, target])).toEqual([["connection.ended", id]]);
  });

  it("OWASP CSRF, login: an account is opened by a post of our own page only", async () => {
    const browser = await letIn(ADA, "ada");
    const [id = ""] = await offered(browser);
    for (const headers of [
      { origin: "https://evil.test" },
      { origin: "null", "sec-fetch-site": "cross-site" },
    ]) {
      await expectRefusalPage(await browser.post("/account/open", { connection: id }, headers), 403);
    }
    expect(browser.cookies.has(ACCOUNT_COOKIE)).toBe(false);
  });

  it("gateway: where Access is off, no address opens anything", async () => {
    const [id = ""] = await offered(await letIn(ADA, "ada"));
    const headers = {
      [ACCESS_HEADER]: await team.token(ADA),
      origin: "https://gateway.test",
      "sec-fetch-site": "same-origin",
    };
    const body = new URLSearchParams({ connection: id });
    const answer = await ask("/account/open", { method: "POST", headers, body });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []]);
  });
});
