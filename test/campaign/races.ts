// Races: fifty callers who see a dead Gong token at the same moment, fifty redemptions of one code, fifty uses of one
// refresh token. One wins or all share, nobody is left without an answer, and what was won keeps working.

import type { KnobChanges } from "../gong/knobs.ts";
import type { Outcome } from "./http.ts";
import { refreshes } from "./history.ts";
import { persist } from "./recovery.ts";
import { randomFrom, type Random } from "./random.ts";
import type { Stage, Theatre } from "./stage.ts";
import {
  approve,
  callGong,
  codeIn,
  describe,
  redeem,
  refresh,
  signIn,
  tokensIn,
  visitCallback,
  type Tokens,
} from "./story.ts";
import { count, type Tally, type Verdict } from "./tally.ts";

const CALLERS = 50;
const RACES_PER_EPISODE = 120;
/** Gong's shortest life that we believe is 30 s, and we stop using a token 6 s before its end. */
const CLOCK_RACES_PER_EPISODE = 20;
const EXPIRED_AFTER_MS = 24_500;

type Fault = readonly [Verdict, string];

interface Expiring {
  readonly person: string;
  readonly tokens: Tokens;
  readonly connectedAt: number;
}

/** Calls with a Gong access token that Gong ended early, and with one that ran out by our own clock. */
export async function gongRefreshRaces(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  races: number,
): Promise<void> {
  for (let left = races, episode = seed; left > 0; episode += 1) {
    const random = randomFrom(episode);
    const round = Math.min(left, RACES_PER_EPISODE);
    await theatre.play(settingsFor(random), async (stage) => {
      const clockRaces = Math.min(CLOCK_RACES_PER_EPISODE, Math.floor(round / 5));
      const { expiresInSeconds } = stage.gong.knobs();
      stage.gong.setKnobs({ expiresInSeconds: 30 });
      const expiring: Expiring[] = [];
      for (let at = 0; at < clockRaces; at += 1) {
        const person = stage.newPerson();
        expiring.push({ person, tokens: await signIn(stage, person), connectedAt: Date.now() });
      }
      stage.gong.setKnobs({ expiresInSeconds });
      for (let at = clockRaces; at < round; at += 1) {
        const person = stage.newPerson();
        const tokens = await signIn(stage, person);
        const race = raceAtGong(stage, person, tokens, random, () => stage.expire(person));
        report(tally, episode, await race);
      }
      for (const { person, tokens, connectedAt } of expiring) {
        await pause(connectedAt + EXPIRED_AFTER_MS - Date.now());
        report(tally, episode, await raceAtGong(stage, person, tokens, random, () => undefined));
      }
    });
    left -= round;
  }
}

async function raceAtGong(
  stage: Stage,
  person: string,
  { access }: Tokens,
  random: Random,
  expire: () => void,
): Promise<readonly Fault[]> {
  // Half of the time the isolate remembers the dead token, half of the time it must ask the connection.
  if (random.chance(0.5)) await callGong(stage, access);
  expire();
  const answers = await together(() => callGong(stage, access));
  const faults: Fault[] = unexpected(answers, [200]).map((what) => ["lost", what]);
  const after = await callGong(stage, access);
  if (after?.status !== 200) faults.push(["lost", `the call after the race: ${describe(after)}`]);
  const presented = refreshes(stage.history.of(person));
  if (presented.length !== 1) faults.push(["doubled", `${presented.length} redemptions at Gong`]);
  return faults;
}

/** Redemptions of one code: RFC 6749 §4.1.2, "MUST NOT be used more than once". */
export async function codeRaces(theatre: Theatre, tally: Tally, seed: number, races: number): Promise<void> {
  await inEpisodes(theatre, tally, seed, races, async (stage) => {
    const person = stage.newPerson();
    const code = codeIn(await visitCallback(stage, await approve(stage, person))) ?? "";
    const answers = await together(() => redeem(stage, code));
    const faults: Fault[] = unexpected(answers, [200, 400]).map((what) => ["stuck", what]);
    const winners = answers.map(tokensIn).filter((tokens) => tokens !== undefined);
    if (winners.length > 1) faults.push(["doubled", `${winners.length} redemptions won`]);
    const [winner] = winners;
    return [...faults, ...(await keepsWorking(stage, winner))];
  });
}

/** Uses of one refresh token: all get the same successor, which works (RFC 9700 §4.14.2 with a replay window). */
export async function refreshTokenRaces(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  races: number,
): Promise<void> {
  await inEpisodes(theatre, tally, seed, races, async (stage) => {
    const tokens = await signIn(stage, stage.newPerson());
    const answers = await together(() => refresh(stage, tokens.refresh));
    const faults: Fault[] = unexpected(answers, [200]).map((what) => ["lost", what]);
    const successors = new Set(answers.map((answer) => tokensIn(answer)?.refresh));
    if (successors.size !== 1) faults.push(["doubled", `${successors.size} different successors`]);
    return [...faults, ...(await keepsWorking(stage, tokensIn(answers[0])))];
  });
}

/**
 * The same two races with the Worker killed in the middle and everybody asking again: a code wins once at most, a
 * refresh token has one successor, and what was won works.
 */
export async function killedRaces(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  races: number,
): Promise<void> {
  const random = randomFrom(seed);
  await inEpisodes(theatre, tally, seed, races, async (stage) => {
    const tokens = await signIn(stage, stage.newPerson());
    const person = stage.newPerson();
    const code = codeIn(await visitCallback(stage, await approve(stage, person))) ?? "";
    const [redeemed, refreshed] = await Promise.all([
      together(() => persist(() => redeem(stage, code))),
      together(() => persist(() => refresh(stage, tokens.refresh))),
      pause(random.whole(0, 60))
        .then(() => stage.kill())
        .then(() => stage.restart()),
    ]);
    const faults: Fault[] = unexpected(redeemed, [200, 400]).map((what) => ["stuck", what]);
    faults.push(...unexpected(refreshed, [200]).map((what): Fault => ["lost", what]));
    const winners = redeemed.map(tokensIn).filter((won) => won !== undefined);
    if (winners.length > 1) faults.push(["doubled", `${winners.length} redemptions won`]);
    const successors = new Set(refreshed.map((answer) => tokensIn(answer)?.refresh));
    if (successors.size !== 1) faults.push(["doubled", `${successors.size} different successors`]);
    // The answer to the winner can get lost with the Worker: then nobody has it, and nobody else may win.
    const [winner] = winners;
    if (winner !== undefined) faults.push(...(await keepsWorking(stage, winner)));
    return [...faults, ...(await keepsWorking(stage, tokensIn(refreshed[0])))];
  });
}

async function keepsWorking(stage: Stage, tokens: Tokens | undefined): Promise<readonly Fault[]> {
  if (tokens === undefined) return [["lost", "nobody got tokens"]];
  const called = await callGong(stage, tokens.access);
  if (called?.status !== 200) return [["lost", `the winner's access token: ${describe(called)}`]];
  const refreshed = tokensIn(await refresh(stage, tokens.refresh));
  if (refreshed === undefined) return [["lost", "the winner's refresh token is refused"]];
  const again = await callGong(stage, refreshed.access);
  return again?.status === 200 ? [] : [["lost", `the refreshed access token: ${describe(again)}`]];
}

async function inEpisodes(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  races: number,
  race: (stage: Stage) => Promise<readonly Fault[]>,
): Promise<void> {
  for (let left = races, episode = seed; left > 0; episode += 1) {
    const round = Math.min(left, RACES_PER_EPISODE);
    await theatre.play(settingsFor(randomFrom(episode)), async (stage) => {
      for (let at = 0; at < round; at += 1) report(tally, episode, await race(stage));
    });
    left -= round;
  }
}

function settingsFor(random: Random): { knobs: KnobChanges; settings: Readonly<Record<string, string>> } {
  return {
    settings: { ACCESS_CACHE_SECONDS: random.pick(["0", "10"]) },
    knobs: {
      tokenDelayMs: random.pick([0, 5, 20, 60]),
      refreshMode: random.pick([
        "single_use",
        "single_use",
        "reuse_revokes_family",
        "omitted",
        "not_rotating",
      ]),
      accessAfterRefresh: random.pick(["lives", "dies"]),
      accessTokenForm: random.pick(["jwt", "jwt_4kb"]),
    },
  };
}

function together(ask: () => Promise<Outcome>): Promise<Outcome[]> {
  return Promise.all(Array.from({ length: CALLERS }, ask));
}

function unexpected(answers: readonly Outcome[], statuses: readonly number[]): readonly string[] {
  const odd = answers.filter((answer) => answer === undefined || !statuses.includes(answer.status));
  return odd.length === 0 ? [] : [`${odd.length} of ${answers.length} callers got ${describe(odd[0])}`];
}

function report(tally: Tally, seed: number, faults: readonly Fault[]): void {
  tally.tried += 1;
  for (const [verdict, what] of faults) count(tally, verdict, seed, what);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(ms, 0)));
}
