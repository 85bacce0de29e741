// How many tool calls were served in which way on each day, by connection, client, agent key and tool, in the
// AdminObject: what charts and bills are made of. Content-free: a count and a time.

import { ownEntry, type Policy } from "../mcp/policy.ts";
import { periodName } from "../mcp/time-zone.ts";
import type { CallUse, UsageGroup, UsageQuestion, UsageRow } from "./admin-rpc.ts";

/** A year and a month, so that a month can be compared with the same one a year before. */
const KEPT_SECONDS = 400 * 86_400;

/** What calls of a tool are counted under that neither the policy nor Gong names: anybody can make up a name. */
const OTHER_TOOL = "other";

/** Counts `calls` more calls (or takes them back, below zero) on the day of `at`. */
export function addUsage(sql: SqlStorage, policy: Policy, use: CallUse, calls: 1 | -1, at: number): void {
  sql.exec(
    `INSERT INTO usage (day, connection_id, client_id, key_id, tool, served, calls, milliseconds)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
     ON CONFLICT (day, connection_id, client_id, key_id, tool, served)
     DO UPDATE SET calls = MAX(0, calls + ?7), milliseconds = MAX(0, milliseconds + ?8)`,
    periodName("day", at, policy.timeZone),
    use.connectionId,
    use.clientId ?? "",
    use.keyId ?? "",
    isKnownTool(sql, policy, use.tool) ? use.tool : OTHER_TOOL,
    use.served,
    calls,
    calls * Math.max(0, Math.round(use.milliseconds)),
  );
}

function isKnownTool(sql: SqlStorage, policy: Policy, tool: string): boolean {
  if (ownEntry(policy.tools, tool) !== undefined) return true;
  return sql.exec("SELECT 1 FROM tools WHERE name = ? LIMIT 1", tool).toArray().length > 0;
}

const COLUMNS: Readonly<Record<UsageGroup, string>> = {
  day: "day",
  connection: "connection_id",
  client: "client_id",
  key: "key_id",
  tool: "tool",
};

const MOST_ROWS = 10_000;

/** The calls from one day to another, both included, by group and way of being served; the groups in their order. */
export function usage(sql: SqlStorage, question: UsageQuestion): readonly UsageRow[] {
  const column = COLUMNS[question.groupBy];
  const filters = [
    ["connection_id", question.connectionId],
    ["client_id", question.clientId],
    ["key_id", question.keyId],
    ["tool", question.tool],
  ] as const;
  const given = filters.filter(([, value]) => value !== undefined);
  const where = ["day >= ?", "day <= ?", ...given.map(([name]) => `${name} = ?`)].join(" AND ");
  return sql
    .exec<UsageRow>(
      `SELECT ${column} AS name, served, SUM(calls) AS calls, SUM(milliseconds) AS milliseconds
       FROM usage WHERE ${where} AND calls > 0 GROUP BY ${column}, served ORDER BY ${column}, served LIMIT ?`,
      question.from,
      question.to,
      ...given.map(([, value]) => value ?? ""),
      MOST_ROWS,
    )
    .toArray();
}

/**
 * Takes a connection out of the counters: the sums by day, tool and
 * way of serving stay, and say no more whose they are.
 */
export function anonymiseUsage(sql: SqlStorage, connectionId: string): void {
  sql.exec(
    `INSERT INTO usage (day, connection_id, client_id, key_id, tool, served, calls, milliseconds)
     SELECT day, '', '', '', tool, served, SUM(calls), SUM(milliseconds) FROM usage
     WHERE connection_id = ? GROUP BY day, tool, served
     ON CONFLICT (day, connection_id, client_id, key_id, tool, served)
     DO UPDATE SET calls = calls + excluded.calls, milliseconds = milliseconds + excluded.milliseconds`,
    connectionId,
  );
  sql.exec("DELETE FROM usage WHERE connection_id = ?", connectionId);
}

/** Forgets the days that are more than 400 days ago. */
export function pruneUsage(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM usage WHERE day < ?", periodName("day", now - KEPT_SECONDS, "UTC"));
}

/** Whether anything is kept that will have to be forgotten some day. */
export function hasUsage(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM usage LIMIT 1").toArray().length > 0;
}
