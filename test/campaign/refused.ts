// Refreshes that go wrong before anything of ours fails: Gong refuses, does not answer, answers what nobody can read,
// or has ended the grant; and calls to an object that has just been woken. Called by sweep.ts.

import type { FaultLine } from "../gong/faults.ts";
import { calling, connecting, type Errand } from "./errands.ts";
import { refreshes } from "./history.ts";
import type { Outcome } from "./http.ts";
import { expectUsable, persist, signInAgain, type Actor, type Fault } from "./recovery.ts";
import type { Stage } from "./stage.ts";
import { approve, callGong, describe } from "./story.ts";

/** Longer than the first pause after a failure. */
const FIRST_PAUSE_MS = 1200;
const ASKED_WITHIN_MS = 10_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Breaks every refresh at Gong until the script is cleared. */
function breakRefreshes(stage: Stage, fault: FaultLine["fault"]): void {
  stage.gong.fault({ endpoint: "token", fault, times: "always", where: { grantType: "refresh_token" } });
}

/** The person presses Allow on our page: pressed again it goes on, and what there was before stays usable. */
export function approving(stage: Stage, actor: Actor): Errand {
  return {
    actor,
    run: async (): Promise<Outcome> => {
      try {
        await approve(stage, actor.person);
        return { status: 200, headers: {}, body: "" };
      } catch (error) {
        // Its message names the status, or that there was no answer.
        const [, status] = /answered (\d+)/.exec(String(error)) ?? [];
        return status === undefined
          ? undefined
          : { status: Number(status), headers: {}, body: String(error) };
      }
    },
    goOn: async () => {
      const old = await expectUsable(stage, actor);
      const tokens = await signInAgain(stage, actor.person);
      if (tokens === undefined) return [...old, ["stuck", `${actor.person} can't sign in`]];
      actor.tokens = tokens;
      return [...old, ...(await expectUsable(stage, actor))];
    },
  };
}

/** A call to a connection whose object has not been asked anything since the Worker started. */
export function waking(stage: Stage, actor: Actor): Errand {
  return calling(stage, actor);
}

/** A call whose refresh Gong refuses for the moment. */
export function refusing(stage: Stage, actor: Actor): Errand {
  breakRefreshes(stage, { kind: "status", status: 503 });
  return calling(stage, actor);
}

/** A call after Gong has ended the grant: the person is told, signs in, and everything works again. */
export function ending(stage: Stage, actor: Actor): Errand {
  return {
    actor,
    run: () => {
      stage.gong.killTokens({ kind: "all", person: actor.person });
      return callGong(stage, actor.tokens.access);
    },
    goOn: () => expectHealedByPerson(stage, actor),
  };
}

/** A call after a refresh that never reached Gong: the same refresh token is still good. */
export async function recovering(stage: Stage, actor: Actor): Promise<Errand> {
  await failOnce(stage, actor, { kind: "drop_before" });
  return { ...calling(stage, actor), run: () => callLater(stage, actor) };
}

/** A call after a refresh whose answer nobody can read: it is kept, and the token is spent unless Gong is lenient. */
export async function misreading(stage: Stage, actor: Actor): Promise<Errand> {
  await failOnce(stage, actor, { kind: "fields", remove: ["access_token"] });
  return {
    actor,
    run: () => callLater(stage, actor),
    goOn: () => expectHealedByPerson(stage, actor),
  };
}

async function failOnce(stage: Stage, actor: Actor, fault: FaultLine["fault"]): Promise<void> {
  breakRefreshes(stage, fault);
  stage.expire(actor.person);
  const failed = await callGong(stage, actor.tokens.access);
  if (failed?.status !== 503) throw new Error(`A refresh that fails answered ${describe(failed)}`);
  stage.gong.clearFaults();
}

async function callLater(stage: Stage, actor: Actor): Promise<Outcome> {
  await pause(FIRST_PAUSE_MS);
  return callGong(stage, actor.tokens.access);
}

/** A refresh while the person's newer sign-in arrives: what it brings is not overwritten by what is older. */
export async function reconnecting(stage: Stage, actor: Actor): Promise<Errand> {
  const signingIn = await connecting(stage, actor);
  const refreshing = calling(stage, actor);
  return {
    ...signingIn,
    run: async () => {
      const before = refreshes(stage.history.of(actor.person)).length;
      const called = refreshing.run();
      // A sign-in that comes first leaves nothing to refresh.
      const until = Date.now() + ASKED_WITHIN_MS;
      while (refreshes(stage.history.of(actor.person)).length === before && Date.now() < until)
        await pause(2);
      return (await Promise.all([signingIn.run(), called]))[0];
    },
    goOn: async (outcome, onDisk) => [
      ...(await signingIn.goOn(outcome, onDisk)),
      ...expectNewest(stage, actor),
    ],
  };
}

/** What Gong was called with last is of the sign-in that came last. */
function expectNewest(stage: Stage, { person }: Actor): readonly Fault[] {
  const ledger = stage.gong.ledger();
  const tokens = ledger
    .filter((entry) => entry.kind === "tokens_issued")
    .filter((of) => of.person === person);
  const used = ledger.findLast(
    (entry) =>
      entry.kind === "request" &&
      tokens.some(({ accessToken }) => entry.headers["authorization"] === `Bearer ${accessToken}`),
  );
  const last = used?.kind === "request" ? used.headers["authorization"]?.slice("Bearer ".length) : undefined;
  const newest = tokens.findLast(({ via }) => via === "authorization_code");
  const isNewest = tokens.some(({ accessToken, grant }) => accessToken === last && grant === newest?.grant);
  return isNewest ? [] : [["revived", `${person}: a refresh has overwritten a newer sign-in`]];
}

/** The connection answers, or asks for its person, whose sign-in heals it for the client that was there. */
async function expectHealedByPerson(stage: Stage, actor: Actor): Promise<readonly Fault[]> {
  const outcome = await persist(() => callGong(stage, actor.tokens.access));
  if (outcome?.status === 200) return [];
  if (outcome?.status !== 401) return [["stuck", `${actor.person}: ${describe(outcome)}`]];
  const healed = await signInAgain(stage, actor.person);
  const old = await callGong(stage, actor.tokens.access);
  if (healed === undefined || old?.status !== 200)
    return [["stuck", `${actor.person} signed in again: ${describe(old)}`]];
  actor.tokens = healed;
  return [];
}
