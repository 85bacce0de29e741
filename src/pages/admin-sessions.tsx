// Who is signed in as an admin, and the button that signs everybody out. Rendered by GET /admin/sessions.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { Confirm } from "./confirm.tsx";
import { spelledOut } from "./outside-text.ts";
import { Card, Moment } from "./parts.tsx";

export interface AdminSessionView {
  /** `admin` for whoever typed the admin token, else an e-mail address. */
  readonly actor: string;
  /** Epoch seconds. */
  readonly since: number;
  readonly lastUsed: number;
}

interface AdminSessionsView extends AdminPageView {
  /** Whoever looks at the page. */
  readonly actor: string;
  readonly sessions: readonly AdminSessionView[];
}

/** Lists the sessions that live, the last used first. Posts to /admin/sessions/end. */
export function AdminSessionsPage({ nonce, csrf, actor, sessions }: AdminSessionsView) {
  return (
    <AdminFrame section="/admin/sessions" title="Admin sessions" nonce={nonce} csrf={csrf}>
      <Card id="sessions" title="Signed in now">
        <p class="soft">
          You are {nameOf(actor)}. A session ends 30 minutes after its last use and 8 hours after its sign-in.
        </p>
        <ul class="items">
          {sessions.map(({ actor: who, since, lastUsed }) => (
            <li>
              <h3>{nameOf(who)}</h3>
              <p class="small soft">
                Signed in <Moment at={since} />, last used <Moment at={lastUsed} />
              </p>
            </li>
          ))}
        </ul>
        <Confirm
          label="End all admin sessions…"
          about=""
          action="/admin/sessions/end"
          csrf={csrf}
          button="End all admin sessions"
        >
          Every admin is signed out at once, you too. If somebody may know the admin token, deploy another
          ADMIN_TOKEN instead: that ends all sessions too.
        </Confirm>
      </Card>
    </AdminFrame>
  );
}

const nameOf = (actor: string): string =>
  actor === "admin" ? "whoever knows the admin token" : spelledOut(actor);
