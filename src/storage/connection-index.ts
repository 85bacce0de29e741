// The index of connections and of the clients that use them, in the AdminObject. It decides nothing.

import type { ConnectionEntry } from "./admin-schema.ts";

/** Notes a connection and the client that uses it, so that both can be listed and ended. */
export function recordConnection(
  sql: SqlStorage,
  entry: ConnectionEntry,
  clientId: string | undefined,
  now: number,
): void {
  sql.exec(
    "INSERT OR IGNORE INTO connections (id, integration, created_at) VALUES (?, ?, ?)",
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

/** How many connections are in each state. */
export function countStates(sql: SqlStorage): Readonly<Record<string, number>> {
  const rows = sql
    .exec<{ state: string; n: number }>("SELECT state, COUNT(*) AS n FROM connections GROUP BY state")
    .toArray();
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** The newest connections first. */
export function listConnections(sql: SqlStorage, limit: number): readonly ConnectionEntry[] {
  return sql
    .exec<ConnectionEntry>(
      "SELECT id, integration FROM connections ORDER BY created_at DESC, id LIMIT ?",
      limit,
    )
    .toArray();
}
