// After a failure: does the connection answer again, within bounded time and by itself; and if it does not, does the
// ledger prove that nothing could have saved it. Called by the campaigns that break things.

import { refreshes, type Presentation } from "./history.ts";
import type { Outcome } from "./http.ts";
import type { Stage } from "./stage.ts";
import { callGong, describe, refresh, signIn, tokensIn, type PendingSignIn, type Tokens } from "./story.ts";
import type { Verdict } from "./tally.ts";

export type Fault = readonly [Verdict, string];

/** A failure that the campaign caused, and what it knows about it. */
export interface Failure {
  /** Epoch milliseconds. An answer of Gong after this moment can't have reached us. */
  readonly at: number;
  /** When the Worker ran again: what Gong saw until then was sent before the failure. */
  readonly until: number;
  /** Whether Gong's answer to the refresh in flight was on disk then. */
  readonly onDisk: boolean;
}

/** A person with a connection, and the tokens of one client on it. */
export interface Actor {
  readonly person: string;
  tokens: Tokens;
  readonly failures: Failure[];
  /** How much of the person's history at Gong has been judged. */
  judged: number;
}

/** Signs a new person in. */
export async function newActor(stage: Stage): Promise<Actor> {
  const person = stage.newPerson();
  // What failed before may still be healing: an object that everybody shares is one of them.
  const tokens = await signInAgain(stage, person);
  if (tokens === undefined) throw new Error(`${person} can't sign in`);
  return { person, tokens, failures: [], judged: 0 };
}

export const PATIENCE_MS = 30_000;
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

/** Signs in as a person does who is told to start again: until it works, or patience ends. */
export async function signInAgain(stage: Stage, person: string): Promise<Tokens | undefined> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
    try {
      return await signIn(stage, person);
    } catch {
      // The page said so, or there was none: the next try begins from the start.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return undefined;
}

/** Calls until the connection answers; when it wants a person, judges why, signs in again and expects it healed. */
export async function expectUsable(stage: Stage, actor: Actor): Promise<Fault[]> {
  const outcome = await persist(() => callGong(stage, actor.tokens.access));
  if (outcome?.status === 200) return [];
  if (outcome?.status !== 401) return [["stuck", `${actor.person}: ${describe(outcome)}`]];
  const faults: Fault[] = [judgeLoss(stage, actor)];
  const healed = await signInAgain(stage, actor.person);
  if (healed === undefined) return [...faults, ["stuck", `${actor.person} can't sign in again`]];
  const old = await callGong(stage, actor.tokens.access);
  // The same person's connection heals, and with it every client that was on it.
  if (old?.status !== 200) faults.push(["stuck", `${actor.person} signed in again: ${describe(old)}`]);
  actor.tokens = healed;
  return faults;
}

/** The lost answer that explains why a connection needs a person, or the fault that it is lost without one. */
function judgeLoss(stage: Stage, { person, failures }: Actor): Fault {
  const presented = refreshes(stage.history.of(person));
  const spent = presented.findLast(({ result }) => result === "accepted");
  const last = presented.at(-1);
  const { refreshMode } = stage.gong.knobs();
  const strict = refreshMode === "single_use" || refreshMode === "reuse_revokes_family";
  const story = presented.map(({ generation, result }) => `${generation} ${result}`).join(", ");
  const told = `${person}, Gong ${refreshMode}: ${story}`;
  if (spent === undefined || last === undefined || last === spent || !strict) return ["lost", told];
  if (last.value !== spent.value) return ["lost", `${told}; not the token that was spent`];
  const failure = failures.find(({ until }) => until >= spent.at);
  if (failure?.onDisk === true) return ["lost", `${told}; the answer was on disk`];
  if (spent.answeredAt === undefined) return ["ambiguous", told];
  if (failure === undefined) return ["lost", `${told}; nothing had failed`];
  const heldMs = failure.at - spent.answeredAt;
  if (heldMs <= 0) return ["ambiguous", told];
  return heldMs <= LONGEST_IN_MEMORY_MS ? ["inMemory", told] : ["lost", `${told}; held for ${heldMs} ms`];
}

/** Why a sign-in did not go on: Gong had not answered, its answer got lost on the wire or in memory, or we lost it. */
export function judgeSignIn(
  stage: Stage,
  { person, failures }: Actor,
  { path }: PendingSignIn,
  onDisk: boolean,
): readonly Fault[] {
  const code = new URLSearchParams(path.slice(path.indexOf("?"))).get("code");
  const exchange = stage.history.of(person).find(({ value }) => value === code);
  const told = `${person}'s sign-in`;
  if (onDisk) return [["lost", `${told}; the answer was on disk`]];
  if (exchange?.result !== "accepted") return [];
  const failure = failures.at(-1);
  if (failure === undefined) return [["lost", `${told}; nothing had failed`]];
  const heldMs = failure.at - (exchange.answeredAt ?? Number.POSITIVE_INFINITY);
  if (heldMs <= 0) return [["ambiguous", told]];
  return [heldMs <= LONGEST_IN_MEMORY_MS ? ["inMemory", told] : ["lost", `${told}; held for ${heldMs} ms`]];
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
 * What the ledger alone proves wrong: a Gong token presented again although no failure excuses it, or one that is older
 * than another presented before; a Gong code presented twice.
 */
export function expectSpentOnce(stage: Stage, actor: Actor): readonly Fault[] {
  const { person, failures } = actor;
  const faults: Fault[] = [];
  const { refreshMode } = stage.gong.knobs();
  const rotates = refreshMode !== "omitted" && refreshMode !== "not_rotating";
  const spent = new Map<string, Presentation>();
  const families: string[] = [];
  let newest = 0;
  const history = stage.history.of(person);
  for (const [at, again] of history.entries()) {
    const { of, value, family, generation, result } = again;
    const judge = (verdict: Verdict, what: string): void => {
      if (at >= actor.judged) faults.push([verdict, `${person}: ${what}`]);
    };
    const before = spent.get(value);
    // A retry is due when something failed between, and nothing of the first answer was kept.
    const excused = failures.some(
      (f) => before !== undefined && before.at <= f.until && f.at <= again.at && !f.onDisk,
    );
    const mayRepeat = of === "refresh_token" && (excused || before?.answeredAt === undefined || !rotates);
    if (before !== undefined && !mayRepeat)
      judge("doubled", `${of} ${generation} again (Gong ${refreshMode}): ${told(before, again, failures)}`);
    if (result === "accepted") spent.set(value, again);
    if (of !== "refresh_token") continue;
    if (families.at(-1) !== family) {
      if (families.includes(family)) judge("revived", "an older connection came back");
      families.push(family);
      newest = 0;
    }
    if (generation < newest) judge("revived", `token ${generation} after ${newest}`);
    newest = Math.max(newest, generation);
  }
  actor.judged = history.length;
  return faults;
}

/** Two presentations of one token, and the failures around them, in milliseconds from the first. */
function told(before: Presentation, again: Presentation, failures: readonly Failure[]): string {
  const from = (at: number | undefined): string => (at === undefined ? "never" : `+${at - before.at}`);
  const failed = failures.map(
    ({ at, until, onDisk }) => `${from(at)} to ${from(until)}${onDisk ? " with the answer on disk" : ""}`,
  );
  return `answered ${from(before.answeredAt)}, again ${from(again.at)}; failures ${failed.join(", ")}`;
}
