// Every connection at Gong with the clients that use it, and the way to end it. Part of admin.tsx.

import { ACCESS_IN_WORDS, reasonInWords, stateInWords, type Access } from "./flow-text.ts";
import { spelledOut } from "./outside-text.ts";
import { ClientName, Moment } from "./parts.tsx";

export interface Grant {
  id: string;
  clientName: string | undefined;
  /** ISO 8601. */
  createdAt: string;
  lastUsedAt?: string;
}

export interface Connection {
  id: string;
  access: Access;
  state: string;
  reason?: string;
  label: string;
  /** ISO 8601. */
  since: string;
  lastUsed?: string;
  grants: readonly Grant[];
}

/** Lists the connections, or says that there are none. Posts to /admin/connections/<id>/end. */
export function Connections({ connections, csrf }: { connections: readonly Connection[]; csrf: string }) {
  return (
    <section class="card" aria-labelledby="connections">
      <h2 id="connections">Connections</h2>
      {connections.length === 0 ? (
        <p class="soft">None yet. One appears here when someone approves a client and signs in at Gong.</p>
      ) : (
        <ul class="items">
          {connections.map((connection) => (
            <ConnectionItem connection={connection} csrf={csrf} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ConnectionItem({ connection, csrf }: { connection: Connection; csrf: string }) {
  const { access, label, since, lastUsed, grants } = connection;
  return (
    <li>
      <div class="row">
        <h3>{spelledOut(label)}</h3>
        <StateBadge state={connection.state} />
        <span class="badge">{ACCESS_IN_WORDS[access].title}</span>
      </div>
      <p class="small soft">
        Connected <Moment at={since} />
        {lastUsed === undefined ? ", not used yet" : ", last used "}
        {lastUsed === undefined ? null : <Moment at={lastUsed} />}
        {connection.reason === undefined ? "" : ` · ${spelledOut(reasonInWords(connection.reason))}`}
      </p>
      {grants.length === 0 ? <p class="soft">No client uses it.</p> : <GrantList grants={grants} />}
      {connection.state === "disconnected" ? null : <EndConnection connection={connection} csrf={csrf} />}
    </li>
  );
}

/** A connection's state in words, coloured by how much it needs someone. */
export function StateBadge({ state }: { state: string }) {
  const { label, tone } = stateInWords(state);
  return <span class={`badge ${tone}`}>{spelledOut(label)}</span>;
}

function GrantList({ grants }: { grants: readonly Grant[] }) {
  return (
    <ul>
      {grants.map(({ clientName, createdAt, lastUsedAt }) => (
        <li>
          <ClientName name={clientName} />{" "}
          <span class="small soft">
            since <Moment at={createdAt} />
            {lastUsedAt === undefined ? ", not used yet" : ", last used "}
            {lastUsedAt === undefined ? null : <Moment at={lastUsedAt} />}
          </span>
        </li>
      ))}
    </ul>
  );
}

function EndConnection({ connection, csrf }: { connection: Connection; csrf: string }) {
  const { id, label, grants } = connection;
  return (
    <details>
      <summary class="button">
        End…<span class="unseen"> the connection {spelledOut(label)}</span>
      </summary>
      <form
        method="post"
        action={`/admin/connections/${encodeURIComponent(id.toWellFormed())}/end`}
        class="confirm"
      >
        <input type="hidden" name="csrf" value={csrf} />
        <p>
          {consequence(grants.length)} The gateway deletes its Gong tokens for this connection. Gong offers no
          way to revoke them from here. To use Gong again, someone must approve and sign in anew. This can't
          be undone.
        </p>
        <button type="submit" class="danger">
          End this connection
        </button>
      </form>
    </details>
  );
}

function consequence(clients: number): string {
  if (clients === 0) return "No client uses it.";
  return clients === 1
    ? "The client that uses it stops at once."
    : `All ${clients} clients that use it stop at once.`;
}
