// What the company's tool calls cost: by day and by group, what was saved, the budgets, and the ledger as files.
// Rendered by GET /admin/spend.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { BudgetPanel, type BudgetRow } from "./budget-panel.tsx";
import { Files } from "./parts.tsx";
import { SpendPanel, type SpendPanelView } from "./spend-panel.tsx";

export interface SpendView extends AdminPageView, Omit<SpendPanelView, "path"> {
  readonly budgets: readonly BudgetRow[];
  /** Where each file of the ledger begins. */
  readonly parts: readonly string[];
  readonly keptDays: number;
}

const NUMBER = new Intl.NumberFormat("en-GB");

/** Renders the page: the calls, budgets, files. */
export function SpendPage(view: SpendView) {
  return (
    <AdminFrame section="/admin/spend" title="Spend" nonce={view.nonce} csrf={view.csrf}>
      <SpendPanel {...view} path="/admin/spend" />
      <BudgetPanel rows={view.budgets} names={view.names} />
      <LedgerFiles {...view} />
    </AdminFrame>
  );
}

function LedgerFiles({ days, parts, keptDays }: SpendView) {
  const [from = "", to = ""] = [days.at(0), days.at(-1)];
  const url = (after: string) => (format: string) =>
    `/admin/spend/export?${new URLSearchParams({ format, from, to, after: after.toWellFormed() }).toString()}`;
  return (
    <section class="card stack" aria-labelledby="files">
      <h2 id="files">The ledger as a file</h2>
      <p>
        One row for each paid call of these days in UTC, without questions and answers, to compare with Gong's
        credit usage report. Rows are kept for {NUMBER.format(keptDays)} days.
      </p>
      {parts.map((after, at) => (
        <Files
          what={parts.length === 1 ? "all connections" : `part ${at + 1} of ${parts.length}`}
          url={url(after)}
        />
      ))}
    </section>
  );
}
