// What a client is, as every rule of this folder sees it. Called by the rules beside it, by storage (which keeps
// registrations) and by domain (which looks clients up). RFC 6749 §2, RFC 7591 §2.
import type { AssertionAlgorithm, ClientKeys } from "./client-keys.ts";

/** RFC 7591 §2: the methods that a client can register by itself, because we can give it what it needs. */
export const REGISTRABLE_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"] as const;

/**
 * RFC 7591 §2: how a client proves itself at the token and revocation endpoints; the list our metadata publishes.
 * `private_key_jwt` is for clients whose keys somebody else vouches for: their metadata document or an admin.
 */
export const TOKEN_ENDPOINT_AUTH_METHODS = [...REGISTRABLE_AUTH_METHODS, "private_key_jwt"] as const;

export type TokenEndpointAuthMethod = (typeof TOKEN_ENDPOINT_AUTH_METHODS)[number];

/** RFC 8628 §3.4: the grant of a client whose person signs in on another device. */
export const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** RFC 7591 §2: the grant types that a client can register for by itself; every gateway serves them. */
export const REGISTRABLE_GRANT_TYPES = ["authorization_code", "refresh_token", DEVICE_CODE_GRANT] as const;

/** What a client gets that registers without naming grant types. */
export const DEFAULT_GRANT_TYPES: readonly GrantType[] = ["authorization_code", "refresh_token"];

/** RFC 6749 §4.4: a machine asks for itself, with nobody at a browser. For clients that an admin vouches for. */
export const CLIENT_CREDENTIALS = "client_credentials";

/** RFC 7523 §2.1: somebody whom the settings trust vouches for a person. For clients that an admin named to them. */
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** The grant types that a client needs an admin's word for, beside a proof of who it is. */
export const VOUCHED_GRANT_TYPES = [CLIENT_CREDENTIALS, JWT_BEARER] as const;

/** RFC 7591 §2: every grant type the token endpoint knows; the settings say which of them a gateway serves. */
const GRANT_TYPES = [...REGISTRABLE_GRANT_TYPES, ...VOUCHED_GRANT_TYPES] as const;

export type GrantType = (typeof GRANT_TYPES)[number];

/** RFC 7591 §2: the response types the authorization endpoint serves; the list our metadata publishes. */
export const RESPONSE_TYPES = ["code"] as const;

/** An MCP client known to the gateway. */
export interface Client {
  readonly clientId: string;
  /**
   * `preregistered`: an admin vouches for it. `metadata_document`: its client id is the URL of its registration, so the
   * host in it vouches for it. `dynamic`: it registered itself, and nothing about it is proven.
   */
  readonly registration: "preregistered" | "metadata_document" | "dynamic";
  /** As the client wrote it; whoever shows it cleans it first. */
  readonly clientName: string | undefined;
  readonly redirectUris: readonly string[];
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod;
  /** Further methods it may use: a document serves many servers, so it may list several (SEP-3149). */
  readonly otherAuthMethods?: readonly TokenEndpointAuthMethod[];
  /** What `private_key_jwt` is verified with. */
  readonly keys?: ClientKeys | undefined;
  /** The one algorithm it signs with, when it names one (OpenID Connect Registration §2). */
  readonly signingAlgorithm?: AssertionAlgorithm | undefined;
  /** base64url SHA-256 of the client secret; undefined for a public client. */
  readonly clientSecretHash: string | undefined;
  readonly grantTypes: readonly GrantType[];
  /** The scopes it may have at most; undefined for all. */
  readonly allowedScope?: readonly string[];
  /** Epoch seconds at which it ends, and everything it was given; undefined for never. */
  readonly endsAt?: number;
  /** The admin who made it for a machine, as the audit names them. */
  readonly madeBy?: string;
}

/** Whether `client` may authenticate by `method`. */
export function mayAuthenticateBy(client: Client, method: TokenEndpointAuthMethod): boolean {
  return client.tokenEndpointAuthMethod === method || (client.otherAuthMethods ?? []).includes(method);
}
