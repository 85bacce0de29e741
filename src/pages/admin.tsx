// The overview of the admin pages: what needs attention, how the connections are,
// requests for shared access, and how far the set-up is proven. Rendered by GET
// /admin for a signed-in admin; each form carries the CSRF token of that session.

import { Approvals, type Approval } from "./admin-approvals.tsx";
import { AdminFrame } from "./admin-frame.tsx";
import { OutOfCredits, StateBadge } from "./admin-connections.tsx";
import { Chart } from "./chart.tsx";
import { ACCESS_IN_WORDS, reasonInWords, stateInWords, type Access } from "./flow-text.ts";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { Badge, Card, Moment } from "./parts.tsx";

export interface Integration {
  access: Access;
  /** The MCP URL that it serves. */
  resource: string;
  /** The state of its connection; for shared access only. */
  connection?: { state: string; reason?: string };
}

export interface AdminView {
  nonce: string;
  csrf: string;
  /**
   * How many checks of the set-up there are, how many did not pass, and when the oldest result is from (epoch seconds).
   */
  setup: { readonly all: number; readonly open: number; readonly asOf?: number | undefined };
  integrations: readonly Integration[];
  approvals: readonly Approval[];
  /** How many connections are in each state. */
  states: Readonly<Record<string, number>>;
  /** Epoch seconds; while Gong says that its credits are used up. */
  outOfCreditsSince?: number | undefined;
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
  return (
    <AdminFrame section="/admin" title="Admin" nonce={view.nonce} csrf={view.csrf}>
      <OutOfCredits since={view.outOfCreditsSince} />
      <Problems
        problems={view.problems}
        isProven={view.setup.open === 0 && view.outOfCreditsSince === undefined}
      />
      <Approvals approvals={view.approvals} csrf={view.csrf} />
      <Connections states={view.states} />
      {Object.keys(view.states).length === 0 ? null : <Activity {...view.activity} />}
      <SetUp {...view.setup} integrations={view.integrations} />
    </AdminFrame>
  );
}

function SetUp({ all, open, asOf, integrations }: AdminView["setup"] & Pick<AdminView, "integrations">) {
  return (
    <section class="card" aria-labelledby="set-up">
      <div class="row">
        <h2 id="set-up">Set-up</h2>
        <Badge tone={open === 0 ? "good" : "warn"}>
          {open === 0 ? "Well" : `${open} of ${all} checks have not passed`}
        </Badge>
      </div>
      <p>
        {open > 0 || asOf === undefined ? null : (
          <>
            Every check passed, the oldest <Moment at={asOf} />.{" "}
          </>
        )}
        <a href="/admin/setup">Open the set-up</a>
      </p>
      <ul class="items">
        {integrations.map(({ access, resource, connection }) => (
          <li>
            <div class="row">
              <h3>{ACCESS_IN_WORDS[access].title}</h3>
              {connection === undefined ? null : <StateBadge state={connection.state} />}
              {connection === undefined && access === "shared" ? (
                <Badge tone="">Not connected yet</Badge>
              ) : null}
            </div>
            <p class="small soft">
              Agents use <code>{asciiUri(resource)}</code>
            </p>
            {connection?.reason === undefined ? null : (
              <p class="note warn">{spelledOut(reasonInWords(connection.reason))}</p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Activity({ days, paid, saved, refused, failed }: AdminView["activity"]) {
  return (
    <Card id="activity" title="Tool calls in the last 30 days">
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
    </Card>
  );
}

const NUMBER = new Intl.NumberFormat("en-GB");
const STATES = ["connected", "needs_reconnect", "disconnected"];

function Connections({ states }: Pick<AdminView, "states">) {
  const known = [...STATES, ...Object.keys(states).filter((state) => !STATES.includes(state))];
  return (
    <Card id="connections" title="Connections">
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
    </Card>
  );
}

// All is well only where the set-up has been proven.
function Problems({ problems, isProven }: Pick<AdminView, "problems"> & { isProven: boolean }) {
  if (problems.length === 0) return isProven ? <p class="note">Nothing needs your attention.</p> : null;
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
