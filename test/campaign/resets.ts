// Clients that go away with a reset (RST) while Gong is at work for them: during a refresh at Gong, during our own
// refresh, and during the callback. What was begun must be finished: nothing is lost, and nothing is spent twice.

import type { Outcome } from "./http.ts";
import { randomFrom, type Random } from "./random.ts";
import {
  expectRefreshes,
  expectSpentOnce,
  expectUsable,
  newActor,
  type Actor,
  type Fault,
} from "./recovery.ts";
import type { Stage, Theatre } from "./stage.ts";
import { approve, callGong, codeIn, describe, redeem, refresh, tokensIn, visitCallback } from "./story.ts";
import { count, type Tally } from "./tally.ts";

const AT_ONCE = 20;
const ROUNDS_PER_EPISODE = 5;
const LONGEST_RESET_MS = 90;
const PATIENCE_MS = 20_000;

/** Resets `tries` connections, two thirds of them during a refresh at Gong. */
export async function clientResets(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  tries: number,
): Promise<void> {
  for (let episode = seed; tally.tried < tries; episode += 1) {
    const random = randomFrom(episode);
    const settings = { ACCESS_CACHE_SECONDS: random.pick(["0", "10"]) };
    await theatre.play({ knobs: {}, settings }, async (stage) => {
      for (let round = 0; round < ROUNDS_PER_EPISODE && tally.tried < tries; round += 1) {
        stage.gong.clearFaults();
        stage.gong.setKnobs({ tokenDelayMs: random.pick([0, 20, 60]) });
        const ms = random.pick([0, 20, 60]);
        stage.gong.fault({ endpoint: "token", fault: { kind: "delay", ms }, times: "always" });
        const actors = await Promise.all(Array.from({ length: AT_ONCE }, async () => newActor(stage)));
        const faults = await Promise.all(actors.map(async (actor) => resetOnce(stage, actor, random)));
        tally.tried += AT_ONCE;
        for (const [verdict, what] of faults.flat()) count(tally, verdict, episode, what);
      }
    });
  }
}

async function resetOnce(stage: Stage, actor: Actor, random: Random): Promise<readonly Fault[]> {
  const resetAfterMs = random.whole(0, LONGEST_RESET_MS);
  const story = random.pick(["call", "call", "call", "call", "callback", "refresh"]);
  const faults: Fault[] = [];
  if (story === "call") {
    stage.expire(actor.person);
    await callGong(stage, actor.tokens.access, resetAfterMs);
  } else if (story === "refresh") {
    await refresh(stage, actor.tokens.refresh, resetAfterMs);
    faults.push(...(await expectRefreshes(stage, actor)));
  } else {
    faults.push(...(await resetCallback(stage, actor, resetAfterMs)));
  }
  const usable = await expectUsable(stage, actor);
  // Nothing has failed but the client's connection: not even an ambiguous loss is excused.
  faults.push(...usable.map(([verdict, what]): Fault => [verdict === "stuck" ? "stuck" : "lost", what]));
  return [...faults, ...expectSpentOnce(stage, actor)];
}

/** The browser leaves our callback, and loads it again until it leads to the client. */
async function resetCallback(stage: Stage, actor: Actor, resetAfterMs: number): Promise<readonly Fault[]> {
  const pending = await approve(stage, actor.person);
  await visitCallback(stage, pending, resetAfterMs);
  const until = Date.now() + PATIENCE_MS;
  let outcome: Outcome = await visitCallback(stage, pending);
  // 409: still at work on it.
  while (outcome?.status === 409 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    outcome = await visitCallback(stage, pending);
  }
  const code = codeIn(outcome);
  if (code === undefined) return [["lost", `the callback after a reset: ${describe(outcome)}`]];
  const tokens = tokensIn(await redeem(stage, code));
  if (tokens === undefined) return [["lost", "the code after a reset is refused"]];
  actor.tokens = tokens;
  return [];
}
