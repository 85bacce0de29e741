// POST /revoke: RFC 7009.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ask,
  ASK_ACCOUNT,
  askToken,
  call,
  CLIENT_REDIRECT,
  connect,
  PKCE,
  redeem,
  register,
  signIn,
  TOOLS_LIST,
} from "../support/flow.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const revoke = (fields: Record<string, string>): Promise<Response> =>
  ask("/revoke", { method: "POST", body: new URLSearchParams(fields) });

const status = async (accessToken: string): Promise<number> => (await call(accessToken, ASK_ACCOUNT)).status;

const refreshStatus = async (clientId: string, token: string): Promise<number> =>
  (await askToken({ grant_type: "refresh_token", client_id: clientId, refresh_token: token })).status;

describe(verifies("revocation.owner", "whose token it is"), () => {
  it("RFC 7009 §2.1: another client's try is answered 200 and changes nothing", async () => {
    const { clientId, tokens } = await connect();
    const stranger = await connect();
    const before = await rowsOf("CONNECTIONS", "grants");
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect((await revoke({ client_id: stranger.clientId, token })).status).toBe(200);
    }
    expect(await rowsOf("CONNECTIONS", "grants")).toEqual(before);
    expect(await status(tokens.access_token)).toBe(200);
    expect(await refreshStatus(clientId, tokens.refresh_token)).toBe(200);
  });

  it("RFC 7009 §2.1: a refresh token takes its access tokens with it, on the next paid call", async () => {
    const { clientId, tokens } = await connect();
    expect(await status(tokens.access_token)).toBe(200);
    expect((await revoke({ client_id: clientId, token: tokens.refresh_token })).status).toBe(200);
    expect(await status(tokens.access_token)).toBe(401);
    expect(await refreshStatus(clientId, tokens.refresh_token)).toBe(400);
  });

  it("gateway: calls that cost nothing stop after at most ten seconds", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    await revoke({ client_id: clientId, token: tokens.refresh_token });
    vi.setSystemTime(now + 11_000);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
  });

  it("RFC 7009 §2.1: an access token alone leaves the refresh token good", async () => {
    const { clientId, tokens } = await connect();
    expect((await revoke({ client_id: clientId, token: tokens.access_token })).status).toBe(200);
    expect(await status(tokens.access_token)).toBe(401);
    expect(await refreshStatus(clientId, tokens.refresh_token)).toBe(200);
  });

  it("RFC 7009 §2: one of a person's clients ends itself and no other; the last one takes Gong's tokens along", async () => {
    await gong.signIn("grace");
    const first = await connect();
    const second = await connect();
    await revoke({ client_id: first.clientId, token: first.tokens.refresh_token });
    expect(await status(first.tokens.access_token)).toBe(401);
    expect(await status(second.tokens.access_token)).toBe(200);
    await revoke({ client_id: second.clientId, token: second.tokens.refresh_token });
    expect(await rowsOf("CONNECTIONS", "connection")).toContainEqual(
      expect.objectContaining({
        state: "disconnected",
        gong_access_token_sealed: null,
        gong_refresh_token_sealed: null,
        attempt_answer_sealed: null,
      }),
    );
  });
});

describe(verifies("revocation.endpoint", "the endpoint"), () => {
  it.each(["refresh_token", "access_token", "nonsense"])(
    "RFC 7009 §2.1: the hint %s does not hide a token",
    async (hint) => {
      const { clientId, tokens } = await connect();
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        const answer = await revoke({ client_id: clientId, token, token_type_hint: hint });
        expect([answer.status, await answer.text()]).toEqual([200, ""]);
        expect(answer.headers.get("cache-control")).toBe("no-store");
      }
      expect(await status(tokens.access_token)).toBe(401);
      expect(await refreshStatus(clientId, tokens.refresh_token)).toBe(400);
    },
  );

  it("RFC 7009 §2.2: a token revoked twice, an expired one and a made-up one are all 200", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const { clientId, tokens } = await connect();
    const revokeAs = (token: string): Promise<Response> => revoke({ client_id: clientId, token });
    vi.setSystemTime(now + 3_601_000);
    expect((await revokeAs(tokens.access_token)).status).toBe(200);
    for (const token of [
      tokens.refresh_token,
      tokens.refresh_token,
      "x",
      `grt_${"A".repeat(124)}`,
      "__proto__",
    ]) {
      expect((await revokeAs(token)).status).toBe(200);
    }
  });

  it("RFC 6749 §5.2: without a token, or with an unknown client, the request is refused", async () => {
    const { clientId, tokens } = await connect();
    const before = await everythingStored();
    await expectOAuthError(await revoke({ client_id: clientId }), "invalid_request");
    await expectOAuthError(await revoke({ token: tokens.refresh_token }), "invalid_client", 401);
    const unknown = { client_id: "gcl_AAAAAAAAAAAAAAAAAAAAAA", token: tokens.refresh_token };
    await expectOAuthError(await revoke(unknown), "invalid_client", 401);
    expect(await everythingStored()).toBe(before);
  });

  it("RFC 9700 §4.3.2: a token in the URL is refused", async () => {
    const { clientId, tokens } = await connect();
    const query = new URLSearchParams({ client_id: clientId, token: tokens.refresh_token });
    const answer = await ask(`/revoke?${query}`, { method: "POST", body: query });
    await expectOAuthError(answer, "invalid_request");
    expect(await refreshStatus(clientId, tokens.refresh_token)).toBe(200);
  });

  it("gateway: a code can't be revoked; it is no token", async () => {
    const { client_id: clientId } = await register();
    const code = (await signIn(clientId, { redirect_uri: CLIENT_REDIRECT })).searchParams.get("code") ?? "";
    expect((await revoke({ client_id: clientId, token: code, code_verifier: PKCE.verifier })).status).toBe(
      200,
    );
    expect((await redeem(clientId, code)).token_type).toBe("Bearer");
  });
});
