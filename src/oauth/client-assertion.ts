// The claims of a client assertion, checked before anything is fetched, verified or stored. Called by
// domain/verify-assertion; the signature is crypto/'s part. RFC 7521 §4.2, RFC 7523 §3, RFC 8725 §3, RFC 7515 §4.1.
import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "../json.ts";
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm } from "./client-keys.ts";
import { decodeBase64url } from "./digest.ts";
import { invalidClient } from "./invalid-client.ts";

/** RFC 7523 §2.2. */
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST_ASSERTION = 4_096;
const LONGEST_ID = 256;
const LONGEST_LIFE_SECONDS = 300;
/** How far the client's clock may be from ours. */
const CLOCK_SKEW_SECONDS = 30;

// RFC 7515 §4.1: headers that bring or point to another key, and ones that change what a signature means.
const FORBIDDEN_HEADERS = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"];

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

/**
 * Reads a client assertion. Throws `invalid_client` unless it is a compact JWS of at most 4096 characters, canonically
 * encoded, without repeated members and without headers about other keys; issued and signed by the same client id for one of
 * `audiences`, named as one string; at most five minutes from its end, with 30 seconds of grace for clocks; and with a
 * `jti` (RFC 7523 §3). `now` is in epoch seconds.
 */
export function readClientAssertion(
  jwt: string,
  { audiences, now }: { readonly audiences: readonly string[]; readonly now: number },
): ClientAssertion {
  if (jwt.length > LONGEST_ASSERTION) throw invalidClient("assertion_too_long");
  const [header, claims, signature, ...more] = jwt.split(".");
  const isSigned = signature !== undefined && signature !== "" && decodeBase64url(signature) !== undefined;
  if (!isSigned || more.length > 0) throw invalidClient("assertion_malformed");
  const { algorithm, keyId } = readHeader(decodePart(header));
  const { iss, sub, aud, jti, ...times } = decodePart(claims);
  if (typeof sub !== "string" || sub === "" || iss !== sub) throw invalidClient("assertion_issuer");
  // rfc7523bis §4: a list of audiences would let one server use the assertion at another.
  if (typeof aud !== "string" || !audiences.includes(aud)) throw invalidClient("assertion_audience");
  if (typeof jti !== "string" || jti === "" || jti.length > LONGEST_ID) throw invalidClient("assertion_id");
  return { jwt, clientId: sub, algorithm, keyId, tokenId: jti, usableUntil: readTimes(times, now) };
}

function decodePart(part: string | undefined): JsonObject {
  const bytes = decodeBase64url(part ?? "");
  if (bytes === undefined) throw invalidClient("assertion_malformed");
  try {
    const value = parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (isJsonObject(value)) return value;
  } catch (error) {
    // TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    if (!(error instanceof JsonRefused || error instanceof TypeError)) throw error;
  }
  throw invalidClient("assertion_malformed");
}

function readHeader(header: JsonObject): Pick<ClientAssertion, "algorithm" | "keyId"> {
  const { alg, kid, typ } = header;
  const algorithm = ASSERTION_ALGORITHMS.find((supported) => supported === alg);
  if (algorithm === undefined) throw invalidClient("assertion_algorithm");
  if (FORBIDDEN_HEADERS.some((name) => Object.hasOwn(header, name))) throw invalidClient("assertion_header");
  if (typ !== undefined && !(typeof typ === "string" && TYPES.has(typ.toLowerCase()))) {
    throw invalidClient("assertion_type");
  }
  if (kid !== undefined && (typeof kid !== "string" || kid.length > LONGEST_ID)) {
    throw invalidClient("assertion_key_id");
  }
  return { algorithm, keyId: kid };
}

/** Returns until when the assertion could be presented. RFC 7523 §3, items 4 to 6. */
function readTimes({ exp, nbf, iat }: JsonObject, now: number): number {
  if (!isTime(exp) || exp <= now - CLOCK_SKEW_SECONDS) throw invalidClient("assertion_expired");
  if (exp > now + LONGEST_LIFE_SECONDS + CLOCK_SKEW_SECONDS) throw invalidClient("assertion_lives_too_long");
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (!isTime(start) || start > now + CLOCK_SKEW_SECONDS) throw invalidClient("assertion_not_yet");
  }
  if (isTime(iat) && iat < now - LONGEST_LIFE_SECONDS - CLOCK_SKEW_SECONDS) {
    throw invalidClient("assertion_too_old");
  }
  return Math.ceil(exp) + CLOCK_SKEW_SECONDS;
}

/** RFC 7519 §2, NumericDate: seconds, possibly with a fraction. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
