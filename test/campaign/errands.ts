// What people do while something fails: each errand knows how to begin, and how its person goes on afterwards from what
// they had heard. Called by kills.ts and sweep.ts.

import type { Outcome } from "./http.ts";
import { accessTokenIn, assert } from "./identity.ts";
import { signInOnDisk } from "./disk.ts";
import {
  expectRefreshes,
  expectUsable,
  judgeSignIn,
  PATIENCE_MS,
  persist,
  signInAgain,
  type Actor,
  type Fault,
} from "./recovery.ts";
import type { Stage } from "./stage.ts";
import {
  approve,
  callGong,
  codeIn,
  describe,
  redeem,
  refresh,
  revoke,
  tokensIn,
  visitCallback,
  type PendingSignIn,
} from "./story.ts";

/** One thing that one person does while the Worker is killed. */
export interface Errand {
  readonly actor: Actor;
  readonly run: () => Promise<Outcome>;
  /** Whether what Gong had answered to it is on disk. Asked right after the failure, and before a restart. */
  readonly answerOnDisk?: () => boolean;
  /** Goes on after the restart. `outcome` is what the person had heard before. */
  readonly goOn: (outcome: Outcome, onDisk: boolean) => Promise<readonly Fault[]>;
}

/** A call that makes us refresh at Gong. */
export function calling(stage: Stage, actor: Actor): Errand {
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
export function refreshing(stage: Stage, actor: Actor): Errand {
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

/** An identity assertion about the person: it gives a token that works or none, and the next one gives one. */
export function asserting(stage: Stage, actor: Actor): Errand {
  return {
    actor,
    run: () => assert(stage, actor.person),
    goOn: async (outcome) => {
      const first = accessTokenIn(outcome);
      const again = await persist(() => assert(stage, actor.person));
      const second = accessTokenIn(again);
      if (second === undefined) return [["stuck", `an identity assertion: ${describe(again)}`]];
      for (const access of first === undefined ? [second] : [first, second]) {
        const answer = await persist(() => callGong(stage, access));
        if (answer?.status !== 200) return [["lost", `a token by assertion: ${describe(answer)}`]];
      }
      return expectUsable(stage, actor);
    },
  };
}

/** A code: what was not answered may be asked again, and is then good or refused, never half. */
export async function redeeming(stage: Stage, actor: Actor): Promise<Errand> {
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

/**
 * The browser's way back from Gong: the page can be loaded again, and leads to the client whenever Gong's answer had
 * reached us; the connection there was stays usable.
 */
export async function connecting(stage: Stage, actor: Actor): Promise<Errand> {
  const pending = await approve(stage, actor.person);
  return {
    actor,
    run: () => visitCallback(stage, pending),
    answerOnDisk: () => signInOnDisk(stage.gateway.stateDir, pending.cookie),
    goOn: async (outcome, onDisk) => {
      const old = await expectUsable(stage, actor);
      const again = await loadAgain(stage, pending, onDisk);
      const code = codeIn(outcome) ?? codeIn(again);
      if (code === undefined) {
        // "Start again", in words of ours; and starting again works.
        if (again === undefined || again.status >= 500)
          return [...old, ["stuck", `the callback: ${describe(again)}`]];
        old.push(...judgeSignIn(stage, actor, pending, onDisk));
        const tokens = await signInAgain(stage, actor.person);
        if (tokens === undefined) return [...old, ["stuck", `${actor.person} can't start again`]];
        actor.tokens = tokens;
      } else {
        const tokens = tokensIn(await redeem(stage, code));
        if (tokens === undefined) return [...old, ["lost", "a code that came back is refused"]];
        actor.tokens = tokens;
      }
      return [...old, ...(await expectUsable(stage, actor))];
    },
  };
}

/**
 * Loads the callback until it answers. An answer that is on disk is worth the wait; else a person soon starts again.
 */
async function loadAgain(stage: Stage, pending: PendingSignIn, onDisk: boolean): Promise<Outcome> {
  const until = Date.now() + (onDisk ? PATIENCE_MS : 500);
  let outcome = await persist(() => visitCallback(stage, pending));
  while (outcome?.status === 409 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    outcome = await persist(() => visitCallback(stage, pending));
  }
  return outcome;
}

export function revoking(stage: Stage, actor: Actor, dead: Actor[]): Errand {
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
