// The forms of the token endpoint, typed. Called by domain/exchange-token after the client is known. RFC 6749 §4.1.3
// and §6, RFC 7636 §4.5 and §4.6, RFC 8707 §2.2.
import { OAuthError } from "../errors.ts";
import { GRANT_TYPES, type Client, type GrantType } from "./client.ts";
import type { FormParameters } from "./form.ts";
import { isCodeVerifier } from "./pkce.ts";

export interface CodeTokenRequest {
  readonly grantType: "authorization_code";
  readonly code: string;
  readonly codeVerifier: string;
  /** OAuth 2.1 does not ask for it; when sent it must be the one of the authorization request. */
  readonly redirectUri: string | undefined;
  readonly resources: readonly string[];
}

export interface RefreshTokenRequest {
  readonly grantType: "refresh_token";
  readonly refreshToken: string;
  readonly scope: string | undefined;
  readonly resources: readonly string[];
}

export type TokenRequest = CodeTokenRequest | RefreshTokenRequest;

/**
 * Reads a token request (RFC 6749 §4.1.3, §6). Refuses a missing parameter with `invalid_request`, another grant type
 * with `unsupported_grant_type`, and a malformed verifier with `invalid_grant`, because it can't match any challenge
 * (RFC 7636 §4.6). The code or refresh token itself is not looked at.
 */
export function parseTokenRequest(form: FormParameters): TokenRequest {
  const grantType = supportedGrantType(required(form, "grant_type"));
  const resources = form.all("resource");
  if (grantType === "refresh_token") {
    return { grantType, refreshToken: required(form, "refresh_token"), scope: form.get("scope"), resources };
  }
  const code = required(form, "code");
  const codeVerifier = required(form, "code_verifier");
  if (!isCodeVerifier(codeVerifier)) {
    throw new OAuthError("invalid_grant", "Start the authorization again.", { reason: "verifier_malformed" });
  }
  return { grantType, code, codeVerifier, redirectUri: form.get("redirect_uri"), resources };
}

/** Throws `unauthorized_client` when the client is not registered for `grantType` (RFC 6749 §5.2, RFC 7591 §2). */
export function assertGrantTypeAllowed(client: Client, grantType: GrantType): void {
  if (!client.grantTypes.includes(grantType)) {
    throw new OAuthError("unauthorized_client", "Register this client for the grant type it uses.");
  }
}

function supportedGrantType(name: string): GrantType {
  const grantType = GRANT_TYPES.find((supported) => supported === name);
  if (grantType === undefined) {
    throw new OAuthError("unsupported_grant_type", "Use authorization_code or refresh_token.");
  }
  return grantType;
}

type RequiredParameter = "grant_type" | "code" | "code_verifier" | "refresh_token";

function required(form: FormParameters, name: RequiredParameter): string {
  const value = form.get(name);
  if (value === undefined) {
    throw new OAuthError("invalid_request", `Send the parameter ${name}.`, { reason: `${name}_missing` });
  }
  return value;
}
