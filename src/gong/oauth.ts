// Our side as the confidential client at Gong: the authorization URL, the callback, and the two token requests. The
// answers come back raw, so that the caller can seal them before `interpretTokenAnswer` looks inside. Called by
// domain/ and storage/. RFC 6749 §4.1 and §6, RFC 7636, RFC 8707, RFC 9207.
import * as oauth from "oauth4webapi";
import type { GongErrorKind } from "../errors.ts";
import { isLoopbackHttp } from "../oauth/loopback.ts";
import { boundedFetch, gongError, readBounded, USER_AGENT } from "./answer.ts";
import type { GongEndpoints } from "./discovery.ts";
import type { Integration } from "./integration.ts";
import type { GongTokenAnswer } from "./token-answer.ts";

export { type GongTokenAnswer, type GongTokens, interpretTokenAnswer } from "./token-answer.ts";

const TOKEN_BOUNDS = { longestBody: 256 * 1024, timeoutMs: 12_000 };

/**
 * Returns the URL that starts an authorization at Gong: code flow with PKCE S256, bound to Gong's MCP endpoint.
 * RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.
 */
export function gongAuthorizationUrl(
  endpoints: GongEndpoints,
  integration: Integration,
  request: { state: string; codeChallenge: string; scope: readonly string[] },
): URL {
  const url = new URL(endpoints.authorizationEndpoint);
  const parameters = url.searchParams;
  parameters.set("response_type", "code");
  parameters.set("client_id", integration.clientId);
  parameters.set("redirect_uri", integration.redirectUri);
  if (request.scope.length > 0) parameters.set("scope", request.scope.join(" "));
  parameters.set("state", request.state);
  parameters.set("code_challenge", request.codeChallenge);
  parameters.set("code_challenge_method", "S256");
  parameters.set("resource", integration.mcpUrl.href);
  // Gong documents %20 between scopes. A plus sign here is always an encoded space; a real one is %2B.
  url.search = parameters.toString().replaceAll("+", "%20");
  return url;
}

/** RFC 6749 §4.1.2.1: what each error of Gong's callback says about us; any other is a refusal. */
const CALLBACK_ERRORS: Readonly<Record<string, GongErrorKind>> = {
  access_denied: "denied",
  invalid_request: "misconfigured",
  unauthorized_client: "misconfigured",
  unsupported_response_type: "misconfigured",
  invalid_scope: "misconfigured",
  invalid_target: "misconfigured",
  server_error: "unavailable",
  temporarily_unavailable: "unavailable",
};

/**
 * Checks Gong's callback and returns it for the code exchange. Throws GongError: "denied" when the person or Gong said
 * no, "misconfigured" when Gong refused the integration, "unavailable" when Gong failed, "malformed" for another state
 * or issuer, a missing code, or a repeated parameter. RFC 6749 §4.1.2, RFC 9207 §2.4.
 */
export function validateGongCallback(
  endpoints: GongEndpoints,
  integration: Integration,
  callback: URLSearchParams,
  expectedState: string,
): URLSearchParams {
  try {
    const checked = oauth.validateAuthResponse(
      serverAt(endpoints),
      { client_id: integration.clientId },
      callback,
      expectedState,
    );
    if (checked.getAll("code").length !== 1 || checked.get("code") === "") {
      throw gongError("malformed", "The callback has no code.");
    }
    return checked;
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) {
      const kind = Object.hasOwn(CALLBACK_ERRORS, error.error) ? CALLBACK_ERRORS[error.error] : undefined;
      throw gongError(kind ?? "denied", "The callback is an error.");
    }
    throw asGongError(error);
  }
}

/**
 * Redeems the code of Gong's callback and returns the answer, whatever it is, unread. Throws GongError as
 * `validateGongCallback` does, "unavailable" without an answer within 12 seconds, "malformed" for an answer over
 * 256 KiB. RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2.
 */
export async function requestTokensByCode(
  endpoints: GongEndpoints,
  integration: Integration,
  exchange: {
    callback: URLSearchParams;
    expectedState: string;
    codeVerifier: string;
    fetcher?: typeof fetch;
  },
): Promise<GongTokenAnswer> {
  const { callback, expectedState, codeVerifier, fetcher = fetch } = exchange;
  const checked = validateGongCallback(endpoints, integration, callback, expectedState);
  return await answerTo(
    oauth.authorizationCodeGrantRequest(
      serverAt(endpoints),
      { client_id: integration.clientId },
      clientAuthentication(endpoints, integration),
      checked,
      integration.redirectUri,
      codeVerifier,
      // RFC 6749 §3.2.1 lets a client that authenticates name itself too; Gong's REST page does it.
      requestOptions(integration, fetcher, { client_id: integration.clientId }),
    ),
  );
}

/**
 * Spends a Gong refresh token and returns the answer, whatever it is, unread. The token is single use: the caller
 * records the intent first and keeps the answer before reading it. Throws GongError: "unavailable" without an answer
 * within 12 seconds, "malformed" for an answer over 256 KiB. RFC 6749 §6.
 */
export async function requestTokensByRefresh(
  endpoints: GongEndpoints,
  integration: Integration,
  exchange: { refreshToken: string; fetcher?: typeof fetch },
): Promise<GongTokenAnswer> {
  const { refreshToken, fetcher = fetch } = exchange;
  return await answerTo(
    oauth.refreshTokenGrantRequest(
      serverAt(endpoints),
      { client_id: integration.clientId },
      clientAuthentication(endpoints, integration),
      refreshToken,
      requestOptions(integration, fetcher),
    ),
  );
}

/** Gong as oauth4webapi describes authorization servers. */
function serverAt(endpoints: GongEndpoints): oauth.AuthorizationServer {
  return {
    issuer: endpoints.issuer,
    token_endpoint: endpoints.tokenEndpoint.href,
    authorization_response_iss_parameter_supported: endpoints.issuesIss,
  };
}

/**
 * RFC 6749 §2.3.1: HTTP Basic where offered, else the form. Basic is ours rather than oauth4webapi 3.8's, which also
 * escapes `-`, `.` and `_`: the same to a server that decodes, but an unknown client to one that does not.
 */
function clientAuthentication(endpoints: GongEndpoints, integration: Integration): oauth.ClientAuth {
  if (!endpoints.tokenEndpointAuthMethods.includes("client_secret_basic")) {
    return oauth.ClientSecretPost(integration.clientSecret);
  }
  return (_server, client, _body, headers) => {
    const credentials = `${formEncode(client.client_id)}:${formEncode(integration.clientSecret)}`;
    headers.set("authorization", `Basic ${btoa(credentials)}`);
  };
}

/** RFC 6749 appendix B. */
function formEncode(value: string): string {
  return new URLSearchParams([["", value]]).toString().slice(1);
}

function requestOptions(
  integration: Integration,
  fetcher: typeof fetch,
  parameters: Readonly<Record<string, string>> = {},
): oauth.TokenEndpointRequestOptions {
  return {
    [oauth.customFetch]: boundedFetch<"POST", URLSearchParams>(fetcher, TOKEN_BOUNDS),
    [oauth.allowInsecureRequests]: isLoopbackHttp(integration.mcpUrl),
    headers: { "user-agent": USER_AGENT },
    additionalParameters: { ...parameters, resource: integration.mcpUrl.href },
  };
}

async function answerTo(request: Promise<Response>): Promise<GongTokenAnswer> {
  try {
    const response = await request;
    return {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      retryAfter: response.headers.get("retry-after") ?? undefined,
      wwwAuthenticate: response.headers.get("www-authenticate") ?? undefined,
      body: (await readBounded(response, TOKEN_BOUNDS.longestBody)) ?? new Uint8Array(),
    };
  } catch (error) {
    throw asGongError(error);
  }
}

/** oauth4webapi's refusals become "malformed", by their constant code alone; bugs stay what they are. */
function asGongError(error: unknown): unknown {
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
    return gongError("malformed", error.code ?? "refused");
  }
  return error;
}
