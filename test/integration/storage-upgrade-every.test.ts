// Each kind of object at each schema it ever had, with a row in every table it had then: the upgrade keeps every value.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ADMIN_MIGRATIONS } from "../../src/storage/admin-schema.ts";
import { CONNECTION_MIGRATIONS } from "../../src/storage/connection-schema.ts";
import { ESCROW_MIGRATIONS } from "../../src/storage/escrow-object.ts";
import { migrate, schemaVersion, type Migration } from "../../src/storage/migrations.ts";
import { REGISTRY_MIGRATIONS } from "../../src/storage/registry-object.ts";
import { TRANSACTION_MIGRATIONS } from "../../src/storage/transaction-object.ts";
import { verifies } from "../conformance/verifies.ts";

interface Kind {
  readonly steps: readonly Migration[];
  readonly at: (name: string) => DurableObjectStub;
  /** Something that an object is asked at any time. */
  readonly use: (name: string) => Promise<unknown>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  ConnectionObject: {
    steps: CONNECTION_MIGRATIONS,
    at: (name) => env.CONNECTIONS.getByName(name),
    use: async (name) => env.CONNECTIONS.getByName(name).events(1),
  },
  EscrowObject: {
    steps: ESCROW_MIGRATIONS,
    at: (name) => env.ESCROWS.getByName(name),
    use: async (name) => env.ESCROWS.getByName(name).witness([], []),
  },
  TransactionObject: {
    steps: TRANSACTION_MIGRATIONS,
    at: (name) => env.TRANSACTIONS.getByName(name),
    use: async (name) => env.TRANSACTIONS.getByName(name).takeDecided("nobody"),
  },
  RegistryObject: {
    steps: REGISTRY_MIGRATIONS,
    at: (name) => env.REGISTRY.getByName(name),
    use: async (name) => env.REGISTRY.getByName(name).findDevice("nobody"),
  },
  AdminObject: {
    steps: ADMIN_MIGRATIONS,
    at: (name) => env.ADMIN.getByName(name),
    use: async (name) => env.ADMIN.getByName(name).countWaitingTools(),
  },
};

const EVERY_SCHEMA = Object.entries(KINDS).flatMap(([kind, { steps }]) =>
  steps.slice(1).map((_, at): [kind: string, version: number] => [kind, at + 1]),
);

/** Names by what they are now. */
const RENAMED: Readonly<Record<string, string>> = { ended_grants: "ended", "ended_grants grant_id": "id" };

/** What another column says now. */
const REPLACED: ReadonlySet<string> = new Set(["audit by_stranger"]);

/** What waits here is told to the escrow as soon as the object is used, and then gone. */
const TOLD_AT_ONCE = "outbox";

type Row = Readonly<Record<string, SqlStorageValue>>;

function tablesOf(sql: SqlStorage): readonly string[] {
  const names = sql.exec<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rootpage",
  );
  return [...names].map(({ name }) => name).filter((name) => !/^_cf_|^sqlite_|^schema_version$/.test(name));
}

/**
 * One row in every table. Numbers are 1, and texts the same, so that rows refer to each other; but hashes are unlike
 * any id.
 */
function fill(sql: SqlStorage): ReadonlyMap<string, Row> {
  return new Map(
    tablesOf(sql)
      .filter((table) => table !== TOLD_AT_ONCE)
      .map((table): [string, Row] => {
        const columns = [
          ...sql.exec<{ name: string; type: string }>(`SELECT name, type FROM pragma_table_info('${table}')`),
        ];
        const valueOf = (name: string): string => (name === "hash" ? `hash in ${table}` : "old");
        const cells = columns.map(({ name, type }): [string, SqlStorageValue] => [
          name,
          type === "INTEGER" ? 1 : valueOf(name),
        ]);
        const values = cells.map(([, value]) => value);
        sql.exec(`INSERT INTO "${table}" VALUES (${values.map(() => "?").join(", ")})`, ...values);
        const kept = cells.filter(([name]) => !REPLACED.has(`${table} ${name}`));
        const now = kept.map(([name, value]) => [RENAMED[`${table} ${name}`] ?? name, value] as const);
        return [RENAMED[table] ?? table, Object.fromEntries(now)];
      }),
  );
}

describe(verifies("storage.upgrade", "gateway: rows of every table of every older schema"), () => {
  it.each(EVERY_SCHEMA)(
    "%s, schema %d: all values are kept, and the schema is the newest",
    async (kind, version) => {
      const { steps, at, use } = KINDS[kind] ?? { steps: [], at: undefined, use: undefined };
      if (at === undefined || use === undefined) throw new Error(`There is no ${kind}`);
      const name = `upgrade ${kind} ${version}`;
      const before = await runInDurableObject(at(name), (_, { storage }) => {
        migrate(storage, steps.slice(0, version));
        return fill(storage.sql);
      });
      await evictDurableObject(at(name));
      await use(name);
      await runInDurableObject(at(name), (_, { storage }) => {
        expect(schemaVersion(storage)).toBe(steps.length);
        for (const [table, row] of before) {
          expect([table, ...storage.sql.exec(`SELECT * FROM "${table}"`)]).toEqual([
            table,
            expect.objectContaining(row),
          ]);
        }
      });
    },
  );
});
