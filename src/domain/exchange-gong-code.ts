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
import { GongError, OAuthError } from "../errors.ts";
import { errorFields, log } from "../log.ts";
import { openCodeAnswer, sealCodeAnswer, type CodeAnswer } from "../storage/code-answer.ts";
import type { Authorization } from "../storage/connection-rpc.ts";
import { retrying } from "../storage/stubs.ts";
import type { Gateway } from "./gateway.ts";
import type { Continuation } from "./transaction.ts";

/** A callback that its browser has proven, with what is known of its transaction. */
export interface ProvenCallback {
  readonly transactionId: string;
  readonly integration: IntegrationConfig;
  readonly continuation: Continuation;
  readonly callback: URLSearchParams;
  /** Gong's answer to an exchange that was not finished. */
  readonly answerSealed: string | undefined;
}

export interface GongSignIn {
  readonly tokens: GongTokens;
  readonly authorization: Authorization;
}

/**
 * Exchanges the code of a callback, once, or goes on from the answer that was kept. Throws GongError for Gong's
 * refusals and for answers that can't be used, and Unsealable for a kept answer whose key is missing.
 */
export async function exchangeGongCode(gateway: Gateway, proven: ProvenCallback): Promise<GongSignIn> {
  const { transactionId: id, integration, answerSealed } = proven;
  const { answer, answeredAt } =
    answerSealed === undefined
      ? await askGong(gateway, proven)
      : await openCodeAnswer(gateway, id, answerSealed);
  const tokens = interpretTokenAnswer(answer, integration.clientId);
  return { tokens, authorization: { id, answeredAt } };
}

async function askGong(
  gateway: Gateway,
  { transactionId, integration, continuation, callback }: ProvenCallback,
): Promise<CodeAnswer> {
  const endpoints = await cachedDiscovery(integration.mcpUrl);
  validateGongCallback(endpoints, integration, callback, continuation.state);
  if (FAILPOINTS) await failpoint("connect.asking");
  const answer = await requestTokensByCode(endpoints, integration, {
    callback,
    expectedState: continuation.state,
    codeVerifier: continuation.codeVerifier,
  });
  const received = { integration: integration.name, answeredAt: Date.now(), answer };
  if (FAILPOINTS) await failpoint("connect.answered");
  if (answer.status === 200) await keep(gateway, transactionId, received);
  return received;
}

/** Kept before it is read. When that fails, this Worker still has the answer, and goes on. */
async function keep(gateway: Gateway, id: string, answer: CodeAnswer): Promise<void> {
  try {
    const sealed = await sealCodeAnswer(gateway, id, answer);
    if (FAILPOINTS) await failpoint("connect.sealed");
    await retrying(async () => gateway.objects.transaction(id).keepAnswer(sealed));
  } catch (error) {
    log("error", "callback.not_kept", errorFields(error), gateway);
  }
  if (FAILPOINTS) await failpoint("connect.kept");
}

/**
 * Whether the browser should come back to finish: the failure is ours, and Gong's answer is kept. Then nothing is told
 * to the client yet.
 */
export async function canGoOn(gateway: Gateway, transactionId: string, error: unknown): Promise<boolean> {
  logCallbackFailure(gateway, error);
  if (error instanceof GongError || error instanceof OAuthError) return false;
  try {
    return await gateway.objects.transaction(transactionId).release();
  } catch (failure) {
    logCallbackFailure(gateway, failure);
    return false;
  }
}

/** Logs why an authorization came to nothing; Gong's own words stay out of the log. */
function logCallbackFailure(gateway: Gateway, error: unknown): void {
  const { kind, status } = error instanceof GongError ? error : {};
  // What a person or Gong refused is no failure of ours; a client secret that Gong refuses is, for everybody.
  const level = kind === "misconfigured" ? "error" : error instanceof OAuthError ? "info" : "warn";
  log(level, "callback.failed", { kind, status, ...errorFields(error) }, gateway);
}
