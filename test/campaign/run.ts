// `npm run campaign`: races, kills, resets, failpoints, faults of Gong and of storage, against the real Worker. Prints
// one table; ends with 1 when anything was lost, doubled, revived, stuck or broken. Options: --short, --seed N, --only
// a,b,
// --races N, --kills N, --resets N, --faults N, --sweep-seeds N, --places a,b. A seed that is reported runs alone with
// --seed N --only <group> and a count of 1. The failpoint sweep and the store failures are the group "sweep"; --notes
// tells what was ambiguous or only in memory, too.

import { parseArgs } from "node:util";
import path from "node:path";
import { buildVariant } from "../support/build.ts";
import { REPOSITORY } from "../support/tools.ts";
import { buildWorker } from "../support/workerd.ts";
import { gongFaults } from "./faults.ts";
import { randomKills } from "./kills.ts";
import { codeRaces, gongRefreshRaces, killedRaces, refreshTokenRaces } from "./races.ts";
import { clientResets } from "./resets.ts";
import { openTheatre, type Theatre } from "./stage.ts";
import { sweepFailpoints } from "./sweep.ts";
import { count, failures, newTally, table, type Tally } from "./tally.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** Groups to run; none means all. */
  readonly only: readonly string[];
  readonly races: number;
  readonly kills: number;
  readonly resets: number;
  readonly faults: number;
  /** Whole sweeps; below 1, that share of the places. */
  readonly sweeps: number;
  /** Places to sweep, all of their modes; none means all. */
  readonly places: readonly string[];
}

/** What every push runs: under two minutes on two noisy cores. */
export const SHORT: CampaignOptions = {
  seed: 1,
  only: [],
  races: 60,
  kills: 200,
  resets: 60,
  faults: 48,
  sweeps: 0.18,
  places: [],
};

/** The bars of the project. */
const LONG: CampaignOptions = {
  seed: 1,
  only: [],
  races: 10_000,
  kills: 10_000,
  resets: 1000,
  faults: 3600,
  sweeps: 100,
  places: [],
};

interface Campaign {
  readonly group: string;
  readonly name: string;
  readonly withFailpoints?: true;
  readonly run: (theatre: Theatre, tally: Tally, seed: number) => Promise<void>;
}

function campaignsOf({ races, kills, resets, faults, sweeps, places }: CampaignOptions): readonly Campaign[] {
  const fewer = Math.ceil(races / 10);
  return [
    {
      group: "races",
      name: "50 callers, one Gong refresh",
      run: (theatre, tally, seed) => gongRefreshRaces(theatre, tally, seed, races),
    },
    {
      group: "races",
      name: "50 redemptions of one code",
      run: (theatre, tally, seed) => codeRaces(theatre, tally, seed, fewer),
    },
    {
      group: "races",
      name: "50 uses of one refresh token",
      run: (theatre, tally, seed) => refreshTokenRaces(theatre, tally, seed, fewer),
    },
    {
      group: "races",
      name: "both races, killed in between",
      run: (theatre, tally, seed) => killedRaces(theatre, tally, seed, Math.ceil(fewer / 2)),
    },
    {
      group: "kills",
      name: "kill at a random moment",
      run: (theatre, tally, seed) => randomKills(theatre, tally, seed, kills),
    },
    {
      group: "resets",
      name: "client reset",
      run: (theatre, tally, seed) => clientResets(theatre, tally, seed, resets),
    },
    {
      group: "faults",
      name: "Gong fails and heals",
      run: (theatre, tally, seed) => gongFaults(theatre, tally, seed, faults),
    },
    {
      group: "sweep",
      name: "failpoints and store failures",
      withFailpoints: true,
      run: (theatre, tally, seed) => sweepFailpoints(theatre, tally, seed, sweeps, places),
    },
  ];
}

/** Runs the campaigns that `options` name and returns what they counted; `onDone` hears of each at its end. */
export async function runCampaigns(
  options: CampaignOptions,
  onDone: (tally: Tally) => void = () => undefined,
): Promise<readonly Tally[]> {
  const tallies: Tally[] = [];
  for (const { group, name, withFailpoints, run } of campaignsOf(options)) {
    if (options.only.length > 0 && !options.only.includes(group)) continue;
    const tally = newTally(name);
    tallies.push(tally);
    const theatre = await openTheatre(
      await (withFailpoints ? buildWithFailpoints() : buildWorker()),
      withFailpoints,
    );
    const began = Date.now();
    try {
      await run(theatre, tally, options.seed);
    } finally {
      await theatre.close();
    }
    for (const what of theatre.broken()) count(tally, "broken", options.seed, what);
    tally.seconds = (Date.now() - began) / 1000;
    onDone(tally);
  }
  return tallies;
}

/** The gateway with the campaign's own entry point and its failpoints left in. */
export function buildWithFailpoints(): ReturnType<typeof buildWorker> {
  return buildVariant(path.join(REPOSITORY, "test/campaign/worker.ts"), ["FAILPOINTS:true"]);
}

const MOST_LINES = 100;

const COUNTS = {
  races: "races",
  kills: "kills",
  resets: "resets",
  faults: "faults",
  "sweep-seeds": "sweeps",
} as const;

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      short: { type: "boolean", default: false },
      notes: { type: "boolean", default: false },
      seed: text,
      only: text,
      places: text,
      races: text,
      kills: text,
      resets: text,
      faults: text,
      "sweep-seeds": text,
    },
  });
  const defaults = values.short ? SHORT : LONG;
  const given = Object.entries(COUNTS).map(([option, name]) => {
    const value = values[option as keyof typeof COUNTS];
    return [name, value === undefined ? defaults[name] : Number(value)];
  });
  const options = {
    ...defaults,
    ...Object.fromEntries(given),
    seed: Number(values.seed ?? defaults.seed),
    only: values.only?.split(",") ?? [],
    places: values.places?.split(",") ?? [],
  };
  const tallies = await runCampaigns(options, (tally) => {
    const told = values.notes ? [...tally.problems, ...tally.notes] : tally.problems;
    for (const line of told.slice(0, MOST_LINES)) console.log(line);
    console.log(`${tally.campaign}: ${tally.tried} tried in ${tally.seconds.toFixed(0)} s`);
  });
  console.log(`\n${table(tallies)}`);
  if (tallies.some((tally) => failures(tally) > 0)) process.exitCode = 1;
}

if (import.meta.main) await main();
