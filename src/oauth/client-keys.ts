// The public keys of a client that signs assertions: which are taken, and in what form they are kept. Called by
// client-document.ts, preregistered-clients.ts and domain/document-clients. RFC 7517 §5, RFC 7518 §6, RFC 8037 §2.
import { isJsonObject, type JsonObject } from "../json.ts";
import { decodeBase64url } from "./digest.ts";

/** JWS algorithms a client may sign with (RFC 7518 §3.1, RFC 8037 §3.1); the list our metadata publishes. */
export const ASSERTION_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;

export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number];

/** One public key, with nothing but these members. */
export type ClientKey = { readonly kid?: string; readonly alg?: AssertionAlgorithm } & (
  | { readonly kty: "RSA"; readonly n: string; readonly e: string }
  | { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string }
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string }
);

/** Where a client's keys are: in its registration, or in a document of their own that is read when they are needed. */
export type ClientKeys =
  | { readonly kind: "inline"; readonly keys: readonly ClientKey[] }
  | { readonly kind: "uri"; readonly uri: string };

const MOST_KEYS = 20;
const LONGEST_KID = 256;
const LEAST_RSA_BITS = 2_048;
const MOST_RSA_BITS = 4_096;
const COORDINATE_BYTES = 32;

// RFC 7518 §6.2.2, §6.3.2 and §6.4.1: the members of private and symmetric keys.
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * The usable keys of a JWK Set. Keys of other types, sizes (RSA of 2048 to 4096 bits, P-256,
 * Ed25519) or uses are passed over, as RFC 7517 §5 says. Undefined, for the whole set, when
 * it is not a set of 1 to 20 keys, when none is usable, or when one key has private or
 * symmetric parts: whoever published those has no secret left to prove anything with.
 */
export function parseClientKeys(value: unknown): readonly ClientKey[] | undefined {
  const keys = isJsonObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) return undefined;
  if (!keys.every((key: unknown) => isJsonObject(key) && isPublic(key))) return undefined;
  const usable = keys.map((key: JsonObject) => parseKey(key)).filter((key) => key !== undefined);
  return usable.length === 0 ? undefined : usable;
}

function isPublic(key: JsonObject): boolean {
  return key["kty"] !== "oct" && !SECRET_MEMBERS.some((member) => Object.hasOwn(key, member));
}

function parseKey(key: JsonObject): ClientKey | undefined {
  const { kid, alg, use, key_ops: operations } = key;
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return undefined;
  if (kid !== undefined && (typeof kid !== "string" || kid.length > LONGEST_KID)) return undefined;
  const known = ASSERTION_ALGORITHMS.find((algorithm) => algorithm === alg);
  if (alg !== undefined && known === undefined) return undefined;
  const named = { ...(kid === undefined ? {} : { kid }), ...(known === undefined ? {} : { alg: known }) };
  return parseMaterial(key, named);
}

function parseMaterial(
  { kty, crv, n, e, x, y }: JsonObject,
  named: Pick<ClientKey, "kid" | "alg">,
): ClientKey | undefined {
  // RFC 7518 §6.3.1.2. Every other exponent is either dangerous or a mistake.
  if (kty === "RSA" && typeof n === "string" && e === "AQAB") {
    const bits = bitLength(n);
    return bits >= LEAST_RSA_BITS && bits <= MOST_RSA_BITS ? { ...named, kty, n, e } : undefined;
  }
  if (kty === "EC" && crv === "P-256" && isCoordinate(x) && isCoordinate(y)) {
    return { ...named, kty, crv, x, y };
  }
  if (kty === "OKP" && crv === "Ed25519" && isCoordinate(x)) return { ...named, kty, crv, x };
  return undefined;
}

function bitLength(base64url: string): number {
  // Six bits to a character: what is longer is not worth decoding.
  const bytes = base64url.length > Math.ceil(MOST_RSA_BITS / 6) ? undefined : decodeBase64url(base64url);
  const first = bytes?.[0] ?? 0;
  // RFC 7518 §2: Base64urlUInt has no leading zero octets.
  return bytes === undefined || first === 0 ? 0 : (bytes.length - 1) * 8 + (32 - Math.clz32(first));
}

function isCoordinate(value: unknown): value is string {
  return (
    typeof value === "string" && value.length < 64 && decodeBase64url(value)?.length === COORDINATE_BYTES
  );
}
