// Subject: src/oauth/metadata.ts. RFC 8414 §2, RFC 9728 §2 and §3.1, RFC 9207 §3.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { REGISTRABLE_AUTH_METHODS, REGISTRABLE_GRANT_TYPES } from "../../../src/oauth/client.ts";
import { parseForm } from "../../../src/oauth/form.ts";
import {
  authorizationServerMetadata,
  protectedResourceMetadata,
  protectedResourceMetadataUrl,
} from "../../../src/oauth/metadata.ts";
import { parseClientMetadata } from "../../../src/oauth/client-metadata.ts";
import { parseTokenRequest } from "../../../src/oauth/token-request.ts";
import { refusalOf } from "./refusal.ts";

const ISSUER = "https://gateway.test";
const METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

describe(verifies("metadata.authorization_server", "authorization server metadata"), () => {
  it("RFC 8414 §2, RFC 9207 §3: the document", () => {
    expect(authorizationServerMetadata(ISSUER)).toEqual({
      issuer: ISSUER,
      authorization_endpoint: "https://gateway.test/authorize",
      token_endpoint: "https://gateway.test/token",
      registration_endpoint: "https://gateway.test/register",
      revocation_endpoint: "https://gateway.test/revoke",
      device_authorization_endpoint: "https://gateway.test/device_authorization",
      scopes_supported: ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"],
      response_types_supported: ["code"],
      response_modes_supported: ["query"],
      grant_types_supported: [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      token_endpoint_auth_methods_supported: METHODS,
      token_endpoint_auth_signing_alg_values_supported: ["RS256", "PS256", "ES256", "EdDSA"],
      revocation_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ["RS256", "PS256", "ES256", "EdDSA"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
  });

  it("RFC 8414 §2: without registration the document names no registration endpoint", () => {
    const { registration_endpoint: _, ...rest } = authorizationServerMetadata(ISSUER);
    expect(authorizationServerMetadata(ISSUER, { registration: false })).toEqual(rest);
  });

  it.each(REGISTRABLE_AUTH_METHODS)("RFC 8414 §2: the published method %s can be registered", (method) => {
    const body = { redirect_uris: ["https://client.test/cb"], token_endpoint_auth_method: method };
    expect(parseClientMetadata(body).tokenEndpointAuthMethod).toBe(method);
  });

  it("RFC 8414 §2: the document lists the grant types that these settings serve", () => {
    const grantTypes = ["authorization_code", "client_credentials"] as const;
    expect(authorizationServerMetadata(ISSUER, { grantTypes }).grant_types_supported).toEqual(grantTypes);
  });

  it.each(REGISTRABLE_GRANT_TYPES)("RFC 8414 §2: the published grant type %s is served", (grantType) => {
    const refusal = refusalOf(() => parseTokenRequest(parseForm(`grant_type=${grantType}`)));
    expect(refusal?.code).toBe("invalid_request");
  });
});

describe(verifies("metadata.protected_resource", "protected resource metadata"), () => {
  it("RFC 9728 §2, MCP authorization: the document, without offline_access", () => {
    const endpoint = { resource: `${ISSUER}/mcp`, issuer: ISSUER, name: "Gong, your data" };
    expect(protectedResourceMetadata(endpoint)).toEqual({
      resource: "https://gateway.test/mcp",
      authorization_servers: [ISSUER],
      scopes_supported: ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"],
      bearer_methods_supported: ["header"],
      resource_name: "Gong, your data",
    });
  });

  it.each([
    ["https://gateway.test/mcp", "https://gateway.test/.well-known/oauth-protected-resource/mcp"],
    [
      "https://gateway.test/shared/mcp",
      "https://gateway.test/.well-known/oauth-protected-resource/shared/mcp",
    ],
    ["https://gateway.test", "https://gateway.test/.well-known/oauth-protected-resource"],
    ["http://localhost:8787/mcp", "http://localhost:8787/.well-known/oauth-protected-resource/mcp"],
  ])("RFC 9728 §3.1: the metadata of %s is at %s", (resource, url) => {
    expect(protectedResourceMetadataUrl(resource)).toBe(url);
  });
});
