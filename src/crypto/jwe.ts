// JWE (RFC 7516) in the one form that the gateway uses: direct encryption with A256GCM (RFC 7518 §4.5 and §5.3), on
// WebCrypto. There is one header for a key, compared as a whole, so no value says how it wants to be opened (RFC 8725 §3.1).
// Called by seal.ts and holder-seal.ts; the tests have jose make and open the same values.

import { decodeBase64Url, encodeBase64Url, randomBytes, type Bytes } from "./encoding.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The encoded protected header (RFC 7516 §4.1), with `kid` where the key has one. */
export function headerFor(kid: string | undefined): string {
  const header = { alg: "dir", enc: "A256GCM", ...(kid === undefined ? {} : { kid }) };
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(header)));
}

/** Encrypts as RFC 7516 §5.1 says, with an IV of its own. Returns header, IV, ciphertext and tag, encoded. */
export async function encrypt(
  key: CryptoKey,
  header: string,
  plaintext: string,
  additional?: Uint8Array,
): Promise<readonly [header: string, iv: string, ciphertext: string, tag: string]> {
  const iv = randomBytes(IV_BYTES);
  const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(header, additional) };
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(plaintext)),
  );
  const end = sealed.byteLength - TAG_BYTES;
  return [
    header,
    encodeBase64Url(iv),
    encodeBase64Url(sealed.subarray(0, end)),
    encodeBase64Url(sealed.subarray(end)),
  ];
}

/**
 * Decrypts as RFC 7516 §5.2 says. Undefined for a key, header, additional data or bytes that are not those of `encrypt`, for
 * an IV or a tag of another length, and for a second spelling of the same bytes (RFC 4648 §3.5).
 */
export async function decrypt(
  key: CryptoKey,
  [header = "", ...encoded]: readonly string[],
  additional?: Uint8Array,
): Promise<string | undefined> {
  const [iv, ciphertext, tag, ...more] = encoded.map(decoded);
  if (iv?.byteLength !== IV_BYTES || ciphertext === undefined || tag?.byteLength !== TAG_BYTES)
    return undefined;
  if (more.length > 0) return undefined;
  const sealed = new Uint8Array(ciphertext.byteLength + TAG_BYTES);
  sealed.set(ciphertext);
  sealed.set(tag, ciphertext.byteLength);
  const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(header, additional) };
  try {
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, sealed));
  } catch (error) {
    // Not authentic.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function decoded(part: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(part) || part.length % 4 === 1) return undefined;
  const bytes = decodeBase64Url(part);
  return encodeBase64Url(bytes) === part ? bytes : undefined;
}

/** RFC 7516 §5.1, step 14. */
function additionalData(header: string, additional: Uint8Array | undefined): Uint8Array {
  return new TextEncoder().encode(
    additional === undefined ? header : `${header}.${encodeBase64Url(additional)}`,
  );
}
