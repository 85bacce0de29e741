// Settings that are well formed and still no good: example values left in place, keys that everybody can read or guess.
// Called by the set-up's checks.

import type { Config } from "../config.ts";
import type { SealingKey } from "../sealing-keys.ts";
import { encodeBase64Url, sha256 } from "../crypto/encoding.ts";
import type { Finding } from "../storage/setup-checks.ts";
import { PUBLISHED_SECRETS } from "./published-keys.ts";

/** A random token of 24 characters has more distinct ones than this with overwhelming probability. */
const FEWEST_CHARACTERS = 10;

/** Whether a required setting still has the text of the example, or ADMIN_TOKEN can be guessed. */
export async function weakSettings({ integrations, adminToken }: Config): Promise<Finding> {
  const names = integrations.flatMap(({ name, clientId, clientSecret }) => {
    const prefix = name === "main" ? "GONG_" : "GONG_SHARED_";
    return [
      ...(isExample(clientId) ? [`${prefix}CLIENT_ID`] : []),
      ...(isExample(clientSecret) ? [`${prefix}CLIENT_SECRET`] : []),
    ];
  });
  if (names.length > 0) return { verdict: "problem", reason: "example_values", detail: names.join(", ") };
  if (adminToken !== undefined) {
    const isPublished = PUBLISHED_SECRETS.has(await sha256(adminToken));
    if (isPublished || new Set(adminToken).size < FEWEST_CHARACTERS) {
      return { verdict: "problem", reason: "weak_admin_token" };
    }
  }
  return { verdict: "ok", reason: "well" };
}

/** Whether a sealing key is one from this project's tests, or follows a pattern. */
export async function weakKeys({ sealingKeys }: Config): Promise<Finding> {
  for (const key of sealingKeys) {
    if (PUBLISHED_SECRETS.has(await sha256(encodeBase64Url(key.secret)))) {
      return { verdict: "problem", reason: "published_key", detail: key.kid };
    }
    if (isPatterned(key)) return { verdict: "problem", reason: "patterned_key", detail: key.kid };
  }
  return { verdict: "ok", reason: "well" };
}

/** The example's values are sentences; Gong's ids and secrets have no spaces. */
const isExample = (value: string): boolean => /\s/.test(value);

/** Whether the bytes count up or down by a fixed step, repeat themselves, or are text. */
function isPatterned({ secret }: SealingKey): boolean {
  const half = secret.length / 2;
  const step = ((secret[1] ?? 0) - (secret[0] ?? 0)) & 255;
  const counts = secret.every((byte, at) => at === 0 || ((byte - (secret[at - 1] ?? 0)) & 255) === step);
  const repeats = secret.every((byte, at) => at < half || byte === secret[at - half]);
  // Thirty-two random bytes are all printable ASCII with a chance below 1 in 10^13.
  return counts || repeats || secret.every((byte) => byte >= 0x20 && byte < 0x7f);
}
