// After a failure: does the connection answer again, within bounded time and by itself; and if it does not, does the
// ledger prove that nothing could have saved it. Called by the campaigns that break things.

import { refreshes, type Presentation } from "./history.ts";
import type { Outcome } from "./http.ts";
import type { Stage } from "./stage.ts";
import { callGong, describe, refresh, signIn, tokensIn, type Tokens } from "./story.ts";
import type { Verdict } from "./tally.ts";

export type Fault = readonly [Verdict, string];

/** A person with a connection, and the tokens of one client on it. */
export interface Actor {
  readonly person: string;
  tokens: Tokens;
}

/** What a campaign knows about the failure it caused. */
export interface Failure {
  /** Epoch milliseconds. An answer of Gong after this moment can't have reached us. */
  readonly at: number;
  /** Whether Gong's answer was on disk at that moment; undefined when the campaign can't tell. */
  readonly onDisk: boolean | undefined;
}

const PATIENCE_MS = 30_000;
/** Longer than any commit takes here, noise included: an answer held in memory for longer is our fault. */
const LONGEST_IN_MEMORY_MS = 500;

/** Asks until there is an answer that asking again will not change: good, or "sign in". */
export async function persist(ask: () => Promise<Outcome>): Promise<Outcome> {
  const until = Date.now() + PATIENCE_MS;
  let outcome = await ask();
  while ((outcome === undefined || outcome.status >= 500) && Date.now() < until) {
    const seconds = Number(outcome?.headers["retry-after"] ?? "0");
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(seconds * 1000, 50), 5000)));
    outcome = await ask();
  }
  return outcome;
}

/** Calls until the connection answers; when it wants a person, judges why, signs in again and expects it healed. */
export async function expectUsable(
  stage: Stage,
  actor: Actor,
  failure: Failure | undefined,
): Promise<readonly Fault[]> {
  const outcome = await persist(() => callGong(stage, actor.tokens.access));
  if (outcome?.status === 200) return [];
  if (outcome?.status !== 401) return [["stuck", `${actor.person}: ${describe(outcome)}`]];
  const faults: Fault[] = [judgeLoss(stage, actor, failure)];
  const healed = await signIn(stage, actor.person);
  const old = await callGong(stage, actor.tokens.access);
  // The same person's connection heals, and with it every client that was on it.
  if (old?.status !== 200) faults.push(["stuck", `${actor.person} signed in again: ${describe(old)}`]);
  actor.tokens = healed;
  return faults;
}

/** The lost answer that explains why a connection needs a person, or the fault that it is lost without one. */
function judgeLoss(stage: Stage, { person }: Actor, failure: Failure | undefined): Fault {
  const presented = refreshes(stage.history.of(person));
  const spent = presented.findLast(({ result }) => result === "accepted");
  const last = presented.at(-1);
  const { refreshMode } = stage.gong.knobs();
  const strict = refreshMode === "single_use" || refreshMode === "reuse_revokes_family";
  const told = `${person}, Gong ${refreshMode}: ${presented.map(({ generation, result }) => `${generation} ${result}`).join(", ")}`;
  if (spent === undefined || last === undefined || last === spent || !strict) return ["lost", told];
  if (last.value !== spent.value) return ["lost", `${told}; not the token that was spent`];
  if (failure?.onDisk === true) return ["lost", `${told}; the answer was on disk`];
  if (spent.answeredAt === undefined || spent.answeredAt >= (failure?.at ?? 0)) return ["ambiguous", told];
  const heldMs = (failure?.at ?? Infinity) - spent.answeredAt;
  if (failure === undefined || heldMs > LONGEST_IN_MEMORY_MS) return ["lost", `${told}; held for ${heldMs} ms`];
  return ["inMemory", told];
}

/** Uses a refresh token of ours until it answers, takes up its successor, and expects that to work. */
export async function expectRefreshes(stage: Stage, actor: Actor): Promise<readonly Fault[]> {
  const outcome = await persist(() => refresh(stage, actor.tokens.refresh));
  const tokens = tokensIn(outcome);
  if (tokens === undefined) {
    return [[outcome?.status === 400 ? "lost" : "stuck", `${actor.person}'s refresh: ${describe(outcome)}`]];
  }
  actor.tokens = tokens;
  return [];
}

/**
 * What the ledger alone proves wrong: a Gong token presented again although its answer was kept, one older than another
 * that was presented before, or a Gong code presented twice. `failures` are the moments after which a retry is due.
 */
export function expectSpentOnce(
  stage: Stage,
  person: string,
  excuses: (again: Presentation, before: Presentation) => boolean,
): readonly Fault[] {
  const faults: Fault[] = [];
  const { refreshMode } = stage.gong.knobs();
  const rotates = refreshMode !== "omitted" && refreshMode !== "not_rotating";
  const seen = new Map<string, Presentation>();
  const families: string[] = [];
  let newest = 0;
  for (const presentation of stage.history.of(person)) {
    const { of, value, family, generation } = presentation;
    const before = seen.get(value);
    const spent = before?.result === "accepted" && (rotates || of === "code");
    if (before !== undefined && spent && !excuses(presentation, before)) {
      faults.push(["doubled", `${person}: ${of} ${generation} was presented again`]);
    }
    if (before?.result !== "accepted") seen.set(value, presentation);
    if (of !== "refresh_token") continue;
    if (families.at(-1) !== family) {
      if (families.includes(family)) faults.push(["revived", `${person}: an older connection came back`]);
      families.push(family);
      newest = 0;
    }
    if (generation < newest) faults.push(["revived", `${person}: token ${generation} after ${newest}`]);
    newest = Math.max(newest, generation);
  }
  return faults;
}
