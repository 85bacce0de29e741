// Every page in every state, rendered without a gateway, as a real Chromium hears it: quick, because nothing is asked
// of anybody. How the pages look over a running gateway: browser-looks.test.ts and the tests beside it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { PAGE_SAMPLES } from "../support/page-samples.tsx";
import { htmlOf } from "../support/read-html.ts";
import { listenTo, NAMES_FLAG } from "./heard.ts";

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser([NAMES_FLAG]);
  page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
});
afterAll(() => browser.close());

describe(verifies("browser.heard", "every page as it is heard"), () => {
  it.each(Object.entries(PAGE_SAMPLES))("WCAG 1.3.1, 2.4.6, 3.3.1, 4.1.2: %s", async (_, render) => {
    // A page that goes on by itself would be gone before it is heard.
    const html = htmlOf(render()).replaceAll(/<meta http-equiv="refresh"[^>]*>/g, "");
    await page.setContent(html);
    expect(await listenTo(page)).toEqual([]);
  });
});
