// `npm run campaign`: races, kills, resets, failpoints, faults of Gong and of storage, against the real Worker. Prints
// one table; ends with 1 when anything was lost, doubled, revived or stuck. Options: --short, --seed N, --only a,b,
// --races N, --kills N, --resets N, --sweep-seeds N, --faults N.

import { parseArgs } from "node:util";
import { buildWorker } from "../support/workerd.ts";
import { randomKills } from "./kills.ts";
import { codeRaces, gongRefreshRaces, refreshTokenRaces } from "./races.ts";
import { openTheatre, type Theatre } from "./stage.ts";
import { failures, newTally, table, type Tally } from "./tally.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly only: readonly string[];
  readonly races: number;
  readonly kills: number;
}

type Campaign = (theatre: Theatre, tally: Tally, seed: number) => Promise<void>;

/** Runs the campaigns that `options` name and returns what they counted. */
export async function runCampaigns(options: CampaignOptions): Promise<readonly Tally[]> {
  const { races, kills } = options;
  const campaigns: ReadonlyArray<readonly [group: string, name: string, campaign: Campaign]> = [
    ["races", "race: Gong refresh", (theatre, tally, seed) => gongRefreshRaces(theatre, tally, seed, races)],
    [
      "races",
      "race: our code",
      (theatre, tally, seed) => codeRaces(theatre, tally, seed, Math.ceil(races / 10)),
    ],
    [
      "races",
      "race: our refresh token",
      (theatre, tally, seed) => refreshTokenRaces(theatre, tally, seed, Math.ceil(races / 10)),
    ],
    ["kills", "kill at a random moment", (theatre, tally, seed) => randomKills(theatre, tally, seed, kills)],
  ];
  const theatre = await openTheatre(await buildWorker());
  const tallies: Tally[] = [];
  try {
    for (const [group, name, campaign] of campaigns) {
      if (options.only.length > 0 && !options.only.includes(group)) continue;
      const tally = newTally(name);
      tallies.push(tally);
      const began = Date.now();
      await campaign(theatre, tally, options.seed);
      tally.seconds = (Date.now() - began) / 1000;
    }
  } finally {
    await theatre.close();
  }
  return tallies;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      short: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      races: { type: "string" },
      kills: { type: "string" },
    },
  });
  const whole = (text: string | undefined, short: number, long: number): number =>
    text === undefined ? (values.short ? short : long) : Number.parseInt(text, 10);
  const tallies = await runCampaigns({
    seed: whole(values.seed, 1, 1),
    only: values.only === "" ? [] : values.only.split(","),
    races: whole(values.races, 60, 10_000),
    kills: whole(values.kills, 150, 10_000),
  });
  for (const problem of tallies.flatMap((tally) => tally.problems).slice(0, 50)) console.log(problem);
  console.log(`\n${table(tallies)}`);
  if (tallies.some((tally) => failures(tally) > 0)) process.exitCode = 1;
}

if (import.meta.main) await main();
