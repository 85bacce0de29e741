// What the stand-in Gong knows of people and tokens, in .state beside the gateway's own state: without it, each restart
// would end every sign-in. Called by gong.ts. node:v8 rather than JSON, because tokens share their grants and people.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { deserialize, serialize } from "node:v8";
import type { Memory } from "../gong/world.ts";
import { REPOSITORY } from "../support/tools.ts";
import { STATE } from "./worker.ts";

const FILE = path.join(STATE, "gong.v8");
const RELATIVE_FILE = path.relative(REPOSITORY, FILE);

/** A process that is killed loses what it learned within this time. */
const WRITE_EVERY_MS = 1000;

/**
 * Returns what was kept, or nothing. `notice` is one sentence for a file that cannot be read, which is then left out.
 */
export function readMemory(): { readonly memory?: Memory; readonly notice?: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(FILE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  const memory = memoryIn(bytes);
  if (memory !== undefined) return { memory };
  const notice = `${RELATIVE_FILE}, the stand-in Gong's memory, cannot be read: it starts afresh, and agents sign in again.`;
  return { notice };
}

function memoryIn(bytes: Buffer): Memory | undefined {
  let value: unknown;
  try {
    value = deserialize(bytes);
  } catch {
    // Not what serialize writes, or cut short: said to the person by the caller.
    return undefined;
  }
  return isMemory(value) ? value : undefined;
}

/** A file of another version of the stand-in has other members. */
function isMemory(value: unknown): value is Memory {
  const { book, people, consents } = (value ?? {}) as Partial<Memory>;
  const { grants, codes, accessTokens, refreshTokens } = book ?? {};
  const maps = [people, grants, codes, accessTokens, refreshTokens];
  return maps.every((map) => map instanceof Map) && consents instanceof Set;
}

/** Writes down what `memory` returns once a second where it changed, until `stop`, which writes a last time. */
export function keepMemory(memory: () => Memory): { stop(): void } {
  let written: Buffer | undefined;
  const write = (): void => {
    const bytes = serialize(memory());
    if (written?.equals(bytes) === true) return;
    mkdirSync(STATE, { recursive: true });
    // Renamed into place, so that a kill leaves the old file or the new one, never half of one.
    const draft = `${FILE}.draft`;
    rmSync(draft, { force: true });
    writeFileSync(draft, bytes, { mode: 0o600 });
    renameSync(draft, FILE);
    written = bytes;
  };
  const timer = setInterval(write, WRITE_EVERY_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      write();
    },
  };
}
