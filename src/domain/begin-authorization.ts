// GET /authorize: check the request, find the client, and prepare the question for the person. Changes nothing, stores
// nothing, calls nobody but the host of a client's metadata document; it can be repeated and prefetched. RFC 6749
// §4.1.1, RFC 9700 §4.11.2.

import type { IntegrationConfig } from "../config.ts";
import { OAuthError } from "../errors.ts";
import {
  matchRedirectTarget,
  parseAuthorizationParameters,
  validateAuthorizationRequest,
  type RedirectTarget,
} from "../oauth/authorization-request.ts";
import { errorRedirect } from "../oauth/authorization-response.ts";
import type { Client } from "../oauth/client.ts";
import { assertHostAllowed, findClient } from "./clients.ts";
import { integrationFor, type Gateway } from "./gateway.ts";
import { sealRequest } from "./sealed-request.ts";

export type BegunAuthorization =
  | {
      readonly kind: "ask";
      readonly client: Client;
      readonly redirectUri: string;
      readonly scope: readonly string[];
      readonly integration: IntegrationConfig;
      readonly sealedRequest: string;
    }
  /** An error that the client may be told by redirect. */
  | { readonly kind: "return"; readonly url: string };

/**
 * Checks an authorization request and prepares the consent page for the browser that holds `binding`. Throws
 * OAuthError when the error must stay on a page of ours: always before the redirect URI is proven, and for clients
 * nobody vouched for also after it, so that the gateway does not bounce people to a stranger's page unasked. Throws
 * ClientDocumentError when the document that the client id names can't be used.
 */
export async function beginAuthorization(
  gateway: Gateway,
  query: string,
  binding: string,
): Promise<BegunAuthorization> {
  const { config } = gateway;
  const parameters = parseAuthorizationParameters(query);
  const client = await findClient(gateway, parameters.clientId);
  if (client === undefined) {
    throw new OAuthError("invalid_request", "Remove the connection in your client and add it again.", {
      reason: "client_unknown",
    });
  }
  const target = matchRedirectTarget(client, parameters, config.publicUrl);
  if (client.registration !== "preregistered") assertHostAllowed(gateway, target.redirectUri);
  try {
    const request = validateAuthorizationRequest(client, target, parameters, { resources: config.resources });
    return {
      kind: "ask",
      client,
      redirectUri: request.redirectUri,
      scope: request.scope,
      integration: integrationFor(config, request.resource),
      sealedRequest: await sealRequest(gateway, request, binding),
    };
  } catch (error) {
    return { kind: "return", url: redirectIfVouchedFor(client, target, error) };
  }
}

function redirectIfVouchedFor(client: Client, target: RedirectTarget, error: unknown): string {
  if (error instanceof OAuthError && client.registration === "preregistered")
    return errorRedirect(target, error);
  throw error;
}
