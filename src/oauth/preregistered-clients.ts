// Clients that an admin registers in the CLIENTS setting, written as RFC 7591 metadata with a client_id. Called by
// config.ts only. A secret is configured as its SHA-256, so that the setting itself is not a credential.

import { OAuthError } from "../errors.ts";
import { isJsonObject, parseStrictArray, type JsonObject } from "../json.ts";
import { parseClientKeys, type ClientKeys } from "./client-keys.ts";
import { parseClientMetadata, parseClientName, type ClientMetadata } from "./client-metadata.ts";
import { REGISTRABLE_AUTH_METHODS, VOUCHED_GRANT_TYPES, type Client, type GrantType } from "./client.ts";

interface PreregisteredClients {
  readonly clients: ReadonlyMap<string, Client>;
  readonly problems: readonly string[];
}

/**
 * Reads a JSON array of `{ client_id, client_secret_sha256?, …RFC 7591 §2 metadata }`. Problems name the entry by its
 * position and never quote it. `token_endpoint_auth_method` defaults to `none`, unlike in dynamic registration, and may
 * be `private_key_jwt` with the public keys in `jwks`. `grant_types` may hold those that need an admin's word too; they
 * need a client that proves itself, and one with nothing else has no redirect URIs.
 */
export function parsePreregisteredClients(text: string): PreregisteredClients {
  const clients = new Map<string, Client>();
  const problems: string[] = [];
  const entries = parseStrictArray(text);
  if (entries === undefined) return { clients, problems: ["must be a JSON array of clients"] };
  for (const [position, entry] of entries.entries()) {
    const client = parseEntry(entry);
    if (typeof client === "string") problems.push(`entry ${position + 1} ${client}`);
    else if (clients.has(client.clientId)) problems.push(`entry ${position + 1} repeats a client_id`);
    else clients.set(client.clientId, client);
  }
  return { clients, problems };
}

type InlineKeys = Extract<ClientKeys, { kind: "inline" }>["keys"];

function parseEntry(entry: unknown): Client | string {
  if (!isJsonObject(entry)) return "is not an object";
  const { client_id: clientId, client_secret_sha256: secretHash, ...rest } = entry;
  // A dynamic id starts with gcl_, a machine client's with gmc_; a Client ID Metadata Document id is an https URL.
  if (typeof clientId !== "string" || !/^(?!gcl_|gmc_)[A-Za-z0-9._~-]{1,128}$/.test(clientId)) {
    return "needs a client_id of letters, digits, dots, dashes and underscores that does not start with gcl_ or gmc_";
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
  keys: InlineKeys | undefined,
  described: JsonObject,
): Client | string {
  const { vouched, rest } = splitGrantTypes(described);
  try {
    // Keys stand in for the secret that registration would hand out.
    const metadata = parseMetadata(
      keys === undefined ? rest : { ...rest, token_endpoint_auth_method: "none" },
      vouched,
    );
    if ((metadata.tokenEndpointAuthMethod === "none") !== (secretHash === undefined)) {
      return "needs client_secret_sha256 exactly when token_endpoint_auth_method is client_secret_basic or client_secret_post";
    }
    const isPublic = keys === undefined && secretHash === undefined;
    if (isPublic && vouched.length > 0) {
      return `needs a secret or keys for the grant type ${vouched.join(" and ")}`;
    }
    return {
      clientId,
      registration: "preregistered",
      clientName: metadata.clientName,
      redirectUris: metadata.redirectUris,
      tokenEndpointAuthMethod: keys === undefined ? metadata.tokenEndpointAuthMethod : "private_key_jwt",
      ...(keys === undefined ? {} : { keys: { kind: "inline", keys } }),
      clientSecretHash: secretHash,
      grantTypes: [...metadata.grantTypes, ...vouched],
    };
  } catch (error) {
    if (error instanceof OAuthError) return `is refused: ${error.description}`;
    throw error;
  }
}

/** The grant types that need an admin's word, apart from what any client can register. */
function splitGrantTypes(described: JsonObject): {
  readonly vouched: readonly GrantType[];
  readonly rest: JsonObject;
} {
  const names: unknown = described["grant_types"];
  if (!Array.isArray(names)) return { vouched: [], rest: described };
  const vouched = VOUCHED_GRANT_TYPES.filter((grantType) => names.includes(grantType));
  const others: readonly unknown[] = names.filter(
    (name: unknown) => !vouched.some((known) => known === name),
  );
  return { vouched, rest: { ...described, grant_types: others } };
}

/** RFC 7591 §2; redirect URIs are for flows that redirect, so a machine has none. */
function parseMetadata(
  described: JsonObject,
  vouched: readonly GrantType[],
): Pick<ClientMetadata, "clientName" | "redirectUris" | "tokenEndpointAuthMethod" | "grantTypes"> {
  const { grant_types: others, redirect_uris: redirectUris, client_name: name } = described;
  const redirects = vouched.length === 0 || redirectUris !== undefined || !isEmpty(others);
  if (redirects) return parseClientMetadata(described);
  const tokenEndpointAuthMethod = REGISTRABLE_AUTH_METHODS.find(
    (method) => method === described["token_endpoint_auth_method"],
  );
  if (tokenEndpointAuthMethod === undefined) {
    throw new OAuthError("invalid_client_metadata", `Use one of: ${REGISTRABLE_AUTH_METHODS.join(", ")}.`);
  }
  return { clientName: parseClientName(name), redirectUris: [], tokenEndpointAuthMethod, grantTypes: [] };
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
