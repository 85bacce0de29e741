// What the ids of connections, clients and agent keys stand for, from the indexes of the AdminObject: people who read a
// page or a file expect names. It decides nothing.

export type NamedRow = {
  readonly id: string;
  readonly kind: "connection" | "client" | "key";
  /** A client's or a key's own name, or those of a connection's agents; as their makers chose them. */
  readonly name: string | null;
  /** Of a connection. */
  readonly integration: "main" | "shared" | null;
  /** Epoch seconds. */
  readonly since: number;
};

/** What is known of these ids; nothing of one that no index has. A machine client is known before its first token. */
export function findNamed(sql: SqlStorage, ids: readonly string[]): readonly NamedRow[] {
  return sql
    .exec<NamedRow>(
      `WITH asked AS (SELECT value FROM json_each(?))
       SELECT id, 'client' AS kind, name, NULL AS integration, created_at AS since FROM machine_clients WHERE id IN asked
       UNION ALL SELECT client_id, 'client', name, NULL, first_at FROM client_index WHERE client_id IN asked
       UNION ALL SELECT id, 'key', name, NULL, created_at FROM key_index WHERE id IN asked
       UNION ALL SELECT id, 'connection', agents, integration, created_at FROM connections WHERE id IN asked`,
      JSON.stringify(ids),
    )
    .toArray();
}
