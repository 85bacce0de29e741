// The security audit in the AdminObject: one row per act, in the transaction of the act it tells of. What strangers cause
// (refused sign-ins, decisions on consent pages) is kept apart from what admins and the gateway do: each has its own
// bound, so nobody can push an admin's acts out by making noise.

import type { ListPage, ListQuery } from "../listing.ts";
import { dayStart } from "../listing.ts";
import { contains, pageOf } from "./page-of.ts";

/** Rows kept of each kind; the oldest go first. */
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
 * Writes one audit row. `actor` is who did it, `target` the id it was done to, `requestId` what people see on our pages; none
 * is ever a secret.
 */
export function writeAudit(
  sql: SqlStorage,
  now: number,
  actor: string,
  action: string,
  target: string | undefined,
  requestId?: string,
): void {
  insert(sql, now, { actor, action, target, requestId, byStranger: 0 });
}

/** The same for what anybody can cause. At most 60 rows a minute, and never at the cost of other rows. */
export function writeStrangersAudit(
  sql: SqlStorage,
  now: number,
  actor: string,
  action: string,
  target: string | undefined,
  requestId?: string,
): void {
  const { n } = sql
    .exec<{ n: number }>("SELECT COUNT(*) AS n FROM audit WHERE by_stranger = 1 AND at > ?", now - 60)
    .one();
  if (n < MOST_OF_STRANGERS) insert(sql, now, { actor, action, target, requestId, byStranger: 1 });
}

interface NewRow {
  readonly actor: string;
  readonly action: string;
  readonly target: string | undefined;
  readonly requestId: string | undefined;
  readonly byStranger: 0 | 1;
}

function insert(sql: SqlStorage, now: number, row: NewRow): void {
  sql.exec(
    "INSERT INTO audit (at, actor, action, target, request_id, by_stranger) VALUES (?, ?, ?, ?, ?, ?)",
    now,
    row.actor,
    row.action,
    row.target ?? null,
    row.requestId ?? null,
    row.byStranger,
  );
  sql.exec(
    `DELETE FROM audit WHERE by_stranger = ?1 AND id <= (
       SELECT id FROM audit WHERE by_stranger = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    row.byStranger,
    AUDIT_KEPT,
  );
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
