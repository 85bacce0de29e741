// Which redirect URIs may be registered, and when a requested one is a registered one. Called by client-metadata.ts,
// authorization-request.ts, domain/ and routes/authorize. RFC 6749 §3.1.2, RFC 8252 §7 and §8, RFC 9700 §2.1
// and §4.1. No URL parser is used: what it normalizes is where an attacker's string turns into a trusted one.
import { OAuthError } from "../errors.ts";

const LONGEST_URI = 2_048;

// RFC 3986 §2: the characters of a URI, without `#` (RFC 6749 §3.1.2 forbids a fragment) and without `*` (a wildcard in
// the eyes of whoever registers it). Percent signs only as part of an escape, and no escaped control characters.
const ALLOWED = /^(?:[A-Za-z0-9\-._~:/?[\]@!$&'()+,;=]|%(?!0|1|7[fF])[0-9A-Fa-f]{2})+$/;

// A dot segment, also escaped or with parameters: browsers and servers resolve it, so the page a person approved would
// not be the one that gets the code.
const DOT_SEGMENT = /\/(?:\.|%2[eE]){1,2}(?:[/;?]|$)/;

const PORT = "(?::(?<port>[1-9][0-9]{0,4}))?";
const REST = "(?<rest>(?:[/?].*)?)";

// RFC 8252 §7.3. Literal hosts only: no other spelling of the loopback interface is one.
const LOOPBACK = new RegExp(`^http://(?<host>localhost|127\\.0\\.0\\.1|\\[::1\\])${PORT}${REST}$`);

// A DNS name of letters, digits and hyphens, whose last label is not numeric (browsers read that as an IPv4 address in
// one of its many spellings), or a literal loopback address.
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const DNS_NAME = `(?:${LABEL}\\.)*(?!(?:[0-9]+|0[xX][0-9A-Fa-f]*)(?:[:/?]|$))${LABEL}`;
const HTTPS = new RegExp(`^https://(?<host>${DNS_NAME}|127\\.0\\.0\\.1|\\[::1\\])${PORT}${REST}$`);

// RFC 8252 §7.1, without user information.
const PRIVATE_USE = /^(?<scheme>[a-z][a-z0-9+.-]+):(?!\/\/[^/?]*@).+$/;

// Schemes that run script, open local content, start another program, or are another protocol.
const NOT_PRIVATE_USE = new Set(
  `http https ws wss ftp ftps sftp ssh telnet gopher ldap ldaps smb nfs irc ircs news nntp git svn
  javascript livescript mocha vbscript data blob file filesystem about view-source jar mhtml res resource
  chrome chrome-extension chrome-untrusted devtools edge moz-extension safari-extension safari-web-extension brave opera
  intent android-app market itms itms-apps itms-services microsoft-edge search-ms shell x-apple-helpbasic help hcp
  mailto tel sms smsto mms facetime facetime-audio callto sip sips magnet cid mid urn tag view`.split(/\s+/),
);
const NOT_PRIVATE_USE_FAMILY = /^(?:ms-|web\+|javascript|vbscript|data)/;

export type RedirectUriKind = "https" | "loopback" | "private-use";

/**
 * Returns `uri` when a client may register it: https, http on a literal loopback host, or a private-use scheme
 * (RFC 6749 §3.1.2, RFC 8252 §7). Refuses with `invalid_redirect_uri` (RFC 7591 §3.2.2): a relative URI, a fragment,
 * user information, a wildcard, a dot segment, white space, control characters, backslashes and other characters that
 * are not a URI's, an IP address that is not loopback, schemes that run script or open local content, and more than
 * 2048 characters.
 */
export function assertRegistrable(uri: unknown): string {
  if (typeof uri !== "string") throw refused("not_a_string");
  if (uri.length > LONGEST_URI) throw refused("too_long");
  if (!ALLOWED.test(uri)) throw refused("forbidden_character");
  if (DOT_SEGMENT.test(uri)) throw refused("dot_segment");
  if (isHttps(uri) || isLoopback(uri) || isPrivateUse(uri)) return uri;
  throw refused("forbidden_form");
}

/**
 * What a registrable URI is. A URI that is not plainly https or http loopback counts as `private-use`, which the
 * authorization endpoint never redirects to.
 */
export function redirectUriKind(uri: string): RedirectUriKind {
  if (isHttps(uri)) return "https";
  return isLoopback(uri) ? "loopback" : "private-use";
}

/**
 * Whether `requested` is one of `registered`, byte for byte (RFC 9700 §2.1). Only for http on a literal loopback host
 * may the port differ, while host, path and query are identical (RFC 8252 §7.3).
 */
export function redirectUriMatches(registered: readonly string[], requested: string): boolean {
  return registered.some((uri) => uri === requested || differsInLoopbackPortOnly(uri, requested));
}

function differsInLoopbackPortOnly(registered: string, requested: string): boolean {
  if (!isLoopback(registered) || !isLoopback(requested)) return false;
  return withoutPort(registered) === withoutPort(requested);
}

function withoutPort(loopback: string): string {
  return loopback.replace(LOOPBACK, "http://$<host>$<rest>");
}

function isHttps(uri: string): boolean {
  return hasForm(HTTPS, uri);
}

function isLoopback(uri: string): boolean {
  return hasForm(LOOPBACK, uri);
}

function hasForm(form: RegExp, uri: string): boolean {
  const match = form.exec(uri);
  return match !== null && Number(match.groups?.["port"] ?? 0) <= 65_535;
}

function isPrivateUse(uri: string): boolean {
  const scheme = PRIVATE_USE.exec(uri)?.groups?.["scheme"];
  return scheme !== undefined && !NOT_PRIVATE_USE.has(scheme) && !NOT_PRIVATE_USE_FAMILY.test(scheme);
}

function refused(reason: string): OAuthError {
  return new OAuthError(
    "invalid_redirect_uri",
    "Register redirect URIs that are https, or http on localhost, 127.0.0.1 or [::1], without fragment, user name or wildcard.",
    { reason },
  );
}
