// The admin page: the redirect URI to register at Gong, the integrations, requests for shared access, and every
// connection. Rendered by GET /admin for a signed-in admin; each form carries the CSRF token of that admin session.

import { Approvals, type Approval } from "./admin-approvals.tsx";
import { Connections, type Connection } from "./admin-connections.tsx";
import { AdminFrame } from "./admin-frame.tsx";
import { Integrations, type Integration } from "./admin-integrations.tsx";
import { spelledOut } from "./outside-text.ts";

export interface AdminView {
  nonce: string;
  csrf: string;
  /** The one redirect URI to register at Gong. */
  redirectUri: string;
  publicUrl: string;
  integrations: readonly Integration[];
  approvals: readonly Approval[];
  connections: readonly Connection[];
  /** What needs an admin, in plain words. */
  problems: readonly string[];
}

/** Renders the whole admin page: what is wrong, what needs a decision, then what there is. */
export function AdminPage(view: AdminView) {
  return (
    <AdminFrame section="/admin" title="Admin" nonce={view.nonce} csrf={view.csrf} script="copy">
      <Problems problems={view.problems} />
      {view.connections.length === 0 ? <SetUp view={view} /> : null}
      <Approvals approvals={view.approvals} csrf={view.csrf} />
      <Connections connections={view.connections} csrf={view.csrf} />
      {view.connections.length === 0 ? null : <SetUp view={view} />}
      <Keys csrf={view.csrf} />
    </AdminFrame>
  );
}

// First while nothing is connected, last once it works.
function SetUp({ view }: { view: AdminView }) {
  const { integrations, redirectUri, publicUrl, csrf } = view;
  return <Integrations {...{ integrations, redirectUri, publicUrl, csrf }} />;
}

function Keys({ csrf }: { csrf: string }) {
  return (
    <section class="card stack" aria-labelledby="keys">
      <h2 id="keys">Sealing keys</h2>
      <p>
        After a new key was put first in SEALING_KEYS, this seals every connection with it and says which keys
        are still needed.
      </p>
      <form method="post" action="/admin/keys/sweep">
        <input type="hidden" name="csrf" value={csrf} />
        <button type="submit">Check the sealing keys</button>
      </form>
    </section>
  );
}

function Problems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="note bad stack" aria-labelledby="problems">
      <h2 id="problems">Needs your attention</h2>
      <ul>
        {problems.map((problem) => (
          <li>{spelledOut(problem)}</li>
        ))}
      </ul>
    </section>
  );
}
