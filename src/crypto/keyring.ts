// The key ring: from the secrets in SEALING_KEYS, one key per purpose by HKDF (RFC 5869), never extractable. The
// first secret seals and tags, all of them open and verify; the kid selects exactly one, so nothing is tried in turn.

import type { Bytes } from "./encoding.ts";

/** What a key may be used for. Something sealed for one purpose opens for no other. */
export type Purpose =
  | "gong-tokens"
  | "authorization-request"
  | "transaction"
  | "mcp-session"
  | "paid-result"
  | "call-content"
  | "connection-identity"
  | "person"
  | "key-sweep"
  | "credential-tag";

interface RingSecret {
  readonly kid: string;
  readonly secret: Bytes;
}

export interface Keyring {
  /** The kid that seals now. */
  readonly sealingKid: string;
  readonly kids: readonly string[];
  /** The key of `kid` for `purpose`, or undefined when the ring has no such kid. */
  key(purpose: Purpose, kid: string): Promise<CryptoKey | undefined>;
}

/** Builds a ring. `secrets` has at least one entry and no kid twice (config.ts checks both). */
export function createKeyring(secrets: readonly RingSecret[]): Keyring {
  const derived = new Map<string, CryptoKey>();
  const byKid = new Map(secrets.map((entry) => [entry.kid, entry.secret]));
  const [first] = secrets;
  if (first === undefined) throw new Error("A key ring needs a key");
  return {
    sealingKid: first.kid,
    kids: secrets.map((entry) => entry.kid),
    async key(purpose, kid) {
      const name = `${purpose} ${kid}`;
      const known = derived.get(name);
      const secret = byKid.get(kid);
      if (known !== undefined || secret === undefined) return known;
      const key = await derive(secret, purpose);
      derived.set(name, key);
      return key;
    },
  };
}

async function derive(secret: Bytes, purpose: Purpose): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const hkdf = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(32),
    info: new TextEncoder().encode(`gong-mcp-gateway ${purpose}`),
  };
  return purpose === "credential-tag"
    ? crypto.subtle.deriveKey(hkdf, material, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"])
    : crypto.subtle.deriveKey(hkdf, material, { name: "AES-GCM", length: 256 }, false, [
        "encrypt",
        "decrypt",
      ]);
}
