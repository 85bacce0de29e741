// The token that Cloudflare Access puts on a request: its signature and its claims. Called by domain/access-identity
// with the team's published keys. RFC 7519 §4.1, RFC 8725 §3; Cloudflare Access, Validate JWTs.

import { createLocalJWKSet, errors, jwtVerify, type JWK, type JWTPayload } from "jose";

/** Why a token is refused. */
export type AccessRefusal =
  /** None of the keys fits: the team may have new ones. */
  | "no_such_key"
  | "malformed"
  | "algorithm"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "not_yet"
  | "type"
  | "no_email";

/** The person, or why nobody is named. */
export type AccessVerdict = { readonly email: string } | AccessRefusal;

export interface AccessExpectations {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Epoch seconds. */
  readonly now: number;
}

/** Cloudflare signs with nothing else. */
const ALGORITHM = "RS256";
const LONGEST_TOKEN = 16_384;
const LONGEST_EMAIL = 320;
/** How far Cloudflare's clock may be from ours. */
const CLOCK_SKEW_SECONDS = 30;

/**
 * Says who `token` names: signed with RS256 by one of `keys`, issued by the team for one of our audiences, in force now
 * with 30 seconds of grace, an application token, and one with an e-mail address. A service token names no person and
 * is refused. RFC 8725 §3.1, §3.8, §3.9, §3.11.
 */
export async function verifyAccessToken(
  token: string,
  keys: readonly JWK[],
  expected: AccessExpectations,
): Promise<AccessVerdict> {
  if (token.length > LONGEST_TOKEN) return "malformed";
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys] }), {
      algorithms: [ALGORITHM],
      issuer: expected.issuer,
      audience: [...expected.audiences],
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(expected.now * 1000),
    });
    return readPerson(payload, protectedHeader.typ);
  } catch (error) {
    return refusalOf(error);
  }
}

function readPerson(payload: JWTPayload, headerType: string | undefined): AccessVerdict {
  const isApplication = payload["type"] === "app";
  const isJwt = headerType === undefined || headerType.toLowerCase() === "jwt";
  if (!isApplication || !isJwt) return "type";
  const { email } = payload;
  const isEmail =
    typeof email === "string" && email.length <= LONGEST_EMAIL && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);
  if (!isEmail) return "no_email";
  return { email };
}

const REASON_OF_CLAIM: Readonly<Record<string, AccessRefusal>> = {
  iss: "issuer",
  aud: "audience",
  exp: "expired",
  nbf: "not_yet",
  iat: "not_yet",
};

function refusalOf(error: unknown): AccessRefusal {
  if (error instanceof errors.JWKSNoMatchingKey) return "no_such_key";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    const known = Object.hasOwn(REASON_OF_CLAIM, claim) ? REASON_OF_CLAIM[claim] : undefined;
    return known ?? "malformed";
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  // jose's other errors, and WebCrypto's DOMException for a key that it can't import.
  if (error instanceof errors.JOSEError || error instanceof DOMException) {
    return "malformed";
  }
  throw error;
}
