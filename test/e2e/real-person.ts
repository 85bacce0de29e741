// A person at a real Chromium, and everything the browser noticed on the way: requests, violations of the
// Content-Security-Policy, errors, dialogs. Called by the browser tests.

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { SECRETS } from "./gateway.ts";

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly referer: string | undefined;
}

export interface RealPerson {
  readonly context: BrowserContext;
  /** The first tab. */
  readonly page: Page;
  /** Every request of every tab, with the headers that really went out. */
  requests(): Promise<readonly SeenRequest[]>;
  /** What a page did wrong: violations of its policy, errors, dialogs. */
  readonly troubles: readonly string[];
  close(): Promise<void>;
}

/** Opens an empty browser profile, with a first tab. */
export async function openRealPerson(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<RealPerson> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000);
  const troubles: string[] = [];
  const seen: Promise<SeenRequest>[] = [];
  await context.exposeBinding("reportTrouble", (_, trouble: string) => void troubles.push(trouble));
  await context.addInitScript(() => {
    const { reportTrouble } = window as unknown as { reportTrouble: (trouble: string) => void };
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      reportTrouble(`policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  context.on("request", (request) => {
    const method = request.method();
    const url = new URL(request.url());
    // A request that a navigation cut off has no headers any more; what it was going to is known.
    const referer = request.allHeaders().then(
      (headers) => headers["referer"],
      () => undefined,
    );
    seen.push(referer.then((value) => ({ method, url, referer: value })));
  });
  context.on("console", (message) => {
    // A status is an answer and no fault of the page; the favicon that nobody serves is one.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded");
    if (message.type() === "error" && !isStatus) troubles.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => troubles.push(`error: ${error.error().message}`));
  context.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    context,
    page: await context.newPage(),
    requests: () => Promise.all(seen),
    troubles,
    close: () => context.close(),
  };
}

/** Signs the person in as an admin with the token of the tests' settings; the browser keeps the session. */
export async function signInAsAdmin(page: Page, { origin }: { readonly origin: string }): Promise<void> {
  await page.goto(`${origin}/admin`);
  await page.getByLabel("Admin token").fill(SECRETS.ADMIN_TOKEN);
  await page.keyboard.press("Enter");
  // The set-up comes first until all is well; every admin page has this button.
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Presses Approve as a person does: with a hand on the mouse, once the page lets it. */
export async function approve(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Approve", exact: true }).click();
}

/** Presses Allow at (the stand-in) Gong. */
export async function allowAtGong(page: Page): Promise<void> {
  await page.getByRole("heading", { name: "Allow access to Gong" }).waitFor();
  await page.getByRole("button", { name: "Allow" }).click();
}
