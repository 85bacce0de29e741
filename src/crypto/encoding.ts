// base64url (RFC 4648 §5), random bytes, SHA-256 and comparison: what the rest of crypto/ builds on, and domain/ uses
// for secrets that are neither sealed nor credentials.

import { base64url } from "jose";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Encodes without padding. */
export const encodeBase64Url = (bytes: Uint8Array): string => base64url.encode(bytes);

/** Decodes; the caller has already checked the alphabet and the length. */
export const decodeBase64Url = (text: string): Bytes => Uint8Array.from(base64url.decode(text));

/** `length` bytes from the CSPRNG. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** SHA-256 of the UTF-8 text, in base64url: the form in which credentials are stored. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encodeBase64Url(new Uint8Array(digest));
}

/** Compares two texts without leaking where they differ; texts of different length are different. */
export function constantTimeEqual(one: string, other: string): boolean {
  const encoder = new TextEncoder();
  const a = encoder.encode(one);
  const b = encoder.encode(other);
  return a.byteLength === b.byteLength && crypto.subtle.timingSafeEqual(a, b);
}
