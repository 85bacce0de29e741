// Refreshing at POST /token: rotation, lost answers, reuse, races. RFC 6749 §6, RFC 9700 §4.14.2.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ASK_ACCOUNT,
  askToken,
  call,
  connect,
  register,
  RESOURCE,
  SHARED_RESOURCE,
  type Tokens,
} from "../support/flow.ts";
import { rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const refresh = (clientId: string, token: string, changes: Record<string, string> = {}): Promise<Response> =>
  askToken({ grant_type: "refresh_token", client_id: clientId, refresh_token: token, ...changes });

async function refreshed(
  clientId: string,
  token: string,
  changes: Record<string, string> = {},
): Promise<Tokens> {
  const answer = await refresh(clientId, token, changes);
  expect(answer.status).toBe(200);
  return answer.json();
}

const works = async (accessToken: string): Promise<boolean> =>
  (await call(accessToken, ASK_ACCOUNT)).status === 200;

/** The clock, `seconds` from now on. */
function startClock(): (seconds: number) => void {
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  return (seconds) => vi.setSystemTime(start + seconds * 1000);
}

describe(verifies("refresh.reuse", "a refresh token after its time"), () => {
  it("RFC 9700 §4.14.2: every refresh gives a new refresh token", async () => {
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    expect(second.refresh_token).not.toBe(tokens.refresh_token);
    expect(await works(second.access_token)).toBe(true);
  });

  it("OAuth 2.1 §4.3.1: the one before the last ends the family, access tokens and all, and is logged", async () => {
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    const third = await refreshed(clientId, second.refresh_token);
    const warn = vi.spyOn(console, "warn");
    await expectOAuthError(await refresh(clientId, tokens.refresh_token), "invalid_grant");
    expect(warn.mock.calls.flat().join()).toContain("token.reuse_detected");
    warn.mockRestore();
    await expectOAuthError(await refresh(clientId, third.refresh_token), "invalid_grant");
    for (const each of [tokens, second, third]) expect(await works(each.access_token)).toBe(false);
  });

  it("OAuth 2.1 §4.3.1: the last one ends the family once its successor is in use and a minute has gone", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    expect(await works(second.access_token)).toBe(true);
    clock(62);
    await expectOAuthError(await refresh(clientId, tokens.refresh_token), "invalid_grant");
    await expectOAuthError(await refresh(clientId, second.refresh_token), "invalid_grant");
    expect(await works(second.access_token)).toBe(false);
  });

  it("gateway: reuse of one client's token leaves the person's other clients alone", async () => {
    const other = await connect();
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    await refreshed(clientId, second.refresh_token);
    await expectOAuthError(await refresh(clientId, tokens.refresh_token), "invalid_grant");
    expect(await works(other.tokens.access_token)).toBe(true);
  });

  it("RFC 6749 §10.4: another client that presents it gets nothing and ends nothing, in time and late", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    const thief = (await register()).client_id;
    const second = await refreshed(clientId, tokens.refresh_token);
    for (const seconds of [0, 30, 90]) {
      clock(seconds);
      await expectOAuthError(await refresh(thief, tokens.refresh_token), "invalid_grant");
      await expectOAuthError(await refresh(thief, second.refresh_token), "invalid_grant");
    }
    await refreshed(clientId, second.refresh_token);
  });
});

describe(verifies("refresh.lost_answer", "a client that lost the answer"), () => {
  it("RFC 9700 §4.14.2: it gets the same one again, within a minute whatever has happened", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    clock(20);
    const again = await refreshed(clientId, tokens.refresh_token);
    expect(await works(second.access_token)).toBe(true);
    clock(60);
    const third = await refreshed(clientId, tokens.refresh_token);
    for (const same of [again, third]) {
      expect([same.access_token, same.refresh_token]).toEqual([second.access_token, second.refresh_token]);
    }
  });

  it("gateway: it gets the same one days later, as long as nothing of it was ever used", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    clock(3 * 86_400);
    const again = await refreshed(clientId, tokens.refresh_token);
    expect(again.refresh_token).toBe(second.refresh_token);
    expect(again.expires_in).toBeGreaterThan(0);
    await refreshed(clientId, again.refresh_token);
    expect(await rowsOf("CONNECTIONS", "grants")).toContainEqual(
      expect.objectContaining({ client_id: clientId, refresh_generation: 3, revoked_at: null }),
    );
  });

  it("OAuth 2.1 §4.3.1: repeating does not move the minute", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    const second = await refreshed(clientId, tokens.refresh_token);
    expect(await works(second.access_token)).toBe(true);
    for (const seconds of [10, 20, 30, 40, 50, 60]) {
      clock(seconds);
      await refreshed(clientId, tokens.refresh_token);
    }
    clock(61);
    await expectOAuthError(await refresh(clientId, tokens.refresh_token), "invalid_grant");
    await expectOAuthError(await refresh(clientId, second.refresh_token), "invalid_grant");
  });
});

describe(verifies("refresh.parallel", "parallel refreshes"), () => {
  it(
    "RFC 9700 §4.14.2: fifty with one token get one successor, and the family lives",
    { timeout: 120_000 },
    async () => {
      const { clientId, tokens } = await connect();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => refresh(clientId, tokens.refresh_token)),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
      const all = await Promise.all(answers.map((answer) => answer.json<Tokens>()));
      expect(new Set(all.map((each) => each.refresh_token)).size).toBe(1);
      expect(new Set(all.map((each) => each.access_token)).size).toBe(1);
      const next = await refreshed(clientId, all[0]?.refresh_token ?? "");
      expect(await works(next.access_token)).toBe(true);
    },
  );
});

describe(
  verifies("refresh.narrows_only", "token.refused_before_spent", "scope and resource of a refresh"),
  () => {
    it("RFC 6749 §6: fewer scopes narrow the access token only; the next refresh has them all again", async () => {
      const { clientId, tokens } = await connect();
      const narrow = await refreshed(clientId, tokens.refresh_token, { scope: "mcp:ai-briefer:read" });
      expect(narrow.scope).toBe("mcp:ai-briefer:read");
      expect((await call(narrow.access_token, ASK_ACCOUNT)).status).toBe(403);
      expect((await refreshed(clientId, narrow.refresh_token)).scope).toBe(tokens.scope);
    });

    it.each<[string, Record<string, string>, string]>([
      ["a scope that was not granted", { scope: "mcp:ai-ask:read mcp:ai-briefer:read" }, "invalid_scope"],
      ["an unknown scope", { scope: "admin" }, "invalid_scope"],
      ["a foreign resource", { resource: "https://evil.test/mcp" }, "invalid_target"],
      ["our other resource", { resource: SHARED_RESOURCE }, "invalid_target"],
    ])("RFC 6749 §6, RFC 8707 §2.2: %s is refused, and the token stays good", async (_, changes, error) => {
      const { clientId, tokens } = await connect({ scope: "mcp:ai-ask:read" });
      await expectOAuthError(await refresh(clientId, tokens.refresh_token, changes), error);
      const next = await refreshed(clientId, tokens.refresh_token, {
        resource: RESOURCE,
        scope: "mcp:ai-ask:read",
      });
      expect(next.scope).toBe("mcp:ai-ask:read");
    });
  },
);

describe(verifies("refresh.ends", "the end of a grant"), () => {
  it(
    "OWASP ASVS 10.4.8: refreshed every twenty days, it still ends after 180",
    { timeout: 120_000 },
    async () => {
      const clock = startClock();
      const { clientId, tokens } = await connect();
      let token = tokens.refresh_token;
      for (let day = 20; day < 180; day += 20) {
        clock(day * 86_400);
        token = (await refreshed(clientId, token)).refresh_token;
      }
      clock(180 * 86_400 - 30);
      const last = await refreshed(clientId, token);
      expect(last.expires_in).toBeGreaterThanOrEqual(1);
      expect(last.expires_in).toBeLessThanOrEqual(30);
      clock(180 * 86_400 + 1);
      await expectOAuthError(await refresh(clientId, last.refresh_token), "invalid_grant");
    },
  );

  it("RFC 9700 §4.14: unused for thirty days, it ends", async () => {
    const clock = startClock();
    const { clientId, tokens } = await connect();
    clock(30 * 86_400 + 1);
    await expectOAuthError(await refresh(clientId, tokens.refresh_token), "invalid_grant");
  });
});

describe(verifies("refresh.without_gong", "our refresh while Gong is down"), () => {
  it.each([{ kind: "status", status: 503 }, { kind: "drop_before" }, { kind: "hang" }] as const)(
    "gateway: with $kind at every endpoint of Gong it is answered at once and asks Gong nothing",
    async (fault) => {
      const { clientId, tokens } = await connect();
      for (const endpoint of ["token", "mcp", "as_metadata"] as const) {
        await gong.fault({ endpoint, fault, times: "always" });
      }
      const since = (await gong.ledger()).length;
      const started = performance.now();
      const second = await refreshed(clientId, tokens.refresh_token);
      expect(performance.now() - started).toBeLessThan(3000);
      expect(await gong.ledger(since)).toEqual([]);
      await gong.reset();
      expect(second.scope).toBe(tokens.scope);
    },
  );
});
