// Tool calls by day: the choice of days and of what they are split by, the sums, the chart, and a row for each group.
// Called by /admin/spend for the company and by /account/calls for one person.

import { EMPTY_PAGE, NO_QUERY } from "../listing.ts";
import { AdminList } from "./admin-list.tsx";
import { Chart } from "./chart.tsx";
import { pathSegment } from "./links.ts";
import { NamedId, nameInWords, type Names } from "./named.tsx";
import { servedInWords } from "./spend-text.ts";
import { Fact } from "./parts.tsx";

/** How many calls were served in each way. */
type Counts = Readonly<Record<"paid" | "joined" | "recovered" | "reused" | "refused" | "failed", number>>;

const GROUPS = [
  ["served", "How it was served"],
  ["tool", "Tool"],
  ["client", "Client"],
  ["key", "Agent key"],
  ["connection", "Connection"],
] as const;
type Group = (typeof GROUPS)[number][0];

export interface SpendPanelView {
  /** Where the page is. */
  readonly path: string;
  readonly by: Group;
  /** What it can be split by; undefined for everything. */
  readonly choices?: readonly Group[];
  /** `YYYY-MM-DD`, the oldest first, without gaps. */
  readonly days: readonly string[];
  readonly timeZone: string;
  readonly totals: Counts;
  readonly series: readonly { readonly name: string | undefined; readonly values: readonly number[] }[];
  readonly groups: readonly { readonly name: string; readonly calls: Counts }[];
  /** What the ids of connections, clients and keys stand for. */
  readonly names: Names;
}

const NUMBER = new Intl.NumberFormat("en-GB");
const NAMELESS = { tool: "No tool", client: "No client", key: "No agent key", connection: "No connection" };
const LONGEST_LEGEND = 32;

/** Renders the panel. */
export function SpendPanel(view: SpendPanelView) {
  return (
    <section class="card stack-wide" aria-labelledby="calls">
      <h2 id="calls">Tool calls</h2>
      <Choice {...view} />
      <Totals totals={view.totals} />
      <CallChart {...view} />
      <Groups {...view} />
    </section>
  );
}

function Choice({ path, by, choices, days, timeZone }: SpendPanelView) {
  return (
    <form method="get" action={path} class="search">
      <div class="stack">
        <label for="spend-by">Split by</label>
        <select id="spend-by" name="by">
          {GROUPS.filter(([value]) => choices?.includes(value) !== false).map(([value, label]) => (
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
        <a href={path}>Last 30 days</a>
      </div>
    </form>
  );
}

function Totals({ totals }: Pick<SpendPanelView, "totals">) {
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
        <Fact term={name}>
          <strong class="key">{NUMBER.format(calls)}</strong>
          <span class="small soft">{note}</span>
        </Fact>
      ))}
    </dl>
  );
}

function CallChart({ by, days, series, names }: SpendPanelView) {
  const label = (name: string | undefined): string => {
    if (name === undefined) return "All others";
    if (by === "served") return servedInWords(name);
    const words = nameOf(by, name, names);
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

function nameOf(by: Exclude<Group, "served">, name: string, names: Names): string {
  return name === "" ? NAMELESS[by] : nameInWords(name, names.get(name));
}

const savedOf = ({ joined, recovered, reused }: Counts): number => joined + recovered + reused;

const COUNTED: readonly (readonly [string, (calls: Counts) => number])[] = [
  ["Asked of Gong", ({ paid }) => paid],
  ["Saved", savedOf],
  ["Refused", ({ refused }) => refused],
  ["Failed", ({ failed }) => failed],
];

function Groups({ path, by, choices, groups, names }: SpendPanelView) {
  if (by === "served" || groups.length === 0) return null;
  const heading = GROUPS.find(([value]) => value === by)?.[1] ?? "";
  const cell = ({ name }: SpendPanelView["groups"][number]) => {
    if (name === "") return NAMELESS[by];
    const ledger = by === "connection" ? { path: `/admin/spend/${pathSegment(name)}` } : {};
    return <NamedId id={name} names={names} {...ledger} isPlain={choices !== undefined} />;
  };
  return (
    <AdminList
      path={path}
      query={NO_QUERY}
      page={{ ...EMPTY_PAGE, rows: groups, total: groups.length }}
      caption={`By ${heading.toLowerCase()}`}
      empty=""
      columns={[
        { heading, cell },
        ...COUNTED.map(([name, count]) => ({
          heading: name,
          cell: ({ calls }: SpendPanelView["groups"][number]) => NUMBER.format(count(calls)),
        })),
      ]}
    />
  );
}
