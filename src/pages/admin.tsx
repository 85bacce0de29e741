// The overview of the admin pages: what needs attention, how the connections are, requests for shared access, and the
// set-up at Gong. Rendered by GET /admin for a signed-in admin; each form carries the CSRF token of that admin session.

import { Approvals, type Approval } from "./admin-approvals.tsx";
import { AdminFrame } from "./admin-frame.tsx";
import { Integrations, type Integration } from "./admin-integrations.tsx";
import { Chart } from "./chart.tsx";
import { stateInWords } from "./flow-text.ts";
import { spelledOut } from "./outside-text.ts";

export interface AdminView {
  nonce: string;
  csrf: string;
  /** The one redirect URI to register at Gong. */
  redirectUri: string;
  publicUrl: string;
  integrations: readonly Integration[];
  approvals: readonly Approval[];
  /** How many connections are in each state. */
  states: Readonly<Record<string, number>>;
  /** What needs an admin, in plain words, and where to look. */
  problems: readonly { readonly text: string; readonly path?: string }[];
  /** Tool calls by day, the oldest first, and how they were served. */
  activity: {
    readonly days: readonly string[];
    readonly paid: readonly number[];
    readonly saved: readonly number[];
    readonly refused: readonly number[];
    readonly failed: readonly number[];
  };
}

/** Renders the overview: what is wrong, what needs a decision, then what there is. */
export function AdminPage(view: AdminView) {
  const isEmpty = Object.keys(view.states).length === 0;
  return (
    <AdminFrame section="/admin" title="Admin" nonce={view.nonce} csrf={view.csrf} script="copy">
      <Problems problems={view.problems} />
      {isEmpty ? <SetUp view={view} /> : null}
      <Approvals approvals={view.approvals} csrf={view.csrf} />
      <Connections states={view.states} />
      {isEmpty ? null : <Activity {...view.activity} />}
      {isEmpty ? null : <SetUp view={view} />}
    </AdminFrame>
  );
}

// First while nothing is connected, last once it works.
function SetUp({ view }: { view: AdminView }) {
  const { integrations, redirectUri, publicUrl, csrf } = view;
  return <Integrations {...{ integrations, redirectUri, publicUrl, csrf }} />;
}

function Activity({ days, paid, saved, refused, failed }: AdminView["activity"]) {
  return (
    <section class="card" aria-labelledby="activity">
      <h2 id="activity">Tool calls in the last 30 days</h2>
      <Chart
        id="calls"
        title="Tool calls"
        days={days}
        series={[
          { name: "Asked of Gong", values: paid },
          { name: "Answered without Gong", values: saved },
          { name: "Refused", values: refused },
          { name: "Failed", values: failed },
        ]}
        empty="No tool was called yet."
      />
    </section>
  );
}

const NUMBER = new Intl.NumberFormat("en-GB");
const STATES = ["connected", "needs_reconnect", "disconnected"];

function Connections({ states }: Pick<AdminView, "states">) {
  const known = [...STATES, ...Object.keys(states).filter((state) => !STATES.includes(state))];
  return (
    <section class="card" aria-labelledby="connections">
      <h2 id="connections">Connections</h2>
      {Object.keys(states).length === 0 ? (
        <p class="soft">None yet. One appears here when someone approves a client and signs in at Gong.</p>
      ) : (
        <ul class="tiles">
          {known.map((state) => (
            <li>
              <a href={`/admin/connections?${new URLSearchParams({ state }).toString()}`}>
                <strong>{NUMBER.format(states[state] ?? 0)}</strong> {spelledOut(stateInWords(state).label)}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Problems({ problems }: Pick<AdminView, "problems">) {
  if (problems.length === 0) return null;
  return (
    <section class="note bad stack" aria-labelledby="problems">
      <h2 id="problems">Needs your attention</h2>
      <ul>
        {problems.map(({ text, path }) => (
          <li>
            {spelledOut(text)} {path === undefined ? null : <a href={path}>Look at them</a>}
          </li>
        ))}
      </ul>
    </section>
  );
}
