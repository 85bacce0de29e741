// The life of a grant as pure decisions: redeeming a code, rotating a refresh token, and telling a client that repeats
// itself from a thief. Called by storage/grants inside one transaction, with the tag of the credential
// already checked. RFC 6749 §4.1.2, §4.1.3 and §6, RFC 7636 §4.6, RFC 9700 §2.1.1 and §4.14.2.
import { hashesMatch } from "./digest.ts";

/** Seconds in which a repeated code or refresh token is a client that fired twice or lost an answer. */
export const REPLAY_WINDOW_SECONDS = 60;

/** What is kept of a code. Times in epoch seconds. */
export interface CodeRecord {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly resource: string;
  readonly expiresAt: number;
  /** Undefined until the code is redeemed. */
  readonly redeemedAt: number | undefined;
  /** Whether the grant that the code opened has been revoked. */
  readonly grantRevoked: boolean;
}

export interface PresentedCode {
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  /** Computed from the presented verifier. */
  readonly codeChallenge: string;
  /** The canonical resource, or undefined when the request named none. */
  readonly resource: string | undefined;
}

export type RedemptionDecision =
  | { readonly kind: "redeem" }
  /** Nothing changes. */
  | {
      readonly kind: "refuse";
      readonly reason:
        | "unknown_code"
        | "wrong_client"
        | "wrong_verifier"
        | "grant_revoked"
        | "already_redeemed"
        | "code_expired"
        | "wrong_redirect_uri"
        | "wrong_resource";
    }
  /** Refuse, and revoke what the code opened. */
  | { readonly kind: "revoke"; readonly reason: "code_replayed" };

/**
 * Decides what a presented code does (RFC 6749 §4.1.3, RFC 7636 §4.6). Only the rightful
 * client with the right verifier has any effect. A second use is refused; within 60 seconds
 * of the first it changes nothing more, because clients do fire twice, and later it revokes
 * the grant (RFC 6749 §4.1.2). A wrong redirect URI or resource does not spend the code.
 */
export function decideRedemption(
  code: CodeRecord | undefined,
  presented: PresentedCode,
  now: number,
): RedemptionDecision {
  if (code === undefined) return { kind: "refuse", reason: "unknown_code" };
  if (presented.clientId !== code.clientId) return { kind: "refuse", reason: "wrong_client" };
  if (!hashesMatch(presented.codeChallenge, code.codeChallenge))
    return { kind: "refuse", reason: "wrong_verifier" };
  if (code.grantRevoked) return { kind: "refuse", reason: "grant_revoked" };
  if (code.redeemedAt !== undefined) {
    return withinReplayWindow(code.redeemedAt, now)
      ? { kind: "refuse", reason: "already_redeemed" }
      : { kind: "revoke", reason: "code_replayed" };
  }
  if (now >= code.expiresAt) return { kind: "refuse", reason: "code_expired" };
  if (presented.redirectUri !== undefined && presented.redirectUri !== code.redirectUri) {
    return { kind: "refuse", reason: "wrong_redirect_uri" };
  }
  if (presented.resource !== undefined && presented.resource !== code.resource) {
    return { kind: "refuse", reason: "wrong_resource" };
  }
  return { kind: "redeem" };
}

/** What is kept of a refresh-token family. Times in epoch seconds. */
export interface RotationRecord {
  readonly clientId: string;
  /** The number of the newest refresh token; each rotation adds one. */
  readonly generation: number;
  /** When the newest refresh token replaced its predecessor; undefined before the first rotation. */
  readonly rotatedAt: number | undefined;
  /** Whether the newest refresh token, or an access token issued with it, has been presented. */
  readonly successorUsed: boolean;
  /** Idle end: moves with each rotation. */
  readonly refreshExpiresAt: number;
  /** Absolute end: fixed when the grant was opened. */
  readonly expiresAt: number;
  readonly revoked: boolean;
}

export interface PresentedRefreshToken {
  readonly clientId: string;
  readonly generation: number;
  /** Which kept hash the token has: the newest one's, its immediate predecessor's, or none of them. */
  readonly secretMatches: "current" | "previous" | "neither";
}

export type RotationDecision =
  /** Issue the next generation. */
  | { readonly kind: "rotate" }
  /** Answer with the stored answer of the last rotation, unchanged. */
  | { readonly kind: "replay" }
  /** Nothing changes. */
  | {
      readonly kind: "refuse";
      readonly reason:
        | "wrong_client"
        | "grant_revoked"
        | "refresh_expired"
        | "grant_expired"
        | "unknown_token";
    }
  /** Refuse, and revoke the family. */
  | { readonly kind: "revoke"; readonly reason: "refresh_token_reused" };

/**
 * Decides what a presented refresh token does (RFC 6749 §6, RFC 9700 §4.14.2). The newest one rotates. Its immediate
 * predecessor gets the same stored answer within 60 seconds of the rotation, or for as long as nothing of that answer
 * was ever used: the client lost it. Every other spent token is reuse and revokes the family. The predecessor's
 * deadline does not move when it is replayed. Another client, an ended grant, or a token this family never issued
 * changes nothing.
 */
export function decideRotation(
  grant: RotationRecord,
  presented: PresentedRefreshToken,
  now: number,
): RotationDecision {
  if (presented.clientId !== grant.clientId) return { kind: "refuse", reason: "wrong_client" };
  if (grant.revoked) return { kind: "refuse", reason: "grant_revoked" };
  if (now >= grant.expiresAt) return { kind: "refuse", reason: "grant_expired" };
  if (now >= grant.refreshExpiresAt) return { kind: "refuse", reason: "refresh_expired" };

  const behind = grant.generation - presented.generation;
  if (behind === 0 && presented.secretMatches === "current") return { kind: "rotate" };
  if (behind === 1 && presented.secretMatches === "previous") {
    const repeated = !grant.successorUsed || withinReplayWindow(grant.rotatedAt, now);
    return repeated ? { kind: "replay" } : { kind: "revoke", reason: "refresh_token_reused" };
  }
  // Hashes are kept for two generations only: an older token is known by its tag, which the caller has checked.
  if (behind > 1) return { kind: "revoke", reason: "refresh_token_reused" };
  return { kind: "refuse", reason: "unknown_token" };
}

function withinReplayWindow(since: number | undefined, now: number): boolean {
  return since !== undefined && now - since <= REPLAY_WINDOW_SECONDS;
}
