// Clients that an admin registers in the CLIENTS setting, written as RFC 7591 metadata with a client_id. Called by
// config.ts only. A secret is configured as its SHA-256, so that the setting itself is not a credential.

import { OAuthError } from "../errors.ts";
import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "../json.ts";
import type { Client } from "./client.ts";
import { parseClientKeys, type ClientKeys } from "./client-keys.ts";
import { parseClientMetadata } from "./client-metadata.ts";

interface PreregisteredClients {
  readonly clients: ReadonlyMap<string, Client>;
  readonly problems: readonly string[];
}

/**
 * Reads a JSON array of `{ client_id, client_secret_sha256?, …RFC 7591 §2 metadata }`. Problems name the entry by its
 * position and never quote it. `token_endpoint_auth_method` defaults to `none`, unlike in dynamic registration, and may
 * be `private_key_jwt` with the public keys in `jwks`.
 */
export function parsePreregisteredClients(text: string): PreregisteredClients {
  const clients = new Map<string, Client>();
  const problems: string[] = [];
  const entries = parseArray(text);
  if (entries === undefined) return { clients, problems: ["must be a JSON array of clients"] };
  for (const [position, entry] of entries.entries()) {
    const client = parseEntry(entry);
    if (typeof client === "string") problems.push(`entry ${position + 1} ${client}`);
    else if (clients.has(client.clientId)) problems.push(`entry ${position + 1} repeats a client_id`);
    else clients.set(client.clientId, client);
  }
  return { clients, problems };
}

function parseArray(text: string): readonly unknown[] | undefined {
  try {
    const value = parseStrictJson(text);
    return Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

function parseEntry(entry: unknown): Client | string {
  if (!isJsonObject(entry)) return "is not an object";
  const { client_id: clientId, client_secret_sha256: secretHash, ...rest } = entry;
  // A dynamic id starts with gcl_; a Client ID Metadata Document id is an https URL.
  if (typeof clientId !== "string" || !/^(?!gcl_)[A-Za-z0-9._~-]{1,128}$/.test(clientId)) {
    return "needs a client_id of letters, digits, dots, dashes and underscores that does not start with gcl_";
  }
  if (
    secretHash !== undefined &&
    (typeof secretHash !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(secretHash))
  ) {
    return "has a client_secret_sha256 that is not a base64url SHA-256";
  }
  const { token_endpoint_auth_method: method = "none", jwks, ...metadata } = rest;
  const keys = method === "private_key_jwt" ? parseClientKeys(jwks) : undefined;
  if (method === "private_key_jwt" && keys === undefined) {
    return "needs jwks with 1 to 20 public keys for private_key_jwt";
  }
  return toClient(clientId, secretHash, keys, { ...metadata, token_endpoint_auth_method: method });
}

function toClient(
  clientId: string,
  secretHash: string | undefined,
  keys: Extract<ClientKeys, { kind: "inline" }>["keys"] | undefined,
  described: JsonObject,
): Client | string {
  try {
    // Keys stand in for the secret that registration would hand out.
    const metadata = parseClientMetadata(
      keys === undefined ? described : { ...described, token_endpoint_auth_method: "none" },
    );
    if ((metadata.tokenEndpointAuthMethod === "none") !== (secretHash === undefined)) {
      return "needs client_secret_sha256 exactly when token_endpoint_auth_method is client_secret_basic or client_secret_post";
    }
    return {
      clientId,
      registration: "preregistered",
      clientName: metadata.clientName,
      redirectUris: metadata.redirectUris,
      tokenEndpointAuthMethod: keys === undefined ? metadata.tokenEndpointAuthMethod : "private_key_jwt",
      ...(keys === undefined ? {} : { keys: { kind: "inline", keys } }),
      clientSecretHash: secretHash,
      grantTypes: metadata.grantTypes,
    };
  } catch (error) {
    if (error instanceof OAuthError) return `is refused: ${error.description}`;
    throw error;
  }
}
