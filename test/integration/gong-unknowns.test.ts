// What nobody outside Gong knows of its token endpoint, both ways by the stand-in's knobs: what a connection goes
// through, and that its person and their agents notice no more than they must. The same in words: src/gong/README.md.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { accessAt, connectionRow, now, runAlarm } from "../support/connection.ts";
import {
  agreeAtGong,
  approve,
  authorizationQuery,
  call,
  connect,
  redeem,
  register,
  TestBrowser,
  TOOLS_LIST,
} from "../support/flow.ts";
import { connectToGong, presented, refreshRequests } from "../support/gong-connection.ts";
import { gong, type FaultLine, type KnobChanges } from "../support/gong.ts";

const LIFE = 600;
const faultAtToken = (fault: FaultLine["fault"]): Promise<void> => gong.fault({ endpoint: "token", fault });

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ expiresInSeconds: LIFE });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Moves our clock and Gong's on by some seconds. */
async function pass(seconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + seconds * 1000);
  const { clockOffsetSeconds } = await gong.knobs();
  await gong.knobs({ clockOffsetSeconds: clockOffsetSeconds + seconds });
}

/** How a spent refresh token is treated, and whether a second try with it can help when the answer was lost. */
const MODES = [
  ["single_use", "answer_lost"],
  ["reuse_revokes_family", "answer_lost"],
  ["grace", undefined],
  ["not_rotating", undefined],
  ["omitted", undefined],
  ["old_valid_until_new_used", undefined],
] as const;

describe(verifies("gong.unknowns", "refresh tokens"), () => {
  it.each(MODES)(
    "RFC 6749 §6: %s: refresh after refresh works, and none is presented in vain",
    async (refreshMode) => {
      await gong.knobs({ refreshMode });
      const { connection } = await connectToGong();
      for (let round = 2; round <= 4; round += 1) {
        await pass(LIFE);
        expect(await accessAt(connection, "1")).toBe("ok");
        expect(await connectionRow(connection)).toMatchObject({ generation: round, failures: 0 });
      }
      const results = (await gong.ledger()).flatMap((entry) =>
        entry.kind === "redemption" && entry.of === "refresh_token" ? [entry.result] : [],
      );
      expect(results).toEqual(["accepted", "accepted", "accepted"]);
    },
  );

  it.each(MODES)(
    "RFC 9700 §4.14.2: %s: a reply lost before Gong acted loses nothing",
    async (refreshMode) => {
      await gong.knobs({ refreshMode });
      const { connection, refreshToken } = await connectToGong();
      await faultAtToken({ kind: "drop_before" });
      await pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      await pass(10);
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await presented(refreshToken)).toEqual(["accepted"]);
    },
  );

  it.each(MODES)(
    "RFC 9700 §4.14.2: %s: a reply lost after Gong acted: the token is tried once more, and then %s",
    async (refreshMode, lostFor) => {
      await gong.knobs({ refreshMode, graceSeconds: 60 });
      const { connection, refreshToken } = await connectToGong();
      await faultAtToken({ kind: "accept_then_drop" });
      await pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      await pass(10);
      const healed = lostFor === undefined;
      expect(await accessAt(connection, "1")).toBe(healed ? "ok" : "needs_reconnect");
      expect((await connectionRow(connection)).reason).toBe(lostFor ?? null);
      expect(await presented(refreshToken)).toEqual(["accepted", healed ? "accepted" : "reused"]);
    },
  );

  it("RFC 9700 §4.14.2: with a grace that is over, the loss is named and a person is asked", async () => {
    await gong.knobs({ refreshMode: "grace", graceSeconds: 5 });
    const { connection } = await connectToGong();
    await faultAtToken({ kind: "accept_then_drop" });
    await pass(LIFE);
    await accessAt(connection, "1");
    await pass(10);
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await connectionRow(connection)).toMatchObject({ reason: "answer_lost" });
  });
});

describe(verifies("gong.unknowns", "what else tokens do"), () => {
  it.each(["lives", "dies"] as const)(
    "gateway: a refresh after which the older access token %s is noticed by no client",
    async (accessAfterRefresh) => {
      await gong.knobs({ accessAfterRefresh });
      const { connection } = await connectToGong();
      const { tokens } = await connect();
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
      await pass(LIFE * 0.8);
      await runAlarm(connection);
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    },
  );

  it.each(["both_live", "first_dies"] as const)(
    "gateway: a second sign-in of one person, after which %s: both clients work, also after a refresh",
    async (secondAuthorization) => {
      await gong.knobs({ secondAuthorization });
      const clients = [await connect(), await connect()];
      for (const wait of [0, LIFE, LIFE]) {
        await pass(wait);
        for (const { tokens } of clients)
          expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
      }
    },
  );

  it.each<[string, KnobChanges, number]>([
    ["expires_in as text", { expiresInForm: "string" }, LIFE],
    ["no expires_in", { expiresInForm: "absent" }, 3600],
    ["no scope", { scopeInAnswer: false }, LIFE],
    ["an opaque access token", { accessTokenForm: "opaque" }, LIFE],
    ["an access token of 4 KB", { accessTokenForm: "jwt_4kb" }, LIFE],
    ["the customer's API host", { apiBaseUrlInAnswer: true }, LIFE],
    ["an endpoint that takes its time", { tokenDelayMs: 200 }, LIFE],
  ])("RFC 6749 §5.1: %s in the answer: sign-in and refresh work", async (_, knobs, life) => {
    const { connection } = await connectToGong();
    await gong.knobs(knobs);
    const { tokens } = await connect();
    await pass(3600);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    await runAlarm(connection);
    const row = await connectionRow(connection);
    expect(row.gong_expires_at - row.refreshed_at).toBe(life);
    expect(row).toMatchObject({ generation: 2, state: "connected" });
  });

  it.each<KnobChanges>([
    { codeReuse: "refused" },
    { codeReuse: "refused_and_revokes" },
    { pkceRequired: true },
    { resource: "must_be_mcp_url" },
    { resource: "ignored" },
  ])("RFC 6749 §4.1.2: %o: the callback loaded three times presents Gong's code once", async (knobs) => {
    await gong.knobs(knobs);
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const answers = await Promise.all([callback, callback, callback].map((path) => browser.open(path)));
    const [location = ""] = answers.flatMap(({ headers }) => headers.get("location") ?? []);
    const tokens = await redeem(clientId, new URL(location).searchParams.get("code") ?? "");
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    const redemptions = (await gong.ledger()).filter((entry) => entry.kind === "redemption");
    expect(redemptions.map(({ result }) => result)).toEqual(["accepted"]);
  });
});

describe(verifies("gong.unknowns", "gong.only_invalid_grant_ends", "refusals"), () => {
  it.each([
    ["rfc", "needs_reconnect", "ended_by_gong"],
    ["gong_rest", "unavailable", "malformed"],
    ["html", "unavailable", "malformed"],
    ["empty", "unavailable", "malformed"],
    ["text", "unavailable", "malformed"],
  ] as const)(
    "RFC 6749 §5.2: a dead refresh token with an error body of the form %s: %s",
    async (errorBody, outcome, reason) => {
      await gong.knobs({ errorBody });
      const { connection } = await connectToGong();
      await gong.killTokens({ kind: "all" });
      await pass(LIFE);
      expect(await accessAt(connection, "1")).toBe(outcome);
      const { state } = await connectionRow(connection);
      expect(state).toBe(outcome === "unavailable" ? "connected" : outcome);
      expect(await connectionRow(connection)).toMatchObject({ reason });
    },
  );

  it.each(["rfc", "gong_rest", "html", "empty", "text"] as const)(
    "RFC 6749 §5.2: a client secret that Gong does not know, with an error body of the form %s, ends nothing",
    async (errorBody) => {
      await gong.knobs({ errorBody });
      const { connection, refreshToken } = await connectToGong();
      await gong.editIntegration("gong-client-personal", { clientSecret: "a new one that nobody told us" });
      await pass(LIFE);
      expect(await accessAt(connection, "1")).toBe("unavailable");
      expect(await connectionRow(connection)).toMatchObject({ state: "connected", reason: "misconfigured" });
      await gong.editIntegration("gong-client-personal", { clientSecret: "per:sonal+secret%/1" });
      await pass(10);
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await presented(refreshToken)).toEqual(["accepted"]);
    },
  );

  it.each([
    ["dies_at_once", "invalid_grant", "needs_reconnect", "ended_by_gong"],
    ["lives_to_expiry", "invalid_client", "unavailable", "misconfigured"],
  ] as const)(
    "gateway: a person who was deactivated, whose access token %s and whose refresh gets %s: %s",
    async (accessAfterRemoval, refreshAfterRemoval, outcome, reason) => {
      await gong.knobs({ accessAfterRemoval, refreshAfterRemoval });
      const { connection } = await connectToGong();
      await gong.changePerson("ada", { active: false });
      await pass(LIFE);
      expect(await accessAt(connection, "1")).toBe(outcome);
      expect(await connectionRow(connection)).toMatchObject({ reason });
      await gong.changePerson("ada", { active: true });
      await pass(10);
      expect(await accessAt(connection, "1")).toBe(outcome === "unavailable" ? "ok" : outcome);
    },
  );
});

const dateIn = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

describe(verifies("gong.retry_after", "429 at the token endpoint"), () => {
  it.each<[string, () => string | undefined, number, number]>([
    ["seconds", () => "120", 120, 132],
    ["a date", () => dateIn(120), 119, 132],
    ["a date that is over", () => dateIn(-120), 1, 1],
    ["zero", () => "0", 1, 1],
    ["below zero", () => "-5", 1, 1],
    ["absurdly large", () => "9".repeat(40), 3600, 3960],
    ["no number", () => "soon", 1, 1],
    ["two of them", () => "120, 7", 1, 1],
    ["nothing", () => undefined, 1, 1],
  ])(
    "RFC 9110 §10.2.3: Retry-After with %s is waited for, and then it works",
    async (_, value, least, most) => {
      const { connection, refreshToken } = await connectToGong();
      await pass(LIFE);
      const retryAfter = value();
      await faultAtToken({ kind: "rate_limited", ...(retryAfter === undefined ? {} : { retryAfter }) });
      expect(await accessAt(connection, "1")).toBe("unavailable");
      const { refresh_due_at: dueAt } = await connectionRow(connection);
      expect(dueAt - now()).toBeGreaterThanOrEqual(least);
      expect(dueAt - now()).toBeLessThanOrEqual(most);
      await pass(dueAt - now() - 1);
      await runAlarm(connection);
      expect(await refreshRequests()).toBe(1);
      await pass(1);
      expect(await presented(refreshToken)).toEqual([]);
      await runAlarm(connection);
      expect(await presented(refreshToken)).toEqual(["accepted"]);
      expect(await connectionRow(connection)).toMatchObject({ generation: 2, failures: 0, reason: null });
    },
  );
});
