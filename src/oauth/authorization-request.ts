// The authorization request, in the three steps that decide where its errors may go: parse (page), match the redirect
// URI (page), validate the rest (redirect). Called by domain/begin-authorization. RFC 6749 §4.1.1, RFC 7636 §4.3 and
// §4.4, RFC 8707 §2, RFC 9101 §6.2, RFC 9700 §2.1 and §4.11.
import { OAuthError } from "../errors.ts";
import type { Client } from "./client.ts";
import { parseForm, type FormParameters } from "./form.ts";
import { isCodeChallenge } from "./pkce.ts";
import { redirectUriKind, redirectUriMatches } from "./redirect-uri.ts";
import { resolveResource, type Resources } from "./resource.ts";
import { formatScope, resolveScope } from "./scope.ts";

const QUERY_LIMITS = { totalLength: 8_192, parameters: 40, valueLength: 2_048 } as const;

/** RFC 6749 Appendix A.1: the characters of a client id. */
const CLIENT_ID = /^[\x20-\x7e]+$/;

/** What the query says. Only `clientId` has been checked, and for its characters only. */
export interface AuthorizationParameters {
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  readonly responseType: string | undefined;
  readonly responseMode: string | undefined;
  readonly state: string | undefined;
  readonly scope: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly codeChallengeMethod: string | undefined;
  readonly resources: readonly string[];
  /** Whether `request` was sent (RFC 9101). */
  readonly hasRequestObject: boolean;
  /** Whether `request_uri` was sent (RFC 9101). */
  readonly hasRequestUri: boolean;
}

// Not exported, so no other module can write an object that has these types.
const MATCHED: unique symbol = Symbol("matched");
const VALIDATED: unique symbol = Symbol("validated");

export interface RedirectTargetParts {
  readonly redirectUri: string;
  /** As the client sent it; undefined when it sent none. */
  readonly state: string | undefined;
  readonly issuer: string;
}

/** Where an answer may be redirected to. It exists only after the redirect URI was matched with a client's own. */
export interface RedirectTarget extends RedirectTargetParts {
  readonly [MATCHED]: true;
}

/** A device authorization under way, as the approval carries it: RFC 8628 §3.3. */
export interface AskingDevice {
  /** The shard that keeps it. */
  readonly shard: number;
  readonly userCodeHash: string;
  /** SHA-256 of the device code, which redeems the grant. */
  readonly deviceCodeHash: string;
}

export interface AuthorizationRequestParts {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly codeChallenge: string;
  readonly resource: string;
  readonly scope: readonly string[];
  /** The device that polls for the answer (RFC 8628); undefined when a redirect brings it. */
  readonly device?: AskingDevice;
}

/** A request in which everything has been checked; what a person is asked to approve. */
export interface ValidatedAuthorizationRequest extends AuthorizationRequestParts {
  readonly [VALIDATED]: true;
}

/**
 * Reads a raw query string, without its `?` (RFC 6749 §4.1.1). Refuses with `invalid_request`: a repeated parameter
 * (RFC 6749 §3.1; only `resource` may repeat, RFC 8707 §2), invalid percent-encoding or UTF-8, more than 8192
 * characters, 40 parameters or 2048 characters in a value, and a client id that is missing or not printable ASCII.
 * There is no redirect URI yet, so its errors are pages.
 */
export function parseAuthorizationParameters(query: string): AuthorizationParameters {
  const form: FormParameters = parseForm(query, QUERY_LIMITS);
  const clientId = form.get("client_id");
  if (clientId === undefined || !CLIENT_ID.test(clientId)) {
    throw new OAuthError("invalid_request", "Start again from the client: its link has no valid client_id.", {
      reason: "client_id_malformed",
    });
  }
  return {
    clientId,
    redirectUri: form.get("redirect_uri"),
    responseType: form.get("response_type"),
    responseMode: form.get("response_mode"),
    state: form.get("state"),
    scope: form.get("scope"),
    codeChallenge: form.get("code_challenge"),
    codeChallengeMethod: form.get("code_challenge_method"),
    resources: form.all("resource"),
    hasRequestObject: form.has("request"),
    hasRequestUri: form.has("request_uri"),
  };
}

/**
 * Mints the target of every later answer to this request: the requested redirect URI, if it is one that the client
 * registered (RFC 6749 §3.1.2.3, RFC 9700 §2.1), or the only one registered when the request names none. Refuses
 * anything else, and private-use schemes (MCP asks for https or loopback), with `invalid_request` for a page: RFC 6749
 * §4.1.2.1 forbids redirecting to a URI that did not match.
 */
export function matchRedirectTarget(
  client: Client,
  parameters: AuthorizationParameters,
  issuer: string,
): RedirectTarget {
  const redirectUri = parameters.redirectUri ?? onlyRedirectUri(client);
  if (redirectUri === undefined) {
    throw mismatch(
      "Start again from the client: its link must name one of its redirect URIs.",
      "redirect_uri_missing",
    );
  }
  if (!redirectUriMatches(client.redirectUris, redirectUri)) {
    throw mismatch(
      "Remove the connection in your client and add it again: it asked to return to an address that it has not registered.",
      "redirect_uri_mismatch",
    );
  }
  if (redirectUriKind(redirectUri) === "private-use") {
    throw mismatch(
      "The client asked to return to an address that is not https or on this computer.",
      "redirect_uri_private_use",
    );
  }
  return reviveRedirectTarget({ redirectUri, state: parameters.state, issuer });
}

/**
 * Checks the rest of the request; from here on errors may go to `target`. Refuses request objects (RFC 9101 §6.2), a
 * response type other than `code` and a response mode other than `query`, a missing or malformed S256 challenge
 * (RFC 7636 §4.4.1; for confidential clients too, RFC 9700 §2.1.1), a resource that is not ours (RFC 8707 §2) and an
 * unknown scope (RFC 6749 §3.3). Parameters it does not know, `prompt` among them, are ignored (RFC 6749 §3.1).
 */
export function validateAuthorizationRequest(
  client: Client,
  target: RedirectTarget,
  parameters: AuthorizationParameters,
  rules: { readonly resources: Resources },
): ValidatedAuthorizationRequest {
  assertNoRequestObject(parameters);
  assertCodeFlow(client, parameters);
  return reviveAuthorizationRequest({
    clientId: client.clientId,
    redirectUri: target.redirectUri,
    state: target.state,
    codeChallenge: s256Challenge(parameters),
    resource: resolveResource(parameters.resources, rules.resources),
    scope: resolveScope(parameters.scope),
  });
}

/** Restores a target from its parts. Only for values that this gateway sealed itself after `matchRedirectTarget`. */
export function reviveRedirectTarget(parts: RedirectTargetParts): RedirectTarget {
  const { redirectUri, state, issuer } = parts;
  return { [MATCHED]: true, redirectUri, state, issuer };
}

/**
 * Restores a request from its parts. Only for values that this gateway sealed itself after
 * `validateAuthorizationRequest`.
 */
export function reviveAuthorizationRequest(parts: AuthorizationRequestParts): ValidatedAuthorizationRequest {
  const { clientId, redirectUri, state, codeChallenge, resource, scope, device } = parts;
  const common = { clientId, redirectUri, state, codeChallenge, resource, scope };
  return { [VALIDATED]: true, ...common, ...(device === undefined ? {} : { device }) };
}

/** The query that asks for the same again: RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2. */
export function authorizationQuery(request: AuthorizationRequestParts): string {
  return new URLSearchParams({
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    ...(request.state === undefined ? {} : { state: request.state }),
    code_challenge: request.codeChallenge,
    code_challenge_method: "S256",
    resource: request.resource,
    scope: formatScope(request.scope),
  }).toString();
}

/** RFC 6749 §3.1.2.3: the redirect URI may be left out only when one is registered. */
function onlyRedirectUri(client: Client): string | undefined {
  return client.redirectUris.length === 1 ? client.redirectUris[0] : undefined;
}

function mismatch(description: string, reason: string): OAuthError {
  return new OAuthError("invalid_request", description, { reason });
}

function assertNoRequestObject(parameters: AuthorizationParameters): void {
  if (parameters.hasRequestObject) {
    throw new OAuthError("request_not_supported", "Send the parameters themselves, not a request object.");
  }
  if (parameters.hasRequestUri) {
    throw new OAuthError("request_uri_not_supported", "Send the parameters themselves, not a request_uri.");
  }
}

function assertCodeFlow(client: Client, { responseType, responseMode }: AuthorizationParameters): void {
  if (responseType === undefined) {
    throw new OAuthError("invalid_request", "Send response_type=code.", { reason: "response_type_missing" });
  }
  if (responseType !== "code") {
    throw new OAuthError("unsupported_response_type", "Send response_type=code.");
  }
  if (responseMode !== undefined && responseMode !== "query") {
    throw new OAuthError("invalid_request", "Leave response_mode out, or send response_mode=query.", {
      reason: "response_mode_unsupported",
    });
  }
  if (!client.grantTypes.includes("authorization_code")) {
    throw new OAuthError("unauthorized_client", "Register this client for the authorization_code grant.");
  }
}

function s256Challenge({ codeChallenge, codeChallengeMethod }: AuthorizationParameters): string {
  if (codeChallenge === undefined) {
    throw new OAuthError("invalid_request", "Send a PKCE code_challenge.", {
      reason: "code_challenge_missing",
    });
  }
  // RFC 7636 §4.3: without a method the challenge is plain.
  if (codeChallengeMethod !== "S256") {
    throw new OAuthError("invalid_request", "Send code_challenge_method=S256.", {
      reason: "code_challenge_method_unsupported",
    });
  }
  if (!isCodeChallenge(codeChallenge)) {
    throw new OAuthError("invalid_request", "Send the code_challenge as 43 base64url characters.", {
      reason: "code_challenge_malformed",
    });
  }
  return codeChallenge;
}
