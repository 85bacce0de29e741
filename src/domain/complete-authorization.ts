// GET /callback: Gong's answer. State and cookie prove it is the browser that approved; the transaction is taken once;
// Gong's code becomes sealed tokens in a ConnectionObject, and the client gets a code of ours. RFC 6749 §4.1.2,
// RFC 9207 §2.4, RFC 9700 §4.7.

import { sha256 } from "../crypto/encoding.ts";
import { failureOf, GongError, OAuthError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { log } from "../log.ts";
import { authorizationQuery, type AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { formatScope, narrowScope, resolveScope } from "../oauth/scope.ts";
import { ACCOUNT_COOKIE } from "./account-session.ts";
import { accountOutcome, completeAccountSignIn, type AccountSignIn } from "./account-sign-in.ts";
import { isClientGone } from "./clients.ts";
import { adoptTokens } from "../storage/code-answer.ts";
import { namedConnectionId } from "../storage/connection-names.ts";
import { canGoOn, exchangeGongCode, type GongSignIn, type ProvenCallback } from "./exchange-gong-code.ts";
import { finishSetup, setupPageUrl } from "./finish-setup.ts";
import { actorIn, type Gateway } from "./gateway.ts";
import { openGrantFor } from "./open-grant.ts";
import { personRow } from "./people.ts";
import { tellGranted, tellRefused, type OpenedForClient } from "./tell-client.ts";
import {
  bindingCookieName,
  finishTransaction,
  openContinuation,
  openOutcome,
  readState,
  type Continuation,
} from "./transaction.ts";

export type CompletedAuthorization =
  /** Back to the client. */
  | { readonly kind: "redirect"; readonly url: string }
  /** A sign-in that an admin began: back to the set-up, which says what it came to. */
  | { readonly kind: "admin"; readonly url: string }
  /** A person signed in to their account, or could not. */
  | AccountSignIn
  /** The same callback is being worked on: ask again in a moment. */
  | { readonly kind: "busy" }
  /** The gateway died while Gong was asked: the person begins again at `url`. */
  | { readonly kind: "lost"; readonly url: string }
  | {
      readonly kind: "refused";
      readonly reason:
        | "callback_malformed"
        | "state_unknown"
        | "other_browser"
        | "expired"
        | "used"
        | "failed";
    };

/**
 * Completes an authorization from Gong's callback parameters and the browser's cookies. Runs to its end even when the
 * browser goes away, because Gong's code and the tokens it buys are single use.
 */
export function completeAuthorization(
  gateway: Gateway,
  callback: URLSearchParams,
  cookie: (name: string) => string | undefined,
): Promise<CompletedAuthorization> {
  const work = complete(gateway, callback, cookie);
  gateway.waitUntil(work.catch(() => undefined));
  return work;
}

async function complete(
  gateway: Gateway,
  callback: URLSearchParams,
  cookie: (name: string) => string | undefined,
): Promise<CompletedAuthorization> {
  if (!isWellFormed(callback)) return { kind: "refused", reason: "callback_malformed" };
  const state = await readState(gateway, callback.get("state") ?? "");
  if (state === undefined) return { kind: "refused", reason: "state_unknown" };
  const binding = cookie(bindingCookieName(state.id));
  if (binding === undefined) return { kind: "refused", reason: "other_browser" };
  const taken = await gateway.objects.transaction(state.id).take(state.hash, await sha256(binding));
  switch (taken.kind) {
    case "taken": {
      if (FAILPOINTS) await failpoint("connect.taken");
      const continuation = await openContinuation(gateway, state.id, taken.continuationSealed);
      const { answerSealed } = taken;
      const integration = gateway.config.integrations.find(({ name }) => name === continuation.integration);
      if (integration === undefined) return { kind: "refused", reason: "failed" };
      const proven = { transactionId: state.id, integration, continuation, callback, answerSealed };
      return finish(gateway, proven, cookie);
    }
    case "lost": {
      const continuation = await openContinuation(gateway, state.id, taken.continuationSealed);
      return { kind: "lost", url: beginningOf(gateway, continuation) };
    }
    case "done": {
      const url = await openOutcome(gateway, state.id, taken.outcomeSealed);
      const account = accountOutcome(url);
      if (account !== undefined) return account;
      return { kind: url === setupPageUrl(gateway) ? "admin" : "redirect", url };
    }
    case "busy":
      return { kind: "busy" };
    case "waiting":
      return { kind: "refused", reason: "state_unknown" };
    case "refused":
      return { kind: "refused", reason: taken.reason === "unknown" ? "state_unknown" : taken.reason };
  }
}

const CALLBACK_PARAMETERS = new Set(["code", "state", "error", "error_description", "error_uri", "iss"]);
const LONGEST_CODE = 4096;

/** Each parameter at most once (RFC 6749 §3.1), and a code of visible ASCII. */
function isWellFormed(callback: URLSearchParams): boolean {
  const names = [...callback.keys()].filter((name) => CALLBACK_PARAMETERS.has(name));
  const code = callback.get("code");
  const codeIsPlain = code === null || (code.length <= LONGEST_CODE && /^[\x21-\x7E]+$/.test(code));
  return new Set(names).size === names.length && codeIsPlain;
}

/** Where the sign-in that this callback belongs to was begun. */
function beginningOf({ config }: Gateway, { purpose, request }: Continuation): string {
  if (purpose === "account") return `${config.publicUrl}/account`;
  if (request === undefined) return `${config.publicUrl}/admin/setup`;
  return request.device === undefined
    ? `${config.publicUrl}/authorize?${authorizationQuery(request)}`
    : `${config.publicUrl}/device`;
}

async function finish(
  gateway: Gateway,
  proven: ProvenCallback,
  cookie: (name: string) => string | undefined,
): Promise<CompletedAuthorization> {
  const { continuation, transactionId } = proven;
  const { request } = continuation;
  if (continuation.purpose === "account") {
    return completeAccountSignIn(gateway, proven, cookie(ACCOUNT_COOKIE));
  }
  if (request === undefined) return finishSetup(gateway, proven);
  gateway.attempt.clientId = request.clientId;
  gateway.attempt.clientName = continuation.clientName;
  let url: string;
  try {
    url = await connectAndGrant(gateway, proven, request);
  } catch (error) {
    if (await canGoOn(gateway, transactionId, error)) return { kind: "busy" };
    const failure = asOAuthError(error);
    gateway.attempt.reason =
      error instanceof GongError ? `gong_${error.kind}` : (failure.reason ?? failure.code);
    url = await tellRefused(gateway, request, failure);
  }
  await finishTransaction(gateway, transactionId, url);
  if (FAILPOINTS) await failpoint("connect.finished");
  return { kind: "redirect", url };
}

/** Returns where the client is told that it has its grant. Throws OAuthError when it gets none. */
async function connectAndGrant(
  gateway: Gateway,
  proven: ProvenCallback,
  request: AuthorizationRequestParts,
): Promise<string> {
  const { actor } = proven.continuation;
  const signIn = await exchangeGongCode(gateway, proven);
  if (await isClientGone(gateway, request.clientId)) {
    await adoptTokens(gateway, proven.integration, signIn.tokens, signIn.authorization);
    throw new OAuthError("unauthorized_client", "Add the connection in your client again.", {
      reason: "client_gone",
    });
  }
  const granted = await connect(gateway, proven, request, signIn);
  const { connectionId } = granted;
  if (actor !== undefined) {
    await gateway.objects
      .admin()
      .recordAct(actorIn(gateway, actor, "person"), "connection.used", connectionId);
  }
  log("info", "callback.completed", { client: request.clientId, connection: connectionId }, gateway);
  return tellGranted(gateway, request, granted);
}

/** Puts Gong's tokens into the person's connection and opens the client's grant on it, both at once. */
async function connect(
  gateway: Gateway,
  { transactionId, integration, continuation }: ProvenCallback,
  request: AuthorizationRequestParts,
  { tokens, authorization }: GongSignIn,
): Promise<OpenedForClient> {
  const { clientName, actor } = continuation;
  const { objects } = gateway;
  // A person whom Gong does not name gets a connection of this
  // sign-in's own, the same one however often it is finished.
  const connectionId = (await namedConnectionId(gateway, integration, tokens.userId)) ?? transactionId;
  const scope = tokens.scope === undefined ? request.scope : commonScope(request.scope, tokens.scope);
  const person = actor === undefined ? undefined : await personRow(gateway, actor);
  const opened = await openGrantFor(
    gateway,
    connectionId,
    transactionId,
    { ...request, scope },
    clientName,
    person,
  );
  await objects
    .admin()
    .recordConnection({ id: connectionId, integration: integration.name }, request.clientId, person);
  if (FAILPOINTS) await failpoint("connect.indexed");
  const outcome = await objects
    .connection(connectionId)
    .connectGong(integration.name, tokens, authorization, { grant: opened.grant, code: opened.code });
  if (FAILPOINTS) await failpoint("connect.connected");
  if (outcome !== "connected") {
    throw new OAuthError("access_denied", "The connection was ended during the sign-in. Connect again.", {
      reason: `sign_in_${outcome}`,
    });
  }
  return { connectionId, grantId: opened.grant.id, codeValue: opened.codeValue };
}

/** What both the client asked for and Gong granted; never nothing, because Gong decides about its own scopes. */
function commonScope(asked: readonly string[], granted: readonly string[]): readonly string[] {
  const common = asked.filter((scope) => granted.includes(scope));
  return common.length > 0 ? narrowScope(resolveScope(formatScope(asked)), formatScope(common)) : asked;
}

/** What the client is told: RFC 6749 §4.1.2.1. Gong's own words stay here. */
function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (!(error instanceof GongError)) return failureOf(error);
  switch (error.kind) {
    case "denied":
      return new OAuthError("access_denied", "Gong did not grant access.");
    case "rate_limited":
    case "unavailable":
      return new OAuthError("temporarily_unavailable", "Gong is not available. Try again later.");
    case "misconfigured":
      return new OAuthError("server_error", "Gong refused the gateway's settings. Tell your admin.");
    case "expired":
    case "malformed":
      return new OAuthError("server_error", "Gong did not complete the sign-in. Try again.");
  }
}
