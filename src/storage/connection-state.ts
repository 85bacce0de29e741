// The one row that says what a connection is: written when Gong's tokens arrive, and emptied when they are let go. SQL
// on the ConnectionObject's database, inside its transactions.

import type { IntegrationConfig } from "../config.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { failpoint } from "../failpoints.ts";
import { refreshDueAt, type GongTokenState } from "../gong/refresh-machine.ts";
import { sealedWith } from "../crypto/seal.ts";
import { noteEvent } from "./connection-audit.ts";
import { listAgentKeys } from "./agent-keys.ts";
import type { ConnectionReport } from "./connection-index.ts";
import type { Authorization, ConnectionDescription } from "./connection-rpc.ts";
import type { ConnectionRow, GrantRow } from "./connection-schema.ts";
import type { SealedTokens } from "./gong-seals.ts";
import { outOfCreditsSince } from "./gong-credits.ts";
import { liveGrants } from "./grant-upkeep.ts";
import { forgetContents } from "./call-contents.ts";
import { forgetKept } from "./kept-results.ts";
import { putOut } from "./outbox.ts";

/** What a sign-in at Gong brought. */
export interface SignedIn {
  readonly tokens: GongTokens;
  readonly sealed: SealedTokens;
  readonly generation: number;
  readonly authorization: Authorization;
}

/** Puts the tokens of a sign-in in place; everything about an older refresh is gone with the old row. */
export function writeConnection(
  sql: SqlStorage,
  integration: IntegrationConfig,
  { tokens, sealed, generation, authorization }: SignedIn,
  now: number,
): void {
  if (FAILPOINTS) void failpoint("connect.writing", sql);
  const known = sql.exec("SELECT 1 FROM connection").toArray().length > 0;
  // Whoever an admin signs in as now may see less at Gong than whoever it was before.
  if (integration.access === "shared") forgetKept(sql);
  noteEvent(sql, now, { action: known ? "reconnected" : "connected" });
  sql.exec(
    `INSERT OR REPLACE INTO connection (only, integration, access, gong_client_id, state, state_since, connected_at,
       generation, gong_access_token_sealed, gong_refresh_token_sealed, gong_expires_at, gong_scope, refreshed_at,
       refresh_due_at, authorization_id, settled_at_ms)
     VALUES (1, ?1, ?2, ?3, 'connected', ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?4, ?10, ?11, ?12)`,
    integration.name,
    integration.access,
    integration.clientId,
    now,
    generation,
    sealed.accessTokenSealed,
    sealed.refreshTokenSealed,
    now + tokens.expiresInSeconds,
    tokens.scope?.join(" ") ?? null,
    refreshDueAt(now, tokens.expiresInSeconds, Math.random()),
    authorization.id,
    authorization.answeredAt,
  );
  putOut(sql, "", generation);
}

/** Notes who signed in to a personal connection, if Cloudflare Access named somebody. */
export function notePerson(sql: SqlStorage, person: string | undefined): void {
  if (person !== undefined) sql.exec("UPDATE connection SET person = ? WHERE access = 'personal'", person);
}

/**
 * Lets go of our copies of Gong's tokens, and of results that were kept. The generation moves on, so that a refresh in
 * flight can't bring them back.
 */
export function forgetGongTokens(sql: SqlStorage, reason: string, now: number): void {
  noteEvent(sql, now, { action: "disconnected", reason });
  forgetKept(sql);
  forgetContents(sql);
  const forgotten = sql.exec<{ generation: number }>(
    `UPDATE connection SET state = 'disconnected', reason = ?, state_since = ?, generation = generation + 1,
       gong_access_token_sealed = NULL, gong_refresh_token_sealed = NULL, gong_expires_at = 0,
       attempt_id = NULL, attempt_started_at = NULL, attempt_answer_sealed = NULL,
       quarantined_answer_sealed = NULL, person = NULL RETURNING generation`,
    reason,
    now,
  );
  putOut(sql, "", forgotten.one().generation);
}

/** What a person may see of a connection; no token in it. */
export function describeConnection(
  sql: SqlStorage,
  row: ConnectionRow,
  refreshing: boolean,
  now: number,
): ConnectionDescription {
  return {
    integration: row.integration,
    access: row.access,
    state: refreshing && row.state === "connected" ? "refreshing" : row.state,
    reason: row.reason ?? undefined,
    since: row.state_since,
    connectedAt: row.connected_at,
    refreshedAt: row.refreshed_at,
    outOfCreditsSince: outOfCreditsSince(sql),
    sealedWith: row.gong_access_token_sealed === null ? undefined : sealedWith(row.gong_access_token_sealed),
    grants: liveGrants(sql, now).map((grant) => ({
      id: grant.id,
      clientId: grant.client_id,
      clientName: grant.client_name ?? undefined,
      scope: grant.scope,
      createdAt: grant.created_at,
      lastUsedAt: grant.last_used_at,
    })),
  };
}

/** What the connection tells the admin's index about itself. */
export function reportOf(sql: SqlStorage, row: ConnectionRow, now: number): ConnectionReport {
  const grants = liveGrants(sql, now);
  const keys = listAgentKeys(sql, now).filter(({ state }) => state === "live");
  const failing = row.state === "connected" && row.failures > 0;
  const [personDueAt, personDueFor] = personDue(row, grants, keys.length > 0);
  return {
    state: row.state,
    reason: row.reason,
    since: row.state_since,
    usedOn: row.used_on,
    agents: [...grants.map((grant) => grant.client_name ?? grant.client_id), ...keys.map(({ name }) => name)],
    kid: row.gong_access_token_sealed === null ? null : (sealedWith(row.gong_access_token_sealed) ?? null),
    atRisk: failing && row.refresh_due_at >= row.gong_expires_at,
    personDueAt,
    personDueFor,
    outOfCreditsSince: outOfCreditsSince(sql) ?? null,
  };
}

/** When a person will have to sign in again, as far as that can be known before it happens. */
function personDue(
  row: ConnectionRow,
  grants: readonly GrantRow[],
  hasKey: boolean,
): readonly [at: number | null, why: string | null] {
  if (row.state !== "connected") return [null, null];
  if (row.gong_refresh_token_sealed === null) return [row.gong_expires_at, "no_refresh_token"];
  if (row.quarantined_answer_sealed !== null) return [row.gong_expires_at, "answer_not_understood"];
  if (hasKey || grants.length === 0) return [null, null];
  return [Math.max(...grants.map((grant) => grant.expires_at)), "sign_ins_end"];
}

/** What the refresh machine decides by. */
export function tokenState(current: ConnectionRow): GongTokenState {
  return {
    state: current.state,
    hasRefreshToken: current.gong_refresh_token_sealed !== null,
    expiresAt: current.gong_expires_at,
    refreshedAt: current.refreshed_at,
    dueAt: current.refresh_due_at,
    failures: current.failures,
  };
}
