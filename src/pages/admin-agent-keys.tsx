// Agent keys for admins: a new one for shared access, and the list of everybody's with the way to revoke each. Rendered
// by GET and POST /admin/agent-keys.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList, type ListColumn } from "./admin-list.tsx";
import {
  AgentKeyForm,
  AgentKeyMade,
  agentKeyName,
  RevokeKey,
  type AgentKeyMadeView,
  type EnteredKey,
} from "./agent-key-form.tsx";
import { keyStateInWords, toolsInWords, type AgentKeyRefusal, type AgentKeyState } from "./agent-key-text.ts";
import { ACCESS_IN_WORDS, type Access } from "./flow-text.ts";
import { pathSegment } from "./links.ts";
import { spelledOut } from "./outside-text.ts";
import { Badge, Card, Moment } from "./parts.tsx";

const PATH = "/admin/agent-keys";

export interface AdminAgentKey {
  readonly id: string;
  readonly name: string;
  readonly access: Access;
  readonly connectionId: string;
  readonly tools: readonly string[] | undefined;
  readonly state: AgentKeyState;
  readonly createdBy: string;
  /** Epoch seconds, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt?: number | undefined;
  readonly revokedAt?: number | undefined;
  readonly revokedBy?: string | undefined;
}

export interface AdminAgentKeysView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<AdminAgentKey>;
  /** The MCP URLs with shared access that are connected. */
  readonly resources: readonly string[];
  readonly lifetimes: readonly number[];
  readonly refusal?: AgentKeyRefusal | undefined;
  /** What was asked for when it was refused. */
  readonly entered?: EnteredKey | undefined;
}

/** Renders the page. Posts to /admin/agent-keys and /admin/agent-keys/<id>/revoke. */
export function AdminAgentKeysPage(view: AdminAgentKeysView) {
  const { nonce, csrf, query, page, resources, lifetimes, refusal, entered } = view;
  return (
    <AdminFrame section={PATH} title="Agent keys" nonce={nonce} csrf={csrf}>
      <section class="card" aria-labelledby="new-key">
        <div class="stack">
          <h2 id="new-key">New key for shared access</h2>
          <p>
            For an agent that has no browser. It reaches <strong>all of your company's Gong data</strong>.
            People make keys for their own data on their account page.
          </p>
        </div>
        {resources.length === 0 ? (
          <p class="soft">Connect shared access first.</p>
        ) : (
          <AgentKeyForm
            action={PATH}
            csrf={csrf}
            lifetimes={lifetimes}
            resources={resources}
            refusal={refusal}
            entered={entered}
          />
        )}
      </section>
      <Card id="agent-keys" title="All agent keys">
        <AdminList
          path={PATH}
          query={query}
          page={page}
          caption="Agent keys"
          columns={columns(csrf)}
          searchLabel="Search name, who made it, or id"
          filters={[
            {
              name: "state",
              label: "State",
              options: [
                ["live", "Live"],
                ["over", "Expired or revoked"],
              ],
            },
          ]}
          empty="There are no agent keys yet."
        />
      </Card>
    </AdminFrame>
  );
}

/** Renders the page that shows a key once. */
export function AdminAgentKeyMadePage({ nonce, csrf, ...made }: AdminPageView & AgentKeyMadeView) {
  return (
    <AdminFrame section={PATH} title="New agent key" nonce={nonce} csrf={csrf} script="copy">
      <AgentKeyMade {...made} />
      <p>
        <a class="button" href={PATH}>
          Back to agent keys
        </a>
      </p>
    </AdminFrame>
  );
}

const columns = (csrf: string): readonly ListColumn<AdminAgentKey>[] => [
  {
    heading: "Name",
    cell: (key) => (
      <>
        <bdi>{agentKeyName(key.name)}</bdi>
        <br />
        <span class="small soft">
          {ACCESS_IN_WORDS[key.access].title},{" "}
          <a href={`/admin/connections/${pathSegment(key.connectionId)}`}>
            connection {spelledOut(key.connectionId.slice(0, 8))}
          </a>
          <br />
          May call {spelledOut(toolsInWords(key.tools))}
        </span>
      </>
    ),
  },
  { heading: "State", cell: (key) => <State agentKey={key} /> },
  {
    heading: "Made",
    cell: ({ createdAt, createdBy }) => (
      <>
        <Moment at={createdAt} />
        <br />
        <span class="small soft">by {spelledOut(createdBy)}</span>
      </>
    ),
  },
  {
    heading: "Last used",
    cell: ({ lastUsedAt }) => (lastUsedAt === undefined ? "Never" : <Moment at={lastUsedAt} />),
  },
  {
    heading: "Revoke",
    cell: (key) => (key.state === "live" ? <RevokeKey {...key} path={PATH} csrf={csrf} /> : "Over"),
  },
];

function State({ agentKey: { state, expiresAt, revokedAt, revokedBy } }: { agentKey: AdminAgentKey }) {
  const { label, tone } = keyStateInWords(state);
  return (
    <>
      <Badge tone={tone}>{label}</Badge>
      <br />
      <span class="small soft">
        {state === "revoked" ? null : (
          <>
            {state === "live" ? "until " : ""}
            <Moment at={expiresAt} />
          </>
        )}
        {state === "revoked" && revokedAt !== undefined ? <Moment at={revokedAt} /> : null}
        {state === "revoked" && revokedBy !== undefined ? ` by ${spelledOut(revokedBy)}` : null}
      </span>
    </>
  );
}
