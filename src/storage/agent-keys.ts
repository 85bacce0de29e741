// The agent keys of one connection, as SQL on the ConnectionObject's database: static credentials of agents that have
// no browser, kept as hashes. Each function runs inside one transaction of the object and awaits nothing.

import { failpoint } from "../failpoints.ts";
import { noteEvent } from "./connection-audit.ts";
import type { AgentKeyRow } from "./connection-schema.ts";
import { liveGrants } from "./grant-upkeep.ts";
import { putOut } from "./outbox.ts";

/** Keys of one connection that can be used at the same time. */
const MOST_AGENT_KEYS = 50;

/** How long a key that is over stays on the list. */
const OVER_KEPT_SECONDS = 30 * 86_400;

// A write per call would make every read of an agent a durable write.
const LAST_USED_STEP_SECONDS = 60;

export interface NewAgentKey {
  /** The grant id in the key's claims. */
  readonly id: string;
  readonly hash: string;
  /** The sealing key that tagged it: it must stay in the ring for as long as the key is to work. */
  readonly kid: string;
  readonly name: string;
  readonly scope: string;
  /** The tools that the key may call; undefined allows every tool that the policy allows. */
  readonly tools: readonly string[] | undefined;
  /** Who made it, as the audit names them. */
  readonly createdBy: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** What people see of a key; nothing in it helps to use it. Times in epoch seconds. */
export interface AgentKeyDescription {
  readonly id: string;
  readonly name: string;
  readonly tools: readonly string[] | undefined;
  readonly state: "live" | "expired" | "revoked";
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  /** To the minute; undefined before the first use. */
  readonly lastUsedAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly revokedBy: string | undefined;
}

export type AgentKeyUse =
  | { readonly ok: true; readonly key: AgentKeyRow; readonly tools: readonly string[] | undefined }
  | { readonly ok: false; readonly reason: "unknown" | "expired" | "revoked" };

/**
 * Records a key. Writes nothing when the connection has its most already, or a live key has the name: a form that is
 * sent twice makes one key.
 */
export function insertAgentKey(
  sql: SqlStorage,
  key: NewAgentKey,
  now: number,
): "created" | "too_many" | "name_taken" {
  const named = sql.exec(
    "SELECT 1 FROM agent_keys WHERE name = ? AND revoked_at IS NULL AND expires_at > ?",
    key.name,
    now,
  );
  if (named.toArray().length > 0) return "name_taken";
  if (countLiveKeys(sql, now) >= MOST_AGENT_KEYS) return "too_many";
  sql.exec(
    `INSERT INTO agent_keys (id, hash, kid, name, scope, tools, created_at, created_by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    key.id,
    key.hash,
    key.kid,
    key.name,
    key.scope,
    key.tools === undefined ? null : JSON.stringify(key.tools),
    now,
    key.createdBy,
    key.expiresAt,
  );
  noteEvent(sql, now, { action: "key.created", target: key.id, name: key.name, reason: key.createdBy });
  return "created";
}

/** Finds the live key with this hash and notes that it was used. */
export function useAgentKey(sql: SqlStorage, hash: string, now: number): AgentKeyUse {
  const [key] = sql.exec<AgentKeyRow>("SELECT * FROM agent_keys WHERE hash = ?", hash).toArray();
  if (key === undefined) return { ok: false, reason: "unknown" };
  if (key.revoked_at !== null) return { ok: false, reason: "revoked" };
  if (key.expires_at <= now) return { ok: false, reason: "expired" };
  if ((key.last_used_at ?? 0) + LAST_USED_STEP_SECONDS <= now) {
    sql.exec("UPDATE agent_keys SET last_used_at = ? WHERE id = ?", now, key.id);
  }
  return { ok: true, key, tools: toolsOf(key) };
}

/** Whether the key with this hash was revoked, or is not there. */
export function isKeyRevoked(sql: SqlStorage, hash: string): boolean {
  const live = sql.exec("SELECT 1 FROM agent_keys WHERE hash = ? AND revoked_at IS NULL", hash);
  return live.toArray().length === 0;
}

/** Ends a key; whether it was there and had not been ended. The row stays for a while, so that a reader sees why. */
export function endAgentKey(sql: SqlStorage, id: string, by: string, now: number): boolean {
  if (FAILPOINTS) void failpoint("end.writing", sql);
  const [ended] = sql
    .exec<{ name: string }>(
      "UPDATE agent_keys SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL RETURNING name",
      now,
      by,
      id,
    )
    .toArray();
  if (ended === undefined) return false;
  putOut(sql, id, now);
  noteEvent(sql, now, { action: "key.revoked", target: id, name: ended.name, reason: by });
  return true;
}

/** The keys that are kept, the newest first. */
export function listAgentKeys(sql: SqlStorage, now: number): readonly AgentKeyDescription[] {
  const keys = sql
    .exec<AgentKeyRow>("SELECT * FROM agent_keys ORDER BY created_at DESC, rowid DESC")
    .toArray();
  return keys.map((key) => ({
    id: key.id,
    name: key.name,
    tools: toolsOf(key),
    state: key.revoked_at !== null ? "revoked" : key.expires_at <= now ? "expired" : "live",
    createdAt: key.created_at,
    createdBy: key.created_by,
    expiresAt: key.expires_at,
    lastUsedAt: key.last_used_at ?? undefined,
    revokedAt: key.revoked_at ?? undefined,
    revokedBy: key.revoked_by ?? undefined,
  }));
}

/** Every key that was not revoked, expired ones included. */
export function openKeyIds(sql: SqlStorage): readonly string[] {
  return sql
    .exec<{ id: string }>("SELECT id FROM agent_keys WHERE revoked_at IS NULL")
    .toArray()
    .map(({ id }) => id);
}

/** Whether a grant or an agent key can still use the connection. */
export function hasAgent(sql: SqlStorage, now: number): boolean {
  return countLiveKeys(sql, now) > 0 || liveGrants(sql, now).length > 0;
}

/** How many live keys each sealing key has tagged. */
export function countKeysByKid(sql: SqlStorage, now: number): Readonly<Record<string, number>> {
  const rows = sql
    .exec<{ kid: string; n: number }>(
      "SELECT kid, COUNT(*) AS n FROM agent_keys WHERE revoked_at IS NULL AND expires_at > ? GROUP BY kid",
      now,
    )
    .toArray();
  return Object.fromEntries(rows.map(({ kid, n }) => [kid, n]));
}

/** Deletes keys that have been over for thirty days. */
export function sweepAgentKeys(sql: SqlStorage, now: number): void {
  sql.exec(
    "DELETE FROM agent_keys WHERE min(coalesce(revoked_at, expires_at), expires_at) <= ?",
    now - OVER_KEPT_SECONDS,
  );
}

/** When a key expires or is to be deleted next, in epoch seconds, if ever. */
export function nextKeySweepAt(sql: SqlStorage, now: number): number | undefined {
  const { due } = sql
    .exec<{ due: number | null }>(
      `SELECT MIN(iif(revoked_at IS NULL AND expires_at > ?1, expires_at,
         min(coalesce(revoked_at, expires_at), expires_at) + ?2)) AS due FROM agent_keys`,
      now,
      OVER_KEPT_SECONDS,
    )
    .one();
  return due ?? undefined;
}

function countLiveKeys(sql: SqlStorage, now: number): number {
  return sql
    .exec<{ n: number }>(
      "SELECT COUNT(*) AS n FROM agent_keys WHERE revoked_at IS NULL AND expires_at > ?",
      now,
    )
    .one().n;
}

/** Fails closed: a list that can't be read allows nothing. */
function toolsOf({ tools }: AgentKeyRow): readonly string[] | undefined {
  if (tools === null) return undefined;
  const list: unknown = JSON.parse(tools);
  return Array.isArray(list) ? list.filter((tool) => typeof tool === "string") : [];
}
