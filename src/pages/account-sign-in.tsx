// Sign-in to the account page: what it is for, and who says who you
// are, Gong or Cloudflare Access. Rendered by GET /account.

import { StateBadge } from "./admin-connections.tsx";
import { Layout } from "./layout.tsx";
import { spelledOut } from "./outside-text.ts";
import { ClientName, Moment } from "./parts.tsx";

export interface AccountSignInView {
  readonly nonce: string;
  /** Whom Cloudflare Access names, with the connections recorded for them; undefined while Access is off. */
  readonly person?: {
    readonly email: string;
    readonly connections: readonly ChosenConnection[];
  };
}

interface ChosenConnection {
  readonly id: string;
  readonly state: string;
  /** Epoch seconds. */
  readonly since: number;
  readonly agentNames: readonly (string | undefined)[];
}

/** Renders the ways in: posts to /account/open for a connection that is known, and to /account/sign-in for Gong. */
export function AccountSignInPage({ nonce, person }: AccountSignInView) {
  return (
    <Layout title="Your Gong access" nonce={nonce}>
      <div class="stack">
        <h1>Your Gong access</h1>
        <p>See which agents use Gong in your name, stop one or all of them, and end your connection.</p>
      </div>
      {person === undefined ? <AtGong /> : <ByAccess {...person} />}
      <p class="small soft">For shared access there is no such page: ask your admin.</p>
    </Layout>
  );
}

function AtGong() {
  return (
    <div class="card">
      <div class="stack">
        <h2>Show that it is yours</h2>
        <p>
          Sign in at Gong once more: its answer says which connection is yours. If Gong had ended it, this
          heals it and your agents go on.
        </p>
        <p class="soft">
          No agent gets any access by this. You are signed out here after 30 minutes without use.
        </p>
      </div>
      <SignInAtGong primary />
    </div>
  );
}

function SignInAtGong({ primary }: { readonly primary: boolean }) {
  return (
    <form method="post" action="/account/sign-in">
      <button type="submit" class={primary ? "primary" : undefined}>
        Sign in at Gong
      </button>
    </form>
  );
}

function ByAccess({ email, connections }: NonNullable<AccountSignInView["person"]>) {
  return (
    <>
      <section class="card" aria-labelledby="yours">
        <div class="stack">
          <h2 id="yours">Your connections</h2>
          <p>
            Cloudflare Access says that you are <strong>{spelledOut(email)}</strong>.
          </p>
        </div>
        {connections.length === 0 ? (
          <p class="soft">No connection to Gong is recorded with this address.</p>
        ) : (
          <ul class="items">
            {connections.map((connection) => (
              <Choice connection={connection} />
            ))}
          </ul>
        )}
      </section>
      <section class="card" aria-labelledby="missing">
        <div class="stack">
          <h2 id="missing">Is one missing?</h2>
          <p>Sign in at Gong, and it appears here. No agent gets any access by this.</p>
        </div>
        <SignInAtGong primary={connections.length === 0} />
      </section>
    </>
  );
}

function Choice({ connection }: { readonly connection: ChosenConnection }) {
  const { id, state, since, agentNames } = connection;
  return (
    <li>
      <div class="row">
        <h3>
          Connection <code>{spelledOut(id.slice(0, 8))}</code>
        </h3>
        <StateBadge state={state} />
      </div>
      <p class="small soft">
        Since <Moment at={since} />
        {agentNames.length === 0 ? " · no agent uses it" : " · used by "}
        {agentNames.map((name, at) => (
          <>
            {at === 0 ? "" : ", "}
            <ClientName name={name} />
          </>
        ))}
      </p>
      <form method="post" action="/account/open">
        <input type="hidden" name="connection" value={id} />
        <button type="submit" class="primary">
          Open<span class="unseen"> connection {spelledOut(id.slice(0, 8))}</span>
        </button>
      </form>
    </li>
  );
}
