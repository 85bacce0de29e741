// How often one address may do what costs the gateway something before anybody has proved anything: the platform's rate
// limiter, ahead of the quotas and lock-outs that the objects keep. Around the routes of sign-in, registration and
// account. RFC 7591 §5 and RFC 8628 §5.1: open endpoints invite many. RFC 6585 §4.

import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { OAuthError } from "../errors.ts";
import { errorFields, log } from "../log.ts";

/** The period of the limiters in wrangler.toml: after it a refused address may go on. */
const PERIOD_SECONDS = 60;

/** The limiters, by their bindings in wrangler.toml. */
export type Limiter = "REGISTRATION_RATE" | "STEP_RATE";

/**
 * Lets one address take this step as often a minute as the limiter in wrangler.toml says, counted at each of
 * Cloudflare's locations and for each step by itself; throws OAuthError with status 429 for more. A request without an
 * address did not come through Cloudflare and is not counted.
 */
export const addressRate = (limiter: Limiter, step: string): MiddlewareHandler<AppEnv> =>
  async function addressRate(c, next) {
    const address = addressOf(c);
    if (address !== UNKNOWN && !(await isWithinRate(c.env[limiter], `${step} ${address}`))) {
      throw new OAuthError("temporarily_unavailable", "Too many requests. Try again in a minute.", {
        reason: "address_rate",
        status: 429,
        retryAfterSeconds: PERIOD_SECONDS,
      });
    }
    await next();
  };

/** A limiter that fails lets everybody in: the objects' own bounds still hold, and nobody could sign in otherwise. */
async function isWithinRate(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    log("warn", "rate_limit.failed", errorFields(error));
    return true;
  }
}

/**
 * Whose attempts are counted together: those from one block of addresses; the word `unknown` when there is no address.
 */
export const addressOf = (c: Context<AppEnv>): string =>
  addressBlock(c.req.header("CF-Connecting-IP") ?? UNKNOWN);

/**
 * The network that an address is in, which many customers share: the
 * /24 of an IPv4 address, the /48 of an IPv6 address.
 */
export function networkOf(c: Context<AppEnv>): string | undefined {
  const block = addressOf(c);
  if (block === UNKNOWN) return undefined;
  if (block.includes(":")) return `${block.split(":").slice(0, 3).join(":")}::/48`;
  return block.replace(/\.\d+$/, ".0/24");
}

const UNKNOWN = "unknown";

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
