// Renders every page and state into test/output/pages: HTML, and pictures in light and dark, at 320 and 1200 px.
// In each it checks what only a browser can: axe, no sideways scrolling, 44 px targets, no violation of the CSP.
// Run: node test/support/preview.ts [name…]

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { guardFindings } from "./preview-guard.ts";

const OUTPUT = join(import.meta.dirname, "../output/pages");
const ORIGIN = "https://gateway.test";
const CHROMIUM = process.env["CHROME_PATH"] ?? "/usr/bin/chromium";
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PAGE_LIMIT_BYTES = 24 * 1024;

interface Samples {
  NONCE: string;
  PAGE_SAMPLES: Record<string, () => { toString(): string }>;
}

async function main(names: string[]): Promise<void> {
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  const samples = await loadSamples();
  const pages = Object.entries(samples.PAGE_SAMPLES)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([name, render]) => ({ name, html: String(render()) }));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
  });
  try {
    const findings = await inspectAll(browser, samples.NONCE, pages);
    for (const finding of findings) console.error(finding);
    console.log(`${pages.length} pages, ${findings.length} findings. Pictures: ${OUTPUT}`);
    process.exitCode = findings.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
  }
}

async function inspectAll(browser: Browser, nonce: string, pages: { name: string; html: string }[]) {
  const findings: string[] = [];
  for (const { name, html } of pages) {
    await writeFile(join(OUTPUT, `${name}.html`), html);
    const bytes = Buffer.byteLength(html);
    if (bytes > PAGE_LIMIT_BYTES) findings.push(`${name}: ${bytes} bytes`);
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [320, 1200]) {
        const label = `${name}-${colorScheme}-${width}`;
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
        const page = await context.newPage();
        findings.push(...(await inspect(page, label, html, nonce)).map((finding) => `${label}: ${finding}`));
        await context.close();
      }
    }
    if (html.includes("data-guard")) {
      const page = await (await browser.newContext({ viewport: { width: 1200, height: 2400 } })).newPage();
      await serve(page, html, nonce);
      findings.push(...(await guardFindings(page, `${ORIGIN}/`)).map((finding) => `${name}: ${finding}`));
      await page.context().close();
    }
  }
  return findings;
}

// A page and its links live on one made-up origin: everything else it asks for is a finding, and 204 keeps the
// browser where it is when the page refreshes itself.
async function serve(page: Page, html: string, nonce: string): Promise<string[]> {
  const foreign: string[] = [];
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
  await page.route("**/*", (route) => {
    const request = route.request();
    if (request.url() === `${ORIGIN}/`)
      return route.fulfill({
        body: html,
        headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
      });
    if (!request.isNavigationRequest() && !request.url().endsWith("/favicon.ico"))
      foreign.push(request.url());
    return route.fulfill({ status: 204 });
  });
  return foreign;
}

async function inspect(page: Page, label: string, html: string, nonce: string): Promise<string[]> {
  const findings: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") findings.push(message.text());
  });
  page.on("pageerror", (error) => findings.push(error.message));
  page.on("dialog", (dialog) => findings.push(`dialog: ${dialog.message()}`));
  const foreign = await serve(page, html, nonce);
  await page.goto(`${ORIGIN}/`);
  await page.waitForTimeout(800);
  await page.screenshot({ path: join(OUTPUT, `${label}.png`), fullPage: true });
  findings.push(...(await layoutFindings(page)), ...(await axeFindings(page)));
  findings.push(...foreign.map((url) => `asks for ${url}`));
  return findings;
}

async function layoutFindings(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const findings: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) findings.push(`scrolls sideways: ${root.scrollWidth} px`);
    for (const element of document.querySelectorAll("button, .button, input:not([type=hidden])")) {
      // A press on its label presses the control.
      const target = element.closest("label") ?? element;
      const { height, width } = target.getBoundingClientRect();
      if (width > 0 && (height < 44 || width < 44))
        findings.push(`small target ${width}x${height}: ${element.outerHTML.slice(0, 80)}`);
    }
    return findings;
  });
}

async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `axe ${id}: ${html.slice(0, 120)}`));
  });
}

async function loadSamples(): Promise<Samples> {
  const outfile = join(OUTPUT, "samples.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "page-samples.tsx")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    logLevel: "error",
  });
  return (await import(pathToFileURL(outfile).href)) as Samples;
}

await main(process.argv.slice(2));
