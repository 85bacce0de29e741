// The key sweep of one connection: what is sealed again, and what is counted. The sweep of all:
// key-sweep-parts.test.ts.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createKeyring, type Keyring } from "../../src/crypto/keyring.ts";
import { sealedWith } from "../../src/crypto/seal.ts";
import { createGongSeals } from "../../src/storage/gong-seals.ts";
import { resealConnection, type SealReport } from "../../src/storage/reseal.ts";
import { createResultSeals } from "../../src/storage/result-seals.ts";
import { verifies } from "../conformance/verifies.ts";
import { connectionRow, now, openConnection, tamper, type Connection } from "../support/connection.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const OLD = { kid: "old", secret: new Uint8Array(32).fill(7) };
const NEW = { kid: "new", secret: new Uint8Array(32).fill(8) };
const OLD_RING = createKeyring([OLD]);
const BOTH = createKeyring([NEW, OLD]);
const ANSWER = {
  status: 200,
  contentType: "application/json",
  retryAfter: undefined,
  wwwAuthenticate: undefined,
  body: new TextEncoder().encode("{}"),
};

const sealsAt = (connection: Connection, ring: Keyring) =>
  createGongSeals(ring, env.PUBLIC_URL, connection.name ?? "");

/** A connection of whose sealed columns each is there, sealed by the old key. */
async function sealedByOld(): Promise<Connection> {
  const { connection } = await openConnection();
  const seals = sealsAt(connection, OLD_RING);
  const { generation } = await connectionRow(connection);
  const tokens = await seals.sealTokens({ accessToken: "access", refreshToken: "refresh" }, generation);
  await tamper(
    connection,
    `UPDATE connection SET state = 'needs_reconnect', reason = 'answer_not_understood', attempt_id = 'a',
       gong_access_token_sealed = ?, gong_refresh_token_sealed = ?, attempt_answer_sealed = ?,
       quarantined_answer_sealed = ?`,
    tokens.accessTokenSealed,
    tokens.refreshTokenSealed,
    await seals.sealAnswer(ANSWER, generation),
    await seals.sealAnswer(ANSWER, generation),
  );
  return connection;
}

/** The sweep of one connection in a deployment whose keys are `ring`. */
function reseal(connection: Connection, ring: Keyring, escrowed?: string): Promise<SealReport> {
  return runInDurableObject(connection, (_, { storage }) =>
    resealConnection(
      storage.sql,
      sealsAt(connection, ring),
      ring.sealingKid,
      () => Promise.resolve(escrowed),
      now(),
    ),
  );
}

/** Of each sealed column of the row, the kid that seals it. */
async function kidsOf(connection: Connection): Promise<Readonly<Record<string, string | undefined>>> {
  const sealed = Object.entries(await connectionRow(connection)).filter(([name]) => name.endsWith("_sealed"));
  return Object.fromEntries(
    sealed.map(([name, value]) => [name, typeof value === "string" ? sealedWith(value) : undefined]),
  );
}

describe(verifies("keys.every_sealed_field", "what the key sweep does with what a connection keeps"), () => {
  it("NIST SP 800-57 part 1 §5.3: every sealed column of a connection moves to the first key and opens with it alone", async () => {
    const connection = await sealedByOld();
    const before = await kidsOf(connection);
    expect(Object.values(before)).toEqual(["old", "old", "old", "old"]);
    expect(await reseal(connection, BOTH)).toMatchObject({
      sealedWith: ["new"],
      resealed: true,
      unfinished: false,
      missingKid: undefined,
    });
    expect(await kidsOf(connection)).toEqual(
      Object.fromEntries(Object.keys(before).map((name) => [name, "new"])),
    );
    const row = await connectionRow(connection);
    const seals = sealsAt(connection, createKeyring([NEW]));
    expect(await seals.openRefreshToken(row.gong_refresh_token_sealed ?? "", row.generation)).toBe("refresh");
    expect(await seals.openAnswer(row.quarantined_answer_sealed ?? "", row.generation)).toEqual(ANSWER);
  });

  it("gateway: an answer in quarantine is sealed again when Gong's tokens are not there", async () => {
    const connection = await sealedByOld();
    await tamper(
      connection,
      "UPDATE connection SET gong_access_token_sealed = NULL, gong_refresh_token_sealed = NULL",
    );
    await reseal(connection, BOTH);
    expect(await kidsOf(connection)).toMatchObject({
      attempt_answer_sealed: "new",
      quarantined_answer_sealed: "new",
    });
  });

  it("gateway: an answer that only the escrow has comes to the connection under the first key", async () => {
    const connection = await sealedByOld();
    await tamper(connection, "UPDATE connection SET attempt_answer_sealed = NULL");
    const { generation } = await connectionRow(connection);
    const escrowed = await sealsAt(connection, OLD_RING).sealAnswer(ANSWER, generation);
    await reseal(connection, BOTH, escrowed);
    const kept = (await connectionRow(connection)).attempt_answer_sealed ?? "";
    const seals = sealsAt(connection, createKeyring([NEW]));
    expect(await seals.openAnswer(kept, generation)).toEqual(ANSWER);
  });

  it("gateway: the connection asks the escrow for the answer that it does not have itself", async () => {
    const { connection } = await openConnection();
    const { generation } = await connectionRow(connection);
    const answer = await sealsAt(connection, OLD_RING).sealAnswer(ANSWER, generation);
    await env.ESCROWS.getByName(connection.name ?? "").keepAnswer("a", answer);
    expect(await connection.reseal()).toMatchObject({ missingKid: undefined });
    await tamper(connection, "UPDATE connection SET attempt_id = 'a'");
    expect(await connection.reseal()).toMatchObject({ missingKid: "old", unfinished: true });
  });

  it("gateway: without the old key nothing is overwritten, and both the key and the connection are named", async () => {
    const connection = await sealedByOld();
    const before = await connectionRow(connection);
    expect(await reseal(connection, createKeyring([NEW]))).toMatchObject({
      sealedWith: ["old"],
      resealed: false,
      missingKid: "old",
    });
    expect(await connectionRow(connection)).toEqual(before);
  });

  it("gateway: what a refresh changes meanwhile stays, and the report says to sweep again", async () => {
    const connection = await sealedByOld();
    const report = await runInDurableObject(connection, (_, { storage }) => {
      const seals = sealsAt(connection, BOTH);
      let first = true;
      return resealConnection(
        storage.sql,
        {
          ...seals,
          reseal: (...value) => {
            if (first) storage.sql.exec("UPDATE connection SET generation = generation + 1");
            first = false;
            return seals.reseal(...value);
          },
        },
        "new",
        () => Promise.resolve(undefined),
        now(),
      );
    });
    expect(report).toMatchObject({ resealed: false, unfinished: true });
    expect(Object.values(await kidsOf(connection))).toEqual(["old", "old", "old", "old"]);
  });

  it("gateway: kept results of paid calls are counted by kid until they are over, with the time at which they go", async () => {
    const { connection } = await openConnection();
    for (const [id, ring, owed, reusable] of [
      ["one", OLD_RING, 600, 0],
      ["two", OLD_RING, 600, 900],
      ["three", BOTH, 600, 0],
      ["over", OLD_RING, 0, 0],
    ] as const) {
      const results = createResultSeals(ring, env.PUBLIC_URL, connection.name ?? "");
      await tamper(
        connection,
        `INSERT INTO kept_results (call_id, call_hash, is_error, answered_at, owed_until, reusable_until)
         VALUES (?, 'h', 0, 0, ?, ?)`,
        id,
        now() + owed,
        now() + reusable,
      );
      // In several parts, which are one result.
      for (const [part, sealed] of (await results.seal(id, "x".repeat(300_001))).entries()) {
        await tamper(connection, "INSERT INTO kept_parts VALUES (?, ?, ?)", id, part, sealed);
      }
    }
    expect((await reseal(connection, BOTH)).results).toEqual({
      old: { count: 2, until: now() + 900 },
      new: { count: 1, until: now() + 600 },
    });
  });
});
