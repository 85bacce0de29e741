// What the company's tool calls cost: by day and by group, what was saved, the budgets, and the ledger as files. Rendered by
// GET /admin/spend.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { BudgetPanel, type BudgetRow } from "./budget-panel.tsx";
import { Chart } from "./chart.tsx";
import { spelledOut } from "./outside-text.ts";
import { servedInWords } from "./spend-text.ts";
import { pathSegment } from "./links.ts";

/** How many calls were served in each way. */
type Counts = Readonly<Record<"paid" | "joined" | "recovered" | "reused" | "refused" | "failed", number>>;

export interface SpendView extends AdminPageView {
  readonly by: "served" | "tool" | "client" | "key" | "connection";
  /** `YYYY-MM-DD`, the oldest first, without gaps. */
  readonly days: readonly string[];
  readonly timeZone: string;
  readonly totals: Counts;
  readonly series: readonly { readonly name: string | undefined; readonly values: readonly number[] }[];
  readonly groups: readonly { readonly name: string; readonly calls: Counts }[];
  readonly budgets: readonly BudgetRow[];
  /** Where each file of the ledger begins. */
  readonly parts: readonly string[];
  readonly keptDays: number;
}

const NUMBER = new Intl.NumberFormat("en-GB");
const GROUPS = [
  ["served", "How it was served"],
  ["tool", "Tool"],
  ["client", "Client"],
  ["key", "Agent key"],
  ["connection", "Connection"],
] as const;
const NAMELESS = { tool: "No tool", client: "No client", key: "No agent key", connection: "No connection" };
const LONGEST_LEGEND = 32;

/** Renders the page: choice of days, sums, chart, groups, budgets, files. */
export function SpendPage(view: SpendView) {
  return (
    <AdminFrame section="/admin/spend" title="Spend" nonce={view.nonce} csrf={view.csrf}>
      <section class="card stack-wide" aria-labelledby="calls">
        <h2 id="calls">Tool calls</h2>
        <Choice {...view} />
        <Totals totals={view.totals} />
        <CallChart {...view} />
        <Groups by={view.by} groups={view.groups} />
      </section>
      <BudgetPanel rows={view.budgets} />
      <Files {...view} />
    </AdminFrame>
  );
}

function Choice({ by, days, timeZone }: SpendView) {
  return (
    <form method="get" action="/admin/spend" class="search">
      <div class="stack">
        <label for="spend-by">Split by</label>
        <select id="spend-by" name="by">
          {GROUPS.map(([value, label]) => (
            <option value={value} selected={value === by}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {(["from", "to"] as const).map((name) => (
        <div class="stack">
          <label for={`spend-${name}`}>{`${name === "from" ? "From" : "To"} day (${timeZone})`}</label>
          <input
            id={`spend-${name}`}
            name={name}
            type="date"
            value={name === "from" ? days.at(0) : days.at(-1)}
          />
        </div>
      ))}
      <div class="row">
        <button type="submit">Show</button>
        <a href="/admin/spend">Last 30 days</a>
      </div>
    </form>
  );
}

function Totals({ totals }: Pick<SpendView, "totals">) {
  const facts: readonly (readonly [string, number, string])[] = [
    ["Asked of Gong", totals.paid, "Each of them costs Gong credits."],
    [
      "Saved",
      savedOf(totals),
      `Joined: ${NUMBER.format(totals.joined)}. Recovered: ${NUMBER.format(totals.recovered)}. Reused: ${NUMBER.format(totals.reused)}.`,
    ],
    ["Refused", totals.refused, "By the policy or a budget, before Gong was asked."],
    ["Failed", totals.failed, "Gong may have charged some of them; the ledger tells which were sent."],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, calls, note]) => (
        <div>
          <dt>{name}</dt>
          <dd>
            <strong class="key">{NUMBER.format(calls)}</strong>
            <span class="small soft">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function CallChart({ by, days, series }: SpendView) {
  const label = (name: string | undefined): string => {
    if (name === undefined) return "All others";
    if (by === "served") return servedInWords(name);
    const words = nameOf(by, name);
    return words.length > LONGEST_LEGEND ? `${words.slice(0, LONGEST_LEGEND).toWellFormed()}…` : words;
  };
  return (
    <Chart
      id="spend"
      title={by === "served" ? "Calls that were answered" : "Calls asked of Gong"}
      days={days}
      series={series.map(({ name, values }) => ({ name: label(name), values }))}
      empty="No tool was called on these days."
    />
  );
}

function nameOf(by: Exclude<SpendView["by"], "served">, name: string): string {
  return name === "" ? NAMELESS[by] : spelledOut(name);
}

const savedOf = ({ joined, recovered, reused }: Counts): number => joined + recovered + reused;

const COUNTED: readonly (readonly [string, (calls: Counts) => number])[] = [
  ["Asked of Gong", ({ paid }) => paid],
  ["Saved", savedOf],
  ["Refused", ({ refused }) => refused],
  ["Failed", ({ failed }) => failed],
];

function Groups({ by, groups }: Pick<SpendView, "by" | "groups">) {
  if (by === "served" || groups.length === 0) return null;
  const heading = GROUPS.find(([value]) => value === by)?.[1] ?? "";
  return (
    <table class="list" role="table" aria-label={`By ${heading.toLowerCase()}`}>
      <thead role="rowgroup">
        <tr role="row">
          {[heading, ...COUNTED.map(([name]) => name)].map((name) => (
            <th scope="col" role="columnheader">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {groups.map(({ name, calls }) => (
          <tr role="row">
            <th scope="row" role="rowheader">
              {by === "connection" && name !== "" ? (
                <a href={`/admin/spend/${pathSegment(name)}`}>{nameOf(by, name)}</a>
              ) : (
                <bdi>{nameOf(by, name)}</bdi>
              )}
            </th>
            {COUNTED.map(([label, count]) => (
              <td role="cell" data-label={label}>
                {NUMBER.format(count(calls))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Files({ days, parts, keptDays }: SpendView) {
  const [from = "", to = ""] = [days.at(0), days.at(-1)];
  const url = (after: string, format: string) =>
    `/admin/spend/export?${new URLSearchParams({ format, from, to, after: after.toWellFormed() }).toString()}`;
  return (
    <section class="card stack" aria-labelledby="files">
      <h2 id="files">The ledger as a file</h2>
      <p>
        One row for each paid call of these days in UTC: when, whose, which tool, how it was served, what
        became of it. No question and no answer is in it. Rows are kept for {NUMBER.format(keptDays)} days. It
        has what is needed to compare it with Gong's credit usage report.
      </p>
      <ul class="items">
        {parts.map((after, at) => (
          <li>
            <span class="row">
              {parts.length === 1 ? "All connections" : `Part ${at + 1} of ${parts.length}`}
              <a href={url(after, "csv")}>
                CSV<span class="unseen">{` of part ${at + 1}`}</span>
              </a>
              <a href={url(after, "ndjson")}>
                NDJSON<span class="unseen">{` of part ${at + 1}`}</span>
              </a>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
