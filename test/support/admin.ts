// Steps of an admin in the browser, and of the person and the client who wait for one.

import { readForms } from "./html.ts";
import {
  ADMIN_TOKEN,
  agreeAtGong,
  authorizationQuery,
  leadsTo,
  register,
  sealedRequest,
  SHARED_RESOURCE,
  TestBrowser,
} from "./flow.ts";

/** A browser whose admin session is open. `address` is where it seems to come from. */
export async function adminBrowser(address = "192.0.2.1"): Promise<TestBrowser> {
  const browser = new TestBrowser();
  const answer = await signInAs(browser, ADMIN_TOKEN, address);
  if (answer.status !== 303) throw new Error(`Admin sign-in answered ${answer.status}`);
  return browser;
}

/** One try to sign in. */
export function signInAs(browser: TestBrowser, token: string, address: string): Promise<Response> {
  return browser.post("/admin/sign-in", { token }, { "cf-connecting-ip": address });
}

/** The admin page at `path`; before anybody has connected, /admin leads to the set-up. */
export async function adminPage(browser: TestBrowser, path = "/admin"): Promise<string> {
  const first = await browser.open(path);
  const answer = first.status === 303 ? await browser.open(first.headers.get("location") ?? "") : first;
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return answer.text();
}

/** The fields of the first form of the admin page at `path` whose action matches, with its action. */
export async function adminForm(
  browser: TestBrowser,
  action: RegExp,
  path = "/admin",
): Promise<{ readonly action: string; readonly fields: Record<string, string> }> {
  const form = readForms(await adminPage(browser, path)).find((candidate) => action.test(candidate.action));
  if (form === undefined) throw new Error(`${path} has no form for ${action}`);
  return { action: form.action, fields: Object.fromEntries(form.fields) };
}

/** The page of the newest connection, as the list links to it; of those that `clientId` uses when it is given. */
export async function newestConnection(browser: TestBrowser, clientId?: string): Promise<string> {
  const query = clientId === undefined ? "" : `?client=${clientId}`;
  const list = await (await browser.open(`/admin/connections${query}`)).text();
  const [, path] = /href="(\/admin\/connections\/[^"?]+)"/.exec(list) ?? [];
  if (path === undefined) throw new Error("No connection is listed");
  return path;
}

/** Presses the button of that form. */
export async function act(
  browser: TestBrowser,
  action: RegExp,
  button: Record<string, string> = {},
  path = "/admin",
): Promise<Response> {
  const form = await adminForm(browser, action, path);
  return browser.post(form.action, { ...form.fields, ...button });
}

/** Connects shared access as an admin, at Gong as whoever is signed in there. Returns the callback's answer. */
export async function connectSharedAs(browser: TestBrowser): Promise<Response> {
  const { fields } = await adminForm(browser, /sign-out$/);
  const answer = await browser.post("/admin/setup/sign-in", { ...fields, integration: "shared" });
  return browser.open(await agreeAtGong(leadsTo(await answer.text())));
}

export interface Waiting {
  readonly clientId: string;
  readonly browser: TestBrowser;
  /** The page that waits for the admin. */
  readonly path: string;
}

/** A client asks for shared access and its person approves; returns the answer to that. */
export async function askForShared(
  browser: TestBrowser,
  metadata: Record<string, unknown> = {},
): Promise<{ readonly clientId: string; readonly answer: Response }> {
  const { client_id: clientId } = await register(metadata);
  const changes = { resource: SHARED_RESOURCE };
  const page = await browser.open(`/authorize?${authorizationQuery(clientId, changes)}`);
  const request = sealedRequest(await page.text());
  return { clientId, answer: await browser.post("/authorize", { request, decision: "approve" }) };
}

/** The same, up to the page that waits. */
export async function waitForShared(metadata: Record<string, unknown> = {}): Promise<Waiting> {
  const browser = new TestBrowser();
  const { clientId, answer } = await askForShared(browser, metadata);
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`Approving answered ${answer.status} without a redirect`);
  return { clientId, browser, path: new URL(location).pathname };
}

/** Presses Approve or Deny for the request that waits there. */
export function decide(
  admin: TestBrowser,
  { path }: Pick<Waiting, "path">,
  decision: "approve" | "deny",
): Promise<Response> {
  return act(admin, new RegExp(`/approvals/${path.split("/").at(-1)}$`), { decision });
}
