// How the methods of the AdminObject reach its rows: one transaction each, on a schema that is up to date.

import { nowSeconds } from "../clock.ts";
import { ADMIN_MIGRATIONS } from "./admin-schema.ts";
import { migrate, schemaVersion } from "./migrations.ts";

/** Runs `change` as one transaction on a database that is brought up to date first. */
export function writeTo<T>(storage: DurableObjectStorage, change: (sql: SqlStorage, now: number) => T): T {
  migrate(storage, ADMIN_MIGRATIONS);
  return storage.transactionSync(() => change(storage.sql, nowSeconds()));
}

/** The same for what changes or tells nothing on an object that was never written: asking one never writes it. */
export function readFrom<T>(
  storage: DurableObjectStorage,
  otherwise: T,
  query: (sql: SqlStorage, now: number) => T,
): T {
  return schemaVersion(storage) === 0 ? otherwise : writeTo(storage, query);
}
