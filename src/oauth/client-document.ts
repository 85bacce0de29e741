// A client's own metadata document: what must be in it, and what must not. Called by domain/document-clients with the
// parsed JSON. Client ID Metadata Document draft §4, RFC 7591 §2, MCP authorization, Client ID Metadata Documents.
import { ClientDocumentError, OAuthError, type ClientDocumentProblem } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { ASSERTION_ALGORITHMS, parseClientKeys, type ClientKeys } from "./client-keys.ts";
import { documentUrlHost } from "./client-id-url.ts";
import { displayName, parseClientMetadata, type ClientMetadata } from "./client-metadata.ts";
import { JWT_BEARER, type Client, type TokenEndpointAuthMethod } from "./client.ts";

const PREFERRED_METHODS = ["private_key_jwt", "none"] as const;

/**
 * The client that the document at `url` describes. Throws ClientDocumentError unless `client_id` is the URL, character
 * for character, there are a name that can be seen and redirect URIs that could be registered, and the methods are
 * `none` or `private_key_jwt` with public keys. A document with a secret or private keys in it is refused, as is one
 * that asks for a shared secret (draft §4.1).
 */
export function parseClientDocument(url: string, document: JsonObject, publicUrl: string): Client {
  if (document["client_id"] !== url) throw new ClientDocumentError("other_client_id", url);
  if (Object.hasOwn(document, "client_secret") || Object.hasOwn(document, "client_secret_expires_at")) {
    throw new ClientDocumentError("secret_refused", url);
  }
  const { clientName, redirectUris, grantTypes } = commonMetadata(url, document);
  if (displayName(clientName) === undefined) throw new ClientDocumentError("name_refused", url);
  const methods = authMethods(url, document);
  const keys = methods.includes("private_key_jwt") ? clientKeys(url, document, publicUrl) : undefined;
  const [tokenEndpointAuthMethod, ...otherAuthMethods] = methods;
  const signingAlgorithm = signedWith(url, document);
  return {
    clientId: url,
    registration: "metadata_document",
    clientName,
    redirectUris,
    tokenEndpointAuthMethod,
    otherAuthMethods,
    keys,
    signingAlgorithm,
    clientSecretHash: undefined,
    grantTypes: [
      ...grantTypes,
      ...(keys !== undefined && listsAssertions(document) ? ([JWT_BEARER] as const) : []),
    ],
  };
}

/**
 * RFC 7523 §2.1 is for clients that prove who they are; whether an
 * issuer may vouch to this one is the settings' to say.
 */
function listsAssertions({ grant_types: names }: JsonObject): boolean {
  return Array.isArray(names) && names.includes(JWT_BEARER);
}

/** What a document says in the same words as a registration (RFC 7591 §2). */
function commonMetadata(url: string, document: JsonObject): ClientMetadata {
  const { client_name, redirect_uris, grant_types, response_types } = document;
  try {
    return parseClientMetadata({
      client_name,
      redirect_uris,
      grant_types,
      response_types,
      token_endpoint_auth_method: "none",
    });
  } catch (error) {
    if (error instanceof OAuthError) throw new ClientDocumentError(problemOf(error), url);
    throw error;
  }
}

function problemOf(error: OAuthError): ClientDocumentProblem {
  if (error.code === "invalid_redirect_uri") return "redirect_uris_refused";
  return error.reason === "client_name_malformed" ? "name_refused" : "flow_refused";
}

/**
 * The methods of a document, the stronger first. The list of SEP-3149 (OpenID Connect RP Metadata Choices §2) goes
 * before the single method; a document with neither is a public client, since no secret could be agreed on.
 */
function authMethods(
  url: string,
  document: JsonObject,
): readonly [TokenEndpointAuthMethod, ...TokenEndpointAuthMethod[]] {
  const single = document["token_endpoint_auth_method"] ?? "none";
  const listed = document["token_endpoint_auth_methods_supported"] ?? [single];
  if (!Array.isArray(listed)) throw new ClientDocumentError("method_refused", url);
  // Draft §4.1: no method that is based on a shared secret, wherever it is named.
  if (
    [single, ...listed].some((name: unknown) => typeof name === "string" && name.startsWith("client_secret"))
  ) {
    throw new ClientDocumentError("secret_refused", url);
  }
  const [first, ...rest] = PREFERRED_METHODS.filter((method) => listed.includes(method));
  if (first === undefined) throw new ClientDocumentError("method_refused", url);
  return [first, ...rest];
}

/** RFC 7591 §2: `jwks` or `jwks_uri`, never both. */
function clientKeys(url: string, document: JsonObject, publicUrl: string): ClientKeys {
  const { jwks, jwks_uri: uri } = document;
  if (jwks !== undefined && uri === undefined) {
    const keys = parseClientKeys(jwks);
    if (keys !== undefined) return { kind: "inline", keys };
  }
  if (jwks === undefined && typeof uri === "string" && documentUrlHost(uri, publicUrl) !== undefined) {
    return { kind: "uri", uri };
  }
  throw new ClientDocumentError("keys_refused", url);
}

function signedWith(url: string, document: JsonObject): Client["signingAlgorithm"] {
  const named = document["token_endpoint_auth_signing_alg"];
  if (named === undefined) return undefined;
  const algorithm = ASSERTION_ALGORITHMS.find((supported) => supported === named);
  if (algorithm === undefined) throw new ClientDocumentError("method_refused", url);
  return algorithm;
}
