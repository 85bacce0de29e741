// Identity assertions over time: whose connection they lead to, that each gives one token, that what a person ended
// stays ended, and where the issuer's keys come from. RFC 7523 §3, RFC 7517 §4.5.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { namedConnectionId } from "../../src/storage/connection-names.ts";
import { openGateway } from "../../src/domain/gateway.ts";
import { verifies } from "../conformance/verifies.ts";
import { ACCESS_HEADER, newAccessTeam } from "../support/access.ts";
import { newSigner, type Signer } from "../support/assertions.ts";
import { clientSites } from "../support/client-site.ts";
import { connectionAt, type Connection } from "../support/connection.ts";
import { rowsOf } from "../support/evidence.ts";
import {
  agreeAtGong,
  approve,
  ASK_ACCOUNT,
  authorizationQuery,
  call,
  CLIENT_REDIRECT,
  connect,
  PKCE,
  register,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import {
  ADA_UID,
  GRACE_UID,
  identityAssertion,
  JWT_BEARER,
  presentIdentity,
  trustedIssuer,
} from "../support/identity.ts";
import { accessTokenOf, basic, MACHINE_ID, machineWithSecret, post } from "../support/machine.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const ADA_CANARY = "CANARY-ada-7f3a90";
const NO_CONNECTION =
  "This person has no connection to Gong here. They sign in once in a browser at https://gateway.test/account.";

let signer: Signer;
let gateway: Ask;

async function gatewayTrusting(
  issuer: Record<string, unknown> = {},
  settings: Record<string, string> = {},
): Promise<Ask> {
  return gatewayWith({
    TRUSTED_ISSUERS: JSON.stringify([trustedIssuer(signer, issuer)]),
    CLIENTS: JSON.stringify([
      await machineWithSecret({
        grant_types: ["authorization_code", "refresh_token", JWT_BEARER],
        redirect_uris: [CLIENT_REDIRECT],
      }),
    ]),
    ...settings,
  });
}

beforeAll(async () => {
  signer = await newSigner("ES256");
  gateway = await gatewayTrusting();
});
beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The connection named after a Gong user. */
async function connectionOf(uid: string): Promise<Connection> {
  const opened = openGateway(env, createExecutionContext());
  return connectionAt(await namedConnectionId(opened, opened.config.integrations[0], uid));
}

const grants = async (): Promise<readonly Record<string, SqlStorageValue>[]> =>
  (await rowsOf("CONNECTIONS", "grants")).filter((row) => row["grant_type"] === JWT_BEARER);

const opens = async (response: Response): Promise<string> =>
  (await call(await accessTokenOf(response), ASK_ACCOUNT)).text();

describe(verifies("identity.person", "whose connection it is"), () => {
  it("gateway: nobody's before the person has signed in; then the same assertion opens theirs", async () => {
    const assertion = await identityAssertion(signer);
    const refusal = await presentIdentity(gateway, assertion);
    expect(await expectOAuthError(refusal, "invalid_grant")).toBe(NO_CONNECTION);
    expect(await rowsOf("CONNECTIONS", "connection")).toEqual([]);
    await connect();
    expect(await opens(await presentIdentity(gateway, assertion))).toContain(ADA_CANARY);
  });

  it("gateway: never the connection of somebody with a similar name", async () => {
    for (const name of [`${ADA_UID} `, ADA_UID.slice(0, -1), `0${ADA_UID}`, GRACE_UID]) {
      const assertion = await identityAssertion(signer, { claims: { gong_user_id: name } });
      await expectOAuthError(await presentIdentity(gateway, assertion), "invalid_grant");
    }
  });

  it("gateway: one that was disconnected is none", async () => {
    const ada = await connectionOf(ADA_UID);
    await ada.disconnect("ended_by_person");
    const refusal = await presentIdentity(gateway, await identityAssertion(signer));
    expect(await expectOAuthError(refusal, "invalid_grant")).toBe(NO_CONNECTION);
    await connect();
    expect(await opens(await presentIdentity(gateway, await identityAssertion(signer)))).toContain(
      ADA_CANARY,
    );
  });

  it("gateway: however many assertions, one grant for a client", async () => {
    const tokens = await Promise.all(
      Array.from({ length: 12 }, async () =>
        accessTokenOf(await presentIdentity(gateway, await identityAssertion(signer))),
      ),
    );
    expect(new Set(tokens).size).toBe(12);
    expect((await grants()).filter((row) => row["revoked_at"] === null)).toHaveLength(1);
  });
});

describe(verifies("identity.person", "a person known by e-mail through Cloudflare Access"), () => {
  const BY_EMAIL = { gong_user_claim: undefined, email_claim: "email", email_domains: ["example.com"] };

  async function connectedThroughAccess(email: string): Promise<Ask> {
    const team = await newAccessTeam(email);
    const trusting = await gatewayTrusting(BY_EMAIL, team.settings);
    const token = await team.token(email);
    const browser = new TestBrowser((path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set(ACCESS_HEADER, token);
      return trusting(path, { ...init, headers });
    });
    const { client_id: clientId } = await register();
    await browser.open(await agreeAtGong(await approve(browser, authorizationQuery(clientId))));
    return trusting;
  }

  it("gateway: the address that Access saw leads to the connection, in any letter case", async () => {
    const trusting = await connectedThroughAccess("ada@example.com");
    const present = async (changes: Record<string, unknown>) =>
      presentIdentity(
        trusting,
        await identityAssertion(signer, { claims: { gong_user_id: undefined, ...changes } }),
      );
    expect(await opens(await present({ email: "Ada@Example.com", email_verified: true }))).toContain(
      ADA_CANARY,
    );
    expect(await opens(await present({ email: "ada@example.com" }))).toContain(ADA_CANARY);
    for (const changes of [
      { email: "grace@example.com" },
      { email: "ada@example.com", email_verified: false },
      { email: "ada@example.com", email_verified: "true" },
      { email: "ada@example.com.evil.test" },
      { email: "ada@other.test" },
      { email: "ada" },
      { email: "ada@evil.test@example.com" },
      { email: "ada@EXAMPLE.COM\u212a" },
      { email: "ada @example.com" },
      { sub: "ada@example.com" },
    ]) {
      await expectOAuthError(await present(changes), "invalid_grant");
    }
  });
});

describe(verifies("identity.single_use", "an assertion presented more than once"), () => {
  beforeEach(() => connect());

  it("RFC 7523 §3: of 20 at once exactly one gets a token", async () => {
    const assertion = await identityAssertion(signer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => presentIdentity(gateway, assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 200);
    for (const answer of refused) await expectOAuthError(answer, "invalid_grant");
  });

  it("RFC 7523 §3: the second use is refused for as long as the assertion could be used", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const assertion = await identityAssertion(signer);
    expect((await presentIdentity(gateway, assertion)).status).toBe(200);
    for (const seconds of [1, 299, 329]) {
      vi.setSystemTime(start + seconds * 1000);
      await expectOAuthError(await presentIdentity(gateway, assertion), "invalid_grant");
    }
  });

  it("RFC 7523 §3: another assertion with the same jti is the same use, but not one about another person", async () => {
    const jti = crypto.randomUUID();
    expect(
      (await presentIdentity(gateway, await identityAssertion(signer, { claims: { jti } }))).status,
    ).toBe(200);
    const again = await identityAssertion(signer, { claims: { jti, scope: "mcp:ai-ask:read" } });
    await expectOAuthError(await presentIdentity(gateway, again), "invalid_grant");
    const other = await identityAssertion(signer, { claims: { jti, sub: "employee-1906" } });
    expect((await presentIdentity(gateway, other)).status).toBe(200);
  });

  it("gateway: one that was refused for what the request asks is not spent", async () => {
    const assertion = await identityAssertion(signer, { claims: { scope: "mcp:ai-ask:read" } });
    const wider = await presentIdentity(gateway, assertion, { scope: "mcp:ai-briefer:read" });
    await expectOAuthError(wider, "invalid_scope");
    expect((await presentIdentity(gateway, assertion)).status).toBe(200);
  });
});

describe(verifies("identity.ended", "a client that its person ended"), () => {
  it("gateway: an end is for good, ends the token, and only the person lets the client in again", async () => {
    await connect();
    const token = await accessTokenOf(await presentIdentity(gateway, await identityAssertion(signer)));
    const ada = await connectionOf(ADA_UID);
    const live = (await ada.describe())?.grants.find(({ clientId }) => clientId === MACHINE_ID);
    expect(await ada.endGrant(live?.id ?? "", "ended_by_person")).toBe(true);
    expect((await call(token, ASK_ACCOUNT)).status).toBe(401);
    const refusal = await presentIdentity(gateway, await identityAssertion(signer));
    expect(await expectOAuthError(refusal, "invalid_grant")).toContain("access was ended");

    // Ada approves the same client in a browser.
    const browser = new TestBrowser(gateway);
    const callback = await signIn(MACHINE_ID, {}, browser);
    const fields = {
      grant_type: "authorization_code",
      code: callback.searchParams.get("code") ?? "",
      code_verifier: PKCE.verifier,
    };
    expect((await post(gateway, fields, basic())).status).toBe(200);
    expect(await opens(await presentIdentity(gateway, await identityAssertion(signer)))).toContain(
      ADA_CANARY,
    );
  });

  it("gateway: in a race of an assertion and an end, no token works afterwards", async () => {
    await connect();
    const ada = await connectionOf(ADA_UID);
    for (let round = 0; round < 10; round += 1) {
      const clientId = `racer-${round}`;
      const racing = gatewayWith({
        TRUSTED_ISSUERS: JSON.stringify([trustedIssuer(signer, { client_ids: [clientId] })]),
        CLIENTS: JSON.stringify([
          await machineWithSecret({ client_id: clientId, grant_types: [JWT_BEARER] }),
        ]),
      });
      const assertion = async () => identityAssertion(signer, { claims: { client_id: clientId } });
      expect((await presentIdentity(racing, await assertion(), {}, basic(clientId))).status).toBe(200);
      const live = (await ada.describe())?.grants.find((grant) => grant.clientId === clientId);
      const [answer] = await Promise.all([
        presentIdentity(racing, await assertion(), {}, basic(clientId)),
        ada.endGrant(live?.id ?? "", "ended_by_person"),
      ]);
      const status =
        answer.status === 200 ? (await call(await accessTokenOf(answer), ASK_ACCOUNT)).status : answer.status;
      expect([400, 401]).toContain(status);
    }
  });
});

describe(verifies("identity.keys", "an issuer's keys at a URL"), () => {
  const keysAt = async (
    keys: readonly unknown[],
  ): Promise<{ readonly uri: string; readonly trusting: Ask }> => {
    const uri = `https://sts.keys-${crypto.randomUUID().slice(0, 8)}-client.test/keys`;
    await clientSites.serve(uri, { keys });
    return { uri, trusting: await gatewayTrusting({ jwks: undefined, jwks_uri: uri }) };
  };
  beforeEach(() => connect());

  it("RFC 7517 §4.5: are fetched when they are needed, kept, and looked for again for a new key", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const { uri, trusting } = await keysAt([signer.publicJwk]);
    expect((await presentIdentity(trusting, await identityAssertion(signer))).status).toBe(200);
    expect((await presentIdentity(trusting, await identityAssertion(signer))).status).toBe(200);
    expect(await clientSites.asked(uri)).toHaveLength(1);
    const next = await newSigner("ES256", "key-2");
    await clientSites.serve(uri, { keys: [next.publicJwk] });
    vi.setSystemTime(start + 31_000);
    expect((await presentIdentity(trusting, await identityAssertion(next))).status).toBe(200);
    expect(await clientSites.asked(uri)).toHaveLength(2);
  });

  it("RFC 6749 §5.2: keys out of reach are a 503 and spend nothing", async () => {
    const { uri, trusting } = await keysAt([signer.publicJwk]);
    await clientSites.answer(uri, { status: 503 });
    const assertion = await identityAssertion(signer);
    await expectOAuthError(await presentIdentity(trusting, assertion), "temporarily_unavailable", 503);
    await clientSites.serve(uri, { keys: [signer.publicJwk] });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    expect((await presentIdentity(trusting, assertion)).status).toBe(200);
  });

  it("RFC 6749 §5.2: keys that come a byte at a time are a 503 after seconds and spend nothing", async () => {
    const { uri, trusting } = await keysAt([]);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ keys: [signer.publicJwk] });
    await clientSites.answer(uri, { headers, body, byteMs: 400 });
    const assertion = await identityAssertion(signer);
    await expectOAuthError(await presentIdentity(trusting, assertion), "temporarily_unavailable", 503);
    await clientSites.answer(uri, { headers, body });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    expect((await presentIdentity(trusting, assertion)).status).toBe(200);
  }, 120_000);

  it.each([
    [32_768, 200],
    [32_769, 503],
  ])("RFC 7517 §5: a key set of %i bytes is answered %i: none is read without end", async (bytes, status) => {
    const { uri, trusting } = await keysAt([]);
    const body = JSON.stringify({ keys: [signer.publicJwk] }).padEnd(bytes);
    await clientSites.answer(uri, { headers: { "content-type": "application/json" }, body });
    expect((await presentIdentity(trusting, await identityAssertion(signer))).status).toBe(status);
  });

  it("gateway: are not fetched for an assertion that is refused for what it says", async () => {
    const { uri, trusting } = await keysAt([signer.publicJwk]);
    const assertion = await identityAssertion(signer, { claims: { aud: "https://other.test" } });
    await expectOAuthError(await presentIdentity(trusting, assertion), "invalid_grant");
    expect(await clientSites.asked(uri)).toEqual([]);
  });
});
