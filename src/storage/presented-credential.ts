// Who holds a presented credential, of either kind that can make a call: an access token or an agent key. Run inside
// one transaction of the ConnectionObject, so that an admission decided there stands on a credential that is live right
// then. RFC 6750 §3.1: every refusal looks the same outside.

import { isKeyRevoked, useAgentKey } from "./agent-keys.ts";
import { findGrant, hasAccessToken } from "./grant-upkeep.ts";
import { useAccessToken } from "./grants.ts";

/** A credential by its hash. The caller has checked its tag, which says the kind, the connection and the resource. */
export interface PresentedCredential {
  readonly kind: "access" | "agent_key";
  readonly hash: string;
}

/** What a live credential allows, and for whom. An access token has a grant and a client, an agent key a key. */
export interface Holder {
  readonly grantId?: string;
  readonly clientId?: string;
  readonly clientName?: string;
  readonly keyId?: string;
  readonly keyName?: string;
  /** Whether this is the first use of the first access token of a sign-in. */
  readonly isFirstUse?: boolean;
  readonly scope: string;
  /** The tools it may call; undefined allows every tool that the policy allows. */
  readonly tools?: readonly string[] | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export type CredentialUse =
  | { readonly ok: true; readonly holder: Holder }
  | { readonly ok: false; readonly reason: "unknown" | "expired" | "revoked" };

/** Finds the live credential with this hash and notes that it was used, to the minute. */
export function useCredential(sql: SqlStorage, presented: PresentedCredential, now: number): CredentialUse {
  return presented.kind === "access" ? useAccess(sql, presented.hash, now) : useKey(sql, presented.hash, now);
}

/**
 * Whether a credential that was live when its call was let in has been revoked since. One that has only grown too old
 * meanwhile was good for the call, so its answer is still its holder's. Writes nothing.
 */
export function isRevoked(
  sql: SqlStorage,
  { kind, hash }: PresentedCredential,
  { grantId, expiresAt }: Holder,
  now: number,
): boolean {
  if (kind === "agent_key") return isKeyRevoked(sql, hash);
  const grant = grantId === undefined ? undefined : findGrant(sql, grantId);
  if (grant !== undefined && grant.revoked_at !== null) return true;
  // Expired tokens are swept; one that is gone before its time was revoked alone (RFC 7009 §2.1).
  return now < expiresAt && !hasAccessToken(sql, hash);
}

function useAccess(sql: SqlStorage, hash: string, now: number): CredentialUse {
  const use = useAccessToken(sql, hash, now);
  if (!use.ok) return use;
  const { grant, token } = use;
  const isFirstUse = token.generation === 1 && grant.refresh_generation === 1 && grant.successor_used === 0;
  return {
    ok: true,
    holder: {
      grantId: grant.id,
      clientId: grant.client_id,
      ...(grant.client_name === null ? {} : { clientName: grant.client_name }),
      ...(isFirstUse ? { isFirstUse } : {}),
      scope: token.scope,
      expiresAt: Math.min(token.expires_at, grant.expires_at),
    },
  };
}

function useKey(sql: SqlStorage, hash: string, now: number): CredentialUse {
  const use = useAgentKey(sql, hash, now);
  if (!use.ok) return use;
  const { key, tools } = use;
  return {
    ok: true,
    holder: {
      keyId: key.id,
      keyName: key.name,
      scope: key.scope,
      tools,
      expiresAt: key.expires_at,
    },
  };
}
