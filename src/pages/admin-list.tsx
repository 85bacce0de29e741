// A long list on an admin page: search, filters, rows as a table that stacks on narrow screens, and paging by links.
// All of it are GET forms and links, so it works without script and every state has a URL. Called by the admin pages.

import type { Child } from "hono/jsx";
import { listUrl, type ListPage, type ListQuery } from "../listing.ts";
import { spelledOut } from "./outside-text.ts";
import { Files } from "./parts.tsx";

export interface ListColumn<Row> {
  readonly heading: string;
  /** Markup from our own parts; text from outside goes through outside-text.ts or ClientName. */
  readonly cell: (row: Row) => Child;
}

export interface ListFilter {
  readonly name: string;
  readonly label: string;
  /** The choices besides "Any"; without them the filter is a day. */
  readonly options?: readonly (readonly [value: string, label: string])[];
}

export interface AdminListView<Row> {
  /** Where the list is: the forms and links go there. */
  readonly path: string;
  readonly query: ListQuery;
  readonly page: ListPage<Row>;
  /** What the rows are, in the plural: the table's name for screen readers, e.g. "Connections". */
  readonly caption: string;
  /** The first column heads the row. */
  readonly columns: readonly ListColumn<Row>[];
  /** What can be searched, e.g. "Search client, id". Without it there is no search field. */
  readonly searchLabel?: string | undefined;
  readonly filters?: readonly ListFilter[];
  /** What to say while there is nothing at all. */
  readonly empty: string;
  /** Path of the downloads; `?format=csv` and `?format=ndjson` with the same search and filters are linked. */
  readonly exportPath?: string;
}

/** Renders the list with its search, filters, number of matches, rows, downloads and paging. */
export function AdminList<Row>(view: AdminListView<Row>) {
  const { path, query, page, caption, columns, empty } = view;
  const isNarrowed = query.search !== "" || Object.keys(query.filters).length > 0;
  return (
    <div class="stack-wide">
      <Search {...view} isNarrowed={isNarrowed} />
      {page.rows.length === 0 ? (
        <p class="soft">{isNarrowed || query.cursor !== undefined ? "Nothing matches." : empty}</p>
      ) : (
        <>
          <Count total={page.total} shown={page.rows.length} isNarrowed={isNarrowed} />
          <table class="list" role="table" aria-label={caption}>
            <thead role="rowgroup">
              <tr role="row">
                {columns.map(({ heading }) => (
                  <th scope="col" role="columnheader">
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {page.rows.map((row) => (
                <Row columns={columns} row={row} />
              ))}
            </tbody>
          </table>
        </>
      )}
      <Paging path={path} query={query} page={page} caption={caption} />
      {view.exportPath === undefined || page.total === 0 ? null : (
        <Files what="all that match" url={exportUrl(view.exportPath, query)} />
      )}
    </div>
  );
}

function Row<T>({ columns, row }: { columns: readonly ListColumn<T>[]; row: T }) {
  return (
    <tr role="row">
      {columns.map(({ heading, cell }, at) =>
        at === 0 ? (
          <th scope="row" role="rowheader">
            {cell(row)}
          </th>
        ) : (
          <td role="cell" data-label={heading}>
            {cell(row)}
          </td>
        ),
      )}
    </tr>
  );
}

function Search<Row>({
  path,
  query,
  searchLabel,
  filters = [],
  isNarrowed,
}: AdminListView<Row> & { isNarrowed: boolean }) {
  if (searchLabel === undefined && filters.length === 0) return null;
  return (
    <form method="get" action={path} role="search" class="search">
      {searchLabel === undefined ? null : (
        <div class="stack">
          <label for="list-search">{searchLabel}</label>
          <input id="list-search" name="q" type="search" value={query.search} maxlength={100} />
        </div>
      )}
      {filters.map((filter) => (
        <Filter filter={filter} value={query.filters[filter.name] ?? ""} />
      ))}
      <div class="row">
        <button type="submit">{searchLabel === undefined ? "Filter" : "Search"}</button>
        {isNarrowed ? <a href={path}>Show all</a> : null}
      </div>
    </form>
  );
}

function Filter({ filter: { name, label, options }, value }: { filter: ListFilter; value: string }) {
  const id = `list-${name}`;
  return (
    <div class="stack">
      <label for={id}>{label}</label>
      {options === undefined ? (
        <input id={id} name={name} type="date" value={value} />
      ) : (
        <select id={id} name={name}>
          <option value="">Any</option>
          {options.map(([choice, text]) => (
            <option value={choice} selected={choice === value}>
              {spelledOut(text)}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function Paging<Row>({
  path,
  query,
  page,
  caption,
}: Pick<AdminListView<Row>, "path" | "query" | "page" | "caption">) {
  const { next, previous } = page;
  if (next === undefined && previous === undefined && query.cursor === undefined) return null;
  return (
    <nav class="row" aria-label={`Pages of ${caption}`}>
      {query.cursor === undefined ? null : (
        <a class="button" href={listUrl(path, query)}>
          First page
        </a>
      )}
      {previous === undefined ? null : (
        <a class="button" rel="prev" href={listUrl(path, query, previous)}>
          Previous page
        </a>
      )}
      {next === undefined ? null : (
        <a class="button" rel="next" href={listUrl(path, query, next)}>
          Next page
        </a>
      )}
    </nav>
  );
}

const exportUrl =
  (path: string, { search, filters }: ListQuery) =>
  (format: string): string =>
    listUrl(path, { search, filters: { ...filters, format } });

const NUMBER = new Intl.NumberFormat("en-GB");

/** Left out where every row is in sight. */
function Count({ total, shown, isNarrowed }: { total: number; shown: number; isNarrowed: boolean }) {
  if (!isNarrowed && total <= shown) return null;
  const verb = isNarrowed ? (total === 1 ? "matches" : "match") : "in all";
  return <p class="small soft">{`${NUMBER.format(total)} ${verb}`}</p>;
}
