// Everything that can go wrong at Gong's token endpoint for a while: the caller hears that Gong is unavailable and when
// to come back, and once Gong is well again everything works without a person, unless Gong acted and its answer is
// lost.

import type { FaultLine } from "../gong/faults.ts";
import { randomFrom, type Random } from "./random.ts";
import { expectSpentOnce, expectUsable, newActor, type Actor, type Fault } from "./recovery.ts";
import type { Stage, Theatre } from "./stage.ts";
import { callGong, describe } from "./story.ts";
import { count, type Tally } from "./tally.ts";

type GongFault = FaultLine["fault"];

const AT_ONCE = 12;
const ROUNDS_PER_EPISODE = 8;

const inTwoSeconds = (): string => new Date(Date.now() + 2000).toUTCString();

/**
 * Every kind that says nothing about the connection itself. Huge waits are left out: the campaign can't sit them out.
 */
const TRANSIENT: readonly [() => GongFault, ...(() => GongFault)[]] = [
  () => ({ kind: "drop_before" }),
  () => ({ kind: "accept_then_drop" }),
  () => ({ kind: "half_body" }),
  () => ({ kind: "status", status: 500 }),
  () => ({ kind: "status", status: 502 }),
  () => ({ kind: "status", status: 503, headers: { "retry-after": "1" } }),
  () => ({ kind: "status", status: 503, processed: true }),
  () => ({ kind: "status", status: 504 }),
  () => ({ kind: "status", status: 408 }),
  () => ({ kind: "status", status: 404 }),
  () => ({ kind: "status", status: 403, body: "<h1>Blocked</h1>" }),
  () => ({ kind: "rate_limited" }),
  () => ({ kind: "rate_limited", retryAfter: "1" }),
  () => ({ kind: "rate_limited", retryAfter: "-5" }),
  () => ({ kind: "rate_limited", retryAfter: "soon" }),
  () => ({ kind: "rate_limited", retryAfter: inTwoSeconds() }),
  () => ({ kind: "oauth_error", error: "invalid_client", status: 401 }),
  () => ({ kind: "oauth_error", error: "unauthorized_client" }),
  () => ({ kind: "oauth_error", error: "invalid_request" }),
  () => ({ kind: "oauth_error", error: "temporarily_unavailable" }),
  () => ({ kind: "oauth_error", error: "invalid_grant", status: 403 }),
  () => ({ kind: "redirect" }),
  () => ({ kind: "redirect", status: 307 }),
  () => ({ kind: "html" }),
  () => ({ kind: "html", status: 503 }),
  () => ({ kind: "html", processed: true }),
  () => ({ kind: "empty" }),
  () => ({ kind: "invalid_json" }),
  () => ({ kind: "json_array" }),
  () => ({ kind: "json_null" }),
  () => ({ kind: "gzip_bomb", megabytes: 2 }),
  () => ({ kind: "huge_body", bytes: 1_048_576 }),
  () => ({ kind: "echo_request" }),
  () => ({ kind: "echo_request", status: 500 }),
  () => ({ kind: "delay", ms: 80 }),
  () => ({ kind: "trickle", bytes: 40 }),
];

/** Breaks `tries` refreshes, going through the kinds in an order of the seed's. */
export async function gongFaults(theatre: Theatre, tally: Tally, seed: number, tries: number): Promise<void> {
  for (let episode = seed, kind = 0; tally.tried < tries; episode += 1) {
    const random = randomFrom(episode);
    const knobs = { refreshMode: random.pick(["single_use", "reuse_revokes_family", "grace"] as const) };
    const first = random.whole(0, TRANSIENT.length - 1);
    await theatre.play({ knobs }, async (stage) => {
      for (let round = 0; round < ROUNDS_PER_EPISODE && tally.tried < tries; round += 1, kind += 1) {
        const fault = (TRANSIENT[(first + kind) % TRANSIENT.length] ?? TRANSIENT[0])();
        const actors = await Promise.all(Array.from({ length: AT_ONCE }, async () => newActor(stage)));
        const faults = await breakOnce(stage, actors, fault, random);
        tally.tried += AT_ONCE;
        for (const [verdict, what] of faults) {
          count(tally, verdict, episode, `${JSON.stringify(fault)}: ${what}`);
        }
      }
    });
  }
}

async function breakOnce(
  stage: Stage,
  actors: readonly Actor[],
  fault: GongFault,
  random: Random,
): Promise<readonly Fault[]> {
  const where = { grantType: "refresh_token" };
  stage.gong.fault({ endpoint: "token", fault, times: "always", where });
  const faults = await Promise.all(
    actors.map(async (actor): Promise<readonly Fault[]> => {
      stage.expire(actor.person);
      const calls = Array.from({ length: random.whole(1, 3) }, async () =>
        callGong(stage, actor.tokens.access),
      );
      const answers = await Promise.all(calls);
      return answers.flatMap((answer): readonly Fault[] => {
        const toldToWait = answer?.status === 503 && answer.headers["retry-after"] !== undefined;
        if (answer?.status === 200 || toldToWait) return [];
        return [[answer?.status === 401 ? "lost" : "stuck", `while Gong failed: ${describe(answer)}`]];
      });
    }),
  );
  stage.gong.clearFaults();
  const healed = await Promise.all(
    actors.map(async (actor) => [...(await expectUsable(stage, actor)), ...expectSpentOnce(stage, actor)]),
  );
  return [...faults, ...healed].flat();
}
