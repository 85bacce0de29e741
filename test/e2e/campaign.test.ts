// The crash campaign in its short form, against the real Worker in workerd. `npm run campaign` runs the long one.

import { describe, expect, it } from "vitest";
import { runCampaigns, SHORT } from "../campaign/run.ts";
import { table } from "../campaign/tally.ts";
import { verifies } from "../conformance/verifies.ts";

describe(verifies("operations.campaign", "the crash campaign"), () => {
  it("loses, doubles, revives and blocks nothing", { timeout: 240_000 }, async () => {
    const tallies = await runCampaigns(SHORT);
    console.log(table(tallies));
    expect(tallies.flatMap(({ problems }) => problems)).toEqual([]);
    expect(tallies.filter(({ tried }) => tried === 0)).toEqual([]);
  });
});
