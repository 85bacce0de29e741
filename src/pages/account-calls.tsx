// How much a person's connection was used in thirty days: a line for each agent and key on the account page, and a page of
// its own with a chart. Rendered by GET /account/calls.

import { Chart } from "./chart.tsx";
import { Layout } from "./layout.tsx";

export interface AgentCalls {
  readonly calls: number;
  readonly paid: number;
}

/** By the id of the agent or key. */
export type CallsOfAgents = ReadonlyMap<string, AgentCalls>;

export interface AccountCallsView {
  readonly nonce: string;
  /** Thirty days, the oldest first. */
  readonly days: readonly {
    readonly day: string;
    readonly paid: number;
    readonly free: number;
    readonly refused: number;
  }[];
}

/** Renders the chart. */
export function AccountCallsPage({ nonce, days }: AccountCallsView) {
  return (
    <Layout title="Your calls to Gong" nonce={nonce} wide>
      <h1>Your calls to Gong</h1>
      <div class="card">
        <p>Each paid call spends your company's Gong credits. Gong does not tell the gateway how many.</p>
        <Chart
          id="calls-by-day"
          title="Calls of tools by day, in UTC"
          days={days.map(({ day }) => day)}
          series={[
            { name: "Paid", values: days.map(({ paid }) => paid) },
            { name: "Answered from a paid call", values: days.map(({ free }) => free) },
            { name: "Refused", values: days.map(({ refused }) => refused) },
          ]}
          empty="No calls in the last 30 days."
        />
      </div>
      <p>
        <a class="button" href="/account">
          Back to your Gong access
        </a>
      </p>
    </Layout>
  );
}

/** The calls of one agent in words; nothing for one that made none. */
export function callsInWords(use: AgentCalls | undefined): string {
  if (use === undefined) return "";
  const calls = use.calls === 1 ? "1 call" : `${use.calls} calls`;
  return ` · ${calls} in 30 days, ${use.paid} paid`;
}
