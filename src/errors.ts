// The error codes of every OAuth channel, grouped by the RFC that defines them, with the one table from code to HTTP
// status; what can be wrong with the settings, with Gong and with a client's document; and what strangers are told of
// any other error. Called by every layer; imports nothing.

/** RFC 6749 §5.2: errors of the token endpoint. */
export type TokenErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope";

/** RFC 8628 §3.5: what a device is told at the token endpoint, besides `access_denied`. */
export type DeviceErrorCode = "authorization_pending" | "slow_down" | "expired_token";

/** RFC 6749 §4.1.2.1, RFC 9101 §6.2: errors of the authorization endpoint. */
export type AuthorizationErrorCode =
  | "invalid_request"
  | "unauthorized_client"
  | "access_denied"
  | "unsupported_response_type"
  | "invalid_scope"
  | "server_error"
  | "temporarily_unavailable"
  | "request_not_supported"
  | "request_uri_not_supported";

/** RFC 7591 §3.2.2: errors of client registration. */
export type RegistrationErrorCode =
  | "invalid_redirect_uri"
  | "invalid_client_metadata"
  | "invalid_software_statement";

/** RFC 6750 §3.1: errors of the protected resource. */
export type BearerErrorCode = "invalid_request" | "invalid_token" | "insufficient_scope";

export type OAuthErrorCode =
  | TokenErrorCode
  | DeviceErrorCode
  | AuthorizationErrorCode
  | RegistrationErrorCode
  | BearerErrorCode
  /** RFC 8707 §2. */
  | "invalid_target";

/** HTTP statuses that the gateway answers errors with. */
export type ErrorStatus = 400 | 401 | 403 | 408 | 413 | 415 | 429 | 500 | 503;

const STATUS: Record<OAuthErrorCode, ErrorStatus> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  access_denied: 403,
  unsupported_response_type: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_target: 400,
};

interface OAuthErrorDetails {
  /** Why, for logs only; never on the wire. A short constant, e.g. "code_expired". */
  reason?: string;
  /** Overrides the status of the code's row, e.g. 413 for a body over its cap. */
  status?: ErrorStatus;
  /** Seconds, for Retry-After. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/**
 * An expected refusal. `description` is written by us, says what to do, and is safe for strangers: it never
 * contains text from outside. The channel (JSON, challenge, redirect, page) is chosen by the route, never here.
 */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;
  readonly description: string;
  readonly reason: string | undefined;
  readonly status: ErrorStatus;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: OAuthErrorCode, description: string, details: OAuthErrorDetails = {}) {
    super(`${code}: ${description}`, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "OAuthError";
    this.code = code;
    this.description = description;
    this.reason = details.reason;
    this.status = details.status ?? STATUS[code];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** Settings that are missing or wrong, all of them at once, by name and never by value. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Configuration problems: ${problems.join("; ")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** What a call to Gong came to, when it was not success. Only `expired` says anything about the connection. */
export type GongErrorKind =
  /** Gong, or the person at Gong, said no. */
  | "denied"
  /** `invalid_grant`: the code or refresh token is dead. */
  | "expired"
  /** Our client id, secret or redirect URI is not accepted: for the admin, not the person. */
  | "misconfigured"
  /** 429. */
  | "rate_limited"
  /** No answer, a timeout, or 5xx. */
  | "unavailable"
  /** An answer that can't be understood. */
  | "malformed";

/** A call to Gong that was no success. Gong's own words are never in it. */
export class GongError extends Error {
  readonly kind: GongErrorKind;
  /** HTTP status of Gong's answer, or undefined when there was none. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: GongErrorKind,
    details: { status?: number; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(`Gong: ${kind}`, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "GongError";
    this.kind = kind;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** Why the document that a client id names, or the key set it points to, can't be used. A closed list: it is shown. */
export type ClientDocumentProblem =
  /** The URL is not one that is fetched at all. */
  | "address_refused"
  /** The policy of this gateway does not list its host. */
  | "host_not_allowed"
  /** Asked too often lately. */
  | "too_many_fetches"
  /** No answer, a broken one, or a status that is not 200. */
  | "unreachable"
  /** 404 or 410: nothing is there now, and strangers are told the same as for `unreachable`. */
  | "absent"
  | "too_long"
  | "not_json"
  | "other_client_id"
  | "name_refused"
  | "redirect_uris_refused"
  | "flow_refused"
  /** It asks for a shared secret, contains one, or contains private keys. */
  | "secret_refused"
  | "method_refused"
  | "keys_refused";

/** A client's document that can't be used. `url` is text from outside: pages show it as text, logs leave it out. */
export class ClientDocumentError extends Error {
  readonly problem: ClientDocumentProblem;
  readonly url: string;

  constructor(problem: ClientDocumentProblem, url: string) {
    super(`Client document: ${problem}`);
    this.name = "ClientDocumentError";
    this.problem = problem;
    this.url = url;
  }

  /** Whether the same request may succeed in a moment, so that a client must not take it for a verdict. */
  get isTemporary(): boolean {
    return this.problem === "unreachable" || this.problem === "too_many_fetches";
  }
}

/** How the platform marks an error that crossed an object's border: its storage, its instance or its time failed it. */
const OBJECT_FAILURE_MARKS = ["remote", "durableObjectReset", "overloaded", "retryable"] as const;

/**
 * What strangers are told of an unknown error, never its message: 503 when an object failed, which asking again can
 * mend, 500 for a bug in the Worker.
 */
export function failureOf(error: unknown): OAuthError {
  const ofObject =
    error instanceof Error && OBJECT_FAILURE_MARKS.some((mark) => Reflect.get(error, mark) === true);
  return ofObject
    ? new OAuthError("temporarily_unavailable", "The gateway could not finish this. Try again in a moment.", {
        retryAfterSeconds: 1,
        cause: error,
      })
    : new OAuthError("server_error", "The gateway failed. Try again; if it stays, tell your admin.");
}
