// Who Cloudflare Access says is at the browser. Access puts a signed token on every request that passed it; nothing
// else of a request is believed: no cookie, and none of the headers that name a person without a signature. Called by
// middleware/access.ts and by admin-session.ts. Cloudflare Access, Validate JWTs; RFC 7517 §4.5.

import { verifyAccessToken } from "../crypto/access-token.ts";
import { lowerCaseEmail, type AccessConfig } from "../access-settings.ts";
import { ClientDocumentError } from "../errors.ts";
import { log } from "../log.ts";
import type { Gateway } from "./gateway.ts";
import { verifyWithKeys } from "./published-key-sets.ts";

export type AccessReading =
  /** Cloudflare Access is not configured: nobody is known by it. */
  | { readonly kind: "off" }
  /** The request did not pass Access: no Access application covers this path. */
  | { readonly kind: "missing" }
  /** The token is not one of the team for this gateway, or no longer. */
  | { readonly kind: "refused" }
  /** The team's keys can't be had right now, so nobody can be believed. */
  | { readonly kind: "unavailable" }
  /** The address is in lower case. */
  | { readonly kind: "person"; readonly email: string };

/** All that is read of a request. */
export type HeadersOfRequest = Pick<Request, "headers">;

const HEADER = "Cf-Access-Jwt-Assertion";
const KEYS_PATH = "/cdn-cgi/access/certs";

/**
 * Reads who Access says is asking, from the header that Access adds. The cookie `CF_Authorization` is not read: a
 * request that has the cookie and not the header came around Access. Fetches the team's keys when none are kept that
 * fit, at most once in thirty seconds.
 */
export async function readAccessIdentity(
  gateway: Gateway,
  request: HeadersOfRequest,
): Promise<AccessReading> {
  const { access } = gateway.config;
  if (access === undefined) return { kind: "off" };
  const token = request.headers.get(HEADER);
  if (token === null || token === "") return { kind: "missing" };
  try {
    const verdict = await verify(gateway, access, token);
    if (typeof verdict === "object") return { kind: "person", email: lowerCaseEmail(verdict.email) };
    log("warn", "access.refused", { reason: verdict }, gateway);
    return { kind: "refused" };
  } catch (error) {
    if (!(error instanceof ClientDocumentError)) throw error;
    log("error", "published_keys.unreadable", { of: "access", reason: error.problem }, gateway);
    return { kind: "unavailable" };
  }
}

function verify(gateway: Gateway, access: AccessConfig, token: string) {
  const expected = { issuer: access.issuer, audiences: access.audiences, now: gateway.now() };
  return verifyWithKeys(gateway, { kind: "uri", uri: access.issuer + KEYS_PATH }, (keys) =>
    verifyAccessToken(token, keys, expected),
  );
}
