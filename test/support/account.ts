// Steps of a person on their account page.

import { agreeAtGong, leadsTo, TestBrowser } from "./flow.ts";
import { gong } from "./gong.ts";
import { readForms } from "./html.ts";

export const ACCOUNT_COOKIE = "__Host-account";

/** Presses Sign in at Gong; returns the path and query of our callback, not opened yet. */
export async function goToGongFor(browser: TestBrowser): Promise<string> {
  const answer = await browser.post("/account/sign-in", {});
  if (answer.status !== 200) throw new Error(`Sign-in answered ${answer.status}`);
  return agreeAtGong(leadsTo(await answer.text()));
}

/** A browser in which `person` (`ada`, `grace`) of the stand-in has signed in to their account. */
export async function accountBrowser(person: string, browser = new TestBrowser()): Promise<TestBrowser> {
  await gong.signIn(person);
  const answer = await browser.open(await goToGongFor(browser));
  if (answer.status !== 200 || !browser.cookies.has(ACCOUNT_COOKIE)) {
    throw new Error(`The callback answered ${answer.status} and signed nobody in`);
  }
  return browser;
}

/** The account page. */
export async function accountPage(browser: TestBrowser): Promise<string> {
  const answer = await browser.open("/account");
  if (answer.status !== 200) throw new Error(`The account page answered ${answer.status}`);
  return answer.text();
}

/** The actions of the page's forms, and the fields of the first one that matches. */
export async function accountForm(
  browser: TestBrowser,
  action: RegExp,
): Promise<{ readonly action: string; readonly fields: Record<string, string> }> {
  const form = readForms(await accountPage(browser)).find((candidate) => action.test(candidate.action));
  if (form === undefined) throw new Error(`The account page has no form for ${action}`);
  return { action: form.action, fields: Object.fromEntries(form.fields) };
}

/** Presses the button of that form. */
export async function accountAct(
  browser: TestBrowser,
  action: RegExp,
  fields: Record<string, string> = {},
): Promise<Response> {
  const form = await accountForm(browser, action);
  return browser.post(form.action, { ...form.fields, ...fields });
}
