// What a list asks for and what it gets: a search, filters, and one page by cursor. Called by every layer, from the
// query of a URL (routes) through the SQL (storage/page-of.ts) to the markup (pages/admin-list.tsx).

/** Rows on one page of a list. */
export const PAGE_ROWS = 50;

/** More of a search than this finds nothing that less of it does not. */
const LONGEST_TERM = 100;

const LONGEST_CURSOR = 300;

/** Between two keys, a place in a list: rows that come after it, or before it. */
export interface Cursor {
  readonly direction: "after" | "before";
  /** The sort key of the row that the page starts at, itself not on the page. */
  readonly at: number;
  /** The id of that row, which settles ties. */
  readonly id: string;
}

export interface ListQuery {
  /** What the rows must contain; empty for all. One line, at most 100 characters. */
  readonly search: string;
  /** The chosen filters by name. None that was left open. */
  readonly filters: Readonly<Record<string, string>>;
  /** Undefined for the first page. */
  readonly cursor: Cursor | undefined;
}

export interface ListPage<Row> {
  readonly rows: readonly Row[];
  /** How many rows match on all pages. */
  readonly total: number;
  readonly next: Cursor | undefined;
  readonly previous: Cursor | undefined;
}

/** Everything, from its beginning. */
export const NO_QUERY: ListQuery = { search: "", filters: {}, cursor: undefined };

export const EMPTY_PAGE = { rows: [], total: 0, next: undefined, previous: undefined } as const;

/**
 * Reads a list's query from a URL: `q`, `page`, and the filters named in `filterNames`. What can't be read counts as
 * not given, so that an old or cut link shows the first page and not an error.
 */
export function parseListQuery(parameters: URLSearchParams, filterNames: readonly string[] = []): ListQuery {
  const filters = filterNames.flatMap((name) => {
    const value = oneLine(parameters.get(name) ?? "");
    return value === "" ? [] : [[name, value] as const];
  });
  return {
    search: oneLine(parameters.get("q") ?? ""),
    filters: Object.fromEntries(filters),
    cursor: parseCursor(parameters.get("page") ?? ""),
  };
}

/** The URL of a list at `path` with this search, these filters and this page. Keeps nothing else. */
export function listUrl(path: string, query: Omit<ListQuery, "cursor">, cursor?: Cursor): string {
  const parameters = new URLSearchParams();
  if (query.search !== "") parameters.set("q", query.search);
  for (const [name, value] of Object.entries(query.filters)) parameters.set(name, value);
  if (cursor !== undefined) parameters.set("page", `${cursor.direction}.${cursor.at}.${cursor.id}`);
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The epoch seconds at which a day in UTC begins, for a filter of the form `YYYY-MM-DD`; undefined for other text. */
export function dayStart(day: string | undefined): number | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const milliseconds = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

function parseCursor(text: string): Cursor | undefined {
  if (text.length > LONGEST_CURSOR) return undefined;
  const [, direction, at, id] = /^(after|before)\.(\d{1,15})\.(.*)$/su.exec(text) ?? [];
  if (at === undefined || id === undefined) return undefined;
  return { direction: direction === "before" ? "before" : "after", at: Number(at), id };
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, LONGEST_TERM)
    .toWellFormed();
}
