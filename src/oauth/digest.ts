// SHA-256 and comparison for the rules that prove possession: PKCE (RFC 7636) and client secrets (RFC 6749 §2.3.1).
// Called by pkce.ts, client-authentication.ts and grant.ts.

/** The SHA-256 of the UTF-8 bytes of `text`, as 43 base64url characters without padding (RFC 4648 §5). */
export async function sha256Base64url(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Whether two hashes are equal, in a time that depends on their lengths only. */
export function hashesMatch(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
