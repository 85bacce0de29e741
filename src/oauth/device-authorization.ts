// The rules of the device grant that need no storage: what a user code is, and what a poll is told. Called by
// domain/device-authorization and storage/device-authorizations. RFC 8628.

/** Seconds from the first request to the end: RFC 8628 §3.2. */
export const DEVICE_CODE_TTL_SECONDS = 900;

/** Seconds between polls, and what each poll that comes too early adds: RFC 8628 §3.5. */
export const POLL_INTERVAL_SECONDS = 5;

/** The whole seconds that a clock can be off between two polls that kept the interval. */
const POLL_TOLERANCE_SECONDS = 1;

/** RFC 8628 §6.1: no vowels, so no words, and nothing that is read for something else. */
const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH = 8;

/** The user code for these random bytes (one for each character, rejected above the last full round) and this shard. */
export function userCodeOf(shard: number, random: () => number): string {
  const characters = [ALPHABET[shard] ?? ""];
  while (characters.length < USER_CODE_LENGTH) {
    const byte = random();
    // The last partial round of 256 would favour the first letters.
    if (byte < 240) characters.push(ALPHABET[byte % ALPHABET.length] ?? "");
  }
  return characters.join("");
}

/**
 * The user code in what a person typed, without regard to case, spaces and dashes, and the shard it names. Undefined
 * when it can't be one: RFC 8628 §6.1.
 */
export function readUserCode(
  typed: string,
  shards: number,
): { readonly userCode: string; readonly shard: number } | undefined {
  const userCode = typed.toUpperCase().replaceAll(/[\s\-–—.]/g, "");
  if (userCode.length !== USER_CODE_LENGTH) return undefined;
  if (Array.from(userCode).some((character) => !ALPHABET.includes(character))) return undefined;
  const shard = ALPHABET.indexOf(userCode.charAt(0));
  return shard < shards ? { userCode, shard } : undefined;
}

/** The code as people read it: two groups of four. */
export const shownUserCode = (userCode: string): string => `${userCode.slice(0, 4)}-${userCode.slice(4)}`;

/** Whether a poll at `now` came before its time (epoch seconds). The first poll never does. */
export function polledTooEarly(lastPolledAt: number | undefined, interval: number, now: number): boolean {
  return lastPolledAt !== undefined && now - lastPolledAt < interval - POLL_TOLERANCE_SECONDS;
}
