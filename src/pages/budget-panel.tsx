// How much of each budget is used, out of what, and until when. Part of the policy page.

import { spelledOut } from "./outside-text.ts";
import { AdminList } from "./admin-list.tsx";
import { Badge, Card } from "./parts.tsx";

export interface BudgetRow {
  /** Whose it is, e.g. "The whole company", or a kind and an id. */
  readonly owner: string;
  readonly period: "day" | "month";
  readonly used: number;
  /** Absent when there is no limit. */
  readonly most?: number;
  /** e.g. "2026-11-23 at 00:00 Europe/Berlin". */
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
export function BudgetPanel({ rows }: { rows: readonly BudgetRow[] }) {
  return (
    <Card id="used" title="Used so far">
      <AdminList
        path="/admin/policy"
        query={{ search: "", filters: {}, cursor: undefined }}
        page={{ rows, total: rows.length, next: undefined, previous: undefined }}
        caption="Budgets"
        empty="No paid call has been made yet."
        columns={[
          { heading: "Whose", cell: (row: BudgetRow) => spelledOut(row.owner) },
          { heading: "Period", cell: ({ period }: BudgetRow) => (period === "day" ? "Day" : "Month") },
          { heading: "Used", cell: (row: BudgetRow) => <Used row={row} /> },
          { heading: "Starts anew", cell: ({ resets }: BudgetRow) => spelledOut(resets) },
        ]}
      />
    </Card>
  );
}

function Used({ row: { used, most, state } }: { row: BudgetRow }) {
  const shown = STATES[state];
  return (
    <>
      {most === undefined
        ? `${NUMBER.format(used)}, no limit`
        : `${NUMBER.format(used)} of ${NUMBER.format(most)}`}
      {shown === undefined ? null : <Badge tone={shown.tone}> {shown.label}</Badge>}
    </>
  );
}
