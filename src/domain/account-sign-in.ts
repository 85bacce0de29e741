// Sign-in to /account: the person authorizes at Gong once more, and Gong's answer says whose connection it is. The same
// story reconnects: the new tokens are adopted, never dropped, because a person's newest authorization at Gong may end
// the older ones. RFC 9700 §4.7.

import { randomId } from "../crypto/credential.ts";
import type { IntegrationConfig } from "../config.ts";
import { GongError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { log } from "../log.ts";
import { mintAccountSession, readAccountSession, signOutOfAccount } from "./account-session.ts";
import { namedConnectionId } from "../storage/connection-names.ts";
import { goToGong, type DecidedConsent } from "./decide-consent.ts";
import { canGoOn, exchangeGongCode, type ProvenCallback } from "./exchange-gong-code.ts";
import { byAccess } from "../storage/paid-schema.ts";
import type { Gateway } from "./gateway.ts";
import { personRow } from "./people.ts";
import { finishTransaction } from "./transaction.ts";

const REFUSALS = ["account_unnamed", "account_denied", "account_failed"] as const;

export type AccountRefusal = (typeof REFUSALS)[number];

/** What the callback of an account sign-in came to. */
export type AccountSignIn =
  | {
      readonly kind: "account";
      /** The value of the account cookie. */
      readonly session: string;
      /** Whether the browser was signed in to the account of another Gong user before. */
      readonly otherPerson: boolean;
    }
  | { readonly kind: "refused"; readonly reason: AccountRefusal };

/** The integration that people have accounts of; undefined when there is shared access only. */
export function personalIntegration(gateway: Gateway): IntegrationConfig | undefined {
  return gateway.config.integrations.find(({ access }) => access === "personal");
}

/**
 * Begins a sign-in at Gong, for `person` when Cloudflare Access names one. Undefined when there is shared access only.
 * Throws GongError when Gong can't be discovered.
 */
export async function beginAccountSignIn(
  gateway: Gateway,
  person: string | undefined,
): Promise<Extract<DecidedConsent, { kind: "gong" }> | undefined> {
  const integration = personalIntegration(gateway);
  if (integration === undefined) return undefined;
  return goToGong(gateway, integration, randomId(), { purpose: "account", actor: person });
}

/**
 * Completes a sign-in that `beginAccountSignIn` began. `before` is the browser's account cookie so far: that session
 * ends with the new one, also when somebody else planted it (ASVS 7.2.4).
 */
export async function completeAccountSignIn(
  gateway: Gateway,
  proven: ProvenCallback,
  before: string | undefined,
): Promise<AccountSignIn | { readonly kind: "busy" }> {
  const { transactionId } = proven;
  let signedIn: AccountSignIn;
  try {
    signedIn = await signIn(gateway, proven, before);
  } catch (error) {
    if (await canGoOn(gateway, transactionId, error)) return { kind: "busy" };
    const denied = error instanceof GongError && error.kind === "denied";
    signedIn = { kind: "refused", reason: denied ? "account_denied" : "account_failed" };
  }
  const outcome = signedIn.kind === "account" ? signedIn.session : signedIn.reason;
  await finishTransaction(gateway, transactionId, outcome);
  if (FAILPOINTS) await failpoint("connect.finished");
  return signedIn;
}

async function signIn(
  gateway: Gateway,
  proven: ProvenCallback,
  before: string | undefined,
): Promise<AccountSignIn> {
  const { integration, continuation } = proven;
  const { tokens, authorization } = await exchangeGongCode(gateway, proven);
  const connectionId = await namedConnectionId(gateway, integration, tokens.userId);
  // Tokens of nobody would be kept for nobody: they are not stored, and end at Gong by themselves.
  if (connectionId === undefined) return { kind: "refused", reason: "account_unnamed" };
  const session = await mintAccountSession(gateway, connectionId);
  const { objects } = gateway;
  const { actor } = continuation;
  const person = actor === undefined ? undefined : await personRow(gateway, actor);
  await objects
    .admin()
    .recordConnection({ id: connectionId, integration: integration.name }, undefined, person);
  if (FAILPOINTS) await failpoint("connect.indexed");
  const outcome = await objects
    .connection(connectionId)
    .signInToAccount(
      integration.name,
      tokens,
      authorization,
      session.hash,
      person === undefined ? undefined : byAccess(person.email_hash),
    );
  if (FAILPOINTS) await failpoint("connect.connected");
  if (outcome !== "connected") return { kind: "refused", reason: "account_failed" };
  const known = await readAccountSession(gateway, before);
  await signOutOfAccount(gateway, before);
  log("info", "account.signed_in", { connection: connectionId }, gateway);
  const otherPerson = known !== undefined && known.connectionId !== connectionId;
  return { kind: "account", session: session.value, otherPerson };
}

/** The outcome that `completeAccountSignIn` kept, for a reload; undefined for one of another purpose. */
export function accountOutcome(kept: string): AccountSignIn | undefined {
  const reason = REFUSALS.find((refusal) => refusal === kept);
  if (reason !== undefined) return { kind: "refused", reason };
  return kept.startsWith("gas_") ? { kind: "account", session: kept, otherPerson: false } : undefined;
}
