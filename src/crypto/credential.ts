// The gateway's own credentials: codes, access tokens, refresh tokens, agent keys, device codes, upstream state and its
// cookie.
// Each is a prefix and 93 bytes: version, tag key, connection, grant, generation, expiry, secret, tag. The tag is an
// HMAC over everything before it and the resource, so a made-up, expired or foreign credential is refused in the
// Worker, before any object is woken. Stored only as SHA-256.

import { decodeBase64Url, encodeBase64Url, randomBytes, sha256, type Bytes } from "./encoding.ts";
import type { Keyring } from "./keyring.ts";

/**
 * RFC 6749 §1.3.1, §1.4, §1.5; `agent_key` is ours; `device` is the device code of RFC 8628 §3.2; `state` is what we
 * send to Gong (§4.1.1), `binding` the cookie that ties it to a browser, `account` the cookie of a person's account
 * session, `admin` that of an admin's.
 */
export type CredentialKind =
  | "code"
  | "access"
  | "refresh"
  | "agent_key"
  | "device"
  | "state"
  | "binding"
  | "account"
  | "admin";

/** The prefixes let secret scanners find leaks. */
const PREFIX: Record<CredentialKind, string> = {
  code: "gac_",
  access: "gat_",
  refresh: "grt_",
  agent_key: "gak_",
  device: "gdc_",
  state: "gst_",
  binding: "gbc_",
  account: "gas_",
  admin: "gad_",
};

export interface CredentialClaims {
  /** Twenty-two base64url characters: the object that decides about it. */
  readonly connectionId: string;
  readonly grantId: string;
  readonly generation: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
  /** RFC 8707: the one resource it is good for. */
  readonly resource: string;
}

export interface MintedCredential {
  /** The credential itself, for its holder only. */
  readonly value: string;
  /** What is stored. */
  readonly hash: string;
}

/** Which of the two kinds that make calls a bearer credential says it is. Proves nothing: the tag does. */
export function callerKind(value: string): "access" | "agent_key" {
  return value.startsWith(PREFIX.agent_key) ? "agent_key" : "access";
}

const VERSION = 1;
const ID_LENGTH = 16;
const SECRET_LENGTH = 32;
const TAG_LENGTH = 16;
const TAGGED_LENGTH = 1 + 4 + 2 * ID_LENGTH + 4 + 4 + SECRET_LENGTH;
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;
// 93 bytes are exactly 124 characters: no padding bits, so each credential has one spelling.
const BODY = /^[A-Za-z0-9_-]{124}$/;

/** A random id of 128 bits for a connection, grant or transaction. */
export const randomId = (): string => encodeBase64Url(randomBytes(ID_LENGTH));

/** Whether `text` has the form of an id. */
export const isId = (text: string): boolean => ID.test(text);

/** Mints a credential with 256 random bits. */
export async function mintCredential(
  keyring: Keyring,
  kind: CredentialKind,
  claims: CredentialClaims,
): Promise<MintedCredential> {
  const bytes = new Uint8Array(TAGGED_LENGTH + TAG_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint32(1, await kidNumber(keyring.sealingKid));
  bytes.set(decodeBase64Url(claims.connectionId), 5);
  bytes.set(decodeBase64Url(claims.grantId), 5 + ID_LENGTH);
  view.setUint32(5 + 2 * ID_LENGTH, claims.generation);
  view.setUint32(9 + 2 * ID_LENGTH, claims.expiresAt);
  bytes.set(randomBytes(SECRET_LENGTH), 13 + 2 * ID_LENGTH);
  const key = await keyring.key("credential-tag", keyring.sealingKid);
  if (key === undefined) throw new Error("The key ring has no sealing key");
  bytes.set(await tag(key, kind, claims.resource, bytes.subarray(0, TAGGED_LENGTH)), TAGGED_LENGTH);
  const value = PREFIX[kind] + encodeBase64Url(bytes);
  return { value, hash: await sha256(value) };
}

/**
 * Reads a credential of `kind` that is good for one of `resources` and not expired at `now` (epoch seconds). Returns
 * undefined for everything else: other kinds, unknown keys, wrong tags, foreign resources.
 */
export async function readCredential(
  keyring: Keyring,
  kind: CredentialKind,
  value: string,
  resources: readonly string[],
  now: number,
): Promise<(CredentialClaims & { readonly hash: string }) | undefined> {
  const body = value.slice(PREFIX[kind].length);
  if (!value.startsWith(PREFIX[kind]) || !BODY.test(body)) return undefined;
  const bytes = decodeBase64Url(body);
  const view = new DataView(bytes.buffer);
  if (view.getUint8(0) !== VERSION) return undefined;
  const expiresAt = view.getUint32(9 + 2 * ID_LENGTH);
  if (expiresAt <= now) return undefined;
  const key = await tagKey(keyring, view.getUint32(1));
  if (key === undefined) return undefined;
  for (const resource of resources) {
    const expected = await tag(key, kind, resource, bytes.subarray(0, TAGGED_LENGTH));
    if (!crypto.subtle.timingSafeEqual(expected, bytes.subarray(TAGGED_LENGTH))) continue;
    return {
      connectionId: encodeBase64Url(bytes.subarray(5, 5 + ID_LENGTH)),
      grantId: encodeBase64Url(bytes.subarray(5 + ID_LENGTH, 5 + 2 * ID_LENGTH)),
      generation: view.getUint32(5 + 2 * ID_LENGTH),
      expiresAt,
      resource,
      hash: await sha256(value),
    };
  }
  return undefined;
}

async function tag(key: CryptoKey, kind: CredentialKind, resource: string, bytes: Bytes): Promise<Bytes> {
  const place = new TextEncoder().encode(`${kind}\n${resource}\n`);
  const message = new Uint8Array(place.length + bytes.length);
  message.set(place);
  message.set(bytes, place.length);
  const mac = await crypto.subtle.sign("HMAC", key, message);
  return new Uint8Array(mac, 0, TAG_LENGTH);
}

async function tagKey(keyring: Keyring, number: number): Promise<CryptoKey | undefined> {
  for (const kid of keyring.kids) {
    if ((await kidNumber(kid)) === number) return keyring.key("credential-tag", kid);
  }
  return undefined;
}

const kidNumbers = new Map<string, number>();

/** The kid as four bytes of its SHA-256, so that a credential names its key without saying the kid. */
async function kidNumber(kid: string): Promise<number> {
  const known = kidNumbers.get(kid);
  if (known !== undefined) return known;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(kid));
  const number = new DataView(digest).getUint32(0);
  kidNumbers.set(kid, number);
  return number;
}
