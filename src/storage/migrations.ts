// The schema of each object: append-only steps, run in one transaction before the first write. A published step is
// never edited. Called by the objects; a constructor does not write, so that looking at an object never creates it.

import { log } from "../log.ts";

/** One step of an object's schema: SQL statements, run once, in order. */
export type Migration = readonly string[];

/**
 * Brings the object's schema up to date. Logs and refuses a database that is newer than this code: after a rollback.
 */
export function migrate(storage: DurableObjectStorage, steps: readonly Migration[]): void {
  storage.transactionSync(() => {
    const version = schemaVersion(storage);
    if (version > steps.length) {
      log("error", "schema.newer", { stored: version, known: steps.length });
      throw new Error("The stored schema is newer than this version of the gateway");
    }
    if (version === steps.length) return;
    storage.sql.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT");
    for (const step of steps.slice(version)) {
      for (const statement of step) storage.sql.exec(statement);
    }
    storage.sql.exec("DELETE FROM schema_version");
    storage.sql.exec("INSERT INTO schema_version (version) VALUES (?)", steps.length);
  });
}

/** How many steps have run; 0 for an object that has never been written. */
export function schemaVersion(storage: DurableObjectStorage): number {
  const tables = storage.sql.exec(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
  );
  if (tables.toArray().length === 0) return 0;
  const [row] = storage.sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray();
  return row?.version ?? 0;
}
