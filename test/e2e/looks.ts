// What only a browser can say about a page: axe-core, sideways scrolling, small print, what moved while it loaded, what
// the keyboard reaches, and a picture for people to look at. Called by the browser tests.

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
  const moved = await layoutShifts(page);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 800 });
  await mkdir(PICTURES, { recursive: true });
  // A picture of what was just resized can lack what is not painted yet.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: path.join(PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  return [...moved, ...(await sideways(page)), ...(await smallPrint(page)), ...(await axe(page))].map(
    (finding) => `${name} ${width} ${colorScheme}: ${finding}`,
  );
}

/**
 * Layout Instability: what moved by itself since the page began to load. Asked once for each page: a look resizes it.
 */
function layoutShifts(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    if ("looked" in window) return [];
    Object.assign(window, { looked: true });
    let seen: readonly PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => (seen = [...seen, ...list.getEntries()]));
    for (const type of ["layout-shift", "first-input"]) observer.observe({ type, buffered: true });
    // Nothing is told when nothing moved.
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What a key opened moves the rest, on a slow machine long after the press.
    const touchedAt = seen.find(({ entryType }) => entryType === "first-input")?.startTime ?? Infinity;
    return (seen as readonly (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
      .filter(({ entryType }) => entryType === "layout-shift")
      .filter(({ hadRecentInput, startTime }) => !hadRecentInput && startTime < touchedAt)
      .map(({ value, startTime }) => `moved by ${value} after ${Math.round(startTime)} ms`);
  });
}

/** Every look of the page, one after another, and a walk over it with the Tab key. */
export async function lookEveryWay(page: Page, name: string): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const look of LOOKS) findings.push(...(await lookAt(page, name, look)));
  return [...findings, ...(await keyboardWalk(page)).map((finding) => `${name}: ${finding}`)];
}

/**
 * WCAG 2.2 2.1.1, 2.4.7: what can be operated and Tab does not reach, and what shows no outline while it has the focus.
 * Leaves the focus where it was.
 */
async function keyboardWalk(page: Page): Promise<readonly string[]> {
  const stops = await page.evaluate(beginWalk);
  // A date has a stop for each of its parts, and the browser itself may have one.
  for (let presses = 0; presses < stops + 8; presses += 1) await page.keyboard.press("Tab");
  return page.evaluate(() => (window as unknown as { endWalk(): string[] }).endWalk());
}

/** Runs in the page: notes what gets the focus until `endWalk` is called. Returns how many stops there should be. */
function beginWalk(): number {
  const { body, activeElement: before } = document;
  // Of radio buttons with one name, Tab stops at one.
  const missing = new Set(
    [...body.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex]")].filter(
      (element) =>
        element.checkVisibility({ visibilityProperty: true }) &&
        !element.matches("[disabled],[tabindex='-1'],[type=radio]:not(:checked)"),
    ),
  );
  const findings: string[] = [];
  const note = ({ target }: FocusEvent): void => {
    if (!(target instanceof Element) || !missing.delete(target)) return;
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    if (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2)
      findings.push(`no visible focus: ${target.outerHTML.slice(0, 120)}`);
  };
  const blur = (): void => (document.activeElement as HTMLElement | null)?.blur();
  const endWalk = (): string[] => {
    removeEventListener("focusin", note);
    blur();
    (before as HTMLElement | null)?.focus();
    return [...findings, ...[...missing].map((element) => `Tab misses: ${element.outerHTML.slice(0, 120)}`)];
  };
  addEventListener("focusin", note);
  Object.assign(window, { endWalk });
  blur();
  getSelection()?.setPosition(body, 0);
  return missing.size;
}

/** Text below 12 px, as a drawing that shrinks with the screen would have it. */
function smallPrint(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("main *")]
      .filter((element) =>
        [...element.childNodes].some(
          ({ nodeType, data }: ChildNode & { data?: string }) => nodeType === 3 && data?.trim(),
        ),
      )
      .filter((element) => {
        const scale = element instanceof SVGGraphicsElement ? (element.getScreenCTM()?.a ?? 1) : 1;
        return (
          element.checkVisibility() && Number.parseFloat(getComputedStyle(element).fontSize) * scale < 12
        );
      })
      .map((element) => `small print: ${element.outerHTML.slice(0, 120)}`),
  );
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
