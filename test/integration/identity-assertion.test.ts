// Enterprise-managed authorization: which identity assertions open whose connection, to whom, for what. Identity
// Assertion JWT Authorization Grant draft §3, §4 and §6, RFC 7523 §2.1 and §3, RFC 8725 §3.

import { base64url } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ASSERTION_TYPE,
  assertionOf,
  newSigner,
  nowSeconds,
  serveSigner,
  signRaw,
  signSymmetrically,
  type Signer,
} from "../support/assertions.ts";
import { clientSites } from "../support/client-site.ts";
import { everythingStored } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, call, connect, ORIGIN, RESOURCE, SHARED_RESOURCE } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import {
  GRACE_UID,
  IDENTITY_TYPE,
  identityAssertion,
  identityClaims,
  ISSUER,
  JWT_BEARER,
  presentIdentity,
  trustedIssuer,
} from "../support/identity.ts";
import { accessTokenOf, basic, MACHINE_ID, machineWithSecret, post } from "../support/machine.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const ADA_CANARY = "CANARY-ada-7f3a90";
const GRACE_CANARY = "CANARY-grace-c14e57";
const DECOY = "https://decoy.client.test/jwks.json";
const SCOPES = "mcp:ai-ask:read mcp:ai-briefer:read mcp:ai-assistant:read";

let signer: Signer;
let gateway: Ask;

/** A gateway that trusts this issuer, with the client it may vouch to and one that it may not. */
async function gatewayTrusting(
  issuer: Record<string, unknown> = {},
  settings: Record<string, string> = {},
): Promise<Ask> {
  return gatewayWith({
    TRUSTED_ISSUERS: JSON.stringify([trustedIssuer(signer, issuer)]),
    CLIENTS: JSON.stringify([
      await machineWithSecret({ grant_types: [JWT_BEARER] }),
      await machineWithSecret({ client_id: "unlisted", grant_types: [JWT_BEARER] }),
      await machineWithSecret({ client_id: "other-grant", grant_types: ["client_credentials"] }),
    ]),
    ...settings,
  });
}

beforeAll(async () => {
  await gong.reset();
  signer = await newSigner("ES256");
  gateway = await gatewayTrusting();
  // Ada and Grace have signed in once, each with a client of her own.
  await connect();
  await gong.signIn("grace");
  await connect();
});
beforeEach(() => clientSites.reset());
afterEach(() => vi.useRealTimers());

const opens = async (response: Response): Promise<string> =>
  (await call(await accessTokenOf(response), ASK_ACCOUNT)).text();

describe(verifies("identity.story", "a person's own access without a browser"), () => {
  it("draft §4: an assertion about Ada opens Ada's connection, for an hour and without a refresh token", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const response = await presentIdentity(gateway, await identityAssertion(signer));
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body: Record<string, unknown> = await response.json();
    expect(body).toEqual({
      access_token: expect.stringMatching(/^gat_/),
      token_type: "Bearer",
      expires_in: 3600,
      scope: SCOPES,
    });
    const answer = await (await call(String(body["access_token"]), ASK_ACCOUNT)).text();
    expect(answer).toContain(ADA_CANARY);
    expect(answer).not.toContain(GRACE_CANARY);
  });

  it("draft §4: one about Grace opens Grace's, through the same client", async () => {
    const claims = { gong_user_id: GRACE_UID, sub: "employee-1906" };
    const answer = await opens(await presentIdentity(gateway, await identityAssertion(signer, { claims })));
    expect(answer).toContain(GRACE_CANARY);
    expect(answer).not.toContain(ADA_CANARY);
  });

  it.each([
    ["no resource in the request", {}, { resource: "" }],
    ["a resource as a list", { resource: [RESOURCE] }, {}],
    ["the resource with a slash", { resource: `${RESOURCE}/` }, {}],
    ["a lifetime of fifteen minutes", { exp: nowSeconds() + 890 }, {}],
    ["claims that mean nothing here", { auth_time: 1, act: { sub: "x" }, email: "ada@example.com" }, {}],
  ])("draft §3: %s will do", async (_, claims, fields) => {
    const response = await presentIdentity(gateway, await identityAssertion(signer, { claims }), fields);
    expect(await opens(response)).toContain(ADA_CANARY);
  });

  it.each([
    ["the assertion's", { scope: "mcp:ai-ask:read openid" }, "", "mcp:ai-ask:read"],
    ["the request's", {}, "mcp:ai-briefer:read", "mcp:ai-briefer:read"],
    [
      "what both name",
      { scope: "mcp:ai-ask:read mcp:ai-briefer:read" },
      "mcp:ai-ask:read",
      "mcp:ai-ask:read",
    ],
  ])("draft §4: the scope is %s", async (_, claims, scope, granted) => {
    const response = await presentIdentity(gateway, await identityAssertion(signer, { claims }), { scope });
    expect(await response.json()).toMatchObject({ scope: granted });
  });

  it("CIMD draft §4.1, RFC 7523 §2.2: a client by its document, which signs and lists the grant type, gets it too", async () => {
    const clientId = await serveSigner({
      jwks: { keys: [signer.publicJwk] },
      grant_types: ["authorization_code", JWT_BEARER],
    });
    const trusting = await gatewayTrusting({ client_ids: [clientId] });

    const fields = {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertionOf(signer, clientId),
    };
    const assertion = await identityAssertion(signer, { claims: { client_id: clientId } });
    expect(await opens(await presentIdentity(trusting, assertion, fields, {}))).toContain(ADA_CANARY);
  });

  it("RFC 8414 §2, draft §6: metadata lists the grant type and its profile exactly where an issuer is trusted", async () => {
    const path = "/.well-known/oauth-authorization-server";
    expect(await (await gateway(path)).json()).toMatchObject({
      grant_types_supported: expect.arrayContaining(["client_credentials", JWT_BEARER]),
      authorization_grant_profiles_supported: ["urn:ietf:params:oauth:grant-profile:id-jag"],
    });
    const without = await (await ask(path)).json<Record<string, unknown>>();
    expect(without).not.toHaveProperty("authorization_grant_profiles_supported");
    expect(without["grant_types_supported"]).not.toContain(JWT_BEARER);
    const untrusting = await gatewayTrusting({}, { TRUSTED_ISSUERS: "" });
    await expectOAuthError(
      await presentIdentity(untrusting, await identityAssertion(signer)),
      "unsupported_grant_type",
    );
  });
});

const claims = (changes: Record<string, unknown>) => () => identityAssertion(signer, { claims: changes });
const header = (changes: Record<string, unknown>) => () => identityAssertion(signer, { header: changes });
const raw = (changes: Record<string, unknown>) => () =>
  signRaw(signer, { alg: "ES256", kid: "key-1", typ: IDENTITY_TYPE, ...changes }, identityClaims());

const BAD: ReadonlyArray<readonly [why: string, make: () => Promise<string> | string]> = [
  ["no type", header({ typ: undefined })],
  ["the type of any JWT", header({ typ: "JWT" })],
  ["the type of an access token", header({ typ: "at+jwt" })],
  ["an issuer that nobody trusts", claims({ iss: "https://sts.other-client.test" })],
  ["a slash after the issuer", claims({ iss: `${ISSUER}/` })],
  ["no issuer", claims({ iss: undefined })],
  ["no subject", claims({ sub: undefined })],
  ["no audience", claims({ aud: undefined })],
  ["another audience", claims({ aud: "https://other-server.test" })],
  ["our token endpoint as audience", claims({ aud: `${ORIGIN}/token` })],
  ["a list with our issuer as audience", claims({ aud: [ORIGIN] })],
  ["another client", claims({ client_id: "unlisted" })],
  ["no client", claims({ client_id: undefined })],
  ["no resource", claims({ resource: undefined })],
  ["an empty list of resources", claims({ resource: [] })],
  ["no id", claims({ jti: undefined })],
  ["an id of 257 characters", claims({ jti: "j".repeat(257) })],
  ["no expiry", claims({ exp: undefined })],
  ["an expiry a minute ago", () => identityAssertion(signer, { claims: { exp: nowSeconds() - 60 } })],
  ["an expiry in an hour", () => identityAssertion(signer, { claims: { exp: nowSeconds() + 3600 } })],
  ["no issue time", claims({ iat: undefined })],
  ["an issue time in a minute", () => identityAssertion(signer, { claims: { iat: nowSeconds() + 60 } })],
  ["an issue time an hour ago", () => identityAssertion(signer, { claims: { iat: nowSeconds() - 3600 } })],
  ["a start in a minute", () => identityAssertion(signer, { claims: { nbf: nowSeconds() + 60 } })],
  ["a scope that is a list", claims({ scope: ["mcp:ai-ask:read"] })],
  ["no claim that names the person", claims({ gong_user_id: undefined })],
  ["a person that is a number", claims({ gong_user_id: 4815162342 })],
  ["an unknown key id", header({ kid: "key-2" })],
  ["a jku header", raw({ jku: DECOY })],
  [
    "a jwk header",
    () => signRaw(signer, { alg: "ES256", typ: IDENTITY_TYPE, jwk: signer.publicJwk }, identityClaims()),
  ],
  ["a critical header", raw({ crit: ["x-critical"], "x-critical": 1 })],
  ["alg none, signed", raw({ alg: "none" })],
  [
    "alg none, unsigned",
    () =>
      `${base64url.encode(`{"alg":"none","typ":"${IDENTITY_TYPE}"}`)}.${base64url.encode(JSON.stringify(identityClaims()))}.`,
  ],
  [
    "alg HS256 with the public key as secret",
    () => signSymmetrically(JSON.stringify(signer.publicJwk), identityClaims()),
  ],
  ["the signature of another key", async () => identityAssertion(await newSigner("ES256"))],
  ["two tokens in one", async () => `${await identityAssertion(signer)}.${await identityAssertion(signer)}`],
  ["8193 characters", claims({ filler: "x".repeat(8_000) })],
  ["text that is no JWT", () => "nothing"],
];

describe(verifies("identity.claims", "an identity assertion that says something else"), () => {
  it.each(BAD)(
    "draft §3, §4, RFC 8725 §3: with %s it is invalid_grant, and spends nothing",
    async (_, make) => {
      const before = await everythingStored();
      const description = await expectOAuthError(
        await presentIdentity(gateway, await make()),
        "invalid_grant",
      );
      expect(description).toBe(
        "Get a new identity assertion for this client and this gateway from your company's issuer.",
      );
      expect(await everythingStored()).toBe(before);
      expect(await clientSites.asked()).toEqual([]);
    },
  );

  it.each([
    ["a foreign resource", { resource: "https://other-server.test/mcp" }, {}, "invalid_target"],
    ["shared access", { resource: SHARED_RESOURCE }, { resource: "" }, "invalid_target"],
    ["another resource in the request", {}, { resource: SHARED_RESOURCE }, "invalid_target"],
    ["two resources", { resource: [RESOURCE, SHARED_RESOURCE] }, {}, "invalid_target"],
    ["only scopes of others", { scope: "openid email" }, {}, "invalid_scope"],
    ["a request for more than it allows", { scope: "mcp:ai-ask:read" }, { scope: SCOPES }, "invalid_scope"],
  ] as const)("draft §4, RFC 8707 §2: with %s it opens nothing", async (_, changes, fields, error) => {
    const before = await everythingStored();
    const assertion = await identityAssertion(signer, { claims: changes });
    await expectOAuthError(await presentIdentity(gateway, assertion, fields), error);
    expect(await everythingStored()).toBe(before);
  });

  it("draft §4, RFC 8725 §3.8: of two trusted issuers, neither's key signs for the other", async () => {
    const neighbour = await newSigner("ES256");
    const named = "https://sts.neighbour-client.test";
    const issuers = [trustedIssuer(signer), trustedIssuer(neighbour, { issuer: named })];
    const trusting = await gatewayTrusting({}, { TRUSTED_ISSUERS: JSON.stringify(issuers) });
    const present = async (by: Signer, iss: string) =>
      presentIdentity(trusting, await identityAssertion(by, { claims: { iss } }));
    const before = await everythingStored();
    await expectOAuthError(await present(signer, named), "invalid_grant");
    await expectOAuthError(await present(neighbour, ISSUER), "invalid_grant");
    expect(await everythingStored()).toBe(before);
    expect((await present(neighbour, named)).status).toBe(200);
    expect((await present(signer, ISSUER)).status).toBe(200);
  });

  it("RFC 6749 §5.2: without an assertion the request is invalid", async () => {
    await expectOAuthError(await presentIdentity(gateway, ""), "invalid_request");
  });
});

describe(verifies("identity.client", "who may present one"), () => {
  it("draft §4: a client that does not prove who it is gets nothing for another's assertion", async () => {
    const assertion = await identityAssertion(signer);
    const wrong = basic(MACHINE_ID, "wrong");
    await expectOAuthError(await presentIdentity(gateway, assertion, {}, wrong), "invalid_client", 401);
    const nothing = { client_id: MACHINE_ID };
    await expectOAuthError(await presentIdentity(gateway, assertion, nothing, {}), "invalid_client", 401);
  });

  it("draft §4: another client can't use it, and neither can one that its issuer may not vouch to", async () => {
    const forMachine = await identityAssertion(signer);
    await expectOAuthError(
      await presentIdentity(gateway, forMachine, {}, basic("unlisted")),
      "invalid_grant",
    );
    const forUnlisted = await identityAssertion(signer, { claims: { client_id: "unlisted" } });
    await expectOAuthError(
      await presentIdentity(gateway, forUnlisted, {}, basic("unlisted")),
      "invalid_grant",
    );
    expect((await presentIdentity(gateway, forMachine)).status).toBe(200);
  });

  it("RFC 7591 §2: a client that is not registered for the grant type can't", async () => {
    const assertion = await identityAssertion(signer, { claims: { client_id: "other-grant" } });
    const response = await presentIdentity(gateway, assertion, {}, basic("other-grant"));
    await expectOAuthError(response, "unauthorized_client");
  });

  it("draft §4: a client that may also come without a proof must not leave it out", async () => {
    const clientId = await serveSigner({
      token_endpoint_auth_method: undefined,
      token_endpoint_auth_methods_supported: ["private_key_jwt", "none"],
      jwks: { keys: [signer.publicJwk] },
      grant_types: ["authorization_code", JWT_BEARER],
    });
    const trusting = await gatewayTrusting({ client_ids: [clientId] });
    const assertion = await identityAssertion(signer, { claims: { client_id: clientId } });
    const response = await post(trusting, { grant_type: JWT_BEARER, assertion, client_id: clientId });
    await expectOAuthError(response, "unauthorized_client");
  });
});
