// Gong's tokens in a ConnectionObject: one refresh however many callers, early ones by the alarm, and races with
// whatever ends or renews the connection. Failures of Gong's are in storage-refresh-faults.test.ts.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  newAuthorization,
  accessAt,
  connectionRow,
  GONG_TOKENS,
  newGrant,
  now,
  redeemAt,
  runAlarm,
  tamper,
  type Connection,
} from "../support/connection.ts";
import {
  authorizeAtGong,
  askGongToken,
  connectToGong,
  presented,
  refreshRequests,
  sealsOf,
} from "../support/gong-connection.ts";
import { gong } from "../support/gong.ts";

/** Gong's tokens live ten minutes here, ours an hour. */
const LIFE = 600;

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ expiresInSeconds: LIFE });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until Gong has received a refresh that it takes its time to answer. */
async function refreshAtGong(): Promise<void> {
  await vi.waitFor(async () => expect(await refreshRequests()).toBe(1), { timeout: 5000, interval: 10 });
}

/** The newest refresh token, as only the gateway can read it. */
async function currentRefreshToken(connection: Connection): Promise<string> {
  const row = await connectionRow(connection);
  return sealsOf(connection).openRefreshToken(row.gong_refresh_token_sealed ?? "", row.generation);
}

describe(verifies("gong.single_flight", "many callers and one refresh token"), () => {
  it("RFC 9700 §4.14.2: fifty callers of an expired token cause one redemption, and all are served", async () => {
    await gong.knobs({ tokenDelayMs: 100 });
    const { connection, refreshToken } = await connectToGong();
    pass(LIFE);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => accessAt(connection, "1")));
    expect(new Set(outcomes)).toEqual(new Set(["ok"]));
    expect(await presented(refreshToken)).toEqual(["accepted"]);
    expect(await refreshRequests()).toBe(1);
  });

  it("RFC 9700 §4.14.2: callers, callers whose token Gong refused, and the alarm share it too, ten times over", async () => {
    await gong.knobs({ tokenDelayMs: 20 });
    const { connection } = await connectToGong();
    for (let generation = 1; generation <= 10; generation += 1) {
      const refreshToken = await currentRefreshToken(connection);
      await tamper(connection, "UPDATE access_tokens SET expires_at = ?", now() + 2 * LIFE);
      await tamper(connection, "UPDATE grants SET refresh_expires_at = ?", now() + 2 * LIFE);
      pass(LIFE);
      const callers = Array.from({ length: 20 }, () => accessAt(connection, "1"));
      const rejected = Array.from({ length: 20 }, () => connection.replaceRejectedGongToken(generation));
      await Promise.all([...callers, ...rejected, runAlarm(connection), runAlarm(connection)]);
      expect(new Set(await Promise.all(callers))).toEqual(new Set(["ok"]));
      expect(new Set((await Promise.all(rejected)).map(({ ok }) => ok))).toEqual(new Set([true]));
      expect(await presented(refreshToken)).toEqual(["accepted"]);
      expect((await connectionRow(connection)).generation).toBe(generation + 1);
    }
  });

  it("gateway: who reports an older token as refused gets the newer one, and Gong is not asked", async () => {
    const { connection } = await connectToGong();
    pass(LIFE);
    await accessAt(connection, "1");
    expect(await connection.replaceRejectedGongToken(1)).toMatchObject({ ok: true, generation: 2 });
    expect(await refreshRequests()).toBe(1);
  });
});

describe(verifies("gong.refresh_token_kept", "an answer without a refresh token"), () => {
  it.each([
    ["left out", { remove: ["refresh_token"] }],
    ["empty", { set: { refresh_token: "" } }],
    ["null", { set: { refresh_token: null } }],
  ])("RFC 6749 §6: %s, the previous one is used again", async (_, fields) => {
    await gong.knobs({ refreshMode: "not_rotating" });
    const { connection, refreshToken } = await connectToGong();
    await gong.fault({ endpoint: "token", fault: { kind: "fields", ...fields } });
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await currentRefreshToken(connection)).toBe(refreshToken);
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await presented(refreshToken)).toEqual(["accepted", "accepted"]);
  });

  it.each([
    ["3600", 3600],
    [-1, 3600],
    [0, 30],
    [0.5, 30],
    [1.5, 1],
    [29, 29],
    [1e12, 7 * 86_400],
    [null, 3600],
    ["soon", 3600],
    [{}, 3600],
  ])("RFC 6749 §5.1: expires_in %j counts as %i seconds", async (value, life) => {
    const { connection } = await connectToGong();
    await gong.fault({ endpoint: "token", fault: { kind: "fields", set: { expires_in: value } } });
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("ok");
    const row = await connectionRow(connection);
    expect(row.gong_expires_at - row.refreshed_at).toBe(life);
    expect(row.refresh_due_at - row.refreshed_at).toBeGreaterThanOrEqual(Math.max(life * 0.5, 30));
  });
});

describe(verifies("gong.early_refresh", "refreshing before the end"), () => {
  it("gateway: the alarm refreshes while the old token still works, and a second one does nothing", async () => {
    const { connection, refreshToken } = await connectToGong();
    pass(LIFE * 0.8);
    expect(await runDurableObjectAlarm(connection)).toBe(true);
    expect(await connectionRow(connection)).toMatchObject({ generation: 2, failures: 0 });
    await Promise.all(Array.from({ length: 5 }, () => runAlarm(connection)));
    expect(await refreshRequests()).toBe(1);
    expect(await presented(refreshToken)).toEqual(["accepted"]);
  });

  it("gateway: an alarm that comes too soon asks Gong nothing", async () => {
    const { connection } = await connectToGong();
    pass(LIFE * 0.5 - 1);
    await runAlarm(connection);
    expect(await refreshRequests()).toBe(0);
  });

  it("gateway: a connection whose alarm was lost gets a new one when it is used, and works past its end", async () => {
    const { connection } = await connectToGong();
    const alarm = (change: "read" | "delete"): Promise<number | null> =>
      runInDurableObject(connection, async (_, { storage }) => {
        if (change === "delete") await storage.deleteAlarm();
        return storage.getAlarm();
      });
    expect(await alarm("delete")).toBeNull();
    pass(LIFE * 0.8);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await refreshRequests()).toBe(0);
    expect(await alarm("read")).toBeLessThanOrEqual(Date.now() + 1000);
    await alarm("delete");
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await refreshRequests()).toBe(1);
  });

  it("gateway: a personal connection that no agent can use is left alone", async () => {
    const { connection } = await connectToGong();
    await tamper(connection, "UPDATE grants SET revoked_at = 1");
    pass(LIFE * 0.8);
    await runAlarm(connection);
    expect(await refreshRequests()).toBe(0);
  });
});

describe(verifies("gong.refresh_fence", "what happens while Gong is asked"), () => {
  it("gateway: a disconnect wins; the tokens that arrive are dropped and the caller gets nothing", async () => {
    await gong.knobs({ tokenDelayMs: 300 });
    const { connection } = await connectToGong();
    pass(LIFE);
    const caller = accessAt(connection, "1");
    await refreshAtGong();
    await connection.disconnect("ended_by_admin");
    expect(await caller).toMatch(/^invalid_token/);
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      gong_access_token_sealed: null,
      gong_refresh_token_sealed: null,
      attempt_answer_sealed: null,
    });
  });

  it("gateway: a grant that ends meanwhile gets nothing, and the refresh serves the others", async () => {
    await gong.knobs({ tokenDelayMs: 300 });
    const { connection, grantId } = await connectToGong();
    const other = await newGrant();
    await connection.openGrant(other);
    await redeemAt(connection, other.grant.id, "2");
    pass(LIFE);
    const callers = [accessAt(connection, "1"), accessAt(connection, "2")];
    await refreshAtGong();
    await connection.endGrant(grantId, "revoked_by_client");
    expect(await Promise.all(callers)).toEqual(["invalid_token: unknown", "ok"]);
  });

  it.each(["succeeds", "fails"])(
    "gateway: a reconnect wins over a refresh that %s after it",
    async (refresh) => {
      const { connection } = await connectToGong();
      const renewed = await authorizeAtGong();
      await gong.knobs({ tokenDelayMs: 300 });
      pass(LIFE);
      const caller = accessAt(connection, "1");
      await refreshAtGong();
      if (refresh === "fails") await gong.killTokens({ kind: "refresh" });
      await connection.connectGong(
        "main",
        { ...GONG_TOKENS, accessToken: renewed.access_token, refreshToken: renewed.refresh_token },
        newAuthorization(),
        undefined,
      );
      expect(await caller).toBe("ok");
      await pause(400);
      expect(await connectionRow(connection)).toMatchObject({
        state: "connected",
        generation: 2,
        failures: 0,
      });
      expect(await currentRefreshToken(connection)).toBe(renewed.refresh_token);
    },
  );
});

describe(verifies("gong.answer_quarantined", "storage.eviction", "a refresh that was interrupted"), () => {
  /** Spends the connection's refresh token, as an attempt did whose object then stopped. */
  async function interrupted(kept: "nowhere" | "here" | "in_escrow"): Promise<Connection> {
    const { connection, refreshToken } = await connectToGong();
    const answer = await askGongToken({ grant_type: "refresh_token", refresh_token: refreshToken });
    const raw = {
      status: answer.status,
      contentType: answer.headers.get("content-type") ?? "",
      retryAfter: undefined,
      wwwAuthenticate: undefined,
      body: new Uint8Array(await answer.arrayBuffer()),
    };
    const sealed = await sealsOf(connection).sealAnswer(raw, 1);
    if (kept === "in_escrow")
      await env.ESCROWS.getByName(connection.name ?? "").keepAnswer("attempt", sealed);
    await tamper(
      connection,
      "UPDATE connection SET attempt_id = 'attempt', attempt_started_at = ?, attempt_answer_sealed = ?",
      now(),
      kept === "here" ? sealed : null,
    );
    await evictDurableObject(connection);
    pass(LIFE);
    return connection;
  }

  it.each(["here", "in_escrow"] as const)(
    "gateway: an answer kept %s is taken up, and Gong is not asked",
    async (kept) => {
      const connection = await interrupted(kept);
      const asked = await refreshRequests();
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await refreshRequests()).toBe(asked);
      expect(await connectionRow(connection)).toMatchObject({
        generation: 2,
        attempt_id: null,
        attempt_answer_sealed: null,
      });
      expect(await env.ESCROWS.getByName(connection.name ?? "").answer("attempt")).toBeUndefined();
      pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await refreshRequests()).toBe(asked + 1);
    },
  );

  it("gateway: an answer that nobody has is asked for again; when Gong refuses, the loss is named", async () => {
    const connection = await interrupted("nowhere");
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await connectionRow(connection)).toMatchObject({ reason: "answer_lost" });
  });

  it("gateway: an attempt that never reached Gong is made again with the same refresh token", async () => {
    const { connection, refreshToken } = await connectToGong();
    await tamper(connection, "UPDATE connection SET attempt_id = 'attempt', attempt_started_at = 1");
    await evictDurableObject(connection);
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await presented(refreshToken)).toEqual(["accepted"]);
  });
});
