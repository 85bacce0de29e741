// Gong's callback parameters into Gong's tokens: the exchange that every authorization at Gong ends with, whatever it
// was begun for. RFC 6749 §4.1.3, RFC 9207 §2.4, RFC 7636 §4.5.

import type { IntegrationConfig } from "../config.ts";
import { failpoint } from "../failpoints.ts";
import { cachedDiscovery } from "../gong/discovery.ts";
import {
  interpretTokenAnswer,
  requestTokensByCode,
  validateGongCallback,
  type GongTokens,
} from "../gong/oauth.ts";
import { GongError } from "../errors.ts";
import { errorFields, log } from "../log.ts";
import type { Continuation } from "./transaction.ts";

/** Exchanges the code of `callback`, once. Throws GongError for Gong's refusals and for answers that can't be used. */
export async function exchangeGongCode(
  integration: IntegrationConfig,
  continuation: Continuation,
  callback: URLSearchParams,
): Promise<GongTokens> {
  const endpoints = await cachedDiscovery(integration.mcpUrl);
  validateGongCallback(endpoints, integration, callback, continuation.state);
  const answer = await requestTokensByCode(endpoints, integration, {
    callback,
    expectedState: continuation.state,
    codeVerifier: continuation.codeVerifier,
  });
  if (FAILPOINTS) await failpoint("connect.exchanged");
  return interpretTokenAnswer(answer, endpoints, integration, "code");
}

/** Logs why an authorization came to nothing; Gong's own words stay out of the log. */
export function logCallbackFailure(error: unknown): void {
  const kind = error instanceof GongError ? error.kind : undefined;
  const status = error instanceof GongError ? error.status : undefined;
  log("warn", "callback.failed", { kind, status, ...errorFields(error) });
}
