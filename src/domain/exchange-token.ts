// POST /token: a code, a refresh token or a client's own word becomes tokens. The client is proven here; candidates are
// minted here; the connection decides in one transaction, without calling anybody, so this works while Gong is down.
// RFC 6749 §4.1.3, §5.1 and §6, RFC 7636 §4.6, RFC 8707 §2.2, RFC 9700 §4.14.2.

import { mintCredential, readCredential, type CredentialClaims } from "../crypto/credential.ts";
import { openForHolder, sealForHolder } from "../crypto/holder-seal.ts";
import { OAuthError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { log } from "../log.ts";
import { DEVICE_CODE_GRANT, JWT_BEARER, type Client } from "../oauth/client.ts";
import type { FormParameters } from "../oauth/form.ts";
import { codeChallengeOf } from "../oauth/pkce.ts";
import { resolveResource } from "../oauth/resource.ts";
import {
  assertGrantTypeAllowed,
  parseTokenRequest,
  type CodeTokenRequest,
  type DeviceTokenRequest,
  type RefreshTokenRequest,
  type TokenRequest,
} from "../oauth/token-request.ts";
import type { PollOutcome } from "../storage/device-authorizations.ts";
import type { CandidateTokens, TokenOutcome } from "../storage/grants.ts";
import { authenticateClient, type ProvenClient } from "./authenticate-client.ts";
import { grantByClientCredentials } from "./client-credentials.ts";
import { renewClient } from "./clients.ts";
import { resourcesOf, type Gateway } from "./gateway.ts";
import { deviceRedemptionHash } from "./open-grant.ts";
import { grantByAssertion } from "./identity-assertion.ts";
import { servedGrantTypes } from "./served-grant-types.ts";
import { DEVICE_CHALLENGE } from "./tell-client.ts";
import type { TokenResponse } from "./token-response.ts";

interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Answers a token request. Throws OAuthError; a refused request changes nothing, except that proven reuse revokes. */
export async function exchangeToken(
  gateway: Gateway,
  authorization: string | undefined,
  form: FormParameters,
): Promise<TokenResponse> {
  const client = await authenticateClient(gateway, authorization, form);
  const request = parseTokenRequest(form, servedGrantTypes(gateway.config));
  assertGrantTypeAllowed(client, request.grantType);
  if (FAILPOINTS) await failpoint("token.proven");
  const response = await decide(gateway, client, request);
  if (FAILPOINTS) await failpoint("token.decided");
  renewClient(gateway, client);
  // A routine refresh would push the sign-in out of the client's trace.
  if (request.grantType !== "authorization_code" && request.grantType !== DEVICE_CODE_GRANT)
    delete gateway.attempt.clientId;
  log("info", "token.issued", { client: client.clientId, grantType: request.grantType }, gateway);
  return response;
}

function decide(gateway: Gateway, client: ProvenClient, request: TokenRequest): Promise<TokenResponse> {
  switch (request.grantType) {
    case "authorization_code":
      return redeem(gateway, client, request);
    case "refresh_token":
      return refresh(gateway, client, request);
    case "client_credentials":
      return grantByClientCredentials(gateway, client, request);
    case DEVICE_CODE_GRANT:
      return redeemDevice(gateway, client, request);
    case JWT_BEARER:
      return grantByAssertion(gateway, client, request);
  }
}

async function redeem(gateway: Gateway, client: Client, request: CodeTokenRequest): Promise<TokenResponse> {
  const claims = await readOwn(gateway, "code", request.code);
  const { pair, candidates } = await mintTokens(gateway, claims, 1);
  const outcome: TokenOutcome = await gateway.objects.connection(claims.connectionId).redeemCode(
    {
      hash: claims.hash,
      grantId: claims.grantId,
      clientId: client.clientId,
      redirectUri: request.redirectUri,
      codeChallenge: await codeChallengeOf(request.codeVerifier),
      resource: namedResource(gateway, request.resources, claims),
    },
    candidates,
  );
  return answer(gateway, client, outcome, pair);
}

/** RFC 8628 §3.4, §3.5: what the person decided, or that they did not yet. */
async function redeemDevice(
  gateway: Gateway,
  client: Client,
  request: DeviceTokenRequest,
): Promise<TokenResponse> {
  const { objects } = gateway;
  const device = await readOwn(gateway, "device", request.deviceCode);
  const polled: PollOutcome = await objects
    .registryShard(device.generation)
    .pollDevice(device.hash, client.clientId);
  if (polled.kind !== "approved") throw new OAuthError(polled.kind, POLL_TEXTS[polled.kind]);
  const { connectionId, grantId } = polled;
  const claims = { ...device, connectionId, grantId };
  const { pair, candidates } = await mintTokens(gateway, claims, 1);
  const outcome: TokenOutcome = await objects.connection(connectionId).redeemCode(
    {
      hash: await deviceRedemptionHash(device.hash, grantId),
      grantId,
      clientId: client.clientId,
      redirectUri: undefined,
      codeChallenge: DEVICE_CHALLENGE,
      resource: namedResource(gateway, request.resources, claims),
    },
    candidates,
  );
  return answer(gateway, client, outcome, pair);
}

const POLL_TEXTS: Record<Exclude<PollOutcome["kind"], "approved">, string> = {
  authorization_pending: "Nobody has approved the device yet. Keep polling.",
  slow_down: "Poll five seconds less often.",
  access_denied: "The request was denied.",
  expired_token: "The code has expired. Ask for a new one.",
};

async function refresh(
  gateway: Gateway,
  client: Client,
  request: RefreshTokenRequest,
): Promise<TokenResponse> {
  const claims = await readOwn(gateway, "refresh", request.refreshToken);
  const { pair, candidates } = await mintTokens(gateway, claims, claims.generation + 1);
  const outcome: TokenOutcome = await gateway.objects.connection(claims.connectionId).rotateRefreshToken(
    {
      hash: claims.hash,
      grantId: claims.grantId,
      generation: claims.generation,
      clientId: client.clientId,
      resource: namedResource(gateway, request.resources, claims),
      scope: request.scope,
    },
    { ...candidates, answerSealed: await sealForHolder(request.refreshToken, JSON.stringify(pair)) },
  );
  if (outcome.kind !== "replayed") return answer(gateway, client, outcome, pair);
  const stored: TokenPair = JSON.parse(await openForHolder(request.refreshToken, outcome.answerSealed));
  return answer(gateway, client, outcome, stored);
}

type Claims = CredentialClaims & { readonly hash: string };

/** The claims of a code or refresh token with a valid tag. One sentence for every reason it is refused. */
async function readOwn(
  gateway: Gateway,
  kind: "code" | "refresh" | "device",
  value: string,
): Promise<Claims> {
  const claims = await readCredential(
    gateway.keyring,
    kind,
    value,
    resourcesOf(gateway.config),
    gateway.now(),
  );
  if (claims === undefined) throw refused("tag_invalid_or_expired");
  return claims;
}

/** RFC 8707 §2.2. A wrong resource is refused before anything is spent. */
function namedResource(gateway: Gateway, values: readonly string[], claims: Claims): string | undefined {
  if (values.length === 0) return undefined;
  const resource = resolveResource(values, gateway.config.resources);
  // A client that names only the origin means the endpoint it signed in to.
  const namesOrigin = values.every((value) => isOrigin(value, gateway.config.publicUrl));
  if (namesOrigin || resource === claims.resource) return claims.resource;
  throw new OAuthError("invalid_target", "Ask for the resource that the code or token was issued for.");
}

function isOrigin(value: string, publicUrl: string): boolean {
  const trimmed = value.endsWith("/") ? value.slice(0, -1) : value;
  return trimmed.toLowerCase() === publicUrl;
}

async function mintTokens(
  gateway: Gateway,
  claims: Claims,
  generation: number,
): Promise<{ readonly pair: TokenPair; readonly candidates: CandidateTokens }> {
  const { config, keyring } = gateway;
  const { connectionId, grantId, resource } = claims;
  const accessExpiresAt = gateway.now() + config.accessTokenSeconds;
  const refreshExpiresAt = gateway.now() + config.refreshTokenSeconds;
  const shared = { connectionId, grantId, resource, generation };
  const access = await mintCredential(keyring, "access", { ...shared, expiresAt: accessExpiresAt });
  const refreshToken = await mintCredential(keyring, "refresh", { ...shared, expiresAt: refreshExpiresAt });
  return {
    pair: { accessToken: access.value, refreshToken: refreshToken.value },
    candidates: {
      accessHash: access.hash,
      accessExpiresAt,
      refreshHash: refreshToken.hash,
      refreshKid: keyring.sealingKid,
      refreshExpiresAt,
    },
  };
}

function answer(gateway: Gateway, client: Client, outcome: TokenOutcome, pair: TokenPair): TokenResponse {
  if (outcome.kind === "revoked") {
    log("warn", "token.reuse_detected", { client: client.clientId, reason: outcome.reason }, gateway);
    throw refused(outcome.reason);
  }
  if (outcome.kind === "refused") {
    if (outcome.reason === "invalid_scope") {
      throw new OAuthError("invalid_scope", "Ask for no more than the scopes that were granted.");
    }
    throw refused(outcome.reason);
  }
  const response = {
    access_token: pair.accessToken,
    token_type: "Bearer" as const,
    expires_in: Math.max(outcome.accessExpiresAt - gateway.now(), 1),
    scope: outcome.scope,
  };
  return client.grantTypes.includes("refresh_token")
    ? { ...response, refresh_token: pair.refreshToken }
    : response;
}

function refused(reason: string): OAuthError {
  return new OAuthError("invalid_grant", "Sign in again: the code or refresh token can't be used.", {
    reason,
  });
}
