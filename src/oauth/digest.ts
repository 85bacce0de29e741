// SHA-256, comparison and base64url for the rules that prove possession: PKCE (RFC 7636), client secrets (RFC 6749
// §2.3.1) and client assertions (RFC 7523). Called by pkce.ts, client-authentication.ts, client-assertion.ts, grant.ts.

/** The SHA-256 of the UTF-8 bytes of `text`, as 43 base64url characters without padding (RFC 4648 §5). */
export async function sha256Base64url(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encodeBase64url(String.fromCharCode(...new Uint8Array(digest)));
}

/** Whether two hashes are equal, in a time that depends on their lengths only. */
export function hashesMatch(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

/**
 * The bytes of unpadded base64url, or undefined when `text` is not their one canonical spelling (RFC 4648 §3.5, §5).
 */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return encodeBase64url(binary) === text
    ? Uint8Array.from(binary, (character) => character.charCodeAt(0))
    : undefined;
}

function encodeBase64url(binary: string): string {
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
