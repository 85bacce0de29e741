// One connection: how it is and why, what can use it, and the ways to end that. Rendered by GET
// /admin/connections/<id>.

import { OutOfCredits, StateBadge } from "./admin-connections.tsx";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { agentKeyName, RevokeKey } from "./agent-key-form.tsx";
import { keyStateInWords } from "./agent-key-text.ts";
import { Confirm } from "./confirm.tsx";
import { ACCESS_IN_WORDS, dueInWords, reasonInWords, type Access } from "./flow-text.ts";
import { clientUrl, connectionLabel } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { Badge, Card, ClientName, Fact, Moment } from "./parts.tsx";
import { pathSegment } from "./links.ts";

export interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly scope: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

export interface AgentKey {
  readonly id: string;
  readonly name: string;
  readonly state: "live" | "expired" | "revoked";
  readonly createdBy: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt?: number | undefined;
}

export interface ConnectionView extends AdminPageView {
  readonly id: string;
  readonly access: Access;
  readonly state: string;
  readonly reason?: string | undefined;
  /** Epoch seconds. */
  readonly since: number;
  readonly connectedAt?: number;
  readonly refreshedAt?: number;
  readonly personDue?: { readonly at: number; readonly why: string };
  readonly atRisk: boolean;
  /** Epoch seconds; while Gong says that its credits are used up. */
  readonly outOfCreditsSince?: number | undefined;
  readonly sealedWith?: string | undefined;
  readonly missingKid?: string | undefined;
  readonly agents: string;
  readonly grants: readonly Grant[];
  readonly keys: readonly AgentKey[];
  /** E-mail addresses of those who signed in through Cloudflare Access. */
  readonly people?: readonly string[];
}

/** Renders the connection. Posts to /end, /agents/<grant>/end and /keys/<key>/revoke under its own path. */
export function ConnectionPage(view: ConnectionView) {
  const { nonce, csrf, id, agents, grants, keys } = view;
  const path = `/admin/connections/${pathSegment(id)}`;
  return (
    <AdminFrame section="/admin/connections" title="Connection" nonce={nonce} csrf={csrf}>
      <section class="card" aria-labelledby="state">
        <div class="row">
          <h2 id="state">
            <bdi dir="ltr">{connectionLabel(id, agents, view.people)}</bdi>
          </h2>
          <StateBadge state={view.state} />
        </div>
        <OutOfCredits since={view.outOfCreditsSince} />
        <Warnings {...view} />
        <Facts {...view} />
        <p>
          <a href={`/admin/spend/${pathSegment(id)}`}>Calls of this connection</a>
        </p>
        {view.state === "disconnected" ? null : <EndConnection view={view} path={path} />}
      </section>
      <Card id="agents" title="Agents that signed in">
        {grants.length === 0 ? (
          <p class="soft">No client uses it.</p>
        ) : (
          <ul class="items">
            {grants.map((grant) => (
              <GrantItem grant={grant} path={path} csrf={csrf} />
            ))}
          </ul>
        )}
      </Card>
      {keys.length === 0 ? null : (
        <Card id="keys" title="Agent keys">
          <ul class="items">
            {keys.map((key) => (
              <KeyItem key_={key} path={path} csrf={csrf} />
            ))}
          </ul>
        </Card>
      )}
    </AdminFrame>
  );
}

function Warnings({ reason, personDue, atRisk, missingKid }: ConnectionView) {
  return (
    <>
      {reason === undefined ? null : <p class="note warn">{spelledOut(reasonInWords(reason))}</p>}
      {atRisk ? (
        <p class="note warn">
          Its Gong access ends before the gateway tries to refresh it again. Agents are then told to try
          later; nothing is lost.
        </p>
      ) : null}
      {missingKid === undefined ? null : (
        <p class="note bad">
          {`It is sealed with key ${spelledOut(missingKid)}, which is not in SEALING_KEYS. Put the key back, or let its person sign in again.`}
        </p>
      )}
      {personDue === undefined ? null : (
        <p class="note">
          Someone must sign in again by <Moment at={personDue.at} />: {spelledOut(dueInWords(personDue.why))}
        </p>
      )}
    </>
  );
}

function Facts({ id, access, since, connectedAt, refreshedAt, sealedWith, people = [] }: ConnectionView) {
  return (
    <dl class="facts">
      {people.length === 0 ? null : (
        <Fact term="Signed in through Cloudflare Access">
          {people.map((email) => (
            <span>{spelledOut(email)}</span>
          ))}
        </Fact>
      )}
      <Fact term="Access">{ACCESS_IN_WORDS[access].title}</Fact>
      <Fact term="In this state since">
        <Moment at={since} />
      </Fact>
      {connectedAt === undefined ? null : (
        <Fact term="Signed in at Gong">
          <Moment at={connectedAt} />
        </Fact>
      )}
      {refreshedAt === undefined ? null : (
        <Fact term="Last new tokens from Gong">
          <Moment at={refreshedAt} />
        </Fact>
      )}
      <Fact term="Id">
        <code>{spelledOut(id)}</code>
      </Fact>
      {sealedWith === undefined ? null : (
        <Fact term="Sealed with key">
          <code>{spelledOut(sealedWith)}</code>
        </Fact>
      )}
    </dl>
  );
}

function GrantItem({ grant, path, csrf }: { grant: Grant; path: string; csrf: string }) {
  const { id, clientId, clientName, scope, createdAt, lastUsedAt } = grant;
  return (
    <li>
      <h3>
        <a href={clientUrl(clientId)}>
          <ClientName name={clientName} />
        </a>
      </h3>
      <p class="small soft">
        Since <Moment at={createdAt} />, last used <Moment at={lastUsedAt} />
        <br />
        Client <code>{spelledOut(clientId)}</code>
        <br />
        Scopes <code>{spelledOut(scope)}</code>
      </p>
      <Confirm
        label="End access…"
        about={clientId}
        action={`${path}/agents/${pathSegment(id)}/end`}
        csrf={csrf}
        button="End this agent's access"
      >
        Its tokens stop at once. Others on this connection go on. To use Gong again, it has to be approved and
        sign in anew. When it is the last one of a personal connection, the gateway deletes its Gong tokens
        too.
      </Confirm>
    </li>
  );
}

function KeyItem({ key_: key, path, csrf }: { key_: AgentKey; path: string; csrf: string }) {
  const { label, tone } = keyStateInWords(key.state);
  return (
    <li>
      <div class="row">
        <h3>
          <bdi>{agentKeyName(key.name)}</bdi>
        </h3>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p class="small soft">
        Made by {spelledOut(key.createdBy)} <Moment at={key.createdAt} />, ends <Moment at={key.expiresAt} />
        {key.lastUsedAt === undefined ? ", not used yet" : ", last used "}
        {key.lastUsedAt === undefined ? null : <Moment at={key.lastUsedAt} />}
      </p>
      {key.state === "live" ? <RevokeKey {...key} path={`${path}/keys`} csrf={csrf} /> : null}
    </li>
  );
}

function EndConnection({ view, path }: { view: ConnectionView; path: string }) {
  const agents = view.grants.length + view.keys.filter(({ state }) => state === "live").length;
  return (
    <Confirm
      label="End this connection…"
      about={connectionLabel(view.id, view.agents, view.people)}
      action={`${path}/end`}
      csrf={view.csrf}
      button="End this connection"
    >
      {consequence(agents)} The gateway deletes its Gong tokens for this connection. Gong offers no way to
      revoke them from here. To use Gong again, someone must approve and sign in anew. This can't be undone.
    </Confirm>
  );
}

function consequence(agents: number): string {
  if (agents === 0) return "No client uses it.";
  return agents === 1
    ? "The agent that uses it stops at once."
    : `All ${agents} agents that use it stop at once.`;
}
