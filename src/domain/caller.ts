// Who is calling `/mcp`: from an access token to what it may do and Gong's token to do it with. The tag is checked in
// the Worker; the connection is asked at most once in ACCESS_CACHE_SECONDS for calls that cost nothing, and every time
// for calls that do. RFC 6750 §3, MCP authorization, Token Handling.

import { readCredential } from "../crypto/credential.ts";
import type { IntegrationConfig } from "../config.ts";
import { retrying } from "../storage/stubs.ts";
import type { AuthorizedCall } from "../storage/connection-rpc.ts";
import type { GongAuthorization } from "../storage/gong-tokens.ts";
import type { Gateway } from "./gateway.ts";

export interface Caller {
  readonly connectionId: string;
  readonly scope: ReadonlySet<string>;
  readonly gong: Extract<GongAuthorization, { ok: true }>;
}

export type Identified =
  | { readonly ok: true; readonly caller: Caller; readonly fresh: boolean }
  | { readonly ok: false; readonly reason: "invalid_token" }
  | { readonly ok: false; readonly reason: "not_connected" | "needs_reconnect" }
  | { readonly ok: false; readonly reason: "unavailable" | "unreadable"; readonly retryAfterSeconds: number };

interface Entry {
  readonly caller: Caller;
  readonly resource: string;
  /** Epoch seconds; the earliest of the cache time and both tokens' ends. */
  readonly goodUntil: number;
}

const MOST_ENTRIES = 5000;

/** Tokens seen by this isolate in the last seconds. A cache: losing it costs one question to the connection. */
const seen = new Map<string, Entry>();

/** Identifies the caller by its access token. `fresh` asks the connection even when the answer is cached. */
export async function identify(
  gateway: Gateway,
  integration: IntegrationConfig,
  accessToken: string,
  wanted: "cached" | "fresh",
): Promise<Identified> {
  const now = gateway.now();
  const known = seen.get(accessToken);
  if (wanted === "cached" && known?.resource === integration.resource && known.goodUntil > now) {
    return { ok: true, caller: known.caller, fresh: false };
  }
  seen.delete(accessToken);
  const claims = await readCredential(gateway.keyring, "access", accessToken, [integration.resource], now);
  if (claims === undefined) return { ok: false, reason: "invalid_token" };
  const { connectionId } = claims;
  const call = await retrying(async (): Promise<AuthorizedCall> =>
    gateway.objects.connection(connectionId).authorize({ kind: "access", hash: claims.hash }),
  );
  if (!call.ok) return call;
  const { gong } = call;
  const caller: Caller = { connectionId, scope: new Set(call.scope.split(" ")), gong };
  const goodUntil = Math.min(now + gateway.config.accessCacheSeconds, call.expiresAt, gong.expiresAt);
  remember(accessToken, { caller, resource: integration.resource, goodUntil }, now);
  return { ok: true, caller, fresh: true };
}

/** Forgets a token, so that the next call asks the connection. */
export function forget(accessToken: string): void {
  seen.delete(accessToken);
}

/** Entries are kept in order of arrival, which is the order in which they expire. */
function remember(accessToken: string, entry: Entry, now: number): void {
  for (const [token, { goodUntil }] of seen) {
    if (goodUntil > now && seen.size < MOST_ENTRIES) break;
    seen.delete(token);
  }
  if (entry.goodUntil > now) seen.set(accessToken, entry);
}
