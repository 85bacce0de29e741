// What the token endpoint answers. Built by exchange-token.ts and codeless-token.ts.

/** RFC 6749 §5.1: built from these fields and nothing stored. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly scope: string;
}
