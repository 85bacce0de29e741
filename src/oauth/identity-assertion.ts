// What an identity assertion says (an ID-JAG: a company's issuer vouches for one person to one client at one
// authorization server), checked before anything is fetched, verified or stored. Called by domain/identity-assertion;
// the signature is crypto/'s part. Identity Assertion JWT Authorization Grant draft §3 and §4, RFC 7523 §2.1 and §3,
// RFC 8725 §3.11.
import { OAuthError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { AssertionAlgorithm } from "./client-keys.ts";
import { assertInForce, isShortText, readSignedJwt } from "./signed-jwt.ts";

/** The value of `authorization_grant_profiles_supported` (draft §6). */
export const IDENTITY_ASSERTION_PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag";

const TYPE = "oauth-id-jag+jwt";
const LONGEST_ASSERTION = 8_192;
const LONGEST_LIFE_SECONDS = 900;
const LONGEST_SCOPE = 2_048;

/** Nothing of it is proven before its signature is. */
export interface IdentityAssertion {
  readonly jwt: string;
  readonly algorithm: AssertionAlgorithm;
  readonly keyId: string | undefined;
  readonly issuer: string;
  /** The person, as the issuer names them. */
  readonly subject: string;
  /** Whom the issuer gave it to, by the client id here. */
  readonly clientId: string;
  /** RFC 8707: one or more spellings of what it is for. */
  readonly resources: readonly string[];
  /** Undefined when the issuer sets no bounds. */
  readonly scope: string | undefined;
  /** `jti`: good for one use. */
  readonly tokenId: string;
  /** Epoch seconds until which it could be presented again. */
  readonly usableUntil: number;
  readonly claims: JsonObject;
}

/** One sentence for every reason, so that a stranger learns nothing from it. `reason` is for logs. */
export function refusedAssertion(reason: string): OAuthError {
  return new OAuthError(
    "invalid_grant",
    "Get a new identity assertion for this client and this gateway from your company's issuer.",
    { reason: `identity_assertion_${reason}` },
  );
}

/**
 * Reads an identity assertion. Throws `invalid_grant` unless it is a signed JWT of the type `oauth-id-jag+jwt` and at
 * most 8192 characters, for `audience` alone, with `iss`, `sub`, `client_id`, `resource`, `jti`, `iat` and `exp`, at
 * most fifteen minutes from its end. `now` is in epoch seconds.
 */
export function readIdentityAssertion(
  jwt: string,
  { audience, now }: { readonly audience: string; readonly now: number },
): IdentityAssertion {
  const form = { longest: LONGEST_ASSERTION, isType: (type: unknown) => type === TYPE };
  const { claims, ...signedWith } = readSignedJwt(jwt, form, refusedAssertion);
  const { iss, sub, aud, client_id: clientId, jti, scope, ...rest } = claims;
  if (!isShortText(iss)) throw refusedAssertion("issuer");
  if (!isShortText(sub)) throw refusedAssertion("subject");
  // A list of audiences would let one server use the assertion at another.
  if (aud !== audience) throw refusedAssertion("audience");
  if (typeof clientId !== "string" || clientId === "") throw refusedAssertion("client");
  if (!isShortText(jti)) throw refusedAssertion("id");
  if (scope !== undefined && (typeof scope !== "string" || scope.length > LONGEST_SCOPE)) {
    throw refusedAssertion("scope");
  }
  if (rest["iat"] === undefined) throw refusedAssertion("issued_at");
  const usableUntil = assertInForce(rest, { now, longestLife: LONGEST_LIFE_SECONDS }, refusedAssertion);
  const resources = readResources(rest["resource"]);
  const named = { issuer: iss, subject: sub, clientId, resources, scope };
  return { jwt, ...signedWith, ...named, tokenId: jti, usableUntil, claims };
}

/** Draft §3: one resource, or a list. */
function readResources(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const resources = values.filter((each) => isShortText(each));
  if (resources.length === 0 || resources.length !== values.length) throw refusedAssertion("resource");
  return resources;
}
