// Gong's 401 during a call: one refresh, one replay. An outage keeps every sign-in; a dead connection asks for a new
// one, which heals it for all of the person's clients.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { doubleRedemptions, tokenRequests } from "../gong/ledger-questions.ts";
import { rowsOf } from "../support/evidence.ts";
import { ASK_ACCOUNT, call, connect, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, connectAs, request } from "../support/mcp.ts";

/** An hour later for each test: the connections of its people remember the last one's refreshes for seconds. */
let hours = 0;

beforeEach(async () => {
  hours += 1;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000 });
  await gong.reset();
});
afterEach(() => {
  vi.useRealTimers();
});

const refreshes = async (): Promise<number> => tokenRequests(await gong.ledger(), "refresh_token");

/** Moves our clock and Gong's on by some seconds. */
async function pass(seconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + seconds * 1000);
  const { clockOffsetSeconds } = await gong.knobs();
  await gong.knobs({ clockOffsetSeconds: clockOffsetSeconds + seconds });
}

describe(verifies("proxy.gong_401", "a 401 of Gong costs one refresh and one replay"), () => {
  it("RFC 6750 §3.1: 401 once: the client sees the answer, and one call was charged", async () => {
    const { tokens } = await connect();
    await gong.killTokens({ kind: "access" });
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("CANARY-ada-7f3a90");
    const calls = await atGong();
    expect(calls).toHaveLength(2);
    expect(calls[0]?.body).toBe(calls[1]?.body);
    expect(calls[0]?.headers["authorization"]).not.toBe(calls[1]?.headers["authorization"]);
    expect(await refreshes()).toBe(1);
    expect(await gong.credits()).toBe(1);
  });

  it("RFC 6749 §5.1: Gong access tokens that live for seconds are refreshed in time, call after call", async () => {
    await gong.knobs({ expiresInSeconds: 5 });
    const { tokens } = await connect();
    for (let calls = 1; calls <= 4; calls += 1) {
      await pass(6);
      expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    }
    expect(await gong.credits()).toBe(4);
    expect(doubleRedemptions(await gong.ledger())).toEqual([]);
  });

  it("gateway: after the replay the next call goes straight through with the newer token", async () => {
    const { tokens } = await connect();
    await call(tokens.access_token, TOOLS_LIST);
    await gong.killTokens({ kind: "access" });
    for (let calls = 0; calls < 2; calls += 1) {
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    }
    expect(await atGong()).toHaveLength(4);
  });

  it("RFC 6750 §3.1: 401 always: Gong is asked twice, the client gets our challenge, and nothing was charged", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" }, times: "always" });
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`);
    expect(challenge).toContain('error="invalid_token"');
    expect(challenge).not.toContain("gong.test");
    expect(await atGong()).toHaveLength(2);
    expect(await refreshes()).toBe(1);
    expect(await gong.credits()).toBe(0);
  });

  it("gateway: a client that keeps trying through 401s does not make Gong refresh again and again", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" }, times: "always" });
    for (let tries = 0; tries < 10; tries += 1) await call(tokens.access_token, ASK_ACCOUNT);
    expect(await refreshes()).toBe(1);
  });

  it("gateway: fifty calls that get 401 at once share one refresh, and all are answered", async () => {
    const { tokens } = await connect();
    await gong.knobs({ tokenDelayMs: 100 });
    await gong.killTokens({ kind: "access" });
    const calls = Array.from({ length: 50 }, (_, id) => call(tokens.access_token, { ...TOOLS_LIST, id }));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const ids = await Promise.all(answers.map(async (answer) => (await answer.json<{ id: unknown }>()).id));
    expect(ids).toEqual(Array.from({ length: 50 }, (_, id) => id));
    expect(await refreshes()).toBe(1);
    expect(await atGong()).toHaveLength(100);
    expect(doubleRedemptions(await gong.ledger())).toEqual([]);
  });

  it("gateway: two clients of one person share the refresh too, though each was cached", async () => {
    const [one, other] = [await connectAs("ada"), await connectAs("ada")];
    for (const { tokens } of [one, other]) await call(tokens.access_token, TOOLS_LIST);
    const before = await refreshes();
    await gong.killTokens({ kind: "access" });
    for (const { tokens } of [one, other]) {
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    }
    expect(await refreshes()).toBe(before + 1);
  });

  it.each(["GET", "DELETE"])("gateway: %s is replayed as well", async (method) => {
    await gong.knobs({ getStream: true, deleteEndsSession: true });
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" } });
    const response = await request(tokens.access_token, method, { accept: "text/event-stream" });
    expect(response.status).not.toBe(401);
    await response.body?.cancel();
    expect((await atGong()).map((arrived) => arrived.method)).toEqual([method, method]);
  });
});

describe(verifies("proxy.outage_keeps_sign_in", "an outage at Gong sends nobody to sign in again"), () => {
  const expectUnavailable = async (response: Response): Promise<number> => {
    expect(response.status).toBe(503);
    expect(response.headers.get("www-authenticate")).toBeNull();
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: 2, error: { code: -32_003 } });
    const retryAfter = Number(response.headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThan(0);
    return retryAfter;
  };

  it.each([
    ["503", { kind: "status", status: 503 }],
    ["429", { kind: "rate_limited", retryAfter: "7" }],
    ["a page", { kind: "html" }],
    ["a dropped connection", { kind: "drop_before" }],
    ["401 invalid_client", { kind: "oauth_error", error: "invalid_client", status: 401 }],
  ] as const)(
    "RFC 9110 §15.6.4: token endpoint answers %s at expiry: 503, and later the call works",
    async (_, fault) => {
      await gong.knobs({ expiresInSeconds: 600 });
      const { tokens } = await connect();
      await pass(601);
      await gong.fault({ endpoint: "token", fault, times: "always" });
      const retryAfter = await expectUnavailable(await call(tokens.access_token, ASK_ACCOUNT));
      await expectUnavailable(await call(tokens.access_token, ASK_ACCOUNT));
      await gong.clearFaults();
      await pass(retryAfter + 1);
      expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
      expect(await gong.credits()).toBe(1);
    },
  );

  it("RFC 9110 §15.6.4: a 401 of Gong while its token endpoint is down is 503 each time, never a challenge", async () => {
    const { tokens } = await connect();
    await gong.killTokens({ kind: "access" });
    await gong.fault({ endpoint: "token", fault: { kind: "status", status: 503 }, times: "always" });
    for (let tries = 0; tries < 3; tries += 1) {
      const retryAfter = await expectUnavailable(await call(tokens.access_token, ASK_ACCOUNT));
      await expectUnavailable(await call(tokens.access_token, ASK_ACCOUNT));
      await pass(retryAfter);
    }
    await gong.clearFaults();
    await pass(60);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });
});

describe(verifies("proxy.reconnect_heals", "a dead connection is healed by signing in again"), () => {
  it("MCP authorization: the client is challenged; a new sign-in heals the connection for the other client too", async () => {
    const first = await connectAs("ada");
    const second = await connectAs("ada");
    await gong.killTokens({ kind: "all" });
    for (const { tokens } of [first, second]) {
      const response = await call(tokens.access_token, ASK_ACCOUNT);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("resource_metadata=");
    }
    const ids = async (): Promise<unknown[]> =>
      (await rowsOf("ADMIN", "connections")).map((row) => row["id"]);
    const before = await ids();
    const third = await connectAs("ada");
    for (const { tokens } of [first, second, third]) {
      const response = await call(tokens.access_token, ASK_ACCOUNT);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("CANARY-ada-7f3a90");
    }
    expect(await ids()).toEqual(before);
  });

  it("MCP authorization: another person's sign-in does not heal it", async () => {
    const ada = await connectAs("ada");
    await gong.killTokens({ kind: "all", person: "ada" });
    expect((await call(ada.tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    await connectAs("grace");
    expect((await call(ada.tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
  });
});
