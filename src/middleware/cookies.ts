// The gateway's cookies: all `__Host-`, Secure, HttpOnly and for the whole origin. RFC 6265bis §4.1.3.

import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import type { AppEnv } from "../context.ts";

/** Ties the consent form to the browser that asked for it. */
export const CONSENT_COOKIE = "__Host-consent";

/** The admin session. Strict: it is never sent along from another site. */
export const ADMIN_COOKIE = "__Host-admin";

const TRANSACTION_COOKIE = /^__Host-txn-[A-Za-z0-9_-]+$/;
// Longer than a transaction, so that a late return is called late and not another browser's.
const TRANSACTION_SECONDS = 3600;
const MOST_TRANSACTIONS = 10;

/** The browser's value for a cookie, or undefined when there is none or, planted by somebody, more than one. */
export function readCookie(c: Context<AppEnv>, name: string): string | undefined {
  const values = cookiePairs(c)
    .filter((pair) => pair.name === name)
    .map((pair) => pair.value);
  return values.length === 1 ? values[0] : undefined;
}

/**
 * Sets the cookie that ties a transaction to this browser. Lax, because Gong leads back by a top-level GET. At most ten
 * are kept, so that abandoned sign-ins don't grow the header; browsers send the oldest first (RFC 6265bis §5.8.3).
 */
export function keepBinding(c: Context<AppEnv>, name: string, value: string): void {
  const others = cookiePairs(c)
    .map((pair) => pair.name)
    .filter((other) => TRANSACTION_COOKIE.test(other) && other !== name);
  for (const old of others.slice(0, Math.max(0, others.length - MOST_TRANSACTIONS + 1))) {
    writeCookie(c, old, "", { maxAgeSeconds: 0, sameSite: "Lax" });
  }
  writeCookie(c, name, value, { maxAgeSeconds: TRANSACTION_SECONDS, sameSite: "Lax" });
}

/** Sets a cookie for `maxAgeSeconds`; 0 deletes it. `name` starts with `__Host-`. */
export function writeCookie(
  c: Context<AppEnv>,
  name: string,
  value: string,
  options: { readonly maxAgeSeconds: number; readonly sameSite: "Lax" | "Strict" },
): void {
  setCookie(c, name, value, {
    path: "/",
    secure: true,
    httpOnly: true,
    sameSite: options.sameSite,
    maxAge: options.maxAgeSeconds,
  });
}

function cookiePairs(c: Context<AppEnv>): readonly { readonly name: string; readonly value: string }[] {
  return (c.req.header("Cookie") ?? "").split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at === -1 ? [] : [{ name: pair.slice(0, at).trim(), value: pair.slice(at + 1).trim() }];
  });
}
