// The sweep: every failpoint of every story, made to fail in every way that can happen there, with the Worker built for
// it. A place that no story comes by fails the sweep, so that none is left behind when the code changes.

import type { Failpoint } from "../../src/failpoints.ts";
import { copyConnection } from "./disk.ts";
import { asserting, calling, connecting, redeeming, refreshing, revoking, type Errand } from "./errands.ts";
import { paying } from "./paying.ts";
import { approving, ending, misreading, reconnecting, recovering, refusing, waking } from "./refused.ts";
import { randomFrom, type Random } from "./random.ts";
import { newActor, type Actor, type Fault } from "./recovery.ts";
import type { Stage, Theatre } from "./stage.ts";
import { expectDead, strike } from "./strike.ts";
import { count, type Tally } from "./tally.ts";
import { CONTROL_PATH, type Arming, type Mode } from "./arming.ts";

const ACTORS = 3;
const BROKEN_MS = 300;
const REACH_MS = 3000;

type Story = (stage: Stage, actor: Actor, dead: Actor[]) => Errand | Promise<Errand>;
type Modes = readonly Mode[];

/** In the Worker nothing is stored: it can only be slow or die. */
const WORKER: Modes = ["delay", "kill", "hold"];
/** Between two writes of an object. */
const OBJECT: Modes = ["abort", "outage", "superseded", "delay", "kill", "hold"];
/** Right before a write, which can fail by itself. */
const WRITE: Modes = ["throw", ...OBJECT];
/** Inside a transaction nothing can wait. */
const TRANSACTION: Modes = ["throw", "abort", "kill"];

/** Modes that leave whoever came by alive, with the answer in its hands: one store of two is enough to lose nothing. */
const SURVIVED: ReadonlySet<Mode> = new Set(["throw", "outage", "superseded", "delay"]);

/** From here on the answer is kept: whoever came by must not lose it. A `kill` stops the others elsewhere. */
const KEPT: ReadonlySet<Failpoint> = new Set([
  "connect.kept",
  "index.writing",
  "connect.indexed",
  "connect.witnessed",
  "connect.writing",
  "connect.stored",
  "connect.connected",
  "refresh.kept",
  "refresh.before_commit",
  "refresh.committed",
  "escrow.settling",
  "refresh.settled",
]);

const SWEEP: readonly (readonly [Failpoint, Modes, Story, ...Story[]])[] = [
  ["transaction.beginning", TRANSACTION, approving],
  ["transaction.taking", TRANSACTION, connecting],
  ["connect.taken", WORKER, connecting],
  ["connect.asking", WORKER, connecting],
  ["connect.answered", WORKER, connecting],
  ["connect.sealed", WORKER, connecting],
  ["answer.keeping", WRITE, connecting],
  ["connect.kept", WORKER, connecting],
  ["index.writing", TRANSACTION, connecting],
  ["connect.indexed", WORKER, connecting],
  ["connect.witnessed", OBJECT, connecting],
  ["connect.writing", TRANSACTION, connecting],
  ["connect.stored", OBJECT, connecting],
  ["connect.connected", WORKER, connecting],
  ["transaction.finishing", WRITE, connecting],
  ["connect.finished", WORKER, connecting],
  ["token.proven", WORKER, redeeming, refreshing],
  ["redeem.writing", TRANSACTION, redeeming],
  ["rotate.writing", TRANSACTION, refreshing],
  ["codeless.writing", TRANSACTION, asserting],
  ["token.decided", WORKER, redeeming, refreshing],
  ["wake.writing", TRANSACTION, waking],
  ["refresh.begun", OBJECT, calling],
  ["refresh.recovering", OBJECT, recovering],
  ["refresh.quarantining", WRITE, misreading],
  ["refresh.before_intent", WRITE, calling],
  ["refresh.intent_written", OBJECT, calling],
  ["refresh.answer_received", OBJECT, calling],
  ["refresh.answer_sealed", OBJECT, calling],
  ["refresh.keeping", WRITE, calling],
  ["escrow.keeping", WRITE, calling],
  ["refresh.kept", OBJECT, calling],
  ["refresh.before_commit", WRITE, calling, reconnecting],
  ["refresh.committed", OBJECT, calling],
  ["escrow.settling", WRITE, calling],
  ["refresh.settled", OBJECT, calling],
  ["refresh.failing", TRANSACTION, refusing],
  ["refresh.ending", TRANSACTION, ending],
  ["end.writing", TRANSACTION, revoking],
  ["outbox.telling", OBJECT, connecting, revoking, redeeming, refreshing],
  ["escrow.ending", WRITE, connecting, revoking, redeeming, refreshing],
  ["outbox.told", WRITE, connecting, revoking, redeeming, refreshing],
  ["alarm.setting", WRITE, calling, connecting, redeeming, refreshing],
  ["paid.reserving", TRANSACTION, paying],
  ["paid.reserved", OBJECT, paying],
  ["paid.admitting", TRANSACTION, paying],
  ["paid.admitted", OBJECT, paying],
  ["paid.asking", OBJECT, paying],
  ["paid.asked", OBJECT, paying],
  ["paid.answered", OBJECT, paying],
  ["paid.sealed", OBJECT, paying],
  ["paid.ending", TRANSACTION, paying],
  ["paid.keeping", TRANSACTION, paying],
  ["paid.kept", OBJECT, paying],
  ["paid.settling", TRANSACTION, paying],
  ["paid.delivered", WRITE, paying],
];

const COMBINATIONS = SWEEP.flatMap(([name, modes, ...stories]) =>
  modes.flatMap((mode) => stories.map((story) => ({ name, mode, story }))),
);

/** The places that the sweep comes by; all of them, or a test fails. */
export const SWEPT: ReadonlySet<Failpoint> = new Set(SWEEP.map(([name]) => name));

/**
 * Sweeps `sweeps` times, each time with another mood of Gong's; below 1, that share of the places once. `places` are
 * the only ones if there are any. `theatre` plays the build with failpoints.
 */
export async function sweepFailpoints(
  theatre: Theatre,
  tally: Tally,
  seed: number,
  sweeps: number,
  places: readonly string[],
): Promise<void> {
  for (let episode = seed; episode < seed + sweeps; episode += 1) {
    const random = randomFrom(episode);
    const knobs = {
      refreshMode: random.pick([
        "single_use",
        "single_use",
        "reuse_revokes_family",
        "grace",
        "old_valid_until_new_used",
      ] as const),
      tokenDelayMs: random.pick([0, 5, 20]),
    };
    const settings = { ACCESS_CACHE_SECONDS: random.pick(["0", "10"]) };
    await theatre.play({ knobs, settings }, async (stage) => {
      for (const { name, mode, story } of COMBINATIONS) {
        if (places.length > 0 ? !places.includes(name) : !random.chance(sweeps)) continue;
        const arming: Arming = { name, mode, ms: BROKEN_MS, times: ACTORS };
        const faults = await sweepOnce(stage, story, arming, random);
        tally.tried += ACTORS;
        for (const [verdict, what] of faults) {
          count(tally, verdict, episode, `${name} ${mode} ${story.name}: ${what}`);
        }
      }
    });
  }
}

async function sweepOnce(
  stage: Stage,
  story: Story,
  arming: Arming,
  random: Random,
): Promise<readonly Fault[]> {
  const actors = await Promise.all(Array.from({ length: ACTORS }, async () => newActor(stage)));
  const dead: Actor[] = [];
  // One after the other: some break Gong for everybody while they prepare.
  const errands: Errand[] = [];
  for (const actor of actors) errands.push(await story(stage, actor, dead));
  if (story === waking) {
    await stage.kill();
    await stage.restart();
  }
  // What ends here must stay ended after a restore of the connection, too.
  const restores = story === revoking ? actors.map((actor) => copyOf(stage, actor)) : [];
  const logged = stage.gateway.logs().length;
  await arm(stage, arming);
  const dies = arming.mode === "kill" || arming.mode === "hold";
  let reached = 0;
  let at = 0;
  const struck = await strike(stage, errands, {
    startWithinMs: 3,
    random,
    async fail() {
      reached = await comingBy(stage, logged, arming.mode === "kill" ? 1 : ACTORS);
      at = Date.now();
      if (dies) await stage.kill();
      return { at, died: dies };
    },
    heal() {
      stage.gong.clearFaults();
      return arm(stage, undefined);
    },
  });
  const revived = await expectStayDead(stage, dead, restores, random);
  // An object that everybody shares must not be taken over in the middle of what comes next.
  if (arming.mode === "superseded") await pause(at + 2 * BROKEN_MS - Date.now());
  // A sign-in beside the refresh may be anywhere when the Worker dies.
  const isKept = KEPT.has(arming.name) && arming.mode !== "kill" && !(dies && story === reconnecting);
  const mustHold = (isKept || SURVIVED.has(arming.mode)) && reached === ACTORS;
  const faults = [...struck.faults, ...revived].map(([verdict, what]): Fault => {
    return [mustHold && (verdict === "ambiguous" || verdict === "inMemory") ? "lost" : verdict, what];
  });
  return reached > 0 ? faults : [...faults, ["stuck", "nobody came by this place"]];
}

/** What ended is dead, and stays dead when the connection's object is put back to what it was before. */
async function expectStayDead(
  stage: Stage,
  dead: readonly Actor[],
  restores: readonly (() => void)[],
  random: Random,
): Promise<readonly Fault[]> {
  const look = async (): Promise<readonly Fault[]> =>
    (await Promise.all(dead.map(async (actor) => expectDead(stage, actor)))).flat();
  // Every other time the restore comes first: what was acknowledged must not need another use to be remembered.
  const revived = restores.length === 0 || random.chance(0.5) ? await look() : [];
  if (restores.length === 0) return revived;
  await stage.kill();
  for (const restore of restores) restore();
  await stage.restart();
  return [...revived, ...(await look())];
}

function copyOf({ gateway }: Stage, { tokens }: Actor): () => void {
  return copyConnection(gateway.stateDir, tokens.access);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(ms, 0)));
}

async function arm(stage: Stage, arming: Arming | undefined): Promise<void> {
  const answer = await stage.ask(
    CONTROL_PATH,
    arming === undefined ? {} : { method: "POST", body: JSON.stringify(arming) },
  );
  if (answer?.status !== 204) throw new Error("The Worker has no failpoint control");
}

/** Waits until `wanted` have come by, or for a while; returns how many have. */
async function comingBy(stage: Stage, from: number, wanted: number): Promise<number> {
  const until = Date.now() + REACH_MS;
  for (;;) {
    const lines = stage.gateway.logs().slice(from);
    const reached = lines.filter((line) => line.includes("failpoint reached")).length;
    if (reached >= wanted || Date.now() > until) return reached;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
