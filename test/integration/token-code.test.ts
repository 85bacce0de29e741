// Redeeming a code at POST /token: RFC 6749 §4.1.3, RFC 7636 §4.6.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
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
  RESOURCE,
  SHARED_RESOURCE,
  signIn,
  type Tokens,
} from "../support/flow.ts";
import { everythingStored, objectIds } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const freshCode = async (): Promise<string> => (await signIn(clientId)).searchParams.get("code") ?? "";

/** A good redemption, changed in `changes`; undefined leaves a parameter out. */
function redemption(code: string, changes: Record<string, string | undefined> = {}): Promise<Response> {
  const fields = {
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    code_verifier: PKCE.verifier,
    redirect_uri: CLIENT_REDIRECT,
    ...changes,
  };
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return askToken(Object.fromEntries(given));
}

const refreshOf = (tokens: Tokens, id = clientId): Promise<Response> =>
  askToken({ grant_type: "refresh_token", client_id: id, refresh_token: tokens.refresh_token });

describe(verifies("code.pkce", "the verifier of a code"), () => {
  it.each<[string, string | undefined, string]>([
    ["missing", undefined, "invalid_request"],
    ["empty", "", "invalid_request"],
    ["another", "A".repeat(43), "invalid_grant"],
    ["the challenge itself", PKCE.challenge, "invalid_grant"],
    ["short", PKCE.verifier.slice(1), "invalid_grant"],
    ["one character off", `${PKCE.verifier.slice(0, -1)}A`, "invalid_grant"],
    ["too long", "a".repeat(129), "invalid_grant"],
    ["of other characters", `${PKCE.verifier.slice(0, -1)}+`, "invalid_grant"],
  ])(
    "RFC 7636 §4.6: a verifier that is %s is refused, and the right one still works",
    async (_, verifier, error) => {
      const code = await freshCode();
      await expectOAuthError(await redemption(code, { code_verifier: verifier }), error);
      expect((await redemption(code)).status).toBe(200);
    },
  );
});

describe(verifies("code.once", "a code is good once"), () => {
  it(
    "RFC 9700 §4.5: of fifty parallel redemptions one succeeds, ten times over",
    { timeout: 120_000 },
    async () => {
      for (let round = 0; round < 10; round += 1) {
        const code = await freshCode();
        const answers = await Promise.all(Array.from({ length: 50 }, () => redemption(code)));
        const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other);
        expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 400)]);
        const winner = answers.find(({ status }) => status === 200);
        const tokens: Tokens | undefined = await winner?.json();
        expect((await call(tokens?.access_token ?? "", ASK_ACCOUNT)).status).toBe(200);
      }
    },
  );

  it("RFC 6749 §4.1.2: a second use after a minute ends what the first one gave, and nothing else", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const bystander = await connect();
    const code = await freshCode();
    const tokens = await redeem(clientId, code);
    vi.setSystemTime(now + 62_000);
    await expectOAuthError(await redemption(code), "invalid_grant");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    await expectOAuthError(await refreshOf(tokens), "invalid_grant");
    expect((await call(bystander.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: a second use within a minute, as of a client that fired twice, is refused and ends nothing", async () => {
    const code = await freshCode();
    const tokens = await redeem(clientId, code);
    await expectOAuthError(await redemption(code), "invalid_grant");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it.each([
    ["another client", { client_id: "other" }],
    ["a wrong verifier", { code_verifier: "A".repeat(43) }],
  ])("RFC 9700 §4.5: a late second use by %s ends nothing", async (_, changes) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const other = (await register()).client_id;
    const code = await freshCode();
    const tokens = await redeem(clientId, code);
    vi.setSystemTime(now + 62_000);
    const changed = "client_id" in changes ? { client_id: other } : changes;
    await expectOAuthError(await redemption(code, changed), "invalid_grant");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });
});

describe(verifies("code.bound", "whose code it is"), () => {
  it("RFC 6749 §4.1.3: another client is refused, and the rightful one still redeems it", async () => {
    const code = await freshCode();
    const other = (await register()).client_id;
    await expectOAuthError(await redemption(code, { client_id: other }), "invalid_grant");
    expect((await redemption(code)).status).toBe(200);
  });

  it.each([
    ["another one", "https://evil.test/cb"],
    ["another port, which only the authorization request may choose", "http://127.0.0.1:7778/callback"],
  ])(
    "RFC 6749 §4.1.3: with a redirect URI that is %s it is refused, and stays good",
    async (_, redirectUri) => {
      const code = await freshCode();
      await expectOAuthError(await redemption(code, { redirect_uri: redirectUri }), "invalid_grant");
      expect((await redemption(code)).status).toBe(200);
    },
  );

  it("OAuth 2.1 §4.1.3: the redirect URI may be left out", async () => {
    expect((await redemption(await freshCode(), { redirect_uri: undefined })).status).toBe(200);
  });
});

describe(verifies("token.refused_before_spent", "a code with a wrong resource"), () => {
  it.each(["https://evil.test/mcp", SHARED_RESOURCE, `${RESOURCE}-evil`, "mcp"])(
    "RFC 8707 §2.2: %s is refused and the code stays good",
    async (resource) => {
      const code = await freshCode();
      await expectOAuthError(await redemption(code, { resource }), "invalid_target");
      expect((await redemption(code, { resource: RESOURCE })).status).toBe(200);
    },
  );
});

describe(verifies("code.short_lived", "the life of a code"), () => {
  it.each([
    [59, 200],
    [60, 400],
    [61, 400],
    [3600, 400],
  ])("OWASP ASVS 10.4.3: %d seconds old, it is answered %d", async (seconds, status) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const code = await freshCode();
    vi.setSystemTime(now + seconds * 1000);
    expect((await redemption(code)).status).toBe(status);
  });
});

describe(verifies("token.forged", "credentials that were made up or changed"), () => {
  it(
    "gateway: with the ids of a real grant and a wrong tag they are refused, wake nothing and end nothing",
    { timeout: 120_000 },
    async () => {
      const { clientId: owner, tokens } = await connect();
      const code = await freshCode();
      const before = [await objectIds(), await everythingStored()];
      for (let round = 0; round < 100; round += 1) {
        const forged = forge(round % 2 === 0 ? code : tokens.refresh_token, round);
        const kind = forged.startsWith("gac_")
          ? { grant_type: "authorization_code", code: forged, code_verifier: PKCE.verifier }
          : { grant_type: "refresh_token", refresh_token: forged };
        await expectOAuthError(await askToken({ client_id: owner, ...kind }), "invalid_grant");
        expect((await call(forge(tokens.access_token, round), ASK_ACCOUNT)).status).toBe(401);
      }
      expect([await objectIds(), await everythingStored()]).toEqual(before);
      expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
      expect((await refreshOf(tokens, owner)).status).toBe(200);
    },
  );

  it.each([
    "",
    "x",
    "gac_",
    "gac_x",
    `gac_${"A".repeat(124)}`,
    `gac_${"A".repeat(5000)}`,
    "gac_\u0000",
    "__proto__",
  ])("RFC 6749 §5.2: %j is no code", async (code) => {
    await expectOAuthError(await redemption(code), code === "" ? "invalid_request" : "invalid_grant");
  });

  it("OWASP ASVS 11.4: each credential has one spelling", async () => {
    const { tokens } = await connect();
    const token = tokens.access_token;
    for (const spelled of [
      `${token}=`,
      `${token}==`,
      token.toUpperCase(),
      token.replace("gat_", "GAT_"),
      ` ${token} `,
    ]) {
      const answer = await ask("/mcp", {
        method: "POST",
        headers: { authorization: `Bearer ${spelled.trim() === token ? `${token} x` : spelled}` },
        body: JSON.stringify(ASK_ACCOUNT),
      });
      expect(answer.status).toBe(401);
    }
  });
});

/** The credential with one character of its body changed. */
function forge(credential: string, seed: number): string {
  const at = 4 + ((seed * 37) % (credential.length - 4));
  return credential.slice(0, at) + (credential[at] === "A" ? "B" : "A") + credential.slice(at + 1);
}

describe(verifies("token.kinds", "token.answer", "what a token answer is, and what it is good for"), () => {
  it("RFC 6749 §5.1: exactly five members, no cache, nothing of Gong's", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const answer = await redemption(await freshCode());
    const body: Record<string, unknown> = await answer.json();
    expect(Object.keys(body).sort()).toEqual([
      "access_token",
      "expires_in",
      "refresh_token",
      "scope",
      "token_type",
    ]);
    expect(body).toMatchObject({
      access_token: expect.stringMatching(/^gat_[\w-]{124}$/) as string,
      refresh_token: expect.stringMatching(/^grt_[\w-]{124}$/) as string,
      token_type: "Bearer",
      expires_in: 3600,
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const issued = (await gong.ledger()).filter((entry) => entry.kind === "tokens_issued");
    expect(issued).toHaveLength(1);
    for (const { accessToken, refreshToken } of issued) {
      expect(JSON.stringify(body)).not.toContain(accessToken);
      expect(JSON.stringify(body)).not.toContain(refreshToken);
    }
  });

  it(
    "OWASP ASVS 9.2.2: code, access token and refresh token are each good in one place only",
    { timeout: 120_000 },
    async () => {
      const { clientId: owner, tokens } = await connect();
      const code = (await signIn(owner)).searchParams.get("code") ?? "";
      const credentials = { code, access: tokens.access_token, refresh: tokens.refresh_token };
      const values = Object.values(credentials).flatMap((value) =>
        ["gac_", "gat_", "grt_", "gak_"].map((prefix) => prefix + value.slice(4)),
      );
      for (const value of values.filter((each) => each !== credentials.code)) {
        const asCode = { grant_type: "authorization_code", code: value, code_verifier: PKCE.verifier };
        await expectOAuthError(await askToken({ client_id: owner, ...asCode }), "invalid_grant");
      }
      for (const value of values.filter((each) => each !== credentials.refresh)) {
        const asRefresh = { grant_type: "refresh_token", refresh_token: value };
        await expectOAuthError(await askToken({ client_id: owner, ...asRefresh }), "invalid_grant");
      }
      for (const value of values.filter((each) => each !== credentials.access)) {
        expect((await call(value, ASK_ACCOUNT)).status).toBe(401);
      }
      expect((await redemption(code, { client_id: owner })).status).toBe(200);
    },
  );
});
