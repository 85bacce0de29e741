// Sealing at rest: JWE (RFC 7516) with direct encryption and A256GCM, through jose. The additional data binds a
// sealed value to its place, so a value moved to another row, field, object or deployment does not open.

import { errors, flattenedDecrypt, FlattenedEncrypt } from "jose";
import { encodeBase64Url } from "./encoding.ts";
import type { Keyring, Purpose } from "./keyring.ts";

/** Where a sealed value lives. Every part is authenticated; none is stored with it. */
export interface SealContext {
  readonly purpose: Purpose;
  /** The deployment: its public URL. */
  readonly environment: string;
  /** The id of the object that keeps it. */
  readonly object: string;
  readonly field: string;
  /** Grows with every write of the field, so that an older value does not pass for a newer one. */
  readonly generation: number;
}

/** A value that can't be opened: another key, another place, or changed bytes. The record must be left as it is. */
export class Unsealable extends Error {
  /** The kid it was sealed with, when that key is missing from the ring. */
  readonly missingKid: string | undefined;

  constructor(missingKid: string | undefined, cause?: unknown) {
    super(missingKid === undefined ? "Sealed value does not open" : "Sealing key is missing", { cause });
    this.name = "Unsealable";
    this.missingKid = missingKid;
  }
}

const ALG = "dir";
const ENC = "A256GCM";

/** Seals `plaintext` for `context` with the ring's first key. The result is `protected.iv.ciphertext.tag`. */
export async function seal(keyring: Keyring, context: SealContext, plaintext: string): Promise<string> {
  const kid = keyring.sealingKid;
  const key = await keyring.key(context.purpose, kid);
  if (key === undefined) throw new Unsealable(kid);
  const jwe = await new FlattenedEncrypt(new TextEncoder().encode(plaintext))
    .setProtectedHeader({ alg: ALG, enc: ENC, kid })
    .setAdditionalAuthenticatedData(additionalData(context))
    .encrypt(key);
  return [jwe.protected, jwe.iv, jwe.ciphertext, jwe.tag].join(".");
}

/** Opens what `seal` made for the same context. Throws Unsealable; a value is never partly opened. */
export async function open(keyring: Keyring, context: SealContext, sealed: string): Promise<string> {
  const kid = sealedWith(sealed);
  const key = kid === undefined ? undefined : await keyring.key(context.purpose, kid);
  if (key === undefined) throw new Unsealable(kid);
  const [header = "", iv = "", ciphertext = "", tag = ""] = sealed.split(".");
  if (![iv, ciphertext, tag].every(isCanonical)) throw new Unsealable(undefined);
  try {
    const { plaintext } = await flattenedDecrypt(
      { protected: header, iv, ciphertext, tag, aad: encodeBase64Url(additionalData(context)) },
      key,
      { keyManagementAlgorithms: [ALG], contentEncryptionAlgorithms: [ENC], maxDecompressedLength: 0 },
    );
    return new TextDecoder().decode(plaintext);
  } catch (cause) {
    if (cause instanceof errors.JOSEError || cause instanceof TypeError)
      throw new Unsealable(undefined, cause);
    throw cause;
  }
}

/** The kid a value was sealed with, or undefined when it is not a sealed value at all. */
export function sealedWith(sealed: string): string | undefined {
  const parts = sealed.split(".");
  if (parts.length !== 4) return undefined;
  return parts[0] === undefined ? undefined : kidOf(parts[0]);
}

function kidOf(protectedHeader: string): string | undefined {
  try {
    const header: unknown = JSON.parse(atob(protectedHeader.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof header !== "object" || header === null || !("kid" in header)) return undefined;
    return typeof header.kid === "string" ? header.kid : undefined;
  } catch {
    // Not base64url or not JSON: not something we sealed.
    return undefined;
  }
}

/** RFC 4648 §3.5: padding bits must be zero, so that a sealed value has one spelling. */
function isCanonical(part: string): boolean {
  const left = part.length % 4;
  if (left === 2) return /[AQgw]$/.test(part);
  return left === 3 ? /[AEIMQUYcgkosw048]$/.test(part) : left === 0;
}

function additionalData(context: SealContext): Uint8Array {
  const { purpose, environment, object, field, generation } = context;
  return new TextEncoder().encode(JSON.stringify([1, purpose, environment, object, field, generation]));
}
