// The index of agent keys in the AdminObject, so that an admin can find and end any of them. It decides nothing:
// whether a key works is its connection's to say.

import type { ListPage, ListQuery } from "../listing.ts";
import type { AgentKeyEntry } from "./admin-schema.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { contains, pageOf } from "./page-of.ts";

/** How long a key that is over stays on the list; its connection forgets it at the same time. */
const OVER_KEPT_SECONDS = 30 * 86_400;

const COLUMNS = "id, connection_id, integration, name, created_by, created_at, expires_at, revoked_at";

export type NewKeyEntry = Omit<AgentKeyEntry, "created_at" | "created_by" | "revoked_at">;

/** Notes a key and who made it, and forgets those that have long been over. */
export function recordAgentKey(sql: SqlStorage, key: NewKeyEntry, by: Actor, now: number): void {
  sql.exec("DELETE FROM key_index WHERE ended_at <= ?", now - OVER_KEPT_SECONDS);
  sql.exec(
    `INSERT INTO key_index (id, connection_id, integration, name, created_by, created_at, expires_at, ended_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)`,
    key.id,
    key.connection_id,
    key.integration,
    key.name,
    by.actor,
    now,
    key.expires_at,
  );
  writeAudit(sql, now, by, "agent_key.created", key.id);
}

/** Takes a key off that its connection did not take. */
export function dropAgentKey(sql: SqlStorage, id: string, by: Actor, now: number): void {
  sql.exec("DELETE FROM key_index WHERE id = ?", id);
  writeAudit(sql, now, by, "agent_key.not_created", id);
}

/** Notes that a key was revoked, and by whom. */
export function recordAgentKeyEnd(sql: SqlStorage, id: string, by: Actor, now: number): void {
  sql.exec(
    "UPDATE key_index SET revoked_at = ?1, ended_at = min(ended_at, ?1) WHERE id = ?2 AND revoked_at IS NULL",
    now,
    id,
  );
  writeAudit(sql, now, by, "agent_key.revoked", id);
}

/** Notes that every key of a connection ended with it. */
export function endKeysOf(sql: SqlStorage, connectionId: string, now: number): void {
  sql.exec(
    `UPDATE key_index SET revoked_at = ?1, ended_at = min(ended_at, ?1)
     WHERE connection_id = ?2 AND revoked_at IS NULL`,
    now,
    connectionId,
  );
}

/** The key with this id: an id from a form is never taken on trust. */
export function findAgentKey(sql: SqlStorage, id: string): AgentKeyEntry | undefined {
  return sql.exec<AgentKeyEntry>(`SELECT ${COLUMNS} FROM key_index WHERE id = ?`, id).toArray()[0];
}

/** One page of keys, the newest first. The filter `state` is `live` or `over`; the search looks at names and makers. */
export function pageOfAgentKeys(sql: SqlStorage, query: ListQuery, now: number): ListPage<AgentKeyEntry> {
  const { where, values } = contains(["name", "created_by", "id"], query.search);
  const state = query.filters["state"];
  const byState = state === "live" ? ["ended_at > ?"] : state === "over" ? ["ended_at <= ?"] : [];
  return pageOf<AgentKeyEntry>(
    sql,
    {
      table: "key_index",
      columns: COLUMNS,
      sort: "created_at",
      id: "id",
      where: [...where, ...byState],
      values: [...values, ...byState.map(() => now)],
    },
    query.cursor,
  );
}
