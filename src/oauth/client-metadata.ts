// Client registration: what a client may say about itself, and what it is told back. Called by domain/clients, by
// client-document.ts and preregistered-clients.ts, and for names by routes/admin. RFC 7591 §2, §3.1, §3.2.
import { OAuthError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import {
  DEFAULT_GRANT_TYPES,
  DEVICE_CODE_GRANT,
  REGISTRABLE_AUTH_METHODS,
  REGISTRABLE_GRANT_TYPES,
  RESPONSE_TYPES,
  type Client,
  type GrantType,
  type TokenEndpointAuthMethod,
} from "./client.ts";
import { assertRegistrable } from "./redirect-uri.ts";

const MOST_REDIRECT_URIS = 10;
const LONGEST_NAME = 200;
const LONGEST_SHOWN_NAME = 64;

/** The fields that are kept. Every other field, above all each URL except the redirect URIs, is dropped unread. */
export interface ClientMetadata {
  readonly redirectUris: readonly string[];
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod;
  readonly grantTypes: readonly GrantType[];
  readonly clientName: string | undefined;
  /** OpenID Connect Registration §2; MCP clients send it. Echoed, and decides nothing. */
  readonly applicationType: "native" | "web" | undefined;
}

/** RFC 7591 §3.2.1, with its wire names. */
export interface RegistrationDocument {
  readonly client_id: string;
  readonly client_id_issued_at: number;
  readonly client_secret?: string;
  readonly client_secret_expires_at?: 0;
  readonly redirect_uris: readonly string[];
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod;
  readonly grant_types: readonly GrantType[];
  readonly response_types: readonly string[];
  readonly client_name?: string;
  readonly application_type?: "native" | "web";
}

/**
 * Reads the parsed JSON body of a registration (RFC 7591 §2, §3.1). A member that is null counts as
 * omitted. Refuses redirect URIs that are not 1 to 10 registrable ones, or 0 to 10 for a client of
 * the device grant alone (`invalid_redirect_uri`); an authentication method, grant types or response
 * types of which we serve none, `refresh_token` alone, and a name that is not text of up to 200
 * characters (`invalid_client_metadata`); and any software statement (`invalid_software_statement`).
 */
export function parseClientMetadata(body: unknown): ClientMetadata {
  if (!isJsonObject(body)) throw refused("Send the client metadata as one JSON object.", "not_an_object");
  if (member(body, "software_statement") !== undefined) {
    throw new OAuthError("invalid_software_statement", "Register without a software_statement.");
  }
  const kept = grantTypes(member(body, "grant_types"));
  const redirects = kept.includes("authorization_code");
  assertResponseTypes(member(body, "response_types"), redirects);
  return {
    redirectUris: redirectUris(member(body, "redirect_uris"), redirects ? 1 : 0),
    tokenEndpointAuthMethod: authMethod(member(body, "token_endpoint_auth_method")),
    grantTypes: kept,
    clientName: parseClientName(member(body, "client_name")),
    applicationType: applicationType(member(body, "application_type")),
  };
}

/**
 * The answer to a registration (RFC 7591 §3.2.1): what was registered, from an explicit list, never an echo of the
 * body. A client registered with `none` is never given a secret. Times in epoch seconds; 0 means no expiry.
 */
export function registrationResponse(
  client: Client,
  secrets: {
    readonly clientSecret: string | undefined;
    readonly issuedAt: number;
    readonly clientSecretExpiresAt: 0;
  },
  metadata: ClientMetadata,
): RegistrationDocument {
  const { clientSecret, issuedAt, clientSecretExpiresAt } = secrets;
  const confidential = client.tokenEndpointAuthMethod !== "none" && clientSecret !== undefined;
  return {
    client_id: client.clientId,
    client_id_issued_at: issuedAt,
    ...(confidential ? { client_secret: clientSecret, client_secret_expires_at: clientSecretExpiresAt } : {}),
    redirect_uris: client.redirectUris,
    token_endpoint_auth_method: client.tokenEndpointAuthMethod,
    grant_types: client.grantTypes,
    response_types: client.grantTypes.includes("authorization_code") ? RESPONSE_TYPES : [],
    ...(client.clientName === undefined ? {} : { client_name: client.clientName }),
    ...(metadata.applicationType === undefined ? {} : { application_type: metadata.applicationType }),
  };
}

// Controls, bidirectional overrides, zero-width and other invisible characters, and code points that mean nothing.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu;
// White space of every kind, and the Braille blank, which looks like it.
const BLANK = /[\s\u0085\u2800]+/gu;

/**
 * A client's name on one line, for labels: without control, bidirectional, zero-width and format characters, with
 * single spaces, at most 64 code points. Undefined when nothing visible is left. It is still only what the client says.
 */
export function displayName(name: string | undefined): string | undefined {
  const visible = (name ?? "").replace(BLANK, " ").replace(INVISIBLE, "").replace(BLANK, " ").trim();
  const shown = Array.from(visible).slice(0, LONGEST_SHOWN_NAME).join("").trimEnd();
  return shown === "" ? undefined : shown;
}

function member(body: JsonObject, name: string): unknown {
  return Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined;
}

/** RFC 7591 §2: only clients of a flow with redirects must register where they lead. */
function redirectUris(value: unknown, least: 0 | 1): readonly string[] {
  if (value === undefined && least === 0) return [];
  if (!Array.isArray(value) || value.length < least || value.length > MOST_REDIRECT_URIS) {
    throw new OAuthError("invalid_redirect_uri", `Register 1 to ${MOST_REDIRECT_URIS} redirect_uris.`, {
      reason: "redirect_uris_count",
    });
  }
  return [...new Set(value.map((uri: unknown) => assertRegistrable(uri)))];
}

/** RFC 7591 §2: a client that says nothing is one that authenticates with HTTP Basic. */
function authMethod(value: unknown): TokenEndpointAuthMethod {
  if (value === undefined) return "client_secret_basic";
  const method = REGISTRABLE_AUTH_METHODS.find((supported) => supported === value);
  if (method === undefined) {
    throw refused(`Use one of: ${REGISTRABLE_AUTH_METHODS.join(", ")}.`, "auth_method_unsupported");
  }
  return method;
}

/**
 * RFC 7591 §3.2.1 lets the server replace what was asked for, and tells the client. A client that leaves grant_types
 * out gets both: it is handed a refresh token, so it must be able to use it.
 */
function grantTypes(value: unknown): readonly GrantType[] {
  const kept = value === undefined ? DEFAULT_GRANT_TYPES : supportedOf(value, REGISTRABLE_GRANT_TYPES);
  if (!kept.includes("authorization_code") && !kept.includes(DEVICE_CODE_GRANT)) {
    const text = `Register for the grant type authorization_code or ${DEVICE_CODE_GRANT}.`;
    throw refused(text, "grant_types_unsupported");
  }
  return kept;
}

/** RFC 7591 §2.1: a client without a flow with redirects has no response type. */
function assertResponseTypes(value: unknown, needed: boolean): void {
  if (value !== undefined && supportedOf(value, RESPONSE_TYPES).length === 0 && needed) {
    throw refused("Register for the response type code.", "response_types_unsupported");
  }
}

function supportedOf<Name extends string>(value: unknown, supported: readonly Name[]): readonly Name[] {
  if (!Array.isArray(value) || !value.every((name: unknown) => typeof name === "string")) {
    throw refused("Send grant_types and response_types as arrays of strings.", "not_a_string_array");
  }
  return supported.filter((name) => value.includes(name));
}

/**
 * RFC 7591 §2: the name as the client wrote it. Refuses with
 * `invalid_client_metadata` what is not text of up to 200 characters.
 */
export function parseClientName(value: unknown): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (typeof value !== "string" || value.length > LONGEST_NAME || !value.isWellFormed()) {
    throw refused(`Send client_name as text of up to ${LONGEST_NAME} characters.`, "client_name_malformed");
  }
  return value;
}

function applicationType(value: unknown): "native" | "web" | undefined {
  return value === "native" || value === "web" ? value : undefined;
}

function refused(description: string, reason: string): OAuthError {
  return new OAuthError("invalid_client_metadata", description, { reason });
}
