// What the objects have on disk, for tests of what must not be written. Called by raw-*.test.ts.

import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Gateway } from "../support/workerd.ts";

/** Every file of the gateway's objects, by class and name, with its size in bytes. */
export function stateFiles({ stateDir }: Gateway): ReadonlyMap<string, number> {
  const names = readdirSync(stateDir, { recursive: true, encoding: "utf8" }).sort();
  return new Map(names.map((name) => [name, statSync(path.join(stateDir, name)).size]));
}
