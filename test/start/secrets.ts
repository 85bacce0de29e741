// The secrets of a local run, in .dev.vars, where `wrangler dev` reads them too. Made up on the first run, never
// committed (.gitignore), kept afterwards: what SEALING_KEYS sealed in .state opens with nothing else. Called by
// start.ts.

import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { ConfigError } from "../../src/errors.ts";
import { parseSettings } from "../../src/config.ts";
import { REPOSITORY } from "../support/tools.ts";
import { Mistake } from "./mistake.ts";

export type Settings = Readonly<Record<string, string>>;

const FILE = path.join(REPOSITORY, ".dev.vars");

const HEADER = `# Secrets of this machine's gateway, made by \`npm start\`. Never commit them.
# Deleting SEALING_KEYS makes everything in .state unreadable: delete .state with it.
`;

// Each is made where it is missing. The Gong secrets are also what the stand-in Gong expects of us.
const FRESH: Readonly<Record<string, () => string>> = {
  SEALING_KEYS: () => `k1:${randomBytes(32).toString("base64url")}`,
  ADMIN_TOKEN: () => randomBytes(24).toString("base64url"),
  GONG_CLIENT_SECRET: () => randomBytes(24).toString("base64url"),
  GONG_SHARED_CLIENT_SECRET: () => randomBytes(24).toString("base64url"),
};

/** Returns what .dev.vars holds, after adding the secrets that are missing. `made` names those. */
export function readSecrets(file: string = FILE): {
  readonly secrets: Settings;
  readonly made: readonly string[];
} {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const known = { ...parseEnv(text) };
  const made = Object.keys(FRESH).filter((name) => (known[name] ?? "") === "");
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(known)) if (value !== undefined) secrets[name] = value;
  for (const name of made) secrets[name] = FRESH[name]?.() ?? "";
  if (made.length > 0) {
    const start = text === "" ? HEADER : text.endsWith("\n") ? "" : "\n";
    const lines = made.map((name) => `${name}="${secrets[name]}"\n`);
    appendFileSync(file, start + lines.join(""), { mode: 0o600 });
  }
  return { secrets, made };
}

/** Throws Mistake when the gateway would refuse these settings, in the words of its own configuration check. */
export function assertUsable(settings: Settings): void {
  try {
    parseSettings(settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Mistake(
      `The gateway's settings cannot be used: ${error.problems.join("; ")}. Mend them in .dev.vars, or delete .dev.vars and .state to start afresh.`,
    );
  }
}
