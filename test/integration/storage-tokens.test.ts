// The grants of a ConnectionObject, over its own RPC: codes, rotation, reuse, and evictions in between. The same rules
// from the outside are in token-code.test.ts and refresh.test.ts.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  accessAt,
  connectionAt,
  connectionRow,
  DAY,
  newGrant,
  now,
  openConnection,
  redeemAt,
  rotateAt,
  rows,
  runAlarm,
  type Connection,
} from "../support/connection.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);

/** A grant whose code was redeemed for tokens called `1`, of generation 1. */
async function redeemed(): Promise<{ connection: Connection; grantId: string }> {
  const opened = await openConnection();
  await redeemAt(opened.connection, opened.grantId, "1");
  return opened;
}

const refused = (reason: string) => ({ kind: "refused", reason });

describe(verifies("storage.code_single_use", "codes"), () => {
  it(
    "RFC 6749 §10.5: of fifty parallel redemptions one wins, and the winner's tokens keep working",
    { timeout: 120_000 },
    async () => {
      const { connection, grantId } = await openConnection();
      const names = Array.from({ length: 50 }, (_, at) => String(at));
      const outcomes = await Promise.all(names.map((name) => redeemAt(connection, grantId, name)));
      const winners = names.filter((_, at) => outcomes[at]?.kind === "issued");
      expect(winners).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind !== "issued")).toEqual(
        Array.from({ length: 49 }, () => refused("already_redeemed")),
      );
      const winner = winners[0] ?? "";
      expect(await accessAt(connection, winner)).toBe("ok");
      expect(await rows(connection, "access_tokens")).toHaveLength(1);
      expect(
        await rotateAt(connection, grantId, { from: winner, generation: 1, name: "next" }),
      ).toMatchObject({
        kind: "issued",
      });
      expect(await accessAt(connection, "next")).toBe("ok");
    },
  );

  it("RFC 6749 §4.1.2: a replay after the window ends this grant and no other on the connection", async () => {
    const { connection, grantId } = await redeemed();
    const other = await newGrant();
    await connection.openGrant(other);
    await redeemAt(connection, other.grant.id, "other");
    pass(61);
    expect(await redeemAt(connection, grantId, "again")).toEqual({
      kind: "revoked",
      reason: "code_replayed",
    });
    expect(await accessAt(connection, "1")).toBe("invalid_token: unknown");
    expect(await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" })).toEqual(
      refused("grant_revoked"),
    );
    expect(await accessAt(connection, "other")).toBe("ok");
  });

  it("RFC 6749 §4.1.2: 59 seconds are in time, 60 are not", async () => {
    const { connection, grantId } = await openConnection();
    pass(60);
    expect(await redeemAt(connection, grantId, "1")).toEqual(refused("code_expired"));
    pass(-1);
    expect(await redeemAt(connection, grantId, "1")).toMatchObject({ kind: "issued" });
  });

  it("gateway: ten minutes later the code is forgotten, and nothing ends because of it", async () => {
    const { connection, grantId } = await redeemed();
    pass(601);
    await runAlarm(connection);
    expect(await rows(connection, "codes")).toEqual([]);
    expect(await redeemAt(connection, grantId, "again")).toEqual(refused("code_unknown"));
    expect(await accessAt(connection, "1")).toBe("ok");
  });
});

describe(verifies("storage.wrong_client_harmless", "what strangers present"), () => {
  it.each([
    ["another client", { clientId: "client-2" }, "wrong_client"],
    ["a wrong verifier", { codeChallenge: "other" }, "wrong_verifier"],
  ])(
    "RFC 6749 §5.2: %s with the code, before and long after its use, changes nothing",
    async (_, stranger, reason) => {
      const { connection, grantId } = await openConnection();
      expect(await redeemAt(connection, grantId, "stolen", stranger)).toEqual(refused(reason));
      expect(await redeemAt(connection, grantId, "1")).toMatchObject({ kind: "issued" });
      pass(120);
      expect(await redeemAt(connection, grantId, "stolen", stranger)).toEqual(refused(reason));
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await accessAt(connection, "stolen")).toBe("invalid_token: unknown");
    },
  );

  it("RFC 6749 §10.4: another client with a refresh token of any age changes nothing", async () => {
    const { connection, grantId } = await redeemed();
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    await rotateAt(connection, grantId, { from: "2", generation: 2, name: "3" });
    pass(120);
    const before = await rows(connection, "grants");
    for (const generation of [1, 2, 3]) {
      const presented = { from: String(generation), generation, name: "stolen", clientId: "client-2" };
      expect(await rotateAt(connection, grantId, presented)).toEqual(refused("wrong_client"));
    }
    expect(await rows(connection, "grants")).toEqual(before);
  });

  it("gateway: a secret that this family never issued changes nothing, whatever generation it claims", async () => {
    const { connection, grantId } = await redeemed();
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    const before = await rows(connection, "grants");
    for (const generation of [1, 2, 3, 4_294_967_295]) {
      const presented = { from: "made-up", generation, name: "stolen" };
      expect(await rotateAt(connection, grantId, presented)).toEqual(refused("unknown_token"));
    }
    expect(await rows(connection, "grants")).toEqual(before);
  });
});

describe(verifies("storage.rotation_idempotent", "storage.reuse_revokes", "rotation"), () => {
  it("RFC 9700 §4.14.2: fifty parallel refreshes have one successor, which refreshes on", async () => {
    const { connection, grantId } = await redeemed();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        rotateAt(connection, grantId, { from: "1", generation: 1, name: `2-${at}` }),
      ),
    );
    const winner = outcomes.findIndex(({ kind }) => kind === "issued");
    const rest = outcomes.filter((_, at) => at !== winner);
    expect(new Set(rest.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(rest[0]).toMatchObject({ kind: "replayed", answerSealed: `answer 2-${winner}` });
    expect(
      await rotateAt(connection, grantId, { from: `2-${winner}`, generation: 2, name: "3" }),
    ).toMatchObject({ kind: "issued" });
    expect(await accessAt(connection, "3")).toBe("ok");
  });

  it("RFC 9700 §4.14.2: a lost answer is given again days later, until something of it is used", async () => {
    const { connection, grantId } = await redeemed();
    const first = { from: "1", generation: 1 };
    await rotateAt(connection, grantId, { ...first, name: "2" });
    pass(3 * DAY);
    expect(await rotateAt(connection, grantId, { ...first, name: "x" })).toMatchObject({
      kind: "replayed",
      answerSealed: "answer 2",
    });
    expect(await rotateAt(connection, grantId, { from: "2", generation: 2, name: "3" })).toMatchObject({
      kind: "issued",
    });
  });

  it("OAuth 2.1 §4.3.1: once its access token was used, the window closes after a minute", async () => {
    const { connection, grantId } = await redeemed();
    const first = { from: "1", generation: 1 };
    await rotateAt(connection, grantId, { ...first, name: "2" });
    expect(await accessAt(connection, "2")).toBe("ok");
    pass(60);
    expect(await rotateAt(connection, grantId, { ...first, name: "x" })).toMatchObject({ kind: "replayed" });
    pass(1);
    expect(await rotateAt(connection, grantId, { ...first, name: "x" })).toEqual({
      kind: "revoked",
      reason: "refresh_token_reused",
    });
    expect(await accessAt(connection, "2")).toBe("invalid_token: unknown");
  });

  it("gateway: the access token of an earlier generation does not prove that the successor arrived", async () => {
    const { connection, grantId } = await redeemed();
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    expect(await accessAt(connection, "1")).toBe("ok");
    pass(600);
    expect(await rotateAt(connection, grantId, { from: "1", generation: 1, name: "x" })).toMatchObject({
      kind: "replayed",
    });
  });

  it("RFC 9700 §4.14.2: a grandparent ends the family at once, and its answer is forgotten", async () => {
    const { connection, grantId } = await redeemed();
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    await rotateAt(connection, grantId, { from: "2", generation: 2, name: "3" });
    expect(await rotateAt(connection, grantId, { from: "1", generation: 1, name: "x" })).toEqual({
      kind: "revoked",
      reason: "refresh_token_reused",
    });
    expect(await accessAt(connection, "3")).toBe("invalid_token: unknown");
    expect(await rotateAt(connection, grantId, { from: "3", generation: 3, name: "4" })).toEqual(
      refused("grant_revoked"),
    );
    expect(await rows(connection, "grants")).toMatchObject([
      { revoked_reason: "refresh_token_reused", refresh_hash: null, previous_answer_sealed: null },
    ]);
  });
});

describe(verifies("storage.eviction", "evictions between any two steps"), () => {
  it("gateway: code, replay, rotation, replay and reuse end as without them", async () => {
    const { connection, grantId } = await openConnection();
    const afterEviction = async <T>(step: () => Promise<T>): Promise<T> => {
      await evictDurableObject(connection);
      return step();
    };
    const rotate = (from: number, generation: number, name: string) =>
      afterEviction(() => rotateAt(connection, grantId, { from: String(from), generation, name }));
    expect(await afterEviction(() => redeemAt(connection, grantId, "1"))).toMatchObject({ kind: "issued" });
    expect(await afterEviction(() => redeemAt(connection, grantId, "x"))).toEqual(
      refused("already_redeemed"),
    );
    expect(await rotate(1, 1, "2")).toMatchObject({ kind: "issued" });
    expect(await rotate(1, 1, "x")).toMatchObject({ kind: "replayed", answerSealed: "answer 2" });
    expect(await afterEviction(() => accessAt(connection, "2"))).toBe("ok");
    expect(await rotate(2, 2, "3")).toMatchObject({ kind: "issued" });
    expect(await rotate(1, 1, "x")).toMatchObject({ kind: "revoked" });
    expect(await afterEviction(() => accessAt(connection, "3"))).toBe("invalid_token: unknown");
  });
});

describe(verifies("storage.grant_ends", "the end of a grant"), () => {
  it("OWASP ASVS 10.4.8: refreshed every day it still ends after 180, and its tokens never outlive it", async () => {
    const { connection, grantId } = await redeemed();
    const end = now() + 180 * DAY;
    for (let generation = 1; generation < 180; generation += 1) {
      pass(DAY);
      const name = String(generation + 1);
      const outcome = await rotateAt(connection, grantId, { from: String(generation), generation, name });
      expect(outcome).toMatchObject({ kind: "issued", accessExpiresAt: Math.min(now() + 3600, end) });
    }
    pass(DAY);
    expect(await rotateAt(connection, grantId, { from: "180", generation: 180, name: "x" })).toEqual(
      refused("grant_expired"),
    );
  });

  it("RFC 9700 §4.14: unused for thirty days it ends, and the alarm takes its rows away", async () => {
    const { connection, grantId } = await redeemed();
    pass(30 * DAY);
    expect(await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" })).toEqual(
      refused("refresh_expired"),
    );
    await runAlarm(connection);
    await runAlarm(connection);
    const left = await Promise.all(
      ["grants", "codes", "access_tokens"].map((table) => rows(connection, table)),
    );
    expect(left).toEqual([[], [], []]);
    // The last agent of a personal connection: Gong's tokens have nobody to serve.
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      reason: "unused",
      gong_access_token_sealed: null,
      gong_refresh_token_sealed: null,
    });
  });

  it("RFC 7009 §2.1: the last grant to end takes a personal connection's Gong tokens with it", async () => {
    const { connection, grantId } = await redeemed();
    const other = await newGrant();
    await connection.openGrant(other);
    expect(await connection.endGrant(grantId, "revoked_by_client")).toBe(true);
    expect(await connection.endGrant(grantId, "revoked_by_client")).toBe(false);
    expect(await connectionRow(connection)).toMatchObject({ state: "connected" });
    expect(await connection.endGrant(other.grant.id, "revoked_by_client")).toBe(true);
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      reason: "no_agent_left",
      gong_access_token_sealed: null,
      gong_refresh_token_sealed: null,
      attempt_answer_sealed: null,
    });
  });

  it("gateway: a grant can't be ended on a connection that does not have it", async () => {
    const { grantId } = await redeemed();
    const other = await openConnection();
    expect(await other.connection.endGrant(grantId, "x")).toBe(false);
    expect(await connectionAt().endGrant(grantId, "x")).toBe(false);
  });
});
