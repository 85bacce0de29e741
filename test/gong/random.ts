// Unguessable names for codes, tokens, tickets and clients. The prefix tells leak tests whose value it is.
import { randomBytes } from "node:crypto";

/** `<prefix>_` and 32 random bytes in base64url. */
export function randomText(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString("base64url")}`;
}
