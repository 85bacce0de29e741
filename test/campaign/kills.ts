// Random kills: many people do different things at once, the Worker is killed (SIGKILL) at a random moment and started
// again on the same state, and everybody goes on from what they had. Whoever had something in flight counts as a try.

import { answerOnDisk } from "./disk.ts";
import { refreshes } from "./history.ts";
import type { Outcome } from "./http.ts";
import { randomFrom, type Random } from "./random.ts";
import {
  expectRefreshes,
  expectSpentOnce,
  expectUsable,
  newActor,
  persist,
  type Actor,
  type Fault,
} from "./recovery.ts";
import type { Stage, Theatre } from "./stage.ts";
import {
  approve,
  callGong,
  codeIn,
  describe,
  redeem,
  refresh,
  revoke,
  signIn,
  tokensIn,
  visitCallback,
} from "./story.ts";
import { count, type Tally } from "./tally.ts";

const ACTORS = 24;
const KILLS_PER_EPISODE = 12;

/** One thing that one person does while the Worker is killed. */
interface Errand {
  readonly actor: Actor;
  readonly run: () => Promise<Outcome>;
  /** Goes on after the restart. `outcome` is what the person had heard before. */
  readonly goOn: (outcome: Outcome) => Promise<readonly Fault[]>;
}

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
  const began = Date.now();
  const heard = new Map<Errand, Outcome>();
  const running = errands.map(async (errand) => {
    await pause(random.whole(0, 10));
    const outcome = await errand.run();
    if (outcome !== undefined) heard.set(errand, outcome);
  });
  await pause(random.whole(0, random.pick([15, 40, 90])));
  const killedAt = await stage.kill();
  await Promise.all(running);
  for (const { actor } of errands) {
    const last = refreshes(stage.history.of(actor.person)).at(-1);
    const refreshed = last !== undefined && last.at >= began;
    const onDisk = refreshed && answerOnDisk(stage.gateway.stateDir, actor.tokens.access);
    actor.failures.push({ at: killedAt, onDisk });
  }
  await stage.restart();
  const faults = await Promise.all(
    errands.map(async (errand) => [
      ...(await errand.goOn(heard.get(errand))),
      ...expectSpentOnce(stage, errand.actor),
    ]),
  );
  const revived = await Promise.all(dead.map(async (actor) => expectDead(stage, actor)));
  for (const actor of dead) actors.splice(actors.indexOf(actor), actors.includes(actor) ? 1 : 0);
  report(errands.length - heard.size, [...faults, ...revived].flat());
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

/** A call that makes us refresh at Gong. */
function calling(stage: Stage, actor: Actor): Errand {
  return {
    actor,
    run: () => {
      stage.expire(actor.person);
      return callGong(stage, actor.tokens.access);
    },
    goOn: () => expectUsable(stage, actor),
  };
}

/** A use of our refresh token: the same one again must give tokens that work. */
function refreshing(stage: Stage, actor: Actor): Errand {
  return {
    actor,
    run: () => refresh(stage, actor.tokens.refresh),
    goOn: async (outcome) => {
      const tokens = tokensIn(outcome);
      if (tokens === undefined) {
        const faults = await expectRefreshes(stage, actor);
        if (faults.length > 0) return faults;
      } else actor.tokens = tokens;
      return expectUsable(stage, actor);
    },
  };
}

/** A code: what was not answered may be asked again, and is then good or refused, never half. */
async function redeeming(stage: Stage, actor: Actor): Promise<Errand> {
  const code = codeIn(await visitCallback(stage, await approve(stage, actor.person))) ?? "";
  return {
    actor,
    run: () => redeem(stage, code),
    goOn: async (outcome) => {
      const again = await persist(() => redeem(stage, code));
      const tokens = tokensIn(outcome) ?? tokensIn(again);
      if (outcome?.status === 200 && again?.status === 200) return [["doubled", "our code won twice"]];
      if (again?.status !== 200 && again?.status !== 400) return [["stuck", `our code: ${describe(again)}`]];
      const old = await expectUsable(stage, actor);
      if (tokens === undefined) return old;
      actor.tokens = tokens;
      return [...old, ...(await expectUsable(stage, actor))];
    },
  };
}

/** The browser's way back from Gong: the page can be loaded again, and the connection there was stays usable. */
async function connecting(stage: Stage, actor: Actor): Promise<Errand> {
  const pending = await approve(stage, actor.person);
  return {
    actor,
    run: () => visitCallback(stage, pending),
    goOn: async (outcome) => {
      const old = await expectUsable(stage, actor);
      const again = await visitCallback(stage, pending);
      const code = codeIn(outcome) ?? codeIn(again);
      if (code === undefined) {
        // "Start again", in words of ours; and starting again works.
        if (again === undefined || again.status >= 500)
          return [...old, ["stuck", `the callback: ${describe(again)}`]];
        actor.tokens = await signIn(stage, actor.person);
      } else {
        const tokens = tokensIn(await redeem(stage, code));
        if (tokens === undefined) return [...old, ["lost", "a code that came back is refused"]];
        actor.tokens = tokens;
      }
      return [...old, ...(await expectUsable(stage, actor))];
    },
  };
}

function revoking(stage: Stage, actor: Actor, dead: Actor[]): Errand {
  return {
    actor,
    run: () => revoke(stage, actor.tokens.refresh),
    goOn: async (outcome) => {
      if (outcome?.status !== 200) {
        const again = await persist(() => revoke(stage, actor.tokens.refresh));
        if (again?.status !== 200) return [["stuck", `revocation: ${describe(again)}`]];
      }
      dead.push(actor);
      return [];
    },
  };
}

/** What was revoked, and acknowledged, must never work again. */
async function expectDead(stage: Stage, { person, tokens }: Actor): Promise<readonly Fault[]> {
  const called = await persist(() => callGong(stage, tokens.access));
  const refreshed = await persist(() => refresh(stage, tokens.refresh));
  if (called?.status === 401 && refreshed?.status === 400) return [];
  return [["revived", `${person}: ${describe(called)}; ${describe(refreshed)}`]];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
