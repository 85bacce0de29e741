// A company's issuer that vouches for its people to clients: its setting, and identity assertions, good ones and ones
// with exactly one thing different. Identity Assertion JWT Authorization Grant draft §3.

import { nowSeconds, signText, type AssertionParts, type Signer } from "./assertions.ts";
import { ORIGIN, RESOURCE } from "./flow.ts";
import { MACHINE_ID, basic, post } from "./machine.ts";
import type { Ask } from "./settings.ts";

export const ISSUER = "https://sts.company-client.test";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const IDENTITY_TYPE = "oauth-id-jag+jwt";

/** The Gong user ids of the stand-in's people. */
export const ADA_UID = "4815162342000000001";
export const GRACE_UID = "4815162342000000002";

/** An entry of TRUSTED_ISSUERS, with changes. */
export const trustedIssuer = (
  signer: Signer,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  issuer: ISSUER,
  jwks: { keys: [signer.publicJwk] },
  client_ids: [MACHINE_ID],
  gong_user_claim: "gong_user_id",
  ...changes,
});

/** The claims of a good assertion about Ada to `MACHINE_ID`, with changes. */
export function identityClaims(changes: AssertionParts["claims"] = {}): Record<string, unknown> {
  const now = nowSeconds();
  return {
    iss: ISSUER,
    sub: "employee-1815",
    aud: ORIGIN,
    client_id: MACHINE_ID,
    resource: RESOURCE,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 300,
    gong_user_id: ADA_UID,
    ...changes,
  };
}

/** An identity assertion, good but for what `parts` change. */
export function identityAssertion(signer: Signer, parts: AssertionParts = {}): Promise<string> {
  const header = { alg: signer.alg, kid: signer.publicJwk.kid, typ: IDENTITY_TYPE, ...parts.header };
  return signText(signer, JSON.stringify(identityClaims(parts.claims)), header);
}

/** Presents an assertion as `MACHINE_ID`, which proves itself by its secret. An empty value leaves a field out. */
export const presentIdentity = (
  gateway: Ask,
  assertion: string,
  changes: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = basic(),
): Promise<Response> =>
  post(gateway, { grant_type: JWT_BEARER, assertion, resource: RESOURCE, ...changes }, headers);
