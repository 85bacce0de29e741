// The agents that use a person's connection, each with the way to stop it. Part of account.tsx.

import { callsInWords, type AgentCalls, type CallsOfAgents } from "./account-calls.tsx";
import { REGISTRATION_IN_WORDS, type Registration } from "./account-text.ts";
import { Confirm } from "./confirm.tsx";
import { scopeInWords } from "./flow-text.ts";
import { spelledOut, visibleName } from "./outside-text.ts";
import { Badge, Card, ClientName, Moment, NAMELESS_CLIENT } from "./parts.tsx";
import { pathSegment } from "./links.ts";

export interface Agent {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly registration: Registration;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

/** Lists the agents, or says that there are none. Posts to /account/agents/<id>/end and /account/agents/end-all. */
export function Agents({
  agents,
  calls,
  csrf,
}: {
  readonly agents: readonly Agent[];
  readonly calls: CallsOfAgents;
  readonly csrf: string;
}) {
  return (
    <Card id="agents" title="Agents">
      {agents.length === 0 ? (
        <p class="soft">No agent uses your connection. One appears here when you approve it.</p>
      ) : (
        <ul class="items">
          {agents.map((agent) => (
            <AgentItem agent={agent} calls={calls.get(agent.id)} csrf={csrf} />
          ))}
        </ul>
      )}
      {agents.length < 2 ? null : <EndAll count={agents.length} csrf={csrf} />}
    </Card>
  );
}

interface ItemView {
  readonly agent: Agent;
  readonly calls: AgentCalls | undefined;
  readonly csrf: string;
}

function AgentItem({ agent, calls, csrf }: ItemView) {
  const { tone, badge } = REGISTRATION_IN_WORDS[agent.registration];
  return (
    <li>
      <div class="row">
        <h3>
          <ClientName name={agent.clientName} />
        </h3>
        <Badge tone={tone}>{badge}</Badge>
      </div>
      <p class="small soft">
        Approved <Moment at={agent.createdAt} />, last used <Moment at={agent.lastUsedAt} />
        {callsInWords(calls)}
        <br />
        May: {agent.scopes.map((scope) => scopeInWords(scope).title.toLowerCase()).join(", ")}
        <br />
        Client ID <code>{spelledOut(agent.clientId)}</code>
      </p>
      <Confirm
        label="End access…"
        about={visibleName(agent.clientName) ?? NAMELESS_CLIENT}
        action={`/account/agents/${pathSegment(agent.id)}/end`}
        csrf={csrf}
        button="End this agent's access"
      >
        Its next call to Gong is refused, and it must ask you again. If nothing else uses your connection, the
        gateway also deletes its Gong tokens.
      </Confirm>
    </li>
  );
}

function EndAll({ count, csrf }: { readonly count: number; readonly csrf: string }) {
  return (
    <Confirm
      label="End access of all agents…"
      about=""
      action="/account/agents/end-all"
      csrf={csrf}
      button={`End access of all ${count} agents`}
    >
      All {count} agents lose access at their next call, and must ask you again.
    </Confirm>
  );
}
