// A machine asks for itself: client credentials, for shared access only, because a machine is nobody whose own data it
// could be. Called by exchange-token.ts once the client is proven and its grant types allow it. RFC 6749 §4.4, RFC 8707
// §2, MCP extension io.modelcontextprotocol/oauth-client-credentials.

import type { IntegrationConfig } from "../config.ts";
import { OAuthError } from "../errors.ts";
import { CLIENT_CREDENTIALS, type Client } from "../oauth/client.ts";
import { resolveResource } from "../oauth/resource.ts";
import { narrowScope, SCOPES } from "../oauth/scope.ts";
import type { ClientCredentialsRequest } from "../oauth/token-request.ts";
import { issueWithoutCode } from "./codeless-token.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import { integrationFor, type Gateway } from "./gateway.ts";
import type { TokenResponse } from "./token-response.ts";

const SHARED_RETRY_SECONDS = 60;

/**
 * Issues an access token to `client` itself. Refuses a resource with personal access (`invalid_target`), a scope
 * outside the client's own (`invalid_scope`), and with `temporarily_unavailable` what an admin has to connect first.
 */
export async function grantByClientCredentials(
  gateway: Gateway,
  client: Client,
  request: ClientCredentialsRequest,
): Promise<TokenResponse> {
  const integration = sharedIntegration(gateway, request.resources);
  const grantScope = client.allowedScope ?? SCOPES;
  return issueWithoutCode(gateway, {
    client,
    grantType: CLIENT_CREDENTIALS,
    integration,
    connectionId: await sharedConnectionId(integration),
    grantScope,
    scope: narrowScope(grantScope, request.scope),
    unusable: sharedUnusable,
  });
}

/** RFC 8707 §2: without a resource it is the one that machines can have; the origin alone names no other. */
function sharedIntegration(gateway: Gateway, resources: readonly string[]): IntegrationConfig {
  const { config } = gateway;
  const named = resources.filter((value) => !isOrigin(value, config.publicUrl));
  const integration =
    named.length === 0
      ? config.integrations.find(({ access }) => access === "shared")
      : integrationFor(config, resolveResource(named, config.resources));
  if (integration?.access === "shared") return integration;
  throw new OAuthError(
    "invalid_target",
    "Client credentials are for shared access. Ask for the resource that has it.",
    {
      reason: "personal_resource",
    },
  );
}

function isOrigin(value: string, publicUrl: string): boolean {
  const trimmed = value.endsWith("/") ? value.slice(0, -1) : value;
  return trimmed.toLowerCase() === publicUrl;
}

/** Not the client's fault, and nothing that it should drop its credentials for. */
function sharedUnusable(reason: "not_connected" | "needs_reconnect"): OAuthError {
  const description =
    reason === "not_connected"
      ? "Shared access is not connected yet. An admin connects it at /admin."
      : "Shared access at Gong has ended. An admin connects it again at /admin.";
  return new OAuthError("temporarily_unavailable", description, {
    reason: `shared_${reason}`,
    retryAfterSeconds: SHARED_RETRY_SECONDS,
  });
}
