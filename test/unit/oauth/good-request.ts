// The authorization request that the tests of src/oauth/authorization-request.ts start from.

export const ISSUER = "https://gateway.test";

// RFC 7636 Appendix B.
export const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const GOOD = {
  response_type: "code",
  client_id: "client-1",
  redirect_uri: "https://client.test/callback",
  state: "a state",
  scope: "mcp:ai-ask:read",
  code_challenge: CHALLENGE,
  code_challenge_method: "S256",
  resource: `${ISSUER}/mcp`,
};

/** The good request with differences; undefined leaves a parameter out. */
export function query(differences: Record<string, string | undefined> = {}): string {
  const merged = Object.entries({ ...GOOD, ...differences });
  return merged
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join("&");
}
