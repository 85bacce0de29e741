// A transaction between the person's approval and the callback: what it needs to go on, sealed; the state and the
// cookie that prove it is the same browser. Shared by the stories that begin and complete one.

import { isId, mintCredential, randomId, readCredential } from "../crypto/credential.ts";
import { encodeBase64Url, randomBytes, sha256 } from "../crypto/encoding.ts";
import { open, seal, type SealContext } from "../crypto/seal.ts";
import type { IntegrationName } from "../config.ts";
import { errorFields, log } from "../log.ts";
import type { AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { TRANSACTION_TTL_SECONDS, type NewTransaction } from "../storage/transaction-object.ts";
import type { Gateway } from "./gateway.ts";

/** As long as the cookie itself, so that a person who comes back late hears that it took too long. */
const BINDING_SECONDS = 3600;

/** What a transaction continues with. */
export interface Continuation {
  readonly integration: IntegrationName;
  /** Undefined for a client's request, and for an admin who connects shared access. */
  readonly purpose?: "account" | undefined;
  /** For Gong: RFC 6749 §10.12. Fresh for every transaction, never the client's. */
  readonly state: string;
  /** For Gong: RFC 7636 §4.1. */
  readonly codeVerifier: string;
  /** The cookie value of the browser that approved. */
  readonly binding: string;
  /** The client's request, with the client's name as it was shown; undefined when no client asked. */
  readonly request?: AuthorizationRequestParts | undefined;
  readonly clientName?: string | undefined;
  /**
   * Who acts, when the gateway knows: an admin, or the e-mail address of a person who came through Cloudflare Access.
   */
  readonly actor?: string | undefined;
}

/**
 * Begins the transaction `id`, or finds the one that the same approval began before. State, PKCE verifier and cookie
 * come to exist here, after the person approved and not earlier.
 */
export async function beginTransaction(
  gateway: Gateway,
  id: string,
  content: Pick<Continuation, "integration" | "purpose" | "request" | "clientName" | "actor">,
): Promise<Continuation> {
  const state = await mintFor(gateway, "state", id, TRANSACTION_TTL_SECONDS);
  const binding = await mintFor(gateway, "binding", id, BINDING_SECONDS);
  const candidate: Continuation = {
    ...content,
    state: state.value,
    codeVerifier: encodeBase64Url(randomBytes(32)),
    binding: binding.value,
  };
  const transaction: NewTransaction = {
    stateHash: state.hash,
    bindingHash: binding.hash,
    continuationSealed: await sealIn(gateway, id, "continuation", JSON.stringify(candidate)),
  };
  const kept = await gateway.objects.transaction(id).begin(transaction);
  return openContinuation(gateway, id, kept);
}

/** The transaction that a `state` from Gong names. Undefined for anything this gateway did not mint or that expired. */
export async function readState(
  gateway: Gateway,
  state: string,
): Promise<{ readonly id: string; readonly hash: string } | undefined> {
  const claims = await readCredential(gateway.keyring, "state", state, [callbackOf(gateway)], gateway.now());
  return claims === undefined ? undefined : { id: claims.connectionId, hash: claims.hash };
}

/** Whether this gateway made `binding` for the transaction `id`. Asked first, so that a made-up id wakes no object. */
export async function isBindingOf(gateway: Gateway, id: string, binding: string): Promise<boolean> {
  const { keyring } = gateway;
  const claims = await readCredential(keyring, "binding", binding, [callbackOf(gateway)], gateway.now());
  return claims?.connectionId === id;
}

/** Opens what `beginTransaction` sealed. Throws Unsealable when its key is missing. */
export async function openContinuation(gateway: Gateway, id: string, sealed: string): Promise<Continuation> {
  const continuation: Continuation = JSON.parse(
    await open(gateway.keyring, place(gateway, id, "continuation"), sealed),
  );
  return continuation;
}

/**
 * Keeps where the browser is sent, so that a reload within a minute goes there too: a failure costs no more than that.
 */
export async function finishTransaction(gateway: Gateway, id: string, url: string): Promise<void> {
  try {
    await gateway.objects.transaction(id).finish(await sealIn(gateway, id, "outcome", url));
  } catch (error) {
    log("warn", "callback.not_recorded", errorFields(error), gateway);
  }
}

/** Opens where the browser was sent. Throws Unsealable when its key is missing. */
export function openOutcome(gateway: Gateway, id: string, sealed: string): Promise<string> {
  return open(gateway.keyring, place(gateway, id, "outcome"), sealed);
}

/** One cookie for each transaction, so that two tabs don't disturb each other. */
export const bindingCookieName = (id: string): string => `__Host-txn-${id}`;

/** Whether a path segment can name a transaction. */
export const isTransactionId = isId;

/** Six characters for a person to compare; derived from the id, so that both pages show the same. */
export async function approvalCode(id: string): Promise<string> {
  const hash = await sha256(`approval ${id}`);
  return hash
    .replace(/[^A-Za-z0-9]/g, "")
    .toUpperCase()
    .slice(0, 6);
}

/** A state or cookie value of the transaction `id`: a credential for our callback, in the place of a connection's. */
function mintFor(gateway: Gateway, kind: "state" | "binding", id: string, ttlSeconds: number) {
  return mintCredential(gateway.keyring, kind, {
    connectionId: id,
    grantId: randomId(),
    generation: 0,
    expiresAt: gateway.now() + ttlSeconds,
    resource: callbackOf(gateway),
  });
}

function sealIn(gateway: Gateway, id: string, field: string, plaintext: string): Promise<string> {
  return seal(gateway.keyring, place(gateway, id, field), plaintext);
}

function place(gateway: Gateway, id: string, field: string): SealContext {
  return { purpose: "transaction", environment: gateway.config.publicUrl, object: id, field, generation: 1 };
}

const callbackOf = (gateway: Gateway): string => `${gateway.config.publicUrl}/callback`;
