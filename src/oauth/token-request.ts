// The forms of the token endpoint, typed. Called by domain/exchange-token after the client is known. RFC 6749 §4.1.3,
// §4.4.2 and §6, RFC 7636 §4.5 and §4.6, RFC 8628 §3.4, RFC 8707 §2.2.
import { OAuthError } from "../errors.ts";
import {
  CLIENT_CREDENTIALS,
  DEVICE_CODE_GRANT,
  JWT_BEARER,
  REGISTRABLE_GRANT_TYPES,
  type Client,
  type GrantType,
} from "./client.ts";
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

/** RFC 6749 §4.4.2: the client itself is what it asks with. */
export interface ClientCredentialsRequest {
  readonly grantType: typeof CLIENT_CREDENTIALS;
  readonly scope: string | undefined;
  readonly resources: readonly string[];
}

/** RFC 8628 §3.4. */
export interface DeviceTokenRequest {
  readonly grantType: typeof DEVICE_CODE_GRANT;
  readonly deviceCode: string;
  readonly resources: readonly string[];
}

/** RFC 7523 §2.1. */
export interface AssertionRequest {
  readonly grantType: typeof JWT_BEARER;
  readonly assertion: string;
  readonly scope: string | undefined;
  readonly resources: readonly string[];
}

export type TokenRequest =
  | CodeTokenRequest
  | RefreshTokenRequest
  | ClientCredentialsRequest
  | DeviceTokenRequest
  | AssertionRequest;

/**
 * Reads a token request (RFC 6749 §4.1.3, §4.4.2, §6, RFC 8628 §3.4). Refuses a missing parameter with
 * `invalid_request`, a grant type that is not in `served` with `unsupported_grant_type`, and a malformed verifier with
 * `invalid_grant`, because it can't match any challenge (RFC 7636 §4.6). The code or token itself is not looked at.
 */
export function parseTokenRequest(
  form: FormParameters,
  served: readonly GrantType[] = REGISTRABLE_GRANT_TYPES,
): TokenRequest {
  const grantType = servedGrantType(required(form, "grant_type"), served);
  const resources = form.all("resource");
  const scope = form.get("scope");
  if (grantType === CLIENT_CREDENTIALS) return { grantType, scope, resources };
  if (grantType === JWT_BEARER) {
    return { grantType, assertion: required(form, "assertion"), scope, resources };
  }
  if (grantType === "refresh_token") {
    return { grantType, refreshToken: required(form, "refresh_token"), scope, resources };
  }
  if (grantType === DEVICE_CODE_GRANT) {
    return { grantType, deviceCode: required(form, "device_code"), resources };
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

function servedGrantType(name: string, served: readonly GrantType[]): GrantType {
  const grantType = served.find((supported) => supported === name);
  if (grantType === undefined) {
    throw new OAuthError(
      "unsupported_grant_type",
      "Use a grant type that this authorization server's metadata lists.",
    );
  }
  return grantType;
}

type RequiredParameter =
  | "grant_type"
  | "code"
  | "code_verifier"
  | "refresh_token"
  | "device_code"
  | "assertion";

function required(form: FormParameters, name: RequiredParameter): string {
  const value = form.get(name);
  if (value === undefined) {
    throw new OAuthError("invalid_request", `Send the parameter ${name}.`, { reason: `${name}_missing` });
  }
  return value;
}
