// The ledger of one connection: each paid call, what became of it, and the way to erase it all. Rendered by
// GET /admin/spend/<connection>.

import { listUrl, type ListPage, type ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList, type ListColumn } from "./admin-list.tsx";
import { Confirm } from "./confirm.tsx";
import { connectionLabel } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { Card, ClientName, Files, Moment } from "./parts.tsx";
import { OUTCOMES_IN_WORDS, outcomeInWords, SERVED_IN_WORDS, servedInWords } from "./spend-text.ts";
import { pathSegment } from "./links.ts";

export interface LedgerEntry {
  /** Epoch seconds. */
  readonly at: number;
  readonly agent: string | undefined;
  /** As the row names them, to search for. */
  readonly person?: string | undefined;
  /** What they are called. */
  readonly personName?: string | undefined;
  readonly tool: string;
  readonly served: string;
  readonly outcome: string;
  readonly seconds: number | undefined;
  readonly hash: string;
  /** The call's id, when its arguments are kept for admins to read. */
  readonly readable?: string | undefined;
}

export interface LedgerView extends AdminPageView {
  readonly id: string;
  readonly agents: string;
  /** E-mail addresses of those who signed in through Cloudflare Access. */
  readonly owners?: readonly string[];
  readonly query: ListQuery;
  readonly page: ListPage<LedgerEntry>;
  readonly outcomes: readonly { readonly outcome: string; readonly calls: number }[];
  readonly keptDays: number;
}

function personInWords(person: string): string {
  if (person === "gong-user") return "The connection's Gong user";
  return person.startsWith("access:") ? "An address that was deleted" : spelledOut(person);
}

const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

const columns = (path: string, csrf: string): readonly ListColumn<LedgerEntry>[] => [
  { heading: "When", cell: ({ at }) => <Moment at={at} /> },
  {
    heading: "Agent and person",
    cell: ({ agent, person, personName }) => (
      <>
        <ClientName name={agent} />
        <br />
        {person === undefined ? (
          <span class="small soft">Person not known</span>
        ) : (
          <a class="small" href={listUrl(path, { search: person.toWellFormed(), filters: {} })}>
            <bdi>{personInWords(personName ?? person)}</bdi>
          </a>
        )}
      </>
    ),
  },
  {
    heading: "Tool and arguments",
    cell: ({ tool, hash, readable }) => (
      <>
        <code>{spelledOut(tool)}</code> <code class="small soft">{spelledOut(hash.slice(0, 8))}</code>
        {readable === undefined ? null : (
          <Confirm
            label="Read…"
            about={`call ${readable}`}
            action={`${path}/read`}
            csrf={csrf}
            button="Read what was asked"
            fields={{ call: readable }}
          >
            You see what the agent asked Gong. The audit notes that you read this call.
          </Confirm>
        )}
      </>
    ),
  },
  { heading: "How served", cell: ({ served }) => spelledOut(servedInWords(served)) },
  {
    heading: "Outcome",
    cell: ({ outcome, seconds }) =>
      spelledOut(outcomeInWords(outcome)) +
      (seconds === undefined ? "" : ` after ${NUMBER.format(seconds)} s`),
  },
];

/** Renders the ledger with its search, filters, outcomes, downloads and paging. Posts to /erase under its own path. */
export function LedgerPage(view: LedgerView) {
  const { id, agents, owners, query, page, outcomes } = view;
  const label = connectionLabel(id, agents, owners);
  const path = `/admin/spend/${pathSegment(id)}`;
  return (
    <AdminFrame section="/admin/spend" title="Calls of a connection" nonce={view.nonce} csrf={view.csrf}>
      <section class="card stack-wide" aria-labelledby="connection">
        <h2 id="connection">
          <bdi dir="ltr">{label}</bdi>
        </h2>
        <p>
          Every paid call, without its answer. What was asked can be read only where the policy keeps it. The
          same arguments have the same code. Rows are kept for {NUMBER.format(view.keptDays)} days.{" "}
          <a href={`/admin/connections/${pathSegment(id)}`}>About this connection</a>
        </p>
        <Outcomes outcomes={outcomes} />
        <AdminList
          path={path}
          query={query}
          page={page}
          caption="Paid calls"
          columns={columns(path, view.csrf)}
          searchLabel="Search agent, maker, tool, id or code"
          filters={[
            { name: "served", label: "How served", options: SERVED_IN_WORDS },
            { name: "outcome", label: "Outcome", options: OUTCOMES_IN_WORDS },
            { name: "from", label: "From day (UTC)" },
            { name: "to", label: "To day (UTC)" },
          ]}
          empty="No paid call was made on this connection."
        />
        <Files what="all calls of the chosen days" url={exportUrl(path, query.filters)} />
      </section>
      <Card id="erase" title="Erase">
        <Confirm
          label="Erase this ledger…"
          about={label}
          action={`${path}/erase`}
          csrf={view.csrf}
          button="Erase this ledger"
        >
          Every row of a call that has ended is deleted, with every result that waits for its agent and all
          kept questions. Sums by day and tool stay, without names. The connection goes on. The audit notes
          who erased it. This can't be undone.
        </Confirm>
      </Card>
    </AdminFrame>
  );
}

function Outcomes({ outcomes }: Pick<LedgerView, "outcomes">) {
  if (outcomes.length === 0) return null;
  return (
    <ul class="row bare" aria-label="Outcomes of the calls that match">
      {outcomes.map(({ outcome, calls }) => (
        <li class="badge">{`${spelledOut(outcomeInWords(outcome))}: ${NUMBER.format(calls)}`}</li>
      ))}
    </ul>
  );
}

const exportUrl =
  (path: string, { from = "", to = "" }: ListQuery["filters"]) =>
  (format: string): string =>
    `${path}/export?${new URLSearchParams({ format, from, to }).toString()}`;
