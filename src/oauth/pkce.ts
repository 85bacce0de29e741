// Proof Key for Code Exchange, S256 only. Called by authorization-request.ts, token-request.ts and domain.
// RFC 7636 §4.1, §4.2, §4.6.
import { sha256Base64url } from "./digest.ts";

const CODE_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const CODE_VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/** Whether `text` has the form of an S256 challenge: 43 base64url characters, no padding (RFC 7636 §4.2). */
export function isCodeChallenge(text: string): boolean {
  return CODE_CHALLENGE.test(text);
}

/** Whether `text` has the form of a verifier: 43 to 128 unreserved characters (RFC 7636 §4.1). */
export function isCodeVerifier(text: string): boolean {
  return CODE_VERIFIER.test(text);
}

/** The S256 challenge of a verifier: BASE64URL(SHA256(ASCII(verifier))) (RFC 7636 §4.2, §4.6). */
export function codeChallengeOf(verifier: string): Promise<string> {
  return sha256Base64url(verifier);
}
