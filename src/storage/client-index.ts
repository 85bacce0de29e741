// The clients that got a token here, in the AdminObject: what the list of clients shows. It decides nothing; who a
// client is, the registry, the settings and the client's own document say.

import type { ListPage, ListQuery } from "../listing.ts";
import { contains, pageOf } from "./page-of.ts";

/** A client without a connection is listed for this long after its last use. */
const UNUSED_KEPT_SECONDS = 90 * 86_400;

/** Connections that one request ends: each is asked by itself. */
const MOST_AT_ONCE = 400;

export interface SeenClient {
  readonly clientId: string;
  readonly registration: string;
  readonly name: string | undefined;
  readonly redirectUri: string | undefined;
}

export type IndexedClient = {
  readonly client_id: string;
  readonly registration: string;
  readonly name: string | null;
  readonly redirect_uri: string | null;
  readonly first_at: number;
  /** The day of the last token, by the second at which it began in UTC. */
  readonly used_on: number;
  readonly connections: number;
};

const COLUMNS = `client_id, registration, name, redirect_uri, first_at, used_on,
  (SELECT COUNT(*) FROM client_connections WHERE client_connections.client_id = client_index.client_id) AS connections`;

/** Notes that a client got a token, with what it calls itself now. */
export function recordClient(sql: SqlStorage, client: SeenClient, now: number): void {
  sql.exec(
    `INSERT INTO client_index (client_id, registration, name, redirect_uri, first_at, used_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (client_id) DO UPDATE SET registration = ?2, name = ?3, redirect_uri = ?4, used_on = ?6`,
    client.clientId,
    client.registration,
    client.name ?? null,
    client.redirectUri ?? null,
    now,
    now - (now % 86_400),
  );
  sql.exec(
    `DELETE FROM client_index WHERE used_on <= ? AND NOT EXISTS (
       SELECT 1 FROM client_connections WHERE client_connections.client_id = client_index.client_id)`,
    now - UNUSED_KEPT_SECONDS,
  );
}

/** One page of the clients, the newest first. Searches id, name and redirect URI; filters by `registration`. */
export function pageClients(
  sql: SqlStorage,
  { search, filters, cursor }: ListQuery,
): ListPage<IndexedClient> {
  const found = contains(["client_id", "name", "redirect_uri"], search);
  const { registration } = filters;
  return pageOf(
    sql,
    {
      table: "client_index",
      columns: COLUMNS,
      sort: "first_at",
      id: "client_id",
      where: registration === undefined ? found.where : [...found.where, "registration = ?"],
      values: registration === undefined ? found.values : [...found.values, registration],
    },
    cursor,
  );
}

/** The client as the index knows it. */
export function findSeenClient(sql: SqlStorage, clientId: string): IndexedClient | undefined {
  return sql
    .exec<IndexedClient>(`SELECT ${COLUMNS} FROM client_index WHERE client_id = ?`, clientId)
    .toArray()[0];
}

/** Connections that the client signed in to, 400 at most, and how many there are in all. */
export function connectionsOfClient(
  sql: SqlStorage,
  clientId: string,
): { readonly ids: readonly string[]; readonly total: number } {
  const { total } = sql
    .exec<{ total: number }>("SELECT COUNT(*) AS total FROM client_connections WHERE client_id = ?", clientId)
    .one();
  const ids = sql
    .exec<{ connection_id: string }>(
      "SELECT connection_id FROM client_connections WHERE client_id = ? LIMIT ?",
      clientId,
      MOST_AT_ONCE,
    )
    .toArray();
  return { ids: ids.map(({ connection_id: id }) => id), total };
}

/** The client uses these connections no more. */
export function dropClientConnections(sql: SqlStorage, clientId: string, ids: readonly string[]): void {
  for (const id of ids) {
    sql.exec("DELETE FROM client_connections WHERE client_id = ? AND connection_id = ?", clientId, id);
  }
}
