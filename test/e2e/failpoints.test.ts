// The failpoints of the crash campaign: none in what `wrangler deploy` uploads, all in the campaign's own build, and
// none that the campaign forgets.

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { FAILPOINT_NAMES } from "../../src/failpoints.ts";
import { buildWithFailpoints } from "../campaign/run.ts";
import { SWEPT } from "../campaign/sweep.ts";
import { verifies } from "../conformance/verifies.ts";
import { type Build, buildWorker } from "../support/build.ts";

function sourceOf({ folder, module }: Build): string {
  return readFileSync(path.join(folder, module), "utf8");
}

describe(verifies("operations.failpoints_absent", "failpoints"), () => {
  it("leave nothing in the production bundle: no name, no function, no constant", async () => {
    const source = sourceOf(await buildWorker());
    expect(FAILPOINT_NAMES.filter((name) => source.includes(name))).toEqual([]);
    expect(source).not.toMatch(/failpoint/i);
  });

  it("are all in the campaign's own build", async () => {
    const source = sourceOf(await buildWithFailpoints());
    // As the argument of a call, whatever the minifier calls the function.
    const placed = FAILPOINT_NAMES.filter((name) => source.includes(`("${name}"`));
    expect(placed).toEqual([...FAILPOINT_NAMES]);
  });

  it("are all swept by the campaign", () => {
    expect(FAILPOINT_NAMES.filter((name) => !SWEPT.has(name))).toEqual([]);
  });
});
