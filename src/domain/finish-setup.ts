// GET /callback for a sign-in that an admin began: Gong's answer proves the redirect URI, the scopes and the tools of
// the integration. For shared access it is the connection; a personal test keeps no tokens, unless they belong to a
// connection that is there already. RFC 6749 §4.1.2.

import type { IntegrationConfig } from "../config.ts";
import { GongError } from "../errors.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { listGongTools, speaksOfSeat } from "../gong/probe.ts";
import type { Finding } from "../storage/setup-checks.ts";
import { adoptTokens } from "../storage/code-answer.ts";
import { canGoOn, exchangeGongCode, type ProvenCallback } from "./exchange-gong-code.ts";
import { actorIn, type Gateway } from "./gateway.ts";
import { findingOf, recordFindings } from "./setup.ts";
import { finishTransaction } from "./transaction.ts";

/** Where an admin comes back to after a sign-in at Gong. */
export const setupPageUrl = (gateway: Gateway): string => `${gateway.config.publicUrl}/admin/setup`;

/** Records what Gong's callback proves or why it proves nothing, and sends the admin to the result's page. */
export async function finishSetup(
  gateway: Gateway,
  proven: ProvenCallback,
): Promise<{ readonly kind: "admin"; readonly url: string } | { readonly kind: "busy" }> {
  const { transactionId, integration, continuation, callback } = proven;
  const url = setupPageUrl(gateway);
  try {
    const { tokens, authorization } = await exchangeGongCode(gateway, proven);
    await adoptTokens(gateway, integration, tokens, authorization);
    await recordFindings(gateway, integration, {
      sign_in: { verdict: "ok", reason: "well" },
      scopes: await checkScopes(integration, tokens),
      tools: await checkTools(integration, tokens),
    });
    const act = integration.access === "shared" ? "shared.connected" : "setup.signed_in";
    await gateway.objects
      .admin()
      .recordAct(actorIn(gateway, continuation.actor ?? "admin"), act, integration.name);
  } catch (error) {
    if (await canGoOn(gateway, transactionId, error)) return { kind: "busy" };
    await recordFindings(gateway, integration, {
      sign_in: refusalOf(error, callback),
      scopes: NOT_YET,
      tools: NOT_YET,
    });
  }
  await finishTransaction(gateway, transactionId, url);
  return { kind: "admin", url };
}

const NOT_YET: Finding = { verdict: "unknown", reason: "sign_in_first" };

/** RFC 6749 §4.1.2.1: the errors of Gong's callback that say something about the set-up. */
const CALLBACK_REASONS: Readonly<Record<string, string>> = {
  access_denied: "denied",
  invalid_scope: "scope_refused",
  invalid_request: "request_refused",
  unauthorized_client: "request_refused",
  unsupported_response_type: "request_refused",
  invalid_target: "request_refused",
  server_error: "unavailable",
  temporarily_unavailable: "unavailable",
};

/** Why the sign-in failed. What Gong wrote is only searched for the word that tells a missing seat from a refusal. */
function refusalOf(error: unknown, callback: URLSearchParams): Finding {
  const said = callback.get("error");
  if (said !== null) {
    const reason = Object.hasOwn(CALLBACK_REASONS, said) ? CALLBACK_REASONS[said] : undefined;
    const isSeat = reason === "denied" && speaksOfSeat(callback.get("error_description") ?? "");
    return findingOf(isSeat ? "no_seat" : (reason ?? "denied"));
  }
  if (!(error instanceof GongError)) return { verdict: "unknown", reason: "failed" };
  switch (error.kind) {
    case "expired":
      return findingOf("code_refused");
    case "misconfigured":
      return findingOf(error.status === 401 ? "client_refused" : "request_refused");
    case "malformed":
      return findingOf(error.status === 403 ? "address_refused" : "not_understood");
    case "denied":
    case "rate_limited":
    case "unavailable":
      return findingOf(error.kind);
  }
}

/** RFC 6749 §5.1: without `scope` in the answer everything that was asked for is granted. */
async function checkScopes({ mcpUrl }: IntegrationConfig, { scope }: GongTokens): Promise<Finding> {
  const asked = (await cachedDiscovery(mcpUrl)).scopes;
  if (scope === undefined) return { verdict: "ok", reason: "not_said", detail: asked.join(" ") };
  const missing = asked.filter((each) => !scope.includes(each));
  if (missing.length === 0) return { verdict: "ok", reason: "well", detail: asked.join(" ") };
  return { verdict: "problem", reason: "scopes_missing", detail: missing.join(" ") };
}

async function checkTools(integration: IntegrationConfig, { accessToken }: GongTokens): Promise<Finding> {
  const listing = await listGongTools(integration, accessToken);
  if (listing.kind === "refused") return findingOf(listing.reason);
  if (listing.names.length === 0) return { verdict: "problem", reason: "no_tools" };
  return { verdict: "ok", reason: "well", detail: listing.names.join(", ") };
}
