// Gong's token answers, from raw bytes to tokens or a GongError. No I/O and no state, so that an answer kept sealed
// can be read again later. Called through oauth.ts by whoever keeps the tokens. RFC 6749 §5.1 and §5.2.
import { decodeJwt } from "jose";
import { nowSeconds } from "../clock.ts";
import type { GongError, GongErrorKind } from "../errors.ts";
import { gongError, type JsonObject, parseJsonObject, parseRetryAfter } from "./answer.ts";

/** An answer of Gong's token endpoint, as received: serialisable, so that it can be sealed before it is read. */
export interface GongTokenAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly wwwAuthenticate: string | undefined;
  readonly body: Uint8Array;
}

export interface GongTokens {
  readonly accessToken: string;
  /** Undefined when the answer has none: the previous one stays in force (RFC 6749 §6). */
  readonly refreshToken: string | undefined;
  /** From 30 seconds to 7 days; an hour when Gong does not say. */
  readonly expiresInSeconds: number;
  /** Undefined when the answer has none: what was asked for is granted (RFC 6749 §5.1). */
  readonly scope: readonly string[] | undefined;
  /** Names the person at Gong, to find their connection again. A hint for matching, never authentication. */
  readonly userId: string | undefined;
}

/** For a life that no token can have, so that it is neither used for long nor asked for in a loop. */
const IMPOSSIBLE_LIFE_SECONDS = 30;
const LONGEST_LIFE_SECONDS = 7 * 24 * 3600;
const DEFAULT_LIFE_SECONDS = 3600;

/**
 * Reads a token answer. Tolerates what Gong is known to send or leave out: `bearer` in lower case, more members, no or
 * textual `expires_in`, no `scope`, no refresh token. Throws GongError: "expired" for a proper `invalid_grant` and
 * nothing else, "misconfigured" when our credentials or request are refused, "denied", "rate_limited", "unavailable"
 * (redirects, timeouts, 5xx), and "malformed" for anything that can't be used with confidence. RFC 6749 §5.
 */
export function interpretTokenAnswer(answer: GongTokenAnswer, clientId: string): GongTokens {
  if (answer.status !== 200) throw refusalOf(answer);
  const members = parseJsonObject(answer.body);
  if (members === undefined) throw malformed("The token answer is not a JSON object.");
  const { access_token, token_type, refresh_token, scope, expires_in } = members;
  if (typeof token_type !== "string" || token_type.toLowerCase() !== "bearer")
    throw malformed("token_type is not bearer.");
  const accessToken = visibleAscii(access_token);
  const isOmitted = refresh_token === undefined || refresh_token === null || refresh_token === "";
  return {
    accessToken,
    refreshToken: isOmitted ? undefined : visibleAscii(refresh_token),
    expiresInSeconds: lifeSeconds(numberOf(expires_in)),
    scope: typeof scope === "string" ? scopeTokens(scope) : undefined,
    userId: userIdOf([members, claimsOf(accessToken)], clientId),
  };
}

const malformed = (message: string): GongError => gongError("malformed", message, { status: 200 });

/** RFC 6749 §5.2 and RFC 8707 §2: what each error says about us; any other is "malformed". */
const TOKEN_ERRORS: Readonly<Record<string, GongErrorKind>> = {
  invalid_grant: "expired",
  invalid_client: "misconfigured",
  unauthorized_client: "misconfigured",
  invalid_request: "misconfigured",
  redirect_uri_mismatch: "misconfigured",
  unsupported_grant_type: "misconfigured",
  invalid_scope: "misconfigured",
  invalid_target: "misconfigured",
  access_denied: "denied",
};

function refusalOf(answer: GongTokenAnswer): GongError {
  const { status } = answer;
  const retryAfterSeconds = parseRetryAfter(answer.retryAfter, nowSeconds());
  const details = retryAfterSeconds === undefined ? { status } : { status, retryAfterSeconds };
  if (status === 429) return gongError("rate_limited", "429.", details);
  if (status >= 500 || status === 408 || (status >= 300 && status < 400)) {
    return gongError("unavailable", "The token endpoint did not answer.", details);
  }
  if (status === 401) return gongError("misconfigured", "The client is not accepted.", details);
  const code = tokenErrorCode(answer);
  const kind = code !== undefined && Object.hasOwn(TOKEN_ERRORS, code) ? TOKEN_ERRORS[code] : undefined;
  // Only 400 ends a connection: a firewall that dresses up its 403 must not.
  if (kind === undefined || (kind === "expired" && status !== 400)) {
    return gongError("malformed", "The answer is neither tokens nor a known error.", details);
  }
  return gongError(kind, "The token endpoint refused the request.", details);
}

/** The `error` of a well-formed error body: JSON by its content type and by its bytes. RFC 6749 §5.2. */
export function tokenErrorCode(answer: GongTokenAnswer): string | undefined {
  if (!/^application\/json\s*(;|$)/i.test(answer.contentType)) return undefined;
  const error = parseJsonObject(answer.body)?.["error"];
  return typeof error === "string" ? error : undefined;
}

/** Tokens go into an Authorization header: anything but visible ASCII is refused. RFC 6749 appendix A.12. */
function visibleAscii(token: unknown): string {
  if (typeof token === "string" && /^[\x21-\x7E]+$/.test(token)) return token;
  throw malformed("A token is no text that a header may carry.");
}

/** A finite number, also when written as text; undefined otherwise. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

function lifeSeconds(expiresIn: number | undefined): number {
  if (expiresIn === undefined) return DEFAULT_LIFE_SECONDS;
  if (expiresIn < 1) return IMPOSSIBLE_LIFE_SECONDS;
  return Math.min(Math.floor(expiresIn), LONGEST_LIFE_SECONDS);
}

/** RFC 6749 §3.3; undefined for no scope, and for one that is not a list of scope tokens. */
function scopeTokens(scope: string): readonly string[] | undefined {
  const tokens = scope.split(" ").filter((token) => token !== "");
  if (tokens.length === 0) return undefined;
  return tokens.every((token) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(token)) ? tokens : undefined;
}

/** Most specific first: `sub` may name something other than a person. */
const USER_ID_MEMBERS = ["uid", "user_id", "sub"] as const;

function userIdOf(sources: ReadonlyArray<JsonObject | undefined>, clientId: string): string | undefined {
  for (const member of USER_ID_MEMBERS) {
    for (const source of sources) {
      const value = source?.[member];
      const id = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
      // A subject that is the client itself would put every person on one connection.
      if (typeof id === "string" && /^[\x21-\x7E]{1,128}$/.test(id) && id !== clientId) return id;
    }
  }
  return undefined;
}

/** The claims of a token that looks like a JWT, unverified; undefined for an opaque one. */
function claimsOf(token: string): JsonObject | undefined {
  try {
    return decodeJwt(token);
  } catch {
    // Not a JWT: an opaque token is as good, it only names nobody.
    return undefined;
  }
}
