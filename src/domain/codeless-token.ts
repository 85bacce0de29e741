// An access token without a code: the client's grant on a connection is opened or
// found, then one token of it is issued. Called by client-credentials.ts and
// identity-assertion.ts, which decide whether and on which connection. RFC 6749 §4.4.3.

import { mintCredential, randomId } from "../crypto/credential.ts";
import type { IntegrationConfig } from "../config.ts";
import { OAuthError } from "../errors.ts";
import type { Client } from "../oauth/client.ts";
import { formatScope } from "../oauth/scope.ts";
import { madeBy } from "../storage/paid-schema.ts";
import type { CodelessGrant, CodelessOutcome } from "../storage/codeless-grants.ts";
import type { TokenOutcome } from "../storage/grants.ts";
import { retrying } from "../storage/stubs.ts";
import type { Gateway } from "./gateway.ts";
import type { TokenResponse } from "./token-response.ts";

export interface CodelessRequest {
  readonly client: Client;
  readonly grantType: CodelessGrant["grantType"];
  readonly integration: IntegrationConfig;
  readonly connectionId: string;
  /** Of the grant: all that the client may ever have of this connection. */
  readonly grantScope: readonly string[];
  /** Of this token. */
  readonly scope: readonly string[];
  /** The refusal for a connection that can't be used; what to do about it depends on whose it is. */
  readonly unusable: (reason: "not_connected" | "needs_reconnect") => OAuthError;
}

/**
 * Issues one access token and no refresh token. Refuses with `invalid_grant` a client whose access to the connection
 * was ended by a person or an admin, and with the caller's own refusal a connection that can't be used. Asks the
 * connection only, so it works while Gong is down.
 */
export async function issueWithoutCode(gateway: Gateway, request: CodelessRequest): Promise<TokenResponse> {
  const { client, connectionId, integration } = request;
  const { objects } = gateway;
  const opened = await openGrant(gateway, request);
  if (opened.kind === "refused") {
    throw opened.reason === "client_ended" ? clientEnded() : request.unusable(opened.reason);
  }
  // The index is how an admin finds the client's connections. Said each time: a grant is new only once.
  await objects
    .admin()
    .recordConnection({ id: connectionId, integration: integration.name }, client.clientId);
  const { grantId } = opened;
  const expiresAt = gateway.now() + gateway.config.accessTokenSeconds;
  const { resource } = integration;
  const token = await mintCredential(gateway.keyring, "access", {
    connectionId,
    grantId,
    resource,
    generation: 1,
    expiresAt,
  });
  const scope = formatScope(request.scope);
  const outcome: TokenOutcome = await objects.connection(connectionId).issueWithoutCode({
    grantId,
    clientId: client.clientId,
    scope,
    accessHash: token.hash,
    accessExpiresAt: expiresAt,
  });
  if (outcome.kind !== "issued") throw clientEnded();
  return {
    access_token: token.value,
    token_type: "Bearer",
    expires_in: Math.max(outcome.accessExpiresAt - gateway.now(), 1),
    scope,
  };
}

function openGrant(gateway: Gateway, request: CodelessRequest): Promise<CodelessOutcome> {
  const { client, grantType, integration, connectionId, grantScope } = request;
  const idleEnd = gateway.now() + gateway.config.refreshTokenSeconds;
  const grant: CodelessGrant = {
    id: randomId(),
    clientId: client.clientId,
    clientName: client.clientName,
    grantType,
    resource: integration.resource,
    scope: formatScope(grantScope),
    expiresAt: Math.min(idleEnd, client.endsAt ?? idleEnd),
    person: client.madeBy === undefined ? undefined : madeBy(client.madeBy),
  };
  return retrying(async () => gateway.objects.connection(connectionId).openCodelessGrant(grant));
}

function clientEnded(): OAuthError {
  return new OAuthError("invalid_grant", "This client's access was ended. Ask whoever ended it.", {
    reason: "client_ended",
  });
}
