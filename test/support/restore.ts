// A point-in-time restore of one object, played by putting its rows back and starting a new instance; and an escrow
// that can't be told. Called by the integration tests of restores.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import { ESCROW_MIGRATIONS } from "../../src/storage/escrow-object.ts";
import { rows, tamper } from "./connection.ts";

type Row = Record<string, SqlStorageValue>;

/** Copies every row of an object but its schema, and returns how to put the copy back and start a new instance. */
export async function copyOf(object: DurableObjectStub): Promise<() => Promise<void>> {
  const tables = await runInDurableObject(object, (_, { storage }) => {
    const names = storage.sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rootpage",
    );
    return [...names]
      .map(({ name }) => name)
      .filter((name) => !/^_cf_|^sqlite_|^schema_version$/.test(name))
      .map((name) => ({ name, rows: storage.sql.exec<Row>(`SELECT * FROM "${name}"`).toArray() }));
  });
  return async () => {
    await runInDurableObject(object, (_, { storage }) => {
      storage.transactionSync(() => {
        storage.sql.exec("PRAGMA defer_foreign_keys = ON");
        for (const { name } of tables) storage.sql.exec(`DELETE FROM "${name}"`);
        for (const { name, rows: before } of tables) {
          for (const row of before) {
            const values = Object.values(row);
            storage.sql.exec(`INSERT INTO "${name}" VALUES (${values.map(() => "?").join(", ")})`, ...values);
          }
        }
      });
    });
    await evictDurableObject(object);
  };
}

/** Makes an escrow refuse everything, as one does whose schema is newer than the code. Returns how to heal it. */
export async function escrowOut(escrow: DurableObjectStub): Promise<() => Promise<void>> {
  await tamper(escrow, "UPDATE schema_version SET version = 99");
  return () => tamper(escrow, "UPDATE schema_version SET version = ?", ESCROW_MIGRATIONS.length);
}

/** Waits until the escrow of an object has been told everything. */
export async function told(object: DurableObjectStub): Promise<void> {
  await vi.waitFor(async () => expect(await rows(object, "outbox")).toEqual([]), { timeout: 5000 });
}
