// The list of all connections at Gong. Rendered by GET /admin/connections; each leads to its own page.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { ACCESS_IN_WORDS, reasonInWords, stateInWords, type Access } from "./flow-text.ts";
import { connectionLabel } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { Badge, Day, Moment } from "./parts.tsx";
import { pathSegment } from "./links.ts";

export interface ConnectionRow {
  readonly id: string;
  readonly access: Access;
  readonly state: string;
  readonly reason?: string | undefined;
  /** Epoch seconds; since when it is in that state. */
  readonly since: number;
  /** The names of its agents, as their makers chose them. */
  readonly agents: string;
  readonly agentCount: number;
  /** E-mail addresses of those who signed in through Cloudflare Access. */
  readonly people?: readonly string[] | undefined;
  /** Epoch seconds; to the day. */
  readonly lastUsed?: number;
  /** When its person has to sign in again, if it is known, and why. */
  readonly personDue?: { readonly at: number; readonly why: string };
  readonly atRisk: boolean;
  /** Epoch seconds; while Gong says that its credits are used up. */
  readonly outOfCreditsSince?: number | undefined;
}

export interface ConnectionsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<ConnectionRow>;
}

const STATES = [
  ["connected", "Connected"],
  ["soon", "Will need someone soon"],
  ["no_credits", "Gong's credits used up"],
  ["needs_reconnect", "Needs to be connected again"],
  ["disconnected", "Ended"],
] as const;

/** Renders the list with its search, its filter by state, and paging. */
export function ConnectionsPage({ nonce, csrf, query, page }: ConnectionsView) {
  return (
    <AdminFrame section="/admin/connections" title="Connections" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          Each connection is one sign-in at Gong: one per person for personal access, one for all with shared
          access. A connection that has ended is listed for 90 days.
        </p>
        <AdminList
          path="/admin/connections"
          query={query}
          page={page}
          caption="Connections"
          searchLabel="Search id or client name"
          filters={[{ name: "state", label: "State", options: STATES }]}
          empty="None yet. One appears here when someone approves a client and signs in at Gong."
          columns={[
            { heading: "Connection", cell: (row) => <Label {...row} /> },
            { heading: "State", cell: (row) => <State {...row} /> },
            { heading: "Since", cell: ({ since }) => <Day at={since} /> },
            {
              heading: "Last used",
              cell: ({ lastUsed }) => (lastUsed === undefined ? "Never" : <Day at={lastUsed} />),
            },
            { heading: "Agents", cell: ({ agentCount }) => String(agentCount) },
          ]}
        />
      </div>
    </AdminFrame>
  );
}

/**
 * Gong names nobody: a connection is known by whom Cloudflare Access
 * named, by its agents, and by a short form of its id.
 */
function Label({ id, access, agents, people }: ConnectionRow) {
  return (
    <>
      <a href={`/admin/connections/${pathSegment(id)}`}>
        <bdi dir="ltr">{connectionLabel(id, agents, people)}</bdi>
      </a>
      <br />
      <span class="small soft">{ACCESS_IN_WORDS[access].title}</span>
    </>
  );
}

function State({ state, reason, personDue, atRisk, outOfCreditsSince: since }: ConnectionRow) {
  return (
    <>
      <StateBadge state={state} />
      {reason === undefined ? null : <p class="small">{spelledOut(reasonInWords(reason))}</p>}
      {atRisk ? <p class="small">Refreshing fails, and its access is about to end.</p> : null}
      {since === undefined ? null : (
        <p class="small">
          Gong's credits are used up, since <Day at={since} />.
        </p>
      )}
      {personDue === undefined ? null : (
        <p class="small">
          Someone must sign in again by <Day at={personDue.at} />.
        </p>
      )}
    </>
  );
}

/** That Gong's credits are used up, since when, and what to do; nothing while they are not. */
export function OutOfCredits({ since }: { since: number | undefined }) {
  if (since === undefined) return null;
  return (
    <p class="note bad">
      <strong>Your company's Gong credits are used up</strong>, as Gong says since <Moment at={since} />.
      Calls that cost credits are refused. A Gong admin can buy credits; the gateway asks Gong again with one
      call every five minutes.
    </p>
  );
}

/** A connection's state in words, coloured by how much it needs someone. */
export function StateBadge({ state }: { state: string }) {
  const { label, tone } = stateInWords(state);
  return <Badge tone={tone}>{spelledOut(label)}</Badge>;
}
