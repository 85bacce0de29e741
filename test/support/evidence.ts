// What an attack left behind, inside workerd: every row of every object, every line the Worker logged, and whether a
// secret is in any of it. Called by integration tests that promise "nothing changed" or "nothing leaked".

import { env } from "cloudflare:workers";
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";

const NAMESPACES = ["CONNECTIONS", "ESCROWS", "TRANSACTIONS", "REGISTRY", "ADMIN"] as const;
type Namespace = (typeof NAMESPACES)[number];
type Row = Record<string, SqlStorageValue>;

/** The ids of all objects that exist, by class. */
export async function objectIds(): Promise<Record<Namespace, readonly string[]>> {
  const lists = await Promise.all(
    NAMESPACES.map(async (name) => {
      const ids = await listDurableObjectIds(objectsOf(name));
      return [name, ids.map((id) => id.toString()).toSorted()] as const;
    }),
  );
  return Object.fromEntries(lists) as unknown as Record<Namespace, readonly string[]>;
}

/** Every row of one table in all objects of a class; none when an object lacks the table. */
export async function rowsOf(namespace: Namespace, table: string): Promise<readonly Row[]> {
  const tables = await tablesOf(namespace);
  return tables.flatMap((tablesOfObject) => tablesOfObject[table] ?? []);
}

/** Everything that is stored anywhere, as one text: rows of all tables and keys outside of them. */
export async function everythingStored(): Promise<string> {
  const everything = await Promise.all(
    NAMESPACES.map(async (name) => [name, (await tablesOf(name)).filter(holdsSomething)] as const),
  );
  return JSON.stringify(everything);
}

/** An object that was asked for something it does not have exists, empty. */
const holdsSomething = (tables: Record<string, readonly Row[]>): boolean =>
  Object.values(tables).some((rows) => rows.length > 0);

/** The four classes share what is asked of them here; TypeScript can't call a union of generics. */
const objectsOf = (namespace: Namespace): DurableObjectNamespace => env[namespace];

async function tablesOf(namespace: Namespace): Promise<readonly Record<string, readonly Row[]>[]> {
  const objects = objectsOf(namespace);
  const ids = await listDurableObjectIds(objects);
  return Promise.all(
    ids.map((id) =>
      runInDurableObject(objects.get(id), async (_object, { storage }) => {
        const names = storage.sql
          .exec<{ name: string }>(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
          )
          .toArray();
        const tables = names.map(({ name }) => [
          name,
          storage.sql.exec<Row>(`SELECT * FROM "${name}"`).toArray(),
        ]);
        const keys = [...(await storage.list())].map(([key, value]) => ({
          key,
          value: JSON.stringify(value),
        }));
        return Object.fromEntries([...tables, ["(keys)", keys]]) as Record<string, readonly Row[]>;
      }),
    ),
  );
}

const LEVELS = ["debug", "info", "log", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

/** Records every line written to the console from now on, until mocks are restored. */
export function recordLogs(levels: readonly Level[] = LEVELS): readonly string[] {
  const lines: string[] = [];
  for (const level of levels) {
    vi.spyOn(console, level).mockImplementation((...values: unknown[]) => {
      lines.push(
        values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" "),
      );
    });
  }
  return lines;
}

/** The names of the secrets that `text` holds in one of the spellings a leak can have. */
export function secretsIn(text: string, secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => spellingsOf(secret).some((spelling) => text.includes(spelling)))
    .map(([name]) => name);
}

/** As it is, percent-encoded, in JSON, reversed, in hex, and in the part of base64 that no neighbour changes. */
function spellingsOf(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = btoa(" ".repeat(shift) + secret);
    return encoded.slice(Math.ceil((shift * 4) / 3), encoded.length - 4);
  });
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  const hex = Array.from(new TextEncoder().encode(secret), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    Array.from(secret).toReversed().join(""),
    hex,
    ...base64,
    ...base64url,
  ];
}
