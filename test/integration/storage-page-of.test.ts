// Lists of 10,000 rows in a real object's database: one page at a time, by an index.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Cursor, ListPage } from "../../src/listing.ts";
import { contains, pageOf, type Listed } from "../../src/storage/page-of.ts";
import { verifies } from "../conformance/verifies.ts";
import { plansOf } from "../support/query-plans.ts";

const ROWS = 10_000;
const THINGS: Listed = {
  table: "things",
  columns: "id, name",
  sort: "made_at",
  id: "id",
  where: [],
  values: [],
};
type Thing = { id: string; name: string };

/** A table of 10,000 rows, ten of which share each moment. */
function withThings<T>(use: (sql: SqlStorage) => T): Promise<T> {
  return runInDurableObject(env.ADMIN.getByName(crypto.randomUUID()), (_, { storage }) => {
    const { sql } = storage;
    sql.exec(
      "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL, made_at INTEGER NOT NULL) STRICT",
    );
    sql.exec("CREATE INDEX things_by_time ON things (made_at, id)");
    storage.transactionSync(() => {
      for (let at = 0; at < ROWS; at += 1)
        sql.exec(
          "INSERT INTO things VALUES (?, ?, ?)",
          `id-${String(at).padStart(5, "0")}`,
          `Name 100% ${at}_x`,
          Math.floor(at / 10),
        );
    });
    return use(sql);
  });
}

function walk(
  sql: SqlStorage,
  way: "next" | "previous",
  start: Cursor | undefined,
): readonly ListPage<Thing>[] {
  const pages: ListPage<Thing>[] = [];
  let cursor = start;
  do {
    const page = pageOf<Thing>(sql, THINGS, cursor);
    pages.push(page);
    cursor = page[way];
  } while (cursor !== undefined && pages.length <= ROWS);
  return pages;
}

describe(verifies("list.paging", "one page of ten thousand rows"), () => {
  it("forwards and backwards, every row comes once, the newest first", async () => {
    const { ids, forwards, backwards, first } = await withThings((sql) => {
      const pages = walk(sql, "next", undefined);
      const back = walk(sql, "previous", pages.at(-1)?.previous);
      return {
        ids: sql
          .exec<Thing>("SELECT id, name FROM things ORDER BY id DESC")
          .toArray()
          .map(({ id }) => id),
        forwards: pages.map(({ rows }) => rows.map(({ id }) => id)),
        backwards: back.map(({ rows }) => rows.map(({ id }) => id)).toReversed(),
        first: pages[0],
      };
    });
    expect(forwards.flat()).toEqual(ids);
    expect(new Set(forwards.map(({ length }) => length))).toEqual(new Set([50]));
    expect(backwards.flat()).toEqual(ids.slice(0, -50));
    expect(first).toMatchObject({ total: ROWS, previous: undefined });
  });

  it("rows that arrive while somebody turns pages move nothing", async () => {
    const [one, two, again] = await withThings((sql) => {
      const page = pageOf<Thing>(sql, THINGS, undefined);
      const before = pageOf<Thing>(sql, THINGS, page.next);
      sql.exec("INSERT INTO things VALUES ('new', 'new', 99999)");
      return [page, before, pageOf<Thing>(sql, THINGS, page.next)] as const;
    });
    expect(again.rows).toEqual(two.rows);
    expect(one.rows.at(-1)?.id).toBe("id-09950");
  });

  it("a page is read from the index and not by sorting the table", async () => {
    const plans = await withThings((sql) =>
      plansOf(sql, (recorded) => {
        for (const direction of ["after", "before"] as const)
          pageOf(recorded, THINGS, { direction, at: 500, id: "x" });
      }),
    );
    const pages = plans.filter((plan) => plan.startsWith("SEARCH"));
    expect(pages).toHaveLength(2);
    for (const plan of pages) expect(plan).toMatch(/INDEX things_by_time \(\(made_at,id\)[<>]\(\?,\?\)\)$/u);
  });

  it("a search finds its text wherever it stands, and % and _ are no patterns", async () => {
    const totals = await withThings((sql) =>
      ["name 100%", "100%_", "9_x", "%", "\\", "ID-0999"].map(
        (term) => pageOf(sql, { ...THINGS, ...contains(["id", "name"], term) }, undefined).total,
      ),
    );
    expect(totals).toEqual([ROWS, 0, 1000, ROWS, 0, 10]);
  });

  it("a search of a hundred characters, a URL's length, finds too and breaks nothing", async () => {
    const url = `https://client.example/${"a".repeat(60)}/metadata.json`;
    const totals = await withThings((sql) => {
      sql.exec("INSERT INTO things VALUES ('url', ?, 0)", url);
      return [url.slice(0, 100), url.toUpperCase(), "%".repeat(100), "é".repeat(100)].map(
        (term) => pageOf(sql, { ...THINGS, ...contains(["id", "name"], term) }, undefined).total,
      );
    });
    expect(totals).toEqual([1, 1, 0, 0]);
  });
});
