// The security audit in the AdminObject: one row per act, in the transaction of the act it tells of. What admins and
// the gateway do, what people do at their account, and what strangers cause (refused sign-ins, decisions on consent
// pages) are bounded apart, so nobody can push an admin's acts out by making noise.

import type { ListPage, ListQuery } from "../listing.ts";
import { dayStart } from "../listing.ts";
import { contains, pageOf } from "./page-of.ts";

/** Who can cause a row: an admin or the gateway itself, a person at their account, or anybody. */
export type Cause = "admin" | "person" | "stranger";

/** Who acts and in which request, as the audit names them. */
export interface Actor {
  /** `admin`, an e-mail address that Cloudflare Access named, or a word for who can't be named. */
  readonly actor: string;
  readonly cause: Cause;
  /** What our pages show of the request. */
  readonly requestId: string;
}

/** Rows kept of each cause; the oldest go first. */
const AUDIT_KEPT = 10_000;

/** More of what strangers cause than this in a minute is left out. */
const MOST_OF_STRANGERS = 60;

const DAY_SECONDS = 86_400;

/** Rows in one part of a download. */
const EXPORT_ROWS = 500;

export type AuditRow = {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string | null;
  readonly request_id: string | null;
};

const COLUMNS = "id, at, actor, action, target, request_id";

/**
 * Writes one audit row; `target` is the id it was done to, never a secret. The oldest of its cause over 10,000 goes. Of
 * what strangers cause, more than sixty rows a minute are left out.
 */
export function writeAudit(sql: SqlStorage, now: number, by: Actor, action: string, target?: string): void {
  if (by.cause === "stranger" && strangersLastMinute(sql, now) >= MOST_OF_STRANGERS) return;
  sql.exec(
    "INSERT INTO audit (at, actor, action, target, request_id, cause) VALUES (?, ?, ?, ?, ?, ?)",
    now,
    by.actor,
    action,
    target ?? null,
    by.requestId,
    by.cause,
  );
  sql.exec(
    `DELETE FROM audit WHERE cause = ?1 AND id <= (
       SELECT id FROM audit WHERE cause = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    by.cause,
    AUDIT_KEPT,
  );
}

function strangersLastMinute(sql: SqlStorage, now: number): number {
  return sql
    .exec<{ n: number }>("SELECT COUNT(*) AS n FROM audit WHERE cause = 'stranger' AND at > ?", now - 60)
    .one().n;
}

/** One page of the audit, the newest first. Filters: `actor`, `action`, and the days `from` and `to`, both included. */
export function pageAudit(sql: SqlStorage, query: ListQuery): ListPage<AuditRow> {
  const { where, values } = conditionsOf(query);
  return pageOf(sql, { table: "audit", columns: COLUMNS, sort: "id", id: "id", where, values }, query.cursor);
}

/** The next part of a download: rows that match and are older than `before`, the newest first. */
export function exportAudit(
  sql: SqlStorage,
  query: ListQuery,
  before: number | undefined,
): readonly AuditRow[] {
  const { where, values } = conditionsOf(query);
  const conditions = before === undefined ? where : [...where, "id < ?"];
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return sql
    .exec<AuditRow>(
      `SELECT ${COLUMNS} FROM audit ${condition} ORDER BY id DESC LIMIT ?`,
      ...values,
      ...(before === undefined ? [] : [before]),
      EXPORT_ROWS,
    )
    .toArray();
}

/** The actions and actors that occur, for the filters. */
export function auditChoices(sql: SqlStorage): {
  readonly actors: readonly string[];
  readonly actions: readonly string[];
} {
  const distinct = (column: "actor" | "action") =>
    sql
      .exec<{ value: string }>(`SELECT DISTINCT ${column} AS value FROM audit ORDER BY value LIMIT 200`)
      .toArray()
      .map(({ value }) => value);
  return { actors: distinct("actor"), actions: distinct("action") };
}

function conditionsOf({ search, filters }: ListQuery): {
  readonly where: readonly string[];
  readonly values: readonly SqlStorageValue[];
} {
  const found = contains(["actor", "action", "target", "request_id"], search);
  const { actor, action } = filters;
  const [from, to] = [dayStart(filters["from"]), dayStart(filters["to"])];
  const conditions: readonly (readonly [string, SqlStorageValue | undefined])[] = [
    ["actor = ?", actor],
    ["action = ?", action],
    ["at >= ?", from],
    ["at < ?", to === undefined ? undefined : to + DAY_SECONDS],
  ];
  const given = conditions.filter(
    (condition): condition is readonly [string, SqlStorageValue] => condition[1] !== undefined,
  );
  return {
    where: [...found.where, ...given.map(([condition]) => condition)],
    values: [...found.values, ...given.map(([, value]) => value)],
  };
}
