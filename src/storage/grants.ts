// The grants of one connection: codes, refresh-token families and access tokens, as SQL on the ConnectionObject's
// database. Each function runs inside one transaction of the object and awaits nothing; what to decide is in
// oauth/grant.ts. Candidates (hashes of freshly minted tokens) come from the Worker, so no crypto happens here.

import { OAuthError } from "../errors.ts";
import { failpoint } from "../failpoints.ts";
import { decideRedemption, decideRotation } from "../oauth/grant.ts";
import { formatScope, narrowScope, resolveScope } from "../oauth/scope.ts";
import type { AccessTokenRow, CodeRow, GrantRow } from "./connection-schema.ts";
import { findGrant, revokeGrant } from "./grant-upkeep.ts";
import { putOut } from "./outbox.ts";

// A write per call would make every read of an agent a durable write.
const LAST_USED_STEP_SECONDS = 60;

/** Hashes of tokens minted for the case that this request wins. */
export interface CandidateTokens {
  readonly accessHash: string;
  readonly accessExpiresAt: number;
  readonly refreshHash: string;
  /** The key that tagged the refresh token: it must stay in the ring while the token is current. */
  readonly refreshKid: string;
  readonly refreshExpiresAt: number;
}

/** The candidates of a rotation, with both tokens sealed for the holder of the presented refresh token. */
export interface RotationTokens extends CandidateTokens {
  readonly answerSealed: string;
}

export interface PresentedCode {
  readonly hash: string;
  readonly grantId: string;
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  /** Computed from the verifier: RFC 7636 §4.6. */
  readonly codeChallenge: string;
  readonly resource: string | undefined;
}

export interface PresentedRefreshToken {
  readonly hash: string;
  readonly grantId: string;
  readonly generation: number;
  readonly clientId: string;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

export type TokenOutcome =
  | { readonly kind: "issued"; readonly scope: string; readonly accessExpiresAt: number }
  | {
      readonly kind: "replayed";
      readonly scope: string;
      readonly answerSealed: string;
      readonly accessExpiresAt: number;
    }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "revoked"; readonly reason: string };

export type AccessOutcome =
  | { readonly ok: true; readonly grant: GrantRow; readonly token: AccessTokenRow }
  | { readonly ok: false; readonly reason: "unknown" | "expired" | "revoked" };

/** Redeems a code once: RFC 6749 §4.1.3, RFC 7636 §4.6. A late replay revokes the grant. */
export function redeemCode(
  sql: SqlStorage,
  presented: PresentedCode,
  tokens: CandidateTokens,
  now: number,
): TokenOutcome {
  const [code] = sql.exec<CodeRow>("SELECT * FROM codes WHERE hash = ?", presented.hash).toArray();
  const grant = code === undefined ? undefined : findGrant(sql, code.grant_id);
  if (code === undefined || grant === undefined) return { kind: "refused", reason: "code_unknown" };
  const decision = decideRedemption(
    {
      clientId: grant.client_id,
      redirectUri: code.redirect_uri,
      codeChallenge: code.code_challenge,
      resource: grant.resource,
      expiresAt: code.expires_at,
      redeemedAt: code.redeemed_at ?? undefined,
      grantRevoked: grant.revoked_at !== null,
    },
    presented,
    now,
  );
  if (decision.kind === "refuse") return { kind: "refused", reason: decision.reason };
  if (decision.kind === "revoke") return revoke(sql, grant.id, decision.reason, now);
  sql.exec("UPDATE codes SET redeemed_at = ? WHERE hash = ?", now, code.hash);
  // Another one is of the same sign-in, finished twice.
  sql.exec("DELETE FROM codes WHERE grant_id = ? AND hash <> ?", grant.id, code.hash);
  if (FAILPOINTS) void failpoint("redeem.writing", sql);
  sql.exec(
    `UPDATE grants SET refresh_generation = 1, refresh_hash = ?, refresh_kid = ?, refresh_expires_at = ?, rotated_at = ?,
       successor_used = 0, last_used_at = ? WHERE id = ?`,
    tokens.refreshHash,
    tokens.refreshKid,
    Math.min(tokens.refreshExpiresAt, grant.expires_at),
    now,
    now,
    grant.id,
  );
  return issue(sql, grant, 1, grant.scope, tokens);
}

/**
 * Rotates a refresh token, or replays the answer of the rotation that its holder may have missed, or revokes the
 * family on reuse: RFC 9700 §4.14.2.
 */
export function rotateRefreshToken(
  sql: SqlStorage,
  presented: PresentedRefreshToken,
  tokens: RotationTokens,
  now: number,
): TokenOutcome {
  const grant = findGrant(sql, presented.grantId);
  if (grant === undefined) return { kind: "refused", reason: "grant_unknown" };
  const decision = decideRotation(
    {
      clientId: grant.client_id,
      generation: grant.refresh_generation,
      rotatedAt: grant.rotated_at,
      successorUsed: grant.successor_used === 1,
      refreshExpiresAt: grant.refresh_expires_at,
      expiresAt: grant.expires_at,
      revoked: grant.revoked_at !== null,
    },
    {
      generation: presented.generation,
      secretMatches: matchingSecret(grant, presented.hash),
      clientId: presented.clientId,
    },
    now,
  );
  if (decision.kind === "refuse") return { kind: "refused", reason: decision.reason };
  if (decision.kind === "revoke") return revoke(sql, grant.id, decision.reason, now);
  if (presented.resource !== undefined && presented.resource !== grant.resource) {
    return { kind: "refused", reason: "invalid_target" };
  }
  const scope = narrowed(grant.scope, presented.scope);
  if (scope === undefined) return { kind: "refused", reason: "invalid_scope" };
  if (decision.kind === "replay") return replay(sql, grant, now);
  const generation = grant.refresh_generation + 1;
  advance(sql, grant, generation, presented.hash, tokens, now);
  if (FAILPOINTS) void failpoint("rotate.writing", sql);
  return issue(sql, grant, generation, scope, tokens);
}

/** Finds the live access token with this hash and notes that it was used. */
export function useAccessToken(sql: SqlStorage, hash: string, now: number): AccessOutcome {
  const [token] = sql.exec<AccessTokenRow>("SELECT * FROM access_tokens WHERE hash = ?", hash).toArray();
  const grant = token === undefined ? undefined : findGrant(sql, token.grant_id);
  if (token === undefined || grant === undefined) return { ok: false, reason: "unknown" };
  if (grant.revoked_at !== null) return { ok: false, reason: "revoked" };
  if (token.expires_at <= now || grant.expires_at <= now) return { ok: false, reason: "expired" };
  const provesSuccessor = token.generation === grant.refresh_generation && grant.successor_used === 0;
  if (provesSuccessor || grant.last_used_at + LAST_USED_STEP_SECONDS <= now) {
    sql.exec(
      "UPDATE grants SET last_used_at = ?, successor_used = ? WHERE id = ?",
      now,
      provesSuccessor ? 1 : grant.successor_used,
      grant.id,
    );
  }
  return { ok: true, grant, token };
}

/** Makes the refresh token of `generation` the current one, and keeps what its predecessor is to be answered. */
function advance(
  sql: SqlStorage,
  grant: GrantRow,
  generation: number,
  spentHash: string,
  tokens: RotationTokens,
  now: number,
): void {
  sql.exec(
    `UPDATE grants SET refresh_generation = ?, refresh_hash = ?, refresh_kid = ?, refresh_expires_at = ?,
       previous_refresh_hash = ?, previous_answer_sealed = ?, rotated_at = ?, successor_used = 0, last_used_at = ?
     WHERE id = ?`,
    generation,
    tokens.refreshHash,
    tokens.refreshKid,
    Math.min(tokens.refreshExpiresAt, grant.expires_at),
    spentHash,
    tokens.answerSealed,
    now,
    now,
    grant.id,
  );
}

function revoke(sql: SqlStorage, grantId: string, reason: string, now: number): TokenOutcome {
  revokeGrant(sql, grantId, reason, now);
  return { kind: "revoked", reason };
}

/** The stored answer as it is: when its access token has expired meanwhile, its refresh token still works. */
function replay(sql: SqlStorage, grant: GrantRow, now: number): TokenOutcome {
  if (grant.previous_answer_sealed === null) return { kind: "refused", reason: "answer_gone" };
  const [token] = sql
    .exec<AccessTokenRow>(
      "SELECT * FROM access_tokens WHERE grant_id = ? AND generation = ?",
      grant.id,
      grant.refresh_generation,
    )
    .toArray();
  return {
    kind: "replayed",
    scope: token?.scope ?? grant.scope,
    answerSealed: grant.previous_answer_sealed,
    accessExpiresAt: token?.expires_at ?? now,
  };
}

function issue(
  sql: SqlStorage,
  grant: GrantRow,
  generation: number,
  scope: string,
  tokens: CandidateTokens,
): TokenOutcome {
  // A copy of what was spent for it must not work again after a restore.
  putOut(sql, grant.id, generation, {});
  const accessExpiresAt = Math.min(tokens.accessExpiresAt, grant.expires_at);
  sql.exec(
    "INSERT INTO access_tokens (hash, grant_id, generation, scope, expires_at) VALUES (?, ?, ?, ?, ?)",
    tokens.accessHash,
    grant.id,
    generation,
    scope,
    accessExpiresAt,
  );
  return { kind: "issued", scope, accessExpiresAt };
}

function matchingSecret(grant: GrantRow, hash: string): "current" | "previous" | "neither" {
  // The presented value carries a valid tag, so these hashes can't be probed byte by byte.
  if (grant.refresh_hash === hash) return "current";
  return grant.previous_refresh_hash === hash ? "previous" : "neither";
}

function narrowed(granted: string, requested: string | undefined): string | undefined {
  try {
    return formatScope(narrowScope(resolveScope(granted), requested));
  } catch (error) {
    if (error instanceof OAuthError) return undefined;
    throw error;
  }
}
