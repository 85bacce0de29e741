// Who is calling `/mcp`: from an access token or an agent key to what it may do and Gong's token to do it with. The tag
// is checked in the Worker; the connection is asked at most once in ACCESS_CACHE_SECONDS for calls that cost nothing,
// and every time for calls that do. RFC 6750 §3, MCP authorization, Token Handling.

import { callerKind, readCredential } from "../crypto/credential.ts";
import type { IntegrationConfig } from "../config.ts";
import { retrying } from "../storage/stubs.ts";
import type { AuthorizedCall } from "../storage/connection-rpc.ts";
import type { GongAuthorization } from "../storage/gong-tokens.ts";
import type { PresentedCredential } from "../storage/presented-credential.ts";
import { resourcesOf, type Gateway } from "./gateway.ts";

export interface Caller {
  readonly connectionId: string;
  readonly presented: PresentedCredential;
  readonly scope: ReadonlySet<string>;
  /** The client that calls; undefined for an agent key. */
  readonly clientId?: string | undefined;
  /** The agent key that calls; undefined for an access token. */
  readonly keyId?: string | undefined;
  /** The tools that the key may call; undefined allows every tool that the policy allows. */
  readonly tools?: readonly string[] | undefined;
  readonly gong: Extract<GongAuthorization, { ok: true }>;
}

export type Identified =
  | { readonly ok: true; readonly caller: Caller; readonly fresh: boolean }
  | { readonly ok: false; readonly reason: "invalid_token" }
  | {
      readonly ok: false;
      readonly reason: "not_connected" | "needs_reconnect";
      /** The connection that a person has to bring back. */
      readonly connectionId: string;
    }
  | {
      readonly ok: false;
      readonly reason: "unavailable" | "unreadable";
      readonly retryAfterSeconds: number;
      readonly connectionId: string;
    };

interface Entry {
  readonly caller: Caller;
  readonly resource: string;
  /** Epoch seconds; the earliest of the cache time and both tokens' ends. */
  readonly goodUntil: number;
}

const MOST_ENTRIES = 5000;

/** Credentials seen by this isolate in the last seconds. A cache: losing it costs one question to the connection. */
const seen = new Map<string, Entry>();

/** The caller whom the connection let in a few seconds ago. Undefined when it has to be asked: see `identify`. */
export function recall(
  gateway: Gateway,
  integration: IntegrationConfig,
  credential: string,
): Identified | undefined {
  const caller = seenCaller(integration, credential, gateway.now());
  return caller === undefined ? undefined : { ok: true, caller, fresh: false };
}

function seenCaller({ resource }: IntegrationConfig, credential: string, now: number): Caller | undefined {
  const known = seen.get(credential);
  return known?.resource === resource && known.goodUntil > now ? known.caller : undefined;
}

/**
 * Which connection decides about a credential, and as what. Undefined
 * when it is made up, expired or for another resource.
 */
async function readCaller(
  { keyring }: Gateway,
  { resource }: IntegrationConfig,
  credential: string,
  now: number,
): Promise<Pick<Caller, "connectionId" | "presented"> | undefined> {
  const kind = callerKind(credential);
  const claims = await readCredential(keyring, kind, credential, [resource], now);
  return claims && { connectionId: claims.connectionId, presented: { kind, hash: claims.hash } };
}

/** Identifies the caller by its access token or agent key. Asks the connection. */
export async function identify(
  gateway: Gateway,
  integration: IntegrationConfig,
  credential: string,
): Promise<Identified> {
  const now = gateway.now();
  // The tag of one that was seen was checked then.
  const read =
    seenCaller(integration, credential, now) ?? (await readCaller(gateway, integration, credential, now));
  seen.delete(credential);
  if (read === undefined) {
    await explain(gateway, credential);
    return { ok: false, reason: "invalid_token" };
  }
  const { connectionId, presented } = read;
  const call = await retrying(async (): Promise<AuthorizedCall> =>
    gateway.objects.connection(connectionId).authorize(presented),
  );
  if (!call.ok) {
    if (call.reason !== "invalid_token") return { ...call, connectionId };
    gateway.attempt.reason = `token_${call.detail}`;
    nameHolder(gateway, presented.hash);
    return call;
  }
  const { gong, clientId, keyId, tools } = call;
  if (clientId !== undefined) keepBounded(holders, presented.hash, clientId);
  const caller: Caller = {
    connectionId,
    presented,
    scope: new Set(call.scope.split(" ")),
    clientId,
    keyId,
    tools,
    gong,
  };
  const goodUntil = Math.min(now + gateway.config.accessCacheSeconds, call.expiresAt, gong.expiresAt);
  remember(credential, { caller, resource: integration.resource, goodUntil }, now);
  return { ok: true, caller, fresh: true };
}

/**
 * The clients that this isolate has served, by hash of the access
 * token: for the client doctor, when it is refused later.
 */
const holders = new Map<string, string>();
/** Access tokens that were presented after their end. */
const late = new Map<string, true>();

function keepBounded<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MOST_ENTRIES) map.clear();
  map.set(key, value);
}

function nameHolder({ attempt }: Gateway, hash: string): void {
  const clientId = holders.get(hash);
  if (clientId !== undefined) attempt.clientId = clientId;
}

/**
 * Tells the client doctor why a credential is good for nothing here. That an access token runs out is no news: clients
 * refresh then. One that comes again is.
 */
async function explain(gateway: Gateway, credential: string): Promise<void> {
  const { attempt, keyring, config } = gateway;
  const kind = callerKind(credential);
  const claims = await readCredential(keyring, kind, credential, resourcesOf(config), 0);
  if (claims === undefined) {
    attempt.reason = "bearer_foreign";
    return;
  }
  const isOver = claims.expiresAt <= gateway.now();
  const isNews = !isOver || kind === "agent_key" || late.has(claims.hash);
  if (isOver) keepBounded(late, claims.hash, true);
  if (!isNews) return;
  attempt.reason = isOver ? "token_expired" : "wrong_resource";
  nameHolder(gateway, claims.hash);
}

/** Whether a bearer credential says that it is an agent key, whose holder has no browser to sign in with. */
export function isAgentKey(credential: string): boolean {
  return callerKind(credential) === "agent_key";
}

/** Forgets a credential, so that the next call asks the connection. */
export function forget(credential: string): void {
  seen.delete(credential);
}

/** Entries are kept in order of arrival, which is the order in which they expire. */
function remember(credential: string, entry: Entry, now: number): void {
  for (const [known, { goodUntil }] of seen) {
    if (goodUntil > now && seen.size < MOST_ENTRIES) break;
    seen.delete(known);
  }
  if (entry.goodUntil > now) seen.set(credential, entry);
}
