// One page of a table by keyset: a page costs the same however long the list is, and rows that arrive meanwhile move
// nothing. Called by the lists of the AdminObject and the other objects. The caller keeps an index on (sort, id).

import { PAGE_ROWS, type Cursor, type ListPage } from "../listing.ts";

export interface Listed {
  /** Our own SQL, never text from outside. */
  readonly table: string;
  readonly columns: string;
  /** An integer column; the list shows its highest value first. */
  readonly sort: string;
  /** A unique text or integer column that settles ties. */
  readonly id: string;
  /** Conditions with `?`, all of which must hold, and the values for them in order. */
  readonly where: readonly string[];
  readonly values: readonly SqlStorageValue[];
  /** Rows on a page; 50 if not given. */
  readonly rows?: number;
}

type Keyed = { readonly page_at: number; readonly page_id: string | number };

/** The page that `cursor` leads to, the newest rows first, and how many rows match in all. */
export function pageOf<Row extends Record<string, SqlStorageValue>>(
  sql: SqlStorage,
  listed: Listed,
  cursor: Cursor | undefined,
): ListPage<Row> {
  const { table, columns, sort, id, where, values, rows: size = PAGE_ROWS } = listed;
  const condition = (conditions: readonly string[]) =>
    conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const { total } = sql
    .exec<{ total: number }>(`SELECT COUNT(*) AS total FROM ${table}${condition(where)}`, ...values)
    .one();
  const backwards = cursor?.direction === "before";
  const place = `(${sort}, ${id}) ${backwards ? ">" : "<"} (?, ?)`;
  const order = backwards ? "ASC" : "DESC";
  const found = sql
    .exec<Row & Keyed>(
      `SELECT ${columns}, ${sort} AS page_at, ${id} AS page_id FROM ${table}${condition(
        cursor === undefined ? where : [...where, place],
      )} ORDER BY ${sort} ${order}, ${id} ${order} LIMIT ?`,
      ...values,
      ...(cursor === undefined ? [] : [cursor.at, keyOf(cursor.id, listed)]),
      size + 1,
    )
    .toArray();
  const more = found.length > size;
  const rows = backwards ? found.slice(0, size).toReversed() : found.slice(0, size);
  const [first, last] = [rows.at(0), rows.at(-1)];
  const hasPrevious = backwards ? more : cursor !== undefined;
  const hasNext = backwards || more;
  return {
    rows,
    total,
    next: hasNext && last !== undefined ? cursorAt("after", last) : undefined,
    previous: hasPrevious && first !== undefined ? cursorAt("before", first) : undefined,
  };
}

/**
 * A condition for `where` that finds `term` anywhere in one of `columns`, and the values for it. The case of A to Z
 * counts not. Not LIKE, whose patterns the platform cuts off at 50 bytes: URLs are longer.
 */
export function contains(
  columns: readonly string[],
  term: string,
): { readonly where: readonly string[]; readonly values: readonly string[] } {
  if (term === "") return { where: [], values: [] };
  const conditions = columns.map((column) => `instr(lower(${column}), lower(?))`);
  return { where: [`(${conditions.join(" OR ")})`], values: columns.map(() => term) };
}

function cursorAt(direction: Cursor["direction"], row: Keyed): Cursor {
  return { direction, at: row.page_at, id: String(row.page_id) };
}

/** A table sorted by its own integer id compares numbers with numbers. */
function keyOf(id: string, listed: Listed): SqlStorageValue {
  return listed.sort === listed.id ? Number(id) || 0 : id;
}
