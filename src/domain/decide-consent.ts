// POST /authorize: the person decided. Deny goes back to the client. Approve begins the transaction and goes on to
// Gong, or, for shared access, to an admin. MCP authorization, Security Considerations: a proxy with one upstream
// client id obtains consent for every client before it goes upstream.

import { codeChallengeOf } from "../oauth/pkce.ts";
import { OAuthError } from "../errors.ts";
import type { AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { DEVICE_CODE_GRANT, type Client } from "../oauth/client.ts";
import { redirectUriMatches } from "../oauth/redirect-uri.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import { gongAuthorizationUrl } from "../gong/oauth.ts";
import type { IntegrationConfig } from "../config.ts";
import { log } from "../log.ts";
import { TRANSACTION_TTL_SECONDS } from "../storage/transaction-object.ts";
import { findClient } from "./clients.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import { actorIn, integrationFor, type Gateway } from "./gateway.ts";
import { openRequest, type FormRefusal, type SealedRequestContent } from "./sealed-request.ts";
import { tellRefused } from "./tell-client.ts";
import { approvalCode, beginTransaction, type Continuation } from "./transaction.ts";

export interface ConsentForm {
  readonly sealedRequest: string | undefined;
  readonly decision: string | undefined;
  /** Whether the person said that the device in front of them shows the code. */
  readonly deviceChecked: boolean;
  /** The consent cookie of the browser. */
  readonly binding: string | undefined;
  /** The admin who is signed in in this browser, as the audit names them. */
  readonly admin: string | undefined;
  /** The e-mail address of the person who came through Cloudflare Access. */
  readonly person: string | undefined;
}

export type DecidedConsent =
  /** On to Gong, with the transaction's cookie. */
  | {
      readonly kind: "gong";
      readonly url: string;
      readonly transactionId: string;
      readonly cookieValue: string;
    }
  /** Back to the client. */
  | { readonly kind: "client"; readonly url: string }
  /** Shared access: an admin decides, or has just decided. */
  | {
      readonly kind: "admin";
      readonly transactionId: string;
      readonly cookieValue: string;
      readonly isDecided: boolean;
    }
  | {
      readonly kind: "refused";
      readonly reason:
        | FormRefusal
        | "client_changed"
        | "device_unchecked"
        | "shared_not_connected"
        | "too_many_approvals";
    };

/**
 * Carries out a person's decision. Throws OAuthError for a decision that is neither `approve` nor `deny`, and
 * ClientDocumentError when the client's metadata document can't be used any more.
 */
export async function decideConsent(gateway: Gateway, form: ConsentForm): Promise<DecidedConsent> {
  if (form.decision !== "approve" && form.decision !== "deny") {
    throw new OAuthError("invalid_request", "Go back and choose Approve or Deny.", { reason: "no_decision" });
  }
  const content = await openRequest(gateway, form.sealedRequest, form.binding);
  if (typeof content === "string") return { kind: "refused", reason: content };
  const { request, transactionId } = content;
  const client = await findClient(gateway, request.clientId);
  // The page showed this redirect URI: a client that changed since is asked about anew.
  if (client === undefined || !mayBeAnswered(client, request)) {
    return { kind: "refused", reason: "client_changed" };
  }
  log("info", "consent.decided", { decision: form.decision, client: client.clientId }, gateway);
  if (form.decision === "deny") {
    gateway.attempt.reason = "denied_by_person";
    const error = new OAuthError("access_denied", "The person denied the request.");
    return { kind: "client", url: await tellRefused(gateway, request, error) };
  }
  if (request.device !== undefined && !form.deviceChecked)
    return { kind: "refused", reason: "device_unchecked" };
  const integration = integrationFor(gateway.config, request.resource);
  return integration.access === "shared"
    ? askAdmin(gateway, integration, client, content, form)
    : goToGong(gateway, integration, transactionId, {
        request,
        clientName: client.clientName,
        actor: form.person,
      });
}

/** Whether the answer may go where the page said: to a redirect URI that is still the client's, or to its device. */
function mayBeAnswered(client: Client, request: AuthorizationRequestParts): boolean {
  return request.device === undefined
    ? redirectUriMatches(client.redirectUris, request.redirectUri)
    : client.grantTypes.includes(DEVICE_CODE_GRANT);
}

/**
 * Begins a transaction and says where at Gong it goes on. `content` is what the callback completes; without
 * a purpose and a request, that is an admin who connects shared access. Throws GongError when Gong can't be discovered.
 */
export async function goToGong(
  gateway: Gateway,
  integration: IntegrationConfig,
  transactionId: string,
  content: Pick<Continuation, "purpose" | "request" | "clientName" | "actor">,
): Promise<Extract<DecidedConsent, { kind: "gong" }>> {
  const endpoints = await cachedDiscovery(integration.mcpUrl);
  const continuation: Continuation = await beginTransaction(gateway, transactionId, {
    integration: integration.name,
    ...content,
  });
  const url = gongAuthorizationUrl(endpoints, integration, {
    state: continuation.state,
    codeChallenge: await codeChallengeOf(continuation.codeVerifier),
    // A connection serves every client of the person, so it holds all scopes; each grant is held to its own.
    scope: endpoints.scopes,
  });
  return { kind: "gong", url: url.href, transactionId, cookieValue: continuation.binding };
}

async function askAdmin(
  gateway: Gateway,
  integration: IntegrationConfig,
  client: Client,
  { request, transactionId }: SealedRequestContent,
  { admin, person }: ConsentForm,
): Promise<DecidedConsent> {
  const { objects, now } = gateway;
  const connection = await objects.connection(await sharedConnectionId(integration)).describe();
  if (connection?.state !== "connected") return { kind: "refused", reason: "shared_not_connected" };
  const { clientName } = client;
  const { binding } = await beginTransaction(gateway, transactionId, {
    integration: integration.name,
    request,
    clientName,
    actor: person,
  });
  if (admin !== undefined) {
    if (await objects.transaction(transactionId).decide("approved")) {
      await objects.admin().recordAct(actorIn(gateway, admin), "approval.approved", transactionId);
    }
    return { kind: "admin", transactionId, cookieValue: binding, isDecided: true };
  }
  const queued = await objects.admin().requestApproval({
    transaction_id: transactionId,
    code: await approvalCode(transactionId),
    client_id: client.clientId,
    client_name: clientName ?? null,
    redirect_uri: request.redirectUri,
    requested_at: now(),
    expires_at: now() + TRANSACTION_TTL_SECONDS,
    asked_from: person ?? gateway.network ?? "unknown",
  });
  if (!queued) return { kind: "refused", reason: "too_many_approvals" };
  return { kind: "admin", transactionId, cookieValue: binding, isDecided: false };
}
