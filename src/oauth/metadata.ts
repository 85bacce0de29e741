// The discovery documents and the paths in them. What they list comes from the constants that the rules themselves go
// by, so that metadata can't promise what is not served. Called by routes/well-known, routes/mcp and
// domain/verify-assertion. RFC 8414, RFC 9728, RFC 9207.
import { ASSERTION_ALGORITHMS } from "./client-keys.ts";
import {
  JWT_BEARER,
  REGISTRABLE_GRANT_TYPES,
  RESPONSE_TYPES,
  TOKEN_ENDPOINT_AUTH_METHODS,
  type GrantType,
} from "./client.ts";
import { IDENTITY_ASSERTION_PROFILE } from "./identity-assertion.ts";
import { SCOPES } from "./scope.ts";

/** Where each endpoint of the authorization server is, below the issuer. */
export const ENDPOINTS = {
  authorization: "/authorize",
  token: "/token",
  registration: "/register",
  revocation: "/revoke",
  deviceAuthorization: "/device_authorization",
  /** Where a person enters the code of a device: RFC 8628 §3.3. */
  device: "/device",
} as const;

/** RFC 8414 §3: the path of the authorization server's metadata, for an issuer without a path. */
export const AUTHORIZATION_SERVER_METADATA_PATH = "/.well-known/oauth-authorization-server";

/** RFC 9728 §3: the path of protected resource metadata; the resource's own path follows it. */
export const PROTECTED_RESOURCE_METADATA_PATH = "/.well-known/oauth-protected-resource";

/** What a gateway offers besides what all of them do. */
export interface Offered {
  /** `false` leaves out dynamic registration. */
  readonly registration?: boolean;
  /** The grant types that the token endpoint serves with these settings. */
  readonly grantTypes?: readonly GrantType[];
}

/**
 * The authorization server metadata of `issuer`, an origin without a slash at the end (RFC 8414 §2, RFC 9207 §3,
 * RFC 7636 through `code_challenge_methods_supported`, RFC 7523, RFC 8628 §4, Client ID Metadata Document draft §5).
 */
export function authorizationServerMetadata(
  issuer: string,
  { registration = true, grantTypes = REGISTRABLE_GRANT_TYPES }: Offered = {},
) {
  return {
    issuer,
    authorization_endpoint: issuer + ENDPOINTS.authorization,
    token_endpoint: issuer + ENDPOINTS.token,
    ...(registration ? { registration_endpoint: issuer + ENDPOINTS.registration } : {}),
    revocation_endpoint: issuer + ENDPOINTS.revocation,
    device_authorization_endpoint: issuer + ENDPOINTS.deviceAuthorization,
    scopes_supported: SCOPES,
    response_types_supported: RESPONSE_TYPES,
    response_modes_supported: ["query"],
    grant_types_supported: grantTypes,
    // Identity Assertion JWT Authorization Grant draft §6: the one kind of assertion that the grant type takes here.
    ...(grantTypes.includes(JWT_BEARER)
      ? { authorization_grant_profiles_supported: [IDENTITY_ASSERTION_PROFILE] }
      : {}),
    token_endpoint_auth_methods_supported: TOKEN_ENDPOINT_AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: TOKEN_ENDPOINT_AUTH_METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  };
}

/**
 * The metadata of one MCP endpoint (RFC 9728 §2). `resource` is the exact URL that people type into their client:
 * RFC 9728 §3.3 makes clients refuse a document that names another.
 */
export function protectedResourceMetadata(endpoint: {
  readonly resource: string;
  readonly issuer: string;
  readonly name: string;
}) {
  return {
    resource: endpoint.resource,
    authorization_servers: [endpoint.issuer],
    scopes_supported: SCOPES,
    bearer_methods_supported: ["header"],
    resource_name: endpoint.name,
  };
}

/** Where the metadata of `resource` is: the well-known path goes between its origin and its path (RFC 9728 §3.1). */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return origin + PROTECTED_RESOURCE_METADATA_PATH + (pathname === "/" ? "" : pathname);
}
