// What only a browser can say about a page: axe-core, sideways scrolling, and a picture for people to look at. Called by
// the browser tests.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Page } from "playwright-core";
import { REPOSITORY } from "../support/tools.ts";

const PICTURES = path.join(REPOSITORY, "test/output/e2e");
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [320, 1200].map((width) => ({ colorScheme, width })),
);
export type Look = (typeof LOOKS)[number];

/** What is wrong with the page as it stands. Keeps a picture as test/output/e2e/<name>-<scheme>-<width>.png. */
export async function lookAt(
  page: Page,
  name: string,
  { colorScheme, width }: Look,
): Promise<readonly string[]> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 800 });
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  return [...(await sideways(page)), ...(await axe(page))].map(
    (finding) => `${name} ${width} ${colorScheme}: ${finding}`,
  );
}

/** Every look of the page, one after another. */
export async function lookEveryWay(page: Page, name: string): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const look of LOOKS) findings.push(...(await lookAt(page, name, look)));
  return findings;
}

/** Keeps the page that answers a consent form where it is: without its refresh it would leave at once. */
export async function holdInterstitial(page: Page): Promise<void> {
  await page.route("**/authorize", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replaceAll(/<meta http-equiv="refresh"[^>]*>/g, "");
    await route.fulfill({ response, body });
  });
}

function sideways(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`scrolls sideways: ${scrollWidth} px`] : [];
  });
}

async function axe(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `axe ${id}: ${html.slice(0, 120)}`));
  });
}
