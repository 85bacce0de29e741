// The answers of the authorization endpoint that travel by redirect. Called by domain/, which can't hold a
// RedirectTarget before the redirect URI was matched. RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 §2.
import type { OAuthError } from "../errors.ts";
import type { RedirectTarget } from "./authorization-request.ts";

/** The URL that hands `code` to the client, with its state and our issuer (RFC 6749 §4.1.2, RFC 9207 §2). */
export function codeRedirect(target: RedirectTarget, code: string): string {
  return answerUrl(target, [["code", code]]);
}

/** The URL that tells the client why there is no code (RFC 6749 §4.1.2.1, RFC 9207 §2). */
export function errorRedirect(target: RedirectTarget, error: OAuthError): string {
  return answerUrl(target, [
    ["error", error.code],
    ["error_description", error.description],
  ]);
}

type Parameter = readonly [name: string, value: string];

/**
 * Appends to the redirect URI as a string: RFC 6749 §3.1.2 wants its own query retained, and a URL parser would respell
 * it. Spaces become %20, which form decoders and plain percent decoders both read as a space.
 */
function answerUrl(target: RedirectTarget, answer: readonly Parameter[]): string {
  const state: readonly Parameter[] = target.state === undefined ? [] : [["state", target.state]];
  const query = [...answer, ...state, ["iss", target.issuer] as const]
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  return target.redirectUri + separator(target.redirectUri) + query;
}

function separator(redirectUri: string): string {
  if (!redirectUri.includes("?")) return "?";
  return /[?&]$/.test(redirectUri) ? "" : "&";
}
