// Starts a real Chrome or Chromium for tests that need one: layout, scripts, Content-Security-Policy, keyboard,
// accessibility. Called by test/e2e. Tests never skip for want of a browser: the error says how to get one.

import { accessSync, constants } from "node:fs";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FOLDERS = [
  ...(process.env["PATH"] ?? "").split(path.delimiter),
  "/usr/bin",
  "/usr/local/bin",
  "/snap/bin",
];

const MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Path of the installed browser: CHROME_PATH if set, else the first found. Throws, saying how to install one, when
 * there is none.
 */
export function findBrowser(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const chosen = environment["CHROME_PATH"];
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new Error(
      `CHROME_PATH is ${chosen}, which cannot be run. Point it at Chrome or Chromium, or unset it.`,
    );
  }
  const candidates = FOLDERS.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const found = [...candidates, MAC].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    "No Chrome or Chromium found, and browser tests do not skip. Install one (Debian: apt-get install chromium), or set CHROME_PATH.",
  );
}

/**
 * Starts the browser headless, with an empty profile and without its background traffic. The caller closes it; each
 * `browser.newContext()` is one person with cookies of their own. `flags` come on top of ours.
 */
export async function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: findBrowser(), headless: true, args: [...FLAGS, ...flags] });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
