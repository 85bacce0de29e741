// The signature of a client assertion, verified with the client's published keys. Called by domain/verify-assertion
// after the claims were read and the keys were bounded. RFC 7523 §3 item 9, RFC 7515 §5.2, RFC 8725 §3.1.

import { compactVerify, createLocalJWKSet, errors, type JWK } from "jose";

export type AssertionVerdict = "verified" | "no_such_key" | "not_verified";

/**
 * Says whether `jwt`, a compact JWS, is signed with `algorithm` by the one key of `keys` that fits: by the header's
 * `kid` when it has one, else by type. Never tries keys in turn: none or several that fit are `no_such_key`.
 */
export async function verifyAssertion(
  jwt: string,
  algorithm: string,
  keys: readonly JWK[],
): Promise<AssertionVerdict> {
  try {
    await compactVerify(jwt, createLocalJWKSet({ keys: [...keys] }), { algorithms: [algorithm] });
    return "verified";
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
      return "no_such_key";
    }
    // jose's own errors, and WebCrypto's DOMException for a public key that is not a point on its curve.
    if (error instanceof errors.JOSEError || error instanceof DOMException) return "not_verified";
    throw error;
  }
}
