// How much a person's connection was used: a line for each agent and key on the account page, and a page of its own
// with charts, and with the way to erase it all. Rendered by GET /account/calls.

import { Confirm } from "./confirm.tsx";
import { Layout } from "./layout.tsx";
import { KeptQuestions } from "./policy-content.tsx";
import { SpendPanel, type SpendPanelView } from "./spend-panel.tsx";

export interface AgentCalls {
  readonly calls: number;
  readonly paid: number;
}

/** By the id of the agent or key. */
export type CallsOfAgents = ReadonlyMap<string, AgentCalls>;

export interface AccountCallsView extends Omit<SpendPanelView, "path" | "choices"> {
  readonly nonce: string;
  readonly csrf: string;
  /** How long the record of a call is kept. */
  readonly keptDays: number;
  /** For how many days admins can read what was asked; undefined while they can't. */
  readonly readableDays?: number | undefined;
}

const CHOICES = ["served", "tool", "client", "key"] as const;

/** Renders the page. Posts to /account/calls/erase. */
export function AccountCallsPage(view: AccountCallsView) {
  return (
    <Layout title="Your calls to Gong" nonce={view.nonce} wide>
      <h1>Your calls to Gong</h1>
      <p>
        Each call that is asked of Gong spends your company's Gong credits. Gong does not tell the gateway how
        many.
      </p>
      <KeptQuestions days={view.readableDays} />
      <SpendPanel {...view} path="/account/calls" choices={CHOICES} />
      <Download {...view} />
      <Erase {...view} />
      <p>
        <a class="button" href="/account">
          Back to your Gong access
        </a>
      </p>
    </Layout>
  );
}

function Download({ days }: AccountCallsView) {
  const query = new URLSearchParams({ from: days.at(0) ?? "", to: days.at(-1) ?? "" }).toString();
  return (
    <p class="row">
      <a class="button" href={`/account/calls/csv?${query}`} download>
        Download these calls as CSV
      </a>
      <a class="button" href={`/account/calls/ndjson?${query}`} download>
        Download these calls as NDJSON
      </a>
    </p>
  );
}

function Erase({ csrf, keptDays }: AccountCallsView) {
  return (
    <section class="card" aria-labelledby="erase">
      <div class="stack">
        <h2 id="erase">Erase the record of your calls</h2>
        <p>{`The record of a call is deleted by itself after ${keptDays} days.`}</p>
        <h3>What goes</h3>
        <ul>
          <li>every call that has ended: when, which agent, which tool, how it ended</li>
          <li>the questions that admins can read, when your company keeps them</li>
          <li>answers that still wait for an agent whose connection broke</li>
          <li>these charts: your company's sums by day and tool stay, without your name</li>
        </ul>
        <h3>What stays, and why</h3>
        <ul>
          <li>your connection, its agents and agent keys: end them on your account page</li>
          <li>what happened to the connection, and the security audit: they show an attack</li>
          <li>how many calls count against the budgets of today and this month</li>
          <li>what Gong itself records of its use: ask your Gong admin</li>
        </ul>
      </div>
      <Confirm
        label="Erase the record of my calls…"
        about=""
        action="/account/calls/erase"
        csrf={csrf}
        button="Erase the record of my calls"
      >
        The security audit notes that you erased it. This can't be undone.
      </Confirm>
    </section>
  );
}

/** The calls of one agent in words; nothing for one that made none. */
export function callsInWords(use: AgentCalls | undefined): string {
  if (use === undefined) return "";
  const calls = use.calls === 1 ? "1 call" : `${use.calls} calls`;
  return ` · ${calls} in 30 days, ${use.paid} paid`;
}
