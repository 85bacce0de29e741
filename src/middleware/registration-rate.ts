// How fast one address may register clients: the platform's rate limiter, ahead of the quota that the RegistryObject keeps
// for all of them together. Called by POST /register. RFC 7591 §5: open registration invites many.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { OAuthError } from "../errors.ts";
import { errorFields, log } from "../log.ts";

/** The period of the limiter in wrangler.toml: after it a refused address may go on. */
const PERIOD_SECONDS = 60;

/**
 * Lets one address register as many clients a minute as REGISTRATION_RATE in wrangler.toml says, counted at each of
 * Cloudflare's locations; throws OAuthError with status 429 for more. A request without an address did not come through
 * Cloudflare and is not counted.
 */
export const registrationRate = (): MiddlewareHandler<AppEnv> =>
  async function registrationRate(c, next) {
    const address = c.req.header("CF-Connecting-IP");
    if (address !== undefined && !(await isWithinRate(c.env.REGISTRATION_RATE, addressBlock(address)))) {
      throw new OAuthError("temporarily_unavailable", "Too many registrations. Try again in a minute.", {
        reason: "registration_rate",
        status: 429,
        retryAfterSeconds: PERIOD_SECONDS,
      });
    }
    await next();
  };

/** A limiter that fails lets everybody in, because the quota still holds and nobody else could sign in otherwise. */
async function isWithinRate(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    log("warn", "client.refused", { reason: "rate_limiter_failed", ...errorFields(error) });
    return true;
  }
}

/** The block of addresses that one customer of a provider has: an IPv4 address itself, the /64 of an IPv6 address. */
export function addressBlock(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  // A last group in dotted form stands for two.
  const written = first.length + last.length + (address.includes(".") ? 1 : 0);
  const whole = [...first, ...Array.from({ length: Math.max(0, 8 - written) }, () => "0"), ...last];
  const prefix = whole.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${prefix.join(":")}::/64`;
}
