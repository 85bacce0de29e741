// A signed JWT, read before its signature is verified: its form, the header that says what it is, and its times. Called
// by client-assertion.ts and identity-assertion.ts. RFC 7515 §4.1 and §7.1, RFC 7519 §4.1, RFC 8725 §3.
import type { OAuthError } from "../errors.ts";
import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "../json.ts";
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm } from "./client-keys.ts";
import { decodeBase64url } from "./digest.ts";

/** Characters of an id in a header or a claim. */
export const LONGEST_ID = 256;

/** How far another clock may be from ours. */
const CLOCK_SKEW_SECONDS = 30;

// RFC 7515 §4.1: headers that bring or point to another key, and ones that change what a signature means.
const FORBIDDEN_HEADERS = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/** What a JWT says; nothing of it is proven before its signature is. */
export interface UnprovenJwt {
  readonly algorithm: AssertionAlgorithm;
  /** Which of its keys the issuer signed with, when it says so. */
  readonly keyId: string | undefined;
  readonly claims: JsonObject;
}

/** Makes the refusal in the words of the caller's channel, from a reason for the log. */
export type Refuse = (reason: string) => OAuthError;

/**
 * Reads a compact JWS of at most `longest` characters, canonically encoded, without repeated members, signed with one
 * of our algorithms, without headers about other keys, and of a type that `isType` takes (RFC 8725 §3.11).
 */
export function readSignedJwt(
  jwt: string,
  { longest, isType }: { readonly longest: number; readonly isType: (type: unknown) => boolean },
  refuse: Refuse,
): UnprovenJwt {
  if (jwt.length > longest) throw refuse("too_long");
  const [header, claims, signature, ...more] = jwt.split(".");
  const isSigned = signature !== undefined && signature !== "" && decodeBase64url(signature) !== undefined;
  if (!isSigned || more.length > 0) throw refuse("malformed");
  return { ...readHeader(decodePart(header, refuse), isType, refuse), claims: decodePart(claims, refuse) };
}

/**
 * Checks `exp`, `nbf` and `iat` (RFC 7523 §3, items 4 to 6) with 30 seconds of grace for clocks: in force at `now`, and
 * for at most `longestLife` seconds. Returns until when it could be presented, in epoch seconds.
 */
export function assertInForce(
  { exp, nbf, iat }: JsonObject,
  { now, longestLife }: { readonly now: number; readonly longestLife: number },
  refuse: Refuse,
): number {
  if (!isTime(exp) || exp <= now - CLOCK_SKEW_SECONDS) throw refuse("expired");
  if (exp > now + longestLife + CLOCK_SKEW_SECONDS) throw refuse("lives_too_long");
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (!isTime(start) || start > now + CLOCK_SKEW_SECONDS) throw refuse("not_yet");
  }
  if (isTime(iat) && iat < now - longestLife - CLOCK_SKEW_SECONDS) throw refuse("too_old");
  return Math.ceil(exp) + CLOCK_SKEW_SECONDS;
}

/** Whether a claim is text with something in it, of at most 256 characters. */
export function isShortText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= LONGEST_ID;
}

function decodePart(part: string | undefined, refuse: Refuse): JsonObject {
  const bytes = decodeBase64url(part ?? "");
  if (bytes === undefined) throw refuse("malformed");
  try {
    const value = parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (isJsonObject(value)) return value;
  } catch (error) {
    // TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    if (!(error instanceof JsonRefused || error instanceof TypeError)) throw error;
  }
  throw refuse("malformed");
}

function readHeader(
  header: JsonObject,
  isType: (type: unknown) => boolean,
  refuse: Refuse,
): Omit<UnprovenJwt, "claims"> {
  const { alg, kid, typ } = header;
  const algorithm = ASSERTION_ALGORITHMS.find((supported) => supported === alg);
  if (algorithm === undefined) throw refuse("algorithm");
  if (FORBIDDEN_HEADERS.some((name) => Object.hasOwn(header, name))) throw refuse("header");
  if (!isType(typ)) throw refuse("type");
  if (kid !== undefined && (typeof kid !== "string" || kid.length > LONGEST_ID)) throw refuse("key_id");
  return { algorithm, keyId: kid };
}

/** RFC 7519 §2, NumericDate: seconds, possibly with a fraction. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
