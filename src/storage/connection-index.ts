// The index of connections and of the clients that use them, in the AdminObject: what lists and warnings show, so that
// no list has to ask ten thousand objects. It decides nothing about access.

import { failpoint } from "../failpoints.ts";
import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import type { ConnectionEntry } from "./admin-schema.ts";
import { contains, pageOf } from "./page-of.ts";

/** A connection that ended is listed for this long. */
const ENDED_KEPT_SECONDS = 90 * 86_400;

/** People are warned this long before a connection needs them. */
export const WARNING_SECONDS = 7 * 86_400;

/** What a connection tells about itself. Times in epoch seconds. */
export interface ConnectionReport {
  readonly state: string;
  readonly reason: string | null;
  readonly since: number;
  /** The day of the last use, by the second at which it began in UTC; 0 before the first. */
  readonly usedOn: number;
  /** Names of the clients and keys that can use it, as their makers chose them. */
  readonly agents: readonly string[];
  /** The kid of the key that seals its tokens. */
  readonly kid: string | null;
  /** Refreshes fail, and the Gong access token ends before the next try. */
  readonly atRisk: boolean;
  /** When somebody will have to sign in again, as far as it is known, and why. */
  readonly personDueAt: number | null;
  readonly personDueFor: string | null;
  /** Since when Gong says that its credits are used up. */
  readonly outOfCreditsSince: number | null;
}

/** One row of the index. */
export type IndexedConnection = {
  readonly id: string;
  readonly integration: "main" | "shared";
  readonly created_at: number;
  readonly state: string;
  readonly reason: string | null;
  readonly state_since: number;
  readonly used_on: number;
  readonly agents: string;
  readonly agent_count: number;
  readonly kid: string | null;
  readonly at_risk: number;
  readonly person_due_at: number | null;
  readonly person_due_for: string | null;
  readonly out_of_credits_since: number | null;
};

/** What needs somebody, as numbers. */
export interface IndexWarnings {
  readonly atRisk: number;
  /** Connected now, and due within a week. */
  readonly personSoon: number;
  /** Connected ones that Gong told that its credits are used up, and since when the first of them. */
  readonly outOfCredits: { readonly connections: number; readonly since: number | null };
  /** Kids that seal live connections, with how many. */
  readonly kids: Readonly<Record<string, number>>;
}

/** What an AdminObject that was never written warns of. */
export const NO_WARNINGS: IndexWarnings = {
  atRisk: 0,
  personSoon: 0,
  outOfCredits: { connections: 0, since: null },
  kids: {},
};

const LONGEST_NAMES = 500;

/** Notes a connection and the client that uses it, so that both can be listed and ended. */
export function recordConnection(
  sql: SqlStorage,
  entry: ConnectionEntry,
  clientId: string | undefined,
  now: number,
): void {
  dropEnded(sql, now);
  if (FAILPOINTS) void failpoint("index.writing", sql);
  sql.exec(
    `INSERT INTO connections (id, integration, created_at, state_since) VALUES (?1, ?2, ?3, ?3)
     ON CONFLICT (id) DO UPDATE SET state_since = ?3 WHERE state = 'disconnected'`,
    entry.id,
    entry.integration,
    now,
  );
  if (clientId === undefined) return;
  sql.exec(
    "INSERT OR IGNORE INTO client_connections (client_id, connection_id) VALUES (?, ?)",
    clientId,
    entry.id,
  );
}

/** Takes over what a connection tells about itself. Nothing happens for one that is not in the index. */
export function recordState(sql: SqlStorage, id: string, report: ConnectionReport): void {
  sql.exec(
    `UPDATE connections SET state = ?, reason = ?, state_since = ?, used_on = ?, agents = ?, agent_count = ?, kid = ?,
       at_risk = ?, person_due_at = ?, person_due_for = ?, out_of_credits_since = ? WHERE id = ?`,
    report.state,
    report.reason,
    report.since,
    report.usedOn,
    [...new Set(report.agents)].join(", ").slice(0, LONGEST_NAMES).toWellFormed(),
    report.agents.length,
    report.kid,
    report.atRisk ? 1 : 0,
    report.personDueAt,
    report.personDueFor,
    report.outOfCreditsSince,
    id,
  );
}

/** How many connections are in each state. */
export function countStates(sql: SqlStorage): Readonly<Record<string, number>> {
  const rows = sql
    .exec<{ state: string; n: number }>("SELECT state, COUNT(*) AS n FROM connections GROUP BY state")
    .toArray();
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** What needs somebody soon. */
export function indexWarnings(sql: SqlStorage, now: number): IndexWarnings {
  const count = (condition: string, ...values: readonly number[]): number =>
    sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM connections WHERE ${condition}`, ...values).one().n;
  const kids = sql
    .exec<{ kid: string; n: number }>(
      "SELECT kid, COUNT(*) AS n FROM connections WHERE state <> 'disconnected' AND kid IS NOT NULL GROUP BY kid",
    )
    .toArray();
  return {
    atRisk: count("state = 'connected' AND at_risk = 1"),
    personSoon: count(SOON, now + WARNING_SECONDS),
    outOfCredits: sql
      .exec<{ connections: number; since: number | null }>(
        `SELECT COUNT(*) AS connections, MIN(out_of_credits_since) AS since FROM connections WHERE ${NO_CREDITS}`,
      )
      .one(),
    kids: Object.fromEntries(kids.map(({ kid, n }) => [kid, n])),
  };
}

const NO_CREDITS = "state = 'connected' AND out_of_credits_since IS NOT NULL";
const SOON = "state = 'connected' AND person_due_at <= ?";

/** The newest connections first. */
export function listConnections(sql: SqlStorage, limit: number): readonly ConnectionEntry[] {
  return sql
    .exec<ConnectionEntry>(
      "SELECT id, integration FROM connections ORDER BY created_at DESC, id LIMIT ?",
      limit,
    )
    .toArray();
}

/** The connection as the index knows it. */
export function findConnection(sql: SqlStorage, id: string): IndexedConnection | undefined {
  return sql.exec<IndexedConnection>(`SELECT ${COLUMNS} FROM connections WHERE id = ?`, id).toArray()[0];
}

const COLUMNS = `id, integration, created_at, state, reason, state_since, used_on, agents, agent_count, kid, at_risk,
  person_due_at, person_due_for, out_of_credits_since`;

/**
 * One page of the index, the newest first. Searches ids, names of agents and reasons; filters by `state` (or `soon`,
 * which is what will need a person within a week or is at risk) and by `client`, a client id.
 */
export function pageConnections(
  sql: SqlStorage,
  { search, filters, cursor }: ListQuery,
  now: number,
): ListPage<IndexedConnection> {
  const found = contains(["id", "agents", "reason"], search);
  const where = [...found.where];
  const values: SqlStorageValue[] = [...found.values];
  const { state, client } = filters;
  if (state === "soon") {
    where.push(`(${SOON} OR (state = 'connected' AND at_risk = 1))`);
    values.push(now + WARNING_SECONDS);
  } else if (state === "no_credits") {
    where.push(NO_CREDITS);
  } else if (state !== undefined) {
    where.push("state = ?");
    values.push(state);
  }
  if (client !== undefined) {
    where.push(
      "EXISTS (SELECT 1 FROM client_connections WHERE client_id = ? AND connection_id = connections.id)",
    );
    values.push(client);
  }
  return pageOf(
    sql,
    { table: "connections", columns: COLUMNS, sort: "created_at", id: "id", where, values },
    cursor,
  );
}

/** At most `limit` ids in their own order, which no use of a connection changes, from the one after `after` on. */
export function connectionIds(sql: SqlStorage, after: string, limit: number): readonly string[] {
  return sql
    .exec<{ id: string }>("SELECT id FROM connections WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    .toArray()
    .map(({ id }) => id);
}

/** The id before each part of `size` connections, in that order; the first part begins after the empty id. */
export function connectionParts(sql: SqlStorage, size: number): readonly string[] {
  const starts = sql
    .exec<{ id: string }>(
      `SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM connections)
       WHERE place % ?1 = 0 AND place < (SELECT COUNT(*) FROM connections) ORDER BY id`,
      size,
    )
    .toArray();
  return ["", ...starts.map(({ id }) => id)];
}

/** What an AdminObject that was never written shows. */
export const NO_CONNECTIONS: ListPage<IndexedConnection> = EMPTY_PAGE;

/** Forgets connections that ended 90 days ago, and who signed in to them. */
export function dropEnded(sql: SqlStorage, now: number): void {
  const gone = sql
    .exec<{ id: string }>(
      "DELETE FROM connections WHERE state = 'disconnected' AND state_since <= ? RETURNING id",
      now - ENDED_KEPT_SECONDS,
    )
    .toArray();
  for (const { id } of gone) {
    sql.exec("DELETE FROM client_connections WHERE connection_id = ?", id);
    sql.exec("DELETE FROM connection_people WHERE connection_id = ?", id);
  }
}

/** Whether there is a connection that will be forgotten, or a person. */
export function hasEnds(sql: SqlStorage): boolean {
  const found = sql.exec(
    "SELECT 1 FROM connections WHERE state = 'disconnected' UNION ALL SELECT 1 FROM people LIMIT 1",
  );
  return found.toArray().length > 0;
}
