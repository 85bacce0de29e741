// Objects that an older version of the gateway wrote: their rows are kept, and what they hold still works.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { CONNECTION_MIGRATIONS } from "../../src/storage/connection-schema.ts";
import { migrate, schemaVersion } from "../../src/storage/migrations.ts";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, call, connect } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

const FIRST_SCHEMA = (CONNECTION_MIGRATIONS[0] ?? []).join("\n");

/** Takes every later table, index and column away again, as if the object had stayed at its first schema. */
function downgrade({ sql }: DurableObjectStorage): void {
  const isLater = (name: string): boolean => !new RegExp(`\\b${name}\\b`).test(FIRST_SCHEMA);
  const made = sql
    .exec<{ type: string; name: string }>("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL")
    .toArray()
    .filter(({ name }) => !/^_cf_|^sqlite_|^schema_version$/.test(name));
  for (const { type, name } of made.filter((one) => isLater(one.name)).toReversed()) {
    sql.exec(`DROP ${type} IF EXISTS "${name}"`);
  }
  for (const { name: table } of made.filter((one) => one.type === "table" && !isLater(one.name))) {
    const columns = sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).toArray();
    for (const { name } of columns) {
      if (isLater(name)) sql.exec(`ALTER TABLE "${table}" DROP COLUMN "${name}"`);
    }
  }
  sql.exec("UPDATE schema_version SET version = 1");
}

describe(verifies("storage.upgrade", "gateway: rows of an older schema are kept and work"), () => {
  it("a signed-in client of the first schema calls, and its Gong tokens refresh", async () => {
    const { tokens } = await connect();
    const [id] = await connectionNames();
    const stub = env.CONNECTIONS.getByName(id ?? "");
    await runInDurableObject(stub, (_, state) => downgrade(state.storage));
    await evictDurableObject(stub);
    await gong.killTokens({ kind: "access" });
    const answer = await call(tokens.access_token, ASK_ACCOUNT);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("CANARY-ada-7f3a90");
  });

  it("an upgrade runs each step once, and a newer schema than this code is refused", async () => {
    const stub = env.CONNECTIONS.getByName("upgrade-test");
    await runInDurableObject(stub, (_, { storage }) => {
      const first = ["CREATE TABLE things (name TEXT) STRICT", "INSERT INTO things VALUES ('old')"];
      migrate(storage, [first]);
      migrate(storage, [first, ["ALTER TABLE things ADD COLUMN size INTEGER"]]);
      migrate(storage, [first, ["ALTER TABLE things ADD COLUMN size INTEGER"]]);
      expect(schemaVersion(storage)).toBe(2);
      expect(storage.sql.exec("SELECT * FROM things").toArray()).toEqual([{ name: "old", size: null }]);
      expect(() => migrate(storage, [first])).toThrow("newer than this version");
      expect(storage.sql.exec("SELECT name FROM things").toArray()).toEqual([{ name: "old" }]);
    });
  });

  it("a step that fails leaves the schema and the rows as they were", async () => {
    const stub = env.CONNECTIONS.getByName("upgrade-failure-test");
    await runInDurableObject(stub, (_, { storage }) => {
      const first = ["CREATE TABLE things (name TEXT) STRICT", "INSERT INTO things VALUES ('old')"];
      migrate(storage, [first]);
      const broken = ["ALTER TABLE things ADD COLUMN size INTEGER", "INSERT INTO nowhere VALUES (1)"];
      expect(() => migrate(storage, [first, broken])).toThrow("nowhere");
      expect(schemaVersion(storage)).toBe(1);
      expect(storage.sql.exec("SELECT * FROM things").toArray()).toEqual([{ name: "old" }]);
    });
  });
});

/** The connections that the admin's index knows. */
async function connectionNames(): Promise<readonly string[]> {
  const entries = await env.ADMIN.getByName("admin").listConnections(10);
  return entries.map(({ id }) => id);
}
