// Fifty redemptions of one code and fifty uses of one refresh token, with the object evicted or aborted in the middle
// of them.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import type { TokenOutcome } from "../../src/storage/grants.ts";
import {
  accessAt,
  connectionAt,
  openConnection,
  redeemAt,
  rotateAt,
  type Connection,
} from "../support/connection.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

const BREAKS: readonly [string, (connection: Connection) => Promise<unknown>][] = [
  ["evicted", (connection) => evictDurableObject(connection)],
  [
    "aborted",
    // The abort rejects whoever asked for it, too.
    async (connection) =>
      runInDurableObject(connection, (_, state) => state.abort("test")).catch(() => undefined),
  ],
];

/** Asks with a fresh stub, because that of an instance that was aborted is of no use, until there is an answer. */
async function insists(
  connection: Connection,
  ask: (connection: Connection) => Promise<TokenOutcome>,
): Promise<TokenOutcome> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(connectionAt(connection.name));
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}

/** Fifty at once with a break after half of them; whoever is cut off asks again, as a client does. */
async function broken(
  connection: Connection,
  ends: (connection: Connection) => Promise<unknown>,
  ask: (at: number, connection: Connection) => Promise<TokenOutcome>,
): Promise<readonly TokenOutcome[]> {
  const some = (from: number) =>
    Array.from({ length: 25 }, async (_, at) => insists(connection, async (fresh) => ask(from + at, fresh)));
  const asked = some(0);
  await ends(connectionAt(connection.name));
  return Promise.all([...asked, ...some(25)]);
}

describe(verifies("storage.eviction", "storage.code_single_use", "races over a broken object"), () => {
  it.each(BREAKS)(
    "RFC 6749 §4.1.2: %s among fifty redemptions, one wins at most, and its tokens work",
    async (_, ends) => {
      const { connection, grantId } = await openConnection();
      const outcomes = await broken(connection, ends, async (at, fresh) => redeemAt(fresh, grantId, `${at}`));
      const winners = outcomes.flatMap(({ kind }, at) => (kind === "issued" ? [at] : []));
      expect(winners.length).toBeLessThanOrEqual(1);
      expect(outcomes.every(({ kind }) => kind === "issued" || kind === "refused")).toBe(true);
      for (const at of winners) {
        expect(await accessAt(connectionAt(connection.name), `${at}`)).toBe("ok");
        const from = { from: `${at}`, generation: 1, name: "next" };
        expect((await rotateAt(connectionAt(connection.name), grantId, from)).kind).toBe("issued");
        expect(await accessAt(connectionAt(connection.name), "next")).toBe("ok");
      }
    },
  );

  it.each(BREAKS)(
    "RFC 9700 §4.14.2: %s among fifty refreshes, one has a successor, and all others get its answer",
    async (_, ends) => {
      const { connection, grantId } = await openConnection();
      await redeemAt(connection, grantId, "1");
      const outcomes = await broken(connection, ends, async (at, fresh) =>
        rotateAt(fresh, grantId, { from: "1", generation: 1, name: `r${at}` }),
      );
      const kinds = outcomes.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "issued").length).toBeLessThanOrEqual(1);
      expect(kinds.filter((kind) => kind !== "issued" && kind !== "replayed")).toEqual([]);
      const answers = new Set(
        outcomes.flatMap((outcome) => (outcome.kind === "replayed" ? [outcome.answerSealed] : [])),
      );
      expect(answers.size).toBe(1);
    },
  );
});
