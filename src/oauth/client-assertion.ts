// The claims of a client assertion, checked before anything is fetched, verified or stored. Called by
// domain/verify-assertion; the signature is crypto/'s part. RFC 7521 §4.2, RFC 7523 §3, RFC 8725 §3.
import type { AssertionAlgorithm } from "./client-keys.ts";
import { invalidClient } from "./invalid-client.ts";
import { assertInForce, isShortText, readSignedJwt } from "./signed-jwt.ts";

/** RFC 7523 §2.2. */
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST_ASSERTION = 4_096;
const LONGEST_LIFE_SECONDS = 300;

// A JWT for another purpose has another type (RFC 8725 §3.11).
const TYPES = new Set(["jwt", "client-authentication+jwt"]);

/** What an assertion says; nothing of it is proven before its signature is. */
export interface ClientAssertion {
  readonly jwt: string;
  readonly clientId: string;
  readonly algorithm: AssertionAlgorithm;
  /** Which of its keys the client signed with, when it says so. */
  readonly keyId: string | undefined;
  /** `jti`: good for one use. */
  readonly tokenId: string;
  /** Epoch seconds until which the assertion could be presented again. */
  readonly usableUntil: number;
}

const refuse = (reason: string) => invalidClient(`assertion_${reason}`);

/**
 * Reads a client assertion. Throws `invalid_client` unless it is a compact JWS of at most 4096 characters, canonically
 * encoded, without repeated members and without headers about other keys; issued and signed by the same client id for
 * one of `audiences`, named as one string; at most five minutes from its end, with 30 seconds of grace for clocks; and
 * with a `jti` (RFC 7523 §3). `now` is in epoch seconds.
 */
export function readClientAssertion(
  jwt: string,
  { audiences, now }: { readonly audiences: readonly string[]; readonly now: number },
): ClientAssertion {
  const { claims, ...signedWith } = readSignedJwt(jwt, { longest: LONGEST_ASSERTION, isType }, refuse);
  const { iss, sub, aud, jti, ...times } = claims;
  if (typeof sub !== "string" || sub === "" || iss !== sub) throw refuse("issuer");
  // rfc7523bis §4: a list of audiences would let one server use the assertion at another.
  if (typeof aud !== "string" || !audiences.includes(aud)) throw refuse("audience");
  if (!isShortText(jti)) throw refuse("id");
  const usableUntil = assertInForce(times, { now, longestLife: LONGEST_LIFE_SECONDS }, refuse);
  return { jwt, clientId: sub, ...signedWith, tokenId: jti, usableUntil };
}

function isType(type: unknown): boolean {
  return type === undefined || (typeof type === "string" && TYPES.has(type.toLowerCase()));
}
