// What the objects have on disk, for tests of what must not be written. Called by raw-*.test.ts.

import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Gateway } from "../support/workerd.ts";

type Files = ReadonlyMap<string, number>;

/** Every file of the gateway's objects, by class and name, with its size in bytes. */
function stateFiles({ stateDir }: Gateway): Files {
  const names = readdirSync(stateDir, { recursive: true, encoding: "utf8" }).sort();
  const sizes = names.map((name) => statSync(path.join(stateDir, name), { throwIfNoEntry: false })?.size);
  return new Map(names.flatMap((name, at) => (sizes[at] === undefined ? [] : [[name, sizes[at]]])));
}

/**
 * The files before and after `work`. It is done again, at most twice, when a file that was there has changed: the
 * runtime puts a database away some seconds after its last use, and that is nobody's writing. Whatever `work` writes,
 * it writes each time.
 */
export async function filesAround(
  gateway: Gateway,
  work: () => Promise<void>,
): Promise<{ readonly before: Files; readonly after: Files }> {
  for (let left = 2; ; left -= 1) {
    const before = stateFiles(gateway);
    await work();
    const after = stateFiles(gateway);
    const untouched = [...before].every(([name, size]) => after.get(name) === size);
    if (untouched || left === 0) return { before, after };
  }
}
