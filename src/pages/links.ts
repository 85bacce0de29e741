// The one check on every URL that ends up in an href or a refresh. hono/jsx escapes attributes and lets
// `javascript:` through, so the scheme is decided here. RFC 8252 §7.3 for loopback.

import { isLoopbackHttp } from "../oauth/loopback.ts";

// What a URL parser drops or reads differently: such a URL does not mean what it shows.
const AMBIGUOUS = /[\s\\\p{Cc}]/u;

/**
 * The URL itself when a browser may be sent to it: absolute `https`, or `http` to this computer, without a user
 * name or password. Undefined for everything else.
 */
export function outsideUrl(url: string): string | undefined {
  if (AMBIGUOUS.test(url) || !/^https?:\/\//iu.test(url)) return undefined;
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") return undefined;
  return parsed.protocol === "https:" || isLoopbackHttp(parsed) ? url : undefined;
}

/** The URL itself when it is `outsideUrl` or a path on this gateway. Undefined for everything else. */
export function linkUrl(url: string): string | undefined {
  if (AMBIGUOUS.test(url)) return undefined;
  return /^\/(?!\/)/u.test(url) ? url : outsideUrl(url);
}

/** An id as one segment of a path. Ids from outside may hold half a character, which no URL can. */
export const pathSegment = (id: string): string => encodeURIComponent(id.toWellFormed());
