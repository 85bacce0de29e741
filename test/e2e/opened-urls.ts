// A machine whose browser is a scripted person: programs that open a browser hand their URL to a shim, and the person
// signs in there and visits the program's callback. Called by mcp-remote.test.ts and inspector.test.ts.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createPerson } from "../support/person.ts";
import { temporaryFolder } from "../support/leftovers.ts";

const GUARD = fileURLToPath(new URL("../support/loopback-only.mjs", import.meta.url));
const OPENERS = ["browser", "xdg-open", "open", "gio", "x-www-browser", "sensible-browser", "wslview"];

export interface Machine {
  /** The whole environment of a program on it: a HOME of its own, no desktop, no network beyond loopback. */
  readonly environment: Readonly<Record<string, string>>;
  /** URLs that a program wanted a browser for. */
  opened(): readonly string[];
  /** Hosts beyond this machine that a program tried to reach. */
  refused(): readonly string[];
  /** Every field of the JSON that mcp-remote keeps here: its registration and its tokens. */
  kept(): Readonly<Record<string, string | undefined>>;
  /** Ends the watching; throws what the person could not do. */
  close(): Promise<void>;
}

/** Makes the machine, and lets its person approve whatever is opened. */
export function createMachine(): Machine {
  const home = temporaryFolder("machine");
  const openedFile = path.join(home, "opened");
  const refusedFile = path.join(home, "refused");
  const bin = path.join(home, "bin");
  mkdirSync(bin);
  // Some programs listen for their callback only after the opener has returned, so it returns at once.
  for (const opener of OPENERS) {
    const file = path.join(bin, opener);
    writeFileSync(file, `#!/bin/sh\nfor url; do :; done\nprintf '%s\\n' "$url" >> "${openedFile}"\n`);
    chmodSync(file, 0o755);
  }
  const opened = (): readonly string[] => lines(openedFile);
  const visits: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    for (const url of opened().slice(visits.length))
      visits.push(signIn(url).catch((error: unknown) => error));
  }, 100);
  return {
    environment: {
      PATH: `${bin}${path.delimiter}${path.dirname(process.execPath)}${path.delimiter}/usr/bin:/bin`,
      HOME: home,
      BROWSER: path.join(bin, "browser"),
      MCP_REMOTE_CONFIG_DIR: path.join(home, "mcp-remote"),
      NODE_OPTIONS: `--import=${GUARD}`,
      REFUSED_CONNECTIONS: refusedFile,
    },
    opened,
    refused: () => lines(refusedFile),
    kept: () => fieldsIn(path.join(home, "mcp-remote")),
    async close() {
      clearInterval(timer);
      const [failure] = (await Promise.all(visits)).filter((outcome) => outcome !== undefined);
      if (failure !== undefined) throw failure;
    },
  };
}

async function signIn(authorizationUrl: string): Promise<void> {
  const callback = await createPerson().authorize(authorizationUrl);
  const answer = await fetch(callback);
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`The client's callback answered ${answer.status}`);
}

function lines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
}

function fieldsIn(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".json"),
  );
  return Object.assign(
    {},
    ...files.map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as object),
  );
}
