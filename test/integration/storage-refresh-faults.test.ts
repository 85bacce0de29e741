// What Gong's token endpoint can answer instead of tokens, and what each of it does to a connection: nothing, but for
// Gong's own word that the refresh token is dead.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import type { ConnectionObject } from "../../src/storage/connection-object.ts";
import type { ConnectionRow } from "../../src/storage/connection-schema.ts";
import { accessAt, connectionRow, runAlarm, type Connection } from "../support/connection.ts";
import { connectToGong, presented, refreshRequests, sealsOf } from "../support/gong-connection.ts";
import { gong, type FaultLine } from "../support/gong.ts";

const LIFE = 600;
type Fault = FaultLine["fault"];

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ expiresInSeconds: LIFE });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const faultAtToken = (fault: Fault, times: number | "always" = 1): Promise<void> =>
  gong.fault({ endpoint: "token", fault, times });

/** What of a connection no failure may change. */
function essence(row: ConnectionRow): Partial<ConnectionRow> {
  const { gong_access_token_sealed, gong_refresh_token_sealed, generation, state, gong_expires_at } = row;
  return { gong_access_token_sealed, gong_refresh_token_sealed, generation, state, gong_expires_at };
}

async function quarantined(connection: Connection): Promise<string> {
  const row = await connectionRow(connection);
  const answer = await sealsOf(connection).openAnswer(row.attempt_answer_sealed ?? "", row.generation);
  return new TextDecoder().decode(answer.body);
}

/** Faults that Gong answers without having looked at the refresh token. */
const UNTOUCHED: readonly Fault[] = [
  ...[301, 401, 402, 403, 404, 405, 408, 409, 410, 418, 500, 501, 502, 503, 504, 521, 599].map(
    (status) => ({ kind: "status", status }) as const,
  ),
  ...[
    "invalid_client",
    "invalid_request",
    "unauthorized_client",
    "invalid_scope",
    "server_error",
    "surprise",
  ].map((error) => ({ kind: "oauth_error", error }) as const),
  { kind: "oauth_error", error: "invalid_client", status: 401 },
  { kind: "oauth_error", error: "invalid_grant", status: 401 },
  { kind: "oauth_error", error: "invalid_grant", status: 403 },
  { kind: "oauth_error", error: "invalid_grant", status: 500 },
  { kind: "status", status: 400, body: "error=invalid_grant" },
  {
    kind: "status",
    status: 400,
    body: '{"error":"invalid_grant"',
    headers: { "content-type": "application/json" },
  },
  { kind: "rate_limited" },
  { kind: "rate_limited", retryAfter: "7" },
  { kind: "rate_limited", retryAfter: "-1" },
  { kind: "redirect" },
  { kind: "redirect", status: 307, location: "https://app.gong.test/oauth2/generate-mcp-token" },
  { kind: "html" },
  { kind: "html", status: 403 },
  { kind: "html", status: 503 },
  { kind: "empty" },
  { kind: "empty", status: 204 },
  { kind: "invalid_json" },
  { kind: "json_array" },
  { kind: "json_null" },
  { kind: "drop_before" },
  { kind: "huge_body", bytes: 400_000 },
  { kind: "gzip_bomb", megabytes: 8 },
  { kind: "echo_request" },
  { kind: "unauthorized" },
];

describe(verifies("gong.only_invalid_grant_ends", "failures that say nothing about the connection"), () => {
  it.each(UNTOUCHED.map((fault) => [JSON.stringify(fault), fault] as const))(
    "RFC 6749 §5.2: %s changes no token, and the next try heals",
    async (_, fault) => {
      const { connection, refreshToken } = await connectToGong();
      const before = essence(await connectionRow(connection));
      await faultAtToken(fault);
      pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      expect(await accessAt(connection, "1")).toBe("unavailable");
      expect(await refreshRequests()).toBe(1);
      expect(essence(await connectionRow(connection))).toEqual(before);
      pass(10);
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await presented(refreshToken)).toEqual(["accepted"]);
      expect(await connectionRow(connection)).toMatchObject({ failures: 0, reason: null });
    },
  );

  it("RFC 9110 §10.2.3: Retry-After of Gong's is waited for, in seconds and told to the caller", async () => {
    const { connection } = await connectToGong();
    await faultAtToken({ kind: "rate_limited", retryAfter: "120" });
    pass(LIFE);
    await accessAt(connection, "1");
    pass(119);
    expect(await accessAt(connection, "1")).toBe("unavailable");
    expect(await refreshRequests()).toBe(1);
    // Up to a tenth more, so that not everybody comes back at once.
    pass(1 + 12);
    expect(await accessAt(connection, "1")).toBe("ok");
  });

  it("gateway: while the old token lives, an hour of failures is noticed by nobody", async () => {
    await gong.knobs({ expiresInSeconds: 7200 });
    const { connection, refreshToken } = await connectToGong();
    await faultAtToken({ kind: "status", status: 503 }, "always");
    pass(7200 * 0.45);
    for (let step = 0; step < 50; step += 1) {
      pass(60);
      await runAlarm(connection);
      expect((await connection.replaceRejectedGongToken(0)).ok).toBe(true);
    }
    expect(await refreshRequests()).toBeGreaterThan(5);
    expect(await refreshRequests()).toBeLessThan(30);
    await gong.clearFaults();
    pass(300);
    await runAlarm(connection);
    expect(await connectionRow(connection)).toMatchObject({ generation: 2, failures: 0 });
    expect(await presented(refreshToken)).toEqual(["accepted"]);
  });

  it(
    "OWASP ASVS 16.5.2: an endpoint that never answers is given up in time, and all callers share one wait",
    { timeout: 120_000 },
    async () => {
      const { connection, refreshToken } = await connectToGong();
      await faultAtToken({ kind: "hang" });
      pass(LIFE);
      const before = performance.now();
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => accessAt(connection, "1")));
      expect(performance.now() - before).toBeLessThan(15_000);
      expect(new Set(outcomes)).toEqual(new Set(["unavailable"]));
      expect(await refreshRequests()).toBe(1);
      pass(10);
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await presented(refreshToken)).toEqual(["accepted"]);
    },
  );
});

describe(verifies("gong.wait_bounded", "a second store that hangs while a refresh waits for it"), () => {
  it("gateway: callers are told to come back after 20 s, and the refresh goes on without them", async () => {
    const { connection, refreshToken } = await connectToGong();
    pass(LIFE);
    const gate = { hangs: false, isOver: false };
    const hanging = runInDurableObject(env.ESCROWS.getByName(connection.name ?? ""), (_, state) => {
      void state.blockConcurrencyWhile(async () => {
        while (!gate.isOver) await scheduler.wait(5);
      });
      gate.hangs = true;
    });
    while (!gate.hangs) await scheduler.wait(5);
    await runInDurableObject(connection, async (instance: ConnectionObject) => {
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
      const callers = Array.from({ length: 10 }, () => instance.replaceRejectedGongToken(1));
      while ((await presented(refreshToken)).length === 0) await scheduler.wait(5);
      let answered = false;
      void Promise.race(callers).then(() => (answered = true));
      vi.advanceTimersByTime(19_000);
      await scheduler.wait(10);
      expect(answered).toBe(false);
      vi.advanceTimersByTime(1000);
      const outcomes = await Promise.all(callers);
      expect(new Set(outcomes.map((outcome) => !outcome.ok && outcome.reason))).toEqual(
        new Set(["unavailable"]),
      );
    });
    gate.isOver = true;
    await hanging;
    while ((await connectionRow(connection)).generation === 1) await scheduler.wait(5);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await presented(refreshToken)).toEqual(["accepted"]);
  });
});

describe(verifies("gong.only_invalid_grant_ends", "Gong's word that the refresh token is dead"), () => {
  it("RFC 6749 §5.2: the connection needs a person, and is used while its access token lives", async () => {
    const { connection } = await connectToGong();
    const { gong_refresh_token_sealed } = await connectionRow(connection);
    await gong.killTokens({ kind: "refresh" });
    pass(LIFE * 0.8);
    await runAlarm(connection);
    expect(await connectionRow(connection)).toMatchObject({
      state: "needs_reconnect",
      reason: "ended_by_gong",
      gong_refresh_token_sealed,
    });
    expect(await accessAt(connection, "1")).toBe("ok");
    pass(LIFE * 0.2);
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    await runAlarm(connection);
    await Promise.all(Array.from({ length: 10 }, () => accessAt(connection, "1")));
    expect(await refreshRequests()).toBe(1);
    await connectToGong(connection, "2");
    expect(await accessAt(connection, "1")).toBe("ok");
  });

  it("RFC 6749 §5.2: after a passing failure it still counts", async () => {
    const { connection } = await connectToGong();
    await gong.killTokens({ kind: "refresh" });
    await faultAtToken({ kind: "status", status: 503 });
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("unavailable");
    pass(10);
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await connectionRow(connection)).toMatchObject({ reason: "ended_by_gong" });
  });
});

/** Faults after which Gong has spent the refresh token, and the reason that people read if it gives it only once. */
const SPENT: readonly (readonly [Fault, string])[] = [
  [{ kind: "accept_then_drop" }, "answer_lost"],
  [{ kind: "half_body" }, "answer_lost"],
  [{ kind: "wrong_content_length" }, "answer_lost"],
  [{ kind: "status", status: 502, processed: true }, "answer_lost"],
  [{ kind: "html", processed: true }, "answer_not_understood"],
  [{ kind: "invalid_json", processed: true }, "answer_not_understood"],
];

describe(verifies("gong.answer_quarantined", "answers that were lost on their way"), () => {
  it.each(SPENT.map(([fault, reason]) => [JSON.stringify(fault), fault, reason] as const))(
    "RFC 9700 §4.14.2: %s: where Gong gives the answer again, the connection heals",
    async (_, fault) => {
      await gong.knobs({ refreshMode: "grace", graceSeconds: 60 });
      const { connection } = await connectToGong();
      await faultAtToken(fault);
      pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      pass(10);
      expect(await accessAt(connection, "1")).toBe("ok");
    },
  );

  it.each(SPENT.map(([fault, reason]) => [JSON.stringify(fault), fault, reason] as const))(
    "RFC 9700 §4.14.2: %s: where Gong does not, a person is asked, and nothing is thrown away before",
    async (_, fault, reason) => {
      const { connection } = await connectToGong();
      const { gong_refresh_token_sealed } = await connectionRow(connection);
      await faultAtToken(fault);
      pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      expect(await connectionRow(connection)).toMatchObject({
        state: "connected",
        gong_refresh_token_sealed,
      });
      pass(10);
      expect(await accessAt(connection, "1")).toBe("needs_reconnect");
      expect(await connectionRow(connection)).toMatchObject({ gong_refresh_token_sealed, reason });
    },
  );
});

describe(verifies("gong.answer_quarantined", "a 200 that can't be understood"), () => {
  it.each([
    ["an access token that is no text", { set: { access_token: 7 } }],
    ["no access token", { remove: ["access_token"] }],
    ["another token type", { set: { token_type: "mac" } }],
    ["an access token that no header can carry", { set: { access_token: "a\r\nb" } }],
  ])("gateway: %s: it is kept sealed in two places, with the new refresh token in it", async (_, fields) => {
    await gong.knobs({ refreshMode: "grace", graceSeconds: 60 });
    const { connection } = await connectToGong();
    const before = essence(await connectionRow(connection));
    await faultAtToken({ kind: "fields", ...fields });
    pass(LIFE);
    expect(await accessAt(connection, "1")).toBe("unavailable");
    expect(essence(await connectionRow(connection))).toEqual(before);
    expect(await quarantined(connection)).toMatch(/"refresh_token":"gong_refresh/);
    const { attempt_id: attemptId, attempt_answer_sealed: sealed } = await connectionRow(connection);
    expect(await env.ESCROWS.getByName(connection.name ?? "").answer(attemptId ?? "")).toBe(sealed);
    pass(10);
    expect(await accessAt(connection, "1")).toBe("ok");
    expect(await connectionRow(connection)).toMatchObject({ attempt_answer_sealed: null, generation: 2 });
  });
});
