// /admin/agent-keys: an admin makes a key for shared access, sees it once, finds it again, and ends it.

import { beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { personWithKey } from "../support/agent-key.ts";
import { recordLogs, rowsOf, secretsIn } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, call, ORIGIN, SHARED_RESOURCE, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readForms, readText } from "../support/html.ts";

const PATH = "/admin/agent-keys";
const SHARED = { path: "/shared/mcp" };
const KEY = /gak_[A-Za-z0-9_-]{124}/;
let admin: TestBrowser;

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
});

async function page(query = ""): Promise<string> {
  const answer = await admin.open(`${PATH}${query}`);
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
  return answer.text();
}

/** Fills in the form on the page as a browser would, with these changes; undefined leaves a field out. */
async function make(changes: Record<string, string | undefined> = {}): Promise<Response> {
  const form = readForms(await page()).find(({ action }) => action === PATH);
  if (form === undefined) throw new Error("The page has no form for a new key");
  const fields = Object.fromEntries(form.fields);
  const filled = { ...fields, name: "Nightly job", tools: "all", days: "30", ...changes };
  const sent = Object.entries(filled).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("tool-"),
  );
  const tools = Object.entries(changes).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[0].startsWith("tool-"),
  );
  return admin.post(PATH, Object.fromEntries([...sent, ...tools]));
}

async function madeKey(changes: Record<string, string | undefined> = {}): Promise<string> {
  const answer = await make(changes);
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
  const [key] = KEY.exec(await answer.text()) ?? [];
  if (key === undefined) throw new Error("The page shows no key");
  return key;
}

describe(verifies("keys.admin", "an admin and agent keys"), () => {
  it("gateway: before shared access is connected there is no form, and a post makes nothing", async () => {
    const html = await page();
    expect(readForms(html).filter(({ action }) => action === PATH).length).toBe(1);
    expect(readText(html)).toContain("Connect shared access first");
    const csrf = readForms(html)
      .flatMap(({ fields }) => fields)
      .find(([name]) => name === "csrf")?.[1];
    const fields = { csrf: csrf ?? "", name: "x", tools: "all", days: "30", resource: SHARED_RESOURCE };
    const answer = await admin.post(PATH, fields);
    expect(answer.status).toBe(400);
    expect(await rowsOf("ADMIN", "key_index")).toEqual([]);
  });

  it("gateway: the key is shown once with the lines that use it, works, and is listed with its last use", async () => {
    await connectSharedAs(admin);
    const logs = recordLogs();
    const answer = await make({ name: "Forecast job" });
    const text = readText(await answer.text());
    const [key = ""] = KEY.exec(text) ?? [];
    expect(text).toContain("shown once");
    expect(text).toContain(`curl -sS ${SHARED_RESOURCE}`);
    expect(text.split(key)).toHaveLength(2);
    expect(await (await call(key, ASK_ACCOUNT, SHARED)).text()).toContain("CANARY-company-2b9d41");
    const list = readText(await page("?q=forecast"));
    expect(list).toMatch(
      /Forecast job.*Shared access.*every tool that is allowed.*Live.*by admin.*\d{4}, \d\d:\d\d UTC/s,
    );
    expect(secretsIn(list + (await page()) + logs.join("\n"), { key })).toEqual([]);
  });

  it("ASVS 8.2.2: a key for chosen tools calls those and no other", async () => {
    const key = await madeKey({ tools: "some", "tool-ask_deal": "on" });
    expect(await (await call(key, ASK_ACCOUNT, SHARED)).text()).toContain('"isError":true');
    const deal = { ...ASK_ACCOUNT, params: { name: "ask_deal", arguments: { crmDeal: "x", question: "y" } } };
    expect(await (await call(key, deal, SHARED)).text()).toContain("CANARY-company-2b9d41");
  });

  it.each([
    ["without a name", { name: undefined }, "Give the key a name"],
    ["with an invisible name", { name: "\u200b" }, "Give the key a name"],
    ["for no tool", { tools: "some" }, "Choose at least one tool"],
    ["for a tool that is not on the form", { tools: "some", "tool-rm": "on" }, "Choose at least one tool"],
    ["without saying which tools", { tools: undefined }, "Choose at least one tool"],
    ["for longer than two years", { days: "731" }, "Choose how long"],
    ["for ever", { days: undefined }, "Choose how long"],
    ["for the personal endpoint", { resource: `${ORIGIN}/mcp` }, "Gong is not connected"],
  ])("gateway: a key %s is refused, and the page says what to change", async (_, changes, words) => {
    const before = (await rowsOf("ADMIN", "key_index")).length;
    const answer = await make(changes);
    expect(answer.status).toBe(400);
    expect(readText(await answer.text())).toContain(words);
    expect(await rowsOf("ADMIN", "key_index")).toHaveLength(before);
  });

  it("WCAG 3.3.7: a form that is refused keeps the name and the days", async () => {
    const typed = { name: 'Typed "<b>once', tools: "some", days: "365" };
    const html = await (await make(typed)).text();
    const form = readForms(html).find(({ action }) => action === PATH);
    expect(Object.fromEntries(form?.fields ?? [])).toMatchObject(typed);
  });

  it("ASVS 7.4.1: an admin revokes anybody's key, once; its agent is refused at its next call", async () => {
    const { key, id } = await personWithKey("grace", {
      name: "Of grace",
      createdBy: actorNamed("grace@example.com"),
    });
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const form = readForms(await page("?q=of+grace")).find(({ action }) => action.includes(id));
    const fields = Object.fromEntries(form?.fields ?? []);
    const revoked = await admin.post(form?.action ?? "", fields);
    expect([revoked.status, revoked.headers.get("location")]).toEqual([303, `${ORIGIN}${PATH}`]);
    expect((await call(key, ASK_ACCOUNT)).status).toBe(401);
    expect((await admin.post(form?.action ?? "", fields)).status).toBe(404);
    expect(readText(await page("?q=of+grace"))).toMatch(/Revoked.*by admin/s);
    const acts = (await rowsOf("ADMIN", "audit")).filter(({ target }) => target === id);
    expect(acts.map(({ actor, action }) => [actor, action])).toEqual([
      ["grace@example.com", "agent_key.created"],
      ["admin", "agent_key.revoked"],
    ]);
  });

  it("gateway: the list is narrowed by state", async () => {
    expect(readText(await page("?state=over&q=grace"))).toContain("Of grace");
    expect(readText(await page("?state=live&q=grace"))).toContain("Nothing matches");
  });

  it("ASVS 8.2.1: without an admin session the page leads to the sign-in and tells nothing", async () => {
    const answer = await ask(PATH);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `${ORIGIN}/admin`]);
    expect(await answer.text()).not.toContain("Of grace");
  });
});
