// How much of each budget is used, out of what, and until when. Part of the policy page.

import { EMPTY_PAGE, NO_QUERY } from "../listing.ts";
import { NamedId, type Names } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { AdminList } from "./admin-list.tsx";
import { Badge, Card } from "./parts.tsx";

export interface BudgetRow {
  /** Whose it is: "The whole company", or a kind. */
  readonly owner: string;
  /** Which one of the kind. */
  readonly id?: string;
  readonly period: "day" | "month";
  readonly used: number;
  /** Absent when there is no limit. */
  readonly most?: number | undefined;
  /** e.g. "23 Nov 2026, 00:00 Europe/Berlin". */
  readonly resets: string;
  readonly state: "fine" | "near" | "used_up";
}

const STATES = {
  fine: undefined,
  near: { tone: "warn", label: "Nearly used" },
  used_up: { tone: "bad", label: "Used up" },
} as const;

const NUMBER = new Intl.NumberFormat("en-GB");

/** Renders the table of budgets: the company's first, then those that are used most. */
export function BudgetPanel({ rows, names }: { rows: readonly BudgetRow[]; names: Names }) {
  return (
    <Card id="used" title="Used so far">
      <AdminList
        path="/admin/policy"
        query={NO_QUERY}
        page={{ ...EMPTY_PAGE, rows, total: rows.length }}
        caption="Budgets"
        empty="No paid call has been made yet."
        columns={[
          { heading: "Whose", cell: (row: BudgetRow) => <Owner row={row} names={names} /> },
          { heading: "Period", cell: ({ period }: BudgetRow) => (period === "day" ? "Day" : "Month") },
          { heading: "Used", cell: (row: BudgetRow) => <Used row={row} /> },
          { heading: "Starts anew", cell: ({ resets }: BudgetRow) => spelledOut(resets) },
        ]}
      />
    </Card>
  );
}

function Owner({ row: { owner, id }, names }: { row: BudgetRow; names: Names }) {
  return (
    <>
      {names.get(id ?? "")?.kind === "connection" ? "" : `${owner} `}
      {id === undefined ? null : <NamedId id={id} names={names} />}
    </>
  );
}

function Used({ row: { used, most, state } }: { row: BudgetRow }) {
  const shown = STATES[state];
  return (
    <>
      {most === undefined
        ? `${NUMBER.format(used)}, no limit`
        : `${NUMBER.format(used)} of ${NUMBER.format(most)}`}{" "}
      {shown === undefined ? null : <Badge tone={shown.tone}>{shown.label}</Badge>}
    </>
  );
}
