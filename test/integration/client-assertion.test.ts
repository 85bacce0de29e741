// private_key_jwt at the token and revocation endpoints: which assertions prove a client. RFC 7523 §3, RFC 7521 §4.2,
// RFC 8725 §3.

import { base64url } from "jose";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  assertionOf,
  expectProven,
  expectUnproven,
  goodClaims,
  newSigner,
  nowSeconds,
  present,
  serveSigner,
  signRaw,
  signSymmetrically,
  signText,
  type Algorithm,
  type Signer,
} from "../support/assertions.ts";
import { clientSites } from "../support/client-site.ts";
import { ask, ORIGIN } from "../support/flow.ts";
import { expectOAuthError } from "../support/refusals.ts";

const DECOY = "https://decoy.client.test/jwks.json";

let signer: Signer;
let clientId: string;

beforeAll(async () => {
  signer = await newSigner("ES256");
});

beforeEach(async () => {
  await clientSites.reset();
  clientId = await serveSigner({ jwks: { keys: [signer.publicJwk] } });
});

type Bad = () => Promise<string> | string;

const claims =
  (changes: Record<string, unknown>): Bad =>
  () =>
    assertionOf(signer, clientId, { claims: changes });
const header =
  (changes: Record<string, unknown>): Bad =>
  () =>
    assertionOf(signer, clientId, { header: changes });
const raw =
  (changes: Record<string, unknown>): Bad =>
  () =>
    signRaw(signer, { alg: "ES256", kid: "key-1", ...changes }, goodClaims(clientId));
const altered =
  (alter: (jwt: string) => string): Bad =>
  async () =>
    alter(await assertionOf(signer, clientId));

/** The last character of base64url that decodes to the same bytes with other spare bits. */
function respelt(jwt: string): string {
  const last = jwt.at(-1) ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return jwt.slice(0, -1) + (alphabet[alphabet.indexOf(last) + 1] ?? "");
}

const BAD: ReadonlyArray<readonly [why: string, make: Bad]> = [
  ["no issuer", claims({ iss: undefined })],
  ["another issuer", claims({ iss: "https://other.client.test/c" })],
  ["no subject", claims({ sub: undefined })],
  ["another subject", claims({ sub: "https://other.client.test/c" })],
  ["a subject that is a list", () => assertionOf(signer, clientId, { claims: { sub: [clientId] } })],
  ["no audience", claims({ aud: undefined })],
  ["another audience", claims({ aud: "https://other-server.test" })],
  ["a list with our issuer as audience", claims({ aud: [ORIGIN] })],
  ["two audiences", claims({ aud: [ORIGIN, "https://other-server.test"] })],
  ["a slash after our issuer", claims({ aud: `${ORIGIN}/` })],
  ["the token endpoint with two slashes", claims({ aud: `${ORIGIN}//token` })],
  ["our issuer in upper case", claims({ aud: ORIGIN.toUpperCase() })],
  ["our MCP endpoint as audience", claims({ aud: `${ORIGIN}/mcp` })],
  ["no expiry", claims({ exp: undefined })],
  ["an expiry that is text", claims({ exp: "9999999999" })],
  ["an expiry a minute ago", () => assertionOf(signer, clientId, { claims: { exp: nowSeconds() - 60 } })],
  ["an expiry in ten minutes", () => assertionOf(signer, clientId, { claims: { exp: nowSeconds() + 600 } })],
  ["an expiry next year", () => assertionOf(signer, clientId, { claims: { exp: nowSeconds() + 3e7 } })],
  ["a start in a minute", () => assertionOf(signer, clientId, { claims: { nbf: nowSeconds() + 60 } })],
  ["an issue time in a minute", () => assertionOf(signer, clientId, { claims: { iat: nowSeconds() + 60 } })],
  [
    "an issue time ten minutes ago",
    () => assertionOf(signer, clientId, { claims: { iat: nowSeconds() - 600 } }),
  ],
  ["an issue time that is text", claims({ iat: "now" })],
  ["no id", claims({ jti: undefined })],
  ["an empty id", claims({ jti: "" })],
  ["an id that is a number", claims({ jti: 7 })],
  ["an id of 257 characters", claims({ jti: "j".repeat(257) })],
  ["an unknown key id", header({ kid: "key-2" })],
  ["a key id that is a path", header({ kid: "../../key-1" })],
  ["a key id that is a number", raw({ kid: 1 })],
  ["the type of an access token", header({ typ: "at+jwt" })],
  ["the type of an ID-JAG", header({ typ: "oauth-id-jag+jwt" })],
  ["a jku header", raw({ jku: DECOY })],
  ["an x5u header", raw({ x5u: DECOY })],
  ["an x5c header", raw({ x5c: ["AAAA"] })],
  ["a jwk header", () => signRaw(signer, { alg: "ES256", jwk: signer.publicJwk }, goodClaims(clientId))],
  ["a critical header", raw({ crit: ["x-critical"], "x-critical": 1 })],
  [
    "alg none, unsigned",
    () => `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify(goodClaims(clientId)))}.`,
  ],
  ["alg none, signed", raw({ alg: "none" })],
  [
    "alg HS256 with the public key as secret",
    () => signSymmetrically(JSON.stringify(signer.publicJwk), goodClaims(clientId)),
  ],
  ["alg ES384", raw({ alg: "ES384" })],
  ["alg RS256 over an ECDSA signature", raw({ alg: "RS256" })],
  ["no alg", () => signRaw(signer, { kid: "key-1" }, goodClaims(clientId))],
  ["the signature of another key", async () => assertionOf(await newSigner("ES256"), clientId)],
  ["a changed signature", altered((jwt) => jwt.slice(0, -8) + "AAAAAAAA")],
  ["another spelling of the same signature", altered(respelt)],
  ["padding", altered((jwt) => `${jwt}==`)],
  ["an empty signature", altered((jwt) => jwt.slice(0, jwt.lastIndexOf(".") + 1))],
  ["no signature", altered((jwt) => jwt.slice(0, jwt.lastIndexOf(".")))],
  ["a fourth part", altered((jwt) => `${jwt}.AAAA`)],
  ["five parts", altered((jwt) => `${jwt}.AAAA.AAAA`)],
  ["claims that are text", () => signText(signer, '"claims"')],
  ["claims that are not JSON", () => signText(signer, "claims")],
  [
    "a repeated claim",
    () => signText(signer, JSON.stringify(goodClaims(clientId)).replace("{", `{"aud":"x",`)),
  ],
  ["more than 4096 characters", claims({ filler: "x".repeat(4_096) })],
  ["nothing but dots", () => ".."],
  ["text", () => "assertion"],
];

describe(verifies("client_assertion.claims", "assertions that prove nothing"), () => {
  it.each(BAD)("RFC 7523 §3: %s", async (_why, make) => {
    await expectUnproven(await present(await make()));
    await expectProven(await present(await assertionOf(signer, clientId)));
    expect(await clientSites.asked(DECOY)).toEqual([]);
  });

  it.each([
    [
      "another assertion type",
      { client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" },
    ],
    ["no assertion type", { client_assertion_type: "" }],
    ["no assertion", { client_assertion: "" }],
    ["another client_id in the form", { client_id: "https://other.client.test/c" }],
  ])("RFC 7521 §4.2: %s", async (_what, changes) => {
    await expectUnproven(await present(await assertionOf(signer, clientId), changes));
    await expectProven(await present(await assertionOf(signer, clientId), { client_id: clientId }));
  });

  it("RFC 6749 §2.3: an assertion beside a secret is two methods", async () => {
    const assertion = await assertionOf(signer, clientId);
    await expectOAuthError(await present(assertion, { client_secret: "s" }), "invalid_request");
    await expectProven(await present(assertion));
  });

  it("draft §4.1: a client that only signs is not believed without a signature", async () => {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: "grt_x",
      client_id: clientId,
    });
    await expectUnproven(await ask("/token", { method: "POST", body }));
  });

  it("draft §4.1: a client that never signs is not believed with one", async () => {
    const open = await serveSigner({
      token_endpoint_auth_method: "none",
      jwks: { keys: [signer.publicJwk] },
    });
    await expectUnproven(await present(await assertionOf(signer, open)));
  });
});

describe(verifies("client_assertion.claims", "assertions that prove a client"), () => {
  it.each<Algorithm>(["RS256", "PS256", "ES256", "EdDSA"])("RFC 7518 §3.1: signed with %s", async (alg) => {
    const own = await newSigner(alg);
    const url = await serveSigner({ jwks: { keys: [own.publicJwk] } });
    await expectProven(await present(await assertionOf(own, url)));
  });

  it("RFC 7523 §3: for the issuer, or for the token endpoint", async () => {
    for (const aud of [ORIGIN, `${ORIGIN}/token`]) {
      await expectProven(await present(await assertionOf(signer, clientId, { claims: { aud } })));
    }
  });

  it("RFC 7515 §5.1: written by hand, as the bad ones above are", async () => {
    await expectProven(await present(await raw({})()));
  });

  it("RFC 7009 §2.1: at the revocation endpoint, too", async () => {
    const response = await present(await assertionOf(signer, clientId), {}, "/revoke");
    expect(response.status).toBe(200);
    await expectUnproven(await present("assertion", {}, "/revoke"));
  });

  it.each([
    ["the type JWT", { typ: "JWT" }],
    ["the type of rfc7523bis", { typ: "client-authentication+jwt" }],
    ["a certificate thumbprint", { x5t: "AAAA" }],
    ["no key id, with one key", { kid: undefined }],
  ])("RFC 7515 §4.1: with %s", async (_what, changes) => {
    await expectProven(await present(await assertionOf(signer, clientId, { header: changes })));
  });

  it("RFC 7519 §4.1: with clocks that are 20 seconds apart, and five minutes of life", async () => {
    const now = nowSeconds();
    for (const times of [
      { iat: now + 20, nbf: now + 20, exp: now + 320 },
      { iat: now - 300, exp: now - 20 },
      { iat: undefined, exp: now + 300.5 },
    ]) {
      await expectProven(await present(await assertionOf(signer, clientId, { claims: times })));
    }
  });

  it("SEP-3149: a client that lists both methods is believed with and without a signature", async () => {
    const both = await serveSigner({
      token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
      jwks: { keys: [signer.publicJwk] },
    });
    await expectProven(await present(await assertionOf(signer, both)));
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: "grt_x",
      client_id: both,
    });
    await expectProven(await ask("/token", { method: "POST", body }));
  });

  it("OpenID Registration §2: a client that names its algorithm is held to it", async () => {
    const rsa = await newSigner("RS256");
    const url = await serveSigner({
      jwks: { keys: [rsa.publicJwk] },
      token_endpoint_auth_signing_alg: "RS256",
    });
    await expectProven(await present(await assertionOf(rsa, url)));
    await expectUnproven(
      await present(await assertionOf({ ...(await newSigner("PS256")), publicJwk: rsa.publicJwk }, url)),
    );
  });
});
