// Random kills: many people do different things at once, the Worker is killed (SIGKILL) at a random moment and started
// again on the same state, and everybody goes on from what they had. Whoever had something in flight counts as a try.

import { calling, connecting, redeeming, refreshing, revoking, type Errand } from "./errands.ts";
import { randomFrom, type Random } from "./random.ts";
import { newActor, type Actor, type Fault } from "./recovery.ts";
import type { Stage, Theatre } from "./stage.ts";
import { expectDead, strike } from "./strike.ts";
import { count, type Tally } from "./tally.ts";

const ACTORS = 24;
const KILLS_PER_EPISODE = 6;

/** Kills until `tries` people had something in flight. */
export async function randomKills(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  tries: number,
): Promise<void> {
  for (let episode = seed; tally.tried < tries; episode += 1) {
    const random = randomFrom(episode);
    const knobs = {
      refreshMode: random.pick([
        "single_use",
        "single_use",
        "reuse_revokes_family",
        "grace",
        "old_valid_until_new_used",
        "omitted",
      ] as const),
      tokenDelayMs: random.pick([0, 3, 10, 40]),
    };
    const settings = { ACCESS_CACHE_SECONDS: random.pick(["0", "10"]) };
    await theatre.play({ knobs, settings }, async (stage) => {
      const actors = await people(stage, ACTORS);
      // After processing: this is when an answer can get lost on the wire.
      const ms = random.pick([0, 0, 4, 20]);
      stage.gong.fault({ endpoint: "token", fault: { kind: "delay", ms }, times: "always" });
      const dead: Actor[] = [];
      for (let at = 0; at < KILLS_PER_EPISODE && tally.tried < tries; at += 1) {
        await killOnce(stage, actors, dead, random, (tried, faults) => {
          tally.tried += tried;
          for (const [verdict, what] of faults) count(tally, verdict, episode, what);
        });
      }
    });
  }
}

function people(stage: Stage, number: number): Promise<Actor[]> {
  return Promise.all(Array.from({ length: number }, async () => newActor(stage)));
}

async function killOnce(
  stage: Stage,
  actors: Actor[],
  dead: Actor[],
  random: Random,
  report: (tried: number, faults: readonly Fault[]) => void,
): Promise<void> {
  const errands = await Promise.all(actors.map((actor) => errandFor(stage, actor, dead, random)));
  const struck = await strike(stage, errands, {
    startWithinMs: 10,
    random,
    async fail() {
      await pause(random.whole(0, random.pick([15, 40, 90])));
      const at = await stage.kill();
      return { at, died: true };
    },
  });
  const revived = await Promise.all(dead.map(async (actor) => expectDead(stage, actor)));
  for (const actor of dead) actors.splice(actors.indexOf(actor), actors.includes(actor) ? 1 : 0);
  report(struck.unheard, [...struck.faults, ...revived.flat()]);
  actors.push(...(await people(stage, ACTORS - actors.length)));
}

async function errandFor(stage: Stage, actor: Actor, dead: Actor[], random: Random): Promise<Errand> {
  const kind = random.pick(["gong", "gong", "gong", "refresh", "refresh", "redeem", "connect", "revoke"]);
  switch (kind) {
    case "refresh":
      return refreshing(stage, actor);
    case "redeem":
      return redeeming(stage, actor);
    case "connect":
      return connecting(stage, actor);
    case "revoke":
      return revoking(stage, actor, dead);
    default:
      return calling(stage, actor);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
