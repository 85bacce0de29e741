// Grants that no code opened: a client's own (RFC 6749 §4.4) and those that an issuer vouches for (RFC 7523). There is
// one for each client and resource, however often it asks, and no refresh token. SQL on the ConnectionObject's
// database, inside its transactions; called by ConnectionObject.

import { failpoint } from "../failpoints.ts";
import type { VOUCHED_GRANT_TYPES } from "../oauth/client.ts";
import { noteEvent } from "./connection-audit.ts";
import type { ConnectionCore } from "./connection-core.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import { BARRED, barOf, findGrant, revokeGrant } from "./grant-upkeep.ts";
import type { TokenOutcome } from "./grants.ts";
import { retrying } from "./stubs.ts";

/** Access tokens of one grant that can live at the same time; the oldest make room. */
const MOST_ACCESS_TOKENS = 1_000;

/** A client with this permission, as it is now: each request brings it up to date. */
export interface CodelessGrant {
  /** Taken when there is none yet. */
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly grantType: (typeof VOUCHED_GRANT_TYPES)[number];
  readonly resource: string;
  readonly scope: string;
  /** When it ends unless the client asks again, epoch seconds. */
  readonly expiresAt: number;
  /** Of a client that an admin made: who, as ledger rows name people. */
  readonly person?: string | undefined;
}

export type CodelessOutcome =
  | { readonly kind: "open"; readonly grantId: string }
  | { readonly kind: "refused"; readonly reason: "not_connected" | "needs_reconnect" | "client_ended" };

/** An access token minted for a grant that is open. */
export interface CodelessToken {
  readonly grantId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly accessHash: string;
  readonly accessExpiresAt: number;
}

/** See ConnectionObject.openCodelessGrant. */
export async function openCodelessGrant(
  core: ConnectionCore,
  grant: CodelessGrant,
): Promise<CodelessOutcome> {
  if (!(await core.ready())) return { kind: "refused", reason: "not_connected" };
  // After a restore to before the client's first grant, only the escrow knows that the client was barred.
  const barredAt =
    openGrantId(core.sql, grant) === undefined ? await barTime(core, grant.clientId) : undefined;
  const outcome = core.transaction((sql, now): CodelessOutcome => {
    const unusable = unusableReason(core.row(), now);
    if (unusable !== undefined) return { kind: "refused", reason: unusable };
    if (isBarred(sql, grant.clientId, barredAt)) return { kind: "refused", reason: "client_ended" };
    return upsert(sql, grant, now);
  });
  await core.schedule();
  return outcome;
}

/** See ConnectionObject.issueWithoutCode. */
export async function issueWithoutCode(core: ConnectionCore, token: CodelessToken): Promise<TokenOutcome> {
  if (!(await core.ready())) return { kind: "refused", reason: "connection_unknown" };
  const outcome = core.transaction((sql, now): TokenOutcome => {
    const grant = findGrant(sql, token.grantId);
    if (grant === undefined || grant.client_id !== token.clientId)
      return { kind: "refused", reason: "grant_unknown" };
    if (grant.grant_type === "authorization_code") return { kind: "refused", reason: "grant_unknown" };
    if (grant.revoked_at !== null) return { kind: "refused", reason: "grant_revoked" };
    if (grant.expires_at <= now) return { kind: "refused", reason: "grant_expired" };
    const accessExpiresAt = Math.min(token.accessExpiresAt, grant.expires_at);
    sql.exec(
      "INSERT INTO access_tokens (hash, grant_id, generation, scope, expires_at) VALUES (?, ?, 1, ?, ?)",
      token.accessHash,
      grant.id,
      token.scope,
      accessExpiresAt,
    );
    if (FAILPOINTS) void failpoint("codeless.writing", sql);
    dropOldest(sql, grant.id);
    return { kind: "issued", scope: token.scope, accessExpiresAt };
  });
  await core.schedule();
  return outcome;
}

/** See ConnectionObject.barClient. */
export async function barClient(
  core: ConnectionCore,
  barred: Pick<CodelessGrant, "id" | "clientId" | "grantType" | "resource">,
  reason: string,
): Promise<void> {
  if (!(await core.ready())) return;
  const ended = core.transaction((sql, now) => {
    const live = sql
      .exec<{ id: string }>(
        "SELECT id FROM grants WHERE client_id = ? AND grant_type <> 'authorization_code' AND revoked_at IS NULL",
        barred.clientId,
      )
      .toArray();
    // A request that is on its way here may not open the first one either.
    if (live.length === 0 && !isBarred(sql, barred.clientId)) {
      upsert(sql, { ...barred, clientName: undefined, scope: "", expiresAt: now }, now);
      live.push({ id: barred.id });
    }
    for (const { id } of live) revokeGrant(sql, id, reason, now);
    return live.length > 0;
  });
  if (ended) await core.tellEnds();
}

/** Gong's refresh token may be dead while its access token still opens Gong. */
function unusableReason(
  row: ConnectionRow | undefined,
  now: number,
): "not_connected" | "needs_reconnect" | undefined {
  if (row === undefined || row.state === "disconnected") return "not_connected";
  return row.state === "connected" || row.gong_expires_at > now ? undefined : "needs_reconnect";
}

/** Whether somebody ended what this client had, here or at `barredAt`, and nobody let it in again since. */
function isBarred(sql: SqlStorage, clientId: string, barredAt = 0): boolean {
  const { barred, admitted } = sql
    .exec<{ barred: number | null; admitted: number | null }>(
      `SELECT MAX(iif(${BARRED}, revoked_at, 0)) AS barred,
         MAX(iif(grant_type = 'authorization_code' AND revoked_at IS NULL, created_at, 0)) AS admitted
       FROM grants WHERE client_id = ?`,
      clientId,
    )
    .one();
  return Math.max(barred ?? 0, barredAt) > (admitted ?? 0);
}

const barTime = (core: ConnectionCore, clientId: string): Promise<number | undefined> =>
  retrying(async (): Promise<number | undefined> => core.escrow().endedAt(barOf(clientId)));

type GrantKey = Pick<CodelessGrant, "clientId" | "resource" | "grantType">;

/** The id of the grant that the client has, if nobody ended it. */
function openGrantId(sql: SqlStorage, { clientId, resource, grantType }: GrantKey): string | undefined {
  const open = sql.exec<{ id: string }>(
    "SELECT id FROM grants WHERE client_id = ? AND resource = ? AND grant_type = ? AND revoked_at IS NULL",
    clientId,
    resource,
    grantType,
  );
  return open.toArray()[0]?.id;
}

/** Its idle end is its end: there is no refresh token that could move it, so `refresh_generation` 1 is the only one. */
function upsert(sql: SqlStorage, grant: CodelessGrant, now: number): CodelessOutcome {
  const known = openGrantId(sql, grant);
  const grantId = known ?? grant.id;
  sql.exec(
    `INSERT INTO grants (id, client_id, client_name, resource, scope, created_at, last_used_at, expires_at,
       refresh_generation, refresh_expires_at, successor_used, grant_type, person)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 1, ?7, 1, ?8, ?9)
     ON CONFLICT (id) DO UPDATE SET client_name = ?3, scope = ?5, last_used_at = ?6, expires_at = ?7,
       refresh_expires_at = ?7`,
    grantId,
    grant.clientId,
    grant.clientName ?? null,
    grant.resource,
    grant.scope,
    now,
    grant.expiresAt,
    grant.grantType,
    grant.person ?? null,
  );
  if (known === undefined) {
    noteEvent(sql, now, { action: "agent.approved", target: grantId, name: grant.clientName });
  }
  return { kind: "open", grantId };
}

function dropOldest(sql: SqlStorage, grantId: string): void {
  sql.exec(
    `DELETE FROM access_tokens WHERE hash IN (
       SELECT hash FROM access_tokens WHERE grant_id = ? ORDER BY expires_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    grantId,
    MOST_ACCESS_TOKENS,
  );
}
