// The scopes of the gateway are Gong's own, so that a person consents to what Gong will grant. Called by
// authorization-request.ts, metadata.ts, and domain for refreshes and answers. RFC 6749 §3.3, §6.
import { OAuthError } from "../errors.ts";

/** Every scope, in the order in which the gateway writes them. */
export const SCOPES = ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"] as const;

export type Scope = (typeof SCOPES)[number];

/** Accepted and ignored: a refresh token is issued whether or not it is asked for. */
const OFFLINE_ACCESS = "offline_access";

/**
 * The scopes an authorization request asks for, without repeats and in canonical order (RFC 6749 §3.3). Splits on runs
 * of white space; a request that names none gets all. Refuses an unknown scope with `invalid_scope`.
 */
export function resolveScope(requested: string | undefined): readonly Scope[] {
  return narrowScope(SCOPES, requested);
}

/**
 * The scopes of the access token that a refresh asks for: `granted` when it names none, else the named part of it
 * (RFC 6749 §6). Refuses a scope outside `granted` with `invalid_scope`. A granted scope that the gateway no longer
 * knows is left out.
 */
export function narrowScope(granted: readonly string[], requested: string | undefined): readonly Scope[] {
  const available = SCOPES.filter((scope) => granted.includes(scope));
  const names = (requested ?? "").split(/\s+/).filter((name) => name !== "" && name !== OFFLINE_ACCESS);
  if (names.length === 0) return available;
  const known: readonly string[] = available;
  if (!names.every((name) => known.includes(name))) {
    throw new OAuthError("invalid_scope", "Ask only for scopes that the metadata lists and the grant holds.");
  }
  return available.filter((scope) => names.includes(scope));
}

/** Scopes as one string, for answers and challenges (RFC 6749 §3.3). */
export function formatScope(scope: readonly string[]): string {
  return scope.join(" ");
}
