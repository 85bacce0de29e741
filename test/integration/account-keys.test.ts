// Agent keys that a person makes on /account for their own connection: shown once, good for what they were made for,
// revoked at once, and nobody else's business.

import { beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { defaultPeople } from "../gong/people.ts";
import { accountAct, accountBrowser, accountForm, accountPage } from "../support/account.ts";
import { everythingStored, recordLogs, secretsIn } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, call, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";
import { expectRefusalPage } from "../support/refusals.ts";

const WISH = { tools: "all", days: "30" };
const canaryOf = (person: string): string => defaultPeople().get(person)?.canary ?? "nobody";

let ada: TestBrowser;
let grace: TestBrowser;

beforeAll(async () => {
  await gong.reset();
  ada = await accountBrowser("ada");
  grace = await accountBrowser("grace");
});

/** Presses Make the key; the answer of the page that shows it, or of the one that refuses. */
async function make(browser: TestBrowser, fields: Record<string, string>): Promise<Response> {
  const { action, fields: hidden } = await accountForm(browser, /\/account\/keys$/);
  const { csrf = "", resource = "" } = hidden;
  return browser.post(action, { csrf, resource, ...fields });
}

/** A key of that name, as the page shows it. */
async function madeKey(
  browser: TestBrowser,
  name: string,
  changes: Record<string, string> = {},
): Promise<string> {
  const answer = await make(browser, { ...WISH, name, ...changes });
  const [key = ""] = /gak_[A-Za-z0-9_-]{124}/.exec(await answer.text()) ?? [];
  expect([answer.status, answer.headers.get("cache-control"), key.length]).toEqual([200, "no-store", 128]);
  return key;
}

const ASK_DEAL = { ...ASK_ACCOUNT, params: { name: "ask_deal", arguments: { deal: "1", question: "?" } } };

describe(verifies("account.calls", "calls on the account page"), () => {
  it("gateway: a key's calls are counted with what was paid, and drawn by day; nobody else's are", async () => {
    const key = await madeKey(grace, "Counted");
    await (await call(key, ASK_ACCOUNT)).text();
    await (await call(key, { ...ASK_ACCOUNT, id: 3 })).text();
    const page = await accountPage(grace);
    expect(readText(page)).toContain("2 calls in 30 days, 2 paid");
    expect(page).toContain("/account/calls");
    const chart = readText(await (await grace.open("/account/calls")).text());
    expect(chart).toContain("Asked of Gong 2Each");
    expect(readText(await (await ada.open("/account/calls")).text())).toContain("Asked of Gong 0Each");
    const stranger = await ask("/account/calls");
    expect([stranger.status, stranger.headers.get("location")]).toEqual([
      303,
      "https://gateway.test/account",
    ]);
  });
});

describe(verifies("account.keys", "a person's own agent keys"), () => {
  it("gateway: a key reaches what its person sees in Gong, without any other agent on the connection", async () => {
    const key = await madeKey(ada, "Nightly report");
    const answer = await call(key, ASK_ACCOUNT);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(canaryOf("ada"));
    expect((await call(key, ASK_ACCOUNT, { path: "/shared/mcp" })).status).toBe(401);
  });

  it("ASVS 11.4.1: the key is on that one page, and in no storage, log, list or record", async () => {
    const logs = recordLogs();
    const secrets = { key: await madeKey(ada, "Seen once") };
    const places = [
      await accountPage(ada),
      await (await ada.open("/account/record/csv")).text(),
      await everythingStored(),
      logs.join("\n"),
    ];
    expect(places.flatMap((text) => secretsIn(text, secrets))).toEqual([]);
    expect(readText(places[0] ?? "")).toContain("Seen once");
    expect(places[1]).toContain("key.created");
  });

  it("gateway: a key with a list of tools calls those and no other", async () => {
    const key = await madeKey(ada, "Only accounts", { tools: "some", "tool-ask_account": "on" });
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const before = await gong.credits();
    const refused = await (await call(key, ASK_DEAL)).text();
    expect(refused).not.toContain(canaryOf("ada"));
    expect(await gong.credits()).toBe(before);
    expect(readText(await accountPage(ada))).toContain("May call ask_account");
  });

  it("gateway: the same form again, as a reload sends it, makes no second key", async () => {
    await madeKey(ada, "Made twice");
    const answer = await make(ada, { ...WISH, name: "Made twice" });
    const html = await answer.text();
    expect(answer.status).toBe(400);
    expect(html).not.toContain("gak_");
    expect(readText(html)).toContain("A live key has this name already");
  });

  it.each([
    ["without a name", { name: " " }, "Give the key a name"],
    ["with a name that can't be seen", { name: "\u200B\u202E" }, "Give the key a name"],
    ["with no tools", { name: "No tools", tools: "some" }, "Choose at least one tool"],
    ["without an end", { name: "No end", days: "" }, "Choose how long"],
    ["for ever", { name: "For ever", days: "99999" }, "Choose how long"],
  ])("gateway: a key %s is refused in words, on the page", async (_, fields, words) => {
    const answer = await make(ada, { ...WISH, ...fields });
    const html = await answer.text();
    expect([answer.status, html.includes("gak_")]).toEqual([400, false]);
    expect(readText(html)).toContain(words);
  });

  it("WCAG 3.3.7: a form that is refused keeps the name, the tools and the days, as text", async () => {
    const typed = { name: 'Typed "<b>once', tools: "some", "tool-ask_deal": "on", days: "7" };
    await madeKey(ada, typed.name, typed);
    const html = await (await make(ada, typed)).text();
    const form = readForms(html).find(({ action }) => action === "/account/keys");
    expect(Object.fromEntries(form?.fields ?? [])).toMatchObject(typed);
    expect(form?.unticked.map(([name]) => name)).not.toContain("tool-ask_deal");
    expect(form?.unticked.map(([name]) => name)).toContain("tool-ask_account");
  });

  it("ASVS 7.4.1: a revoked key is refused at its next call, and revoking it again says that it is gone", async () => {
    const key = await madeKey(grace, "To be revoked");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const form = await accountForm(grace, /\/keys\/[^/]{22}\/revoke$/);
    const answer = await grace.post(form.action, form.fields);
    expect(answer.headers.get("location")).toBe("https://gateway.test/account?done=key_revoked");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(401);
    await expectRefusalPage(await grace.post(form.action, form.fields), 404);
  });

  it("ASVS 8.2.2: nobody revokes or sees another person's key", async () => {
    const key = await madeKey(ada, "Ada's own");
    const { action } = await accountForm(ada, /\/keys\/[^/]{22}\/revoke$/);
    const { fields } = await accountForm(grace, /sign-out$/);
    await expectRefusalPage(await grace.post(action, { csrf: fields["csrf"] ?? "" }), 404);
    expect(await accountPage(grace)).not.toContain("Ada&#39;s own");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: a key outlives the visit, and ends with the connection", async () => {
    const key = await madeKey(ada, "Outlives the visit");
    await accountAct(ada, /sign-out$/);
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    await accountBrowser("ada", ada);
    await accountAct(ada, /disconnect$/);
    expect((await call(key, ASK_ACCOUNT)).status).toBe(401);
    expect(readText(await accountPage(ada))).toContain("Connect at Gong again first");
  });
});
