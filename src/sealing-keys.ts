// SEALING_KEYS: the secrets that seal what is stored and tag our credentials, by their ids. Read by config.ts only.

export interface SealingKey {
  readonly kid: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** Parses `kid:key[,kid:key…]`, the first of which seals. Adds what is wrong to `problems`. */
export function parseSealingKeys(value: string, problems: string[]): readonly SealingKey[] {
  const keys: SealingKey[] = [];
  const entries = value.split(",").filter((part) => part.trim() !== "");
  // Without a key nothing could be sealed; a setting that is missing is reported as missing.
  if (entries.length === 0 && value !== "") problems.push("SEALING_KEYS has no key");
  for (const entry of entries) {
    const [kid = "", text = "", ...rest] = entry.trim().split(":");
    const secret = decodeKey(text);
    if (rest.length > 0 || !/^[A-Za-z0-9_-]{1,32}$/.test(kid) || secret === undefined) {
      problems.push("SEALING_KEYS must be kid:key[,kid:key…] with keys of 32 random bytes in base64url");
    } else if (keys.some((key) => key.kid === kid || equalBytes(key.secret, secret))) {
      problems.push("SEALING_KEYS must not repeat a kid or a key");
    } else {
      keys.push({ kid, secret });
    }
  }
  return keys;
}

function decodeKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
    character.charCodeAt(0),
  );
  // Thirty-two random bytes hold fewer than sixteen distinct values with a chance below 1 in 10^12.
  return new Set(bytes).size >= 16 ? bytes : undefined;
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
