// One blow: errands begin, something fails, everybody goes on from what they had heard, and what happened is judged.
// Called by kills.ts and sweep.ts.

import { answerOnDisk } from "./disk.ts";
import type { Errand } from "./errands.ts";
import { refreshes } from "./history.ts";
import type { Outcome } from "./http.ts";
import type { Random } from "./random.ts";
import { expectSpentOnce, persist, type Actor, type Fault } from "./recovery.ts";
import type { Stage } from "./stage.ts";
import { callGong, describe, refresh } from "./story.ts";

export interface Blow {
  /** The errands begin within this time of each other. */
  readonly startWithinMs: number;
  readonly random: Random;
  /** Makes something fail; resolves with the moment it did, and whether the Worker is dead and must be started. */
  fail(): Promise<{ readonly at: number; readonly died: boolean }>;
  /** Called when every errand has ended, before anybody goes on. */
  heal?(): Promise<void>;
}

export interface Struck {
  /** How many had not heard an answer when it was over. */
  readonly unheard: number;
  readonly outcomes: readonly Outcome[];
  readonly faults: readonly Fault[];
}

/** Runs the errands through a failure and returns what was wrong afterwards. */
export async function strike(stage: Stage, errands: readonly Errand[], blow: Blow): Promise<Struck> {
  const began = Date.now();
  const running = errands.map(async (errand) => {
    await new Promise((resolve) => setTimeout(resolve, blow.random.whole(0, blow.startWithinMs)));
    return errand.run();
  });
  const { at, died } = await blow.fail();
  const outcomes = await Promise.all(running);
  const onDisk = errands.map(({ actor }) => {
    const last = refreshes(stage.history.of(actor.person)).at(-1);
    if (last === undefined || last.at < began) return false;
    return answerOnDisk(stage.gateway.stateDir, actor.tokens.access);
  });
  const keptOnDisk = errands.map(({ answerOnDisk: isKept }) => isKept?.() ?? false);
  if (died) await stage.restart();
  await blow.heal?.();
  const until = Date.now();
  for (const [index, { actor }] of errands.entries()) {
    actor.failures.push({ at, until, onDisk: onDisk[index] ?? false });
  }
  const faults = await Promise.all(
    errands.map(async ({ actor, goOn }, index) => [
      ...(await goOn(outcomes[index], keptOnDisk[index] ?? false)),
      ...expectSpentOnce(stage, actor),
    ]),
  );
  // A failure that we know of is a 503 with a time to come back: 500 is for bugs. A Worker that hangs is none of ours.
  const odd = outcomes.filter((outcome) => outcome?.status === 500 && !died);
  faults.push(odd.map((outcome): Fault => ["stuck", `answered ${describe(outcome)}`]));
  const unheard = outcomes.filter((outcome) => outcome === undefined).length;
  return { unheard, outcomes, faults: faults.flat() };
}

/** What was revoked, and acknowledged, must never work again. */
export async function expectDead(stage: Stage, { person, tokens }: Actor): Promise<readonly Fault[]> {
  const called = await persist(() => callGong(stage, tokens.access));
  const refreshed = await persist(() => refresh(stage, tokens.refresh));
  if (called?.status === 401 && refreshed?.status === 400) return [];
  return [["revived", `${person}: ${describe(called)}; ${describe(refreshed)}`]];
}
