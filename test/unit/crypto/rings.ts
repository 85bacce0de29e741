// Key rings for the tests of crypto/ and of what is built on it. The secrets are fixed, so that a failure repeats.

import { createKeyring, type Keyring, type Purpose } from "../../../src/crypto/keyring.ts";

export const PURPOSES = [
  "gong-tokens",
  "authorization-request",
  "transaction",
  "mcp-session",
  "paid-result",
  "connection-identity",
  "credential-tag",
] as const satisfies readonly Purpose[];

/** Purposes whose keys seal; the key of `credential-tag` only signs. */
export const SEALING_PURPOSES = PURPOSES.filter((purpose) => purpose !== "credential-tag");

/** A ring with these kids, the first of which seals. A kid has the same secret in every ring. */
export function ringOf(...kids: readonly string[]): Keyring {
  return createKeyring(kids.map((kid) => ({ kid, secret: secretOf(kid) })));
}

/** Thirty-two bytes that differ for each kid. */
export function secretOf(kid: string): Uint8Array<ArrayBuffer> {
  const seed = new TextEncoder().encode(kid).reduce((sum, byte) => sum * 31 + byte, 7);
  return Uint8Array.from({ length: 32 }, (_, at) => (seed * (at + 3) + at * 59) % 251);
}

/** `bytes` with one bit changed. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const flipped = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}
