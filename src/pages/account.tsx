// A person's account: the state of their connection, the agents that use it, what happened, and how to end it all.
// Rendered by GET /account for a live account session; each form carries the form token of that session.

import { Agents, type Agent } from "./account-agents.tsx";
import type { CallsOfAgents } from "./account-calls.tsx";
import { AccountKeys, type AccountKeysView } from "./account-keys.tsx";
import { eventInWords } from "./account-text.ts";
import { OutOfCredits, StateBadge } from "./admin-connections.tsx";
import { Confirm } from "./confirm.tsx";
import { reasonInWords } from "./flow-text.ts";
import { Layout } from "./layout.tsx";
import { spelledOut } from "./outside-text.ts";
import { Card, ClientName, Moment, PostForm } from "./parts.tsx";

export interface AccountEvent {
  /** Epoch seconds. */
  readonly at: number;
  readonly action: string;
  readonly name: string | undefined;
  readonly reason: string | undefined;
}

export interface AccountView {
  readonly nonce: string;
  readonly csrf: string;
  /** A short form of the connection's id, to tell an admin. */
  readonly shortId: string;
  readonly state: string;
  readonly reason: string | undefined;
  /** Epoch seconds. */
  readonly since: number;
  /** Epoch seconds; while Gong says that its credits are used up. */
  readonly outOfCreditsSince?: number | undefined;
  readonly agents: readonly Agent[];
  readonly keys: Omit<AccountKeysView, "csrf" | "calls">;
  readonly calls: CallsOfAgents;
  /** The newest first. */
  readonly events: readonly AccountEvent[];
  /** What an act has just done, in words. */
  readonly done: string | undefined;
}

/** Renders the account page. */
export function AccountPage(view: AccountView) {
  return (
    <Layout title="Your Gong access" nonce={view.nonce} wide>
      <div class="row spread">
        <h1>Your Gong access</h1>
        <PostForm action="/account/sign-out" csrf={view.csrf}>
          <button type="submit">Sign out</button>
        </PostForm>
      </div>
      {view.done === undefined ? null : (
        <p role="status" class="note">
          {view.done}
        </p>
      )}
      <Connection view={view} />
      <Agents agents={view.agents} calls={view.calls} csrf={view.csrf} />
      <AccountKeys {...view.keys} calls={view.calls} csrf={view.csrf} />
      <Record events={view.events} />
      <SignOutEverywhere csrf={view.csrf} />
      {view.state === "disconnected" ? null : <Disconnect view={view} />}
    </Layout>
  );
}

function Connection({ view }: { readonly view: AccountView }) {
  const { state, reason, since, shortId, csrf } = view;
  const working = state === "connected" || state === "refreshing";
  return (
    <section class="card" aria-labelledby="connection">
      <div class="row">
        <h2 id="connection">Your connection to Gong</h2>
        <StateBadge state={state} />
      </div>
      <div class="stack">
        <p>{meaning(state)}</p>
        {working ? <OutOfCredits since={view.outOfCreditsSince} /> : null}
        {reason === undefined ? null : (
          <p class={working ? "note" : "note warn"}>{spelledOut(reasonInWords(reason))}</p>
        )}
        <p class="small soft">
          In this state since <Moment at={since} /> · Connection <code>{spelledOut(shortId)}</code>
        </p>
      </div>
      <PostForm action="/account/reconnect" csrf={csrf} class="stack">
        <div>
          <button type="submit" class={working ? undefined : "primary"}>
            Connect at Gong again
          </button>
        </div>
        <p class="small soft">
          {state === "disconnected"
            ? "Takes you to Gong. After that you can make agent keys here."
            : "Takes you to Gong and brings fresh tokens for this connection. Agents that are approved stay approved."}
        </p>
      </PostForm>
    </section>
  );
}

function meaning(state: string): string {
  switch (state) {
    case "connected":
    case "refreshing":
      return "Agents that you approved can use Gong, and see what you can see there.";
    case "needs_reconnect":
      return "Your agents can't use Gong until you connect again. They need not be approved anew.";
    default:
      return "Nothing can use Gong in your name. The gateway holds no Gong tokens of yours.";
  }
}

function Record({ events }: Pick<AccountView, "events">) {
  return (
    <Card id="record" title="What happened">
      <ul class="bare stack">
        {events.map(({ at, action, name, reason }) => (
          <li>
            <Moment at={at} />: {spelledOut(eventInWords(action))}
            {action.startsWith("agent.") || name !== undefined ? (
              <>
                {" "}
                “<ClientName name={name} />”
              </>
            ) : null}
            {reason === undefined ? null : (
              <span class="small soft"> · {spelledOut(reasonInWords(reason))}</span>
            )}
          </li>
        ))}
      </ul>
      <p class="row">
        <a class="button" href="/account/calls">
          Calls and spend
        </a>
        <a class="button" href="/account/record/csv" download>
          Download as CSV
        </a>
        <a class="button" href="/account/record/ndjson" download>
          Download as NDJSON
        </a>
      </p>
      <p class="small soft">The newest 1000 events are kept.</p>
    </Card>
  );
}

function SignOutEverywhere({ csrf }: { readonly csrf: string }) {
  return (
    <section class="card" aria-labelledby="signed-in">
      <div class="stack">
        <h2 id="signed-in">Signed in on another device?</h2>
        <p>Signing in to this page lasts 30 minutes without use, and 8 hours at most.</p>
      </div>
      <Confirm
        label="Sign out everywhere…"
        about=""
        action="/account/sign-out-everywhere"
        csrf={csrf}
        button="Sign out everywhere"
      >
        You are signed out of this page in every browser, here too. Your agents and keys go on; if you have
        none, the gateway also deletes its Gong tokens.
      </Confirm>
    </section>
  );
}

function Disconnect({ view }: { readonly view: AccountView }) {
  const { agents, keys, csrf } = view;
  return (
    <section class="card" aria-labelledby="disconnect">
      <div class="stack">
        <h2 id="disconnect">End your connection</h2>
        <p>
          Gong offers no way to revoke tokens from here. The gateway deletes its copies, and what Gong issued
          ends at Gong's own time. If you fear that one has leaked, tell an admin: only deleting the
          integration in Gong's Admin center cuts it off at Gong, for everyone.
        </p>
      </div>
      <Confirm
        label="End my connection…"
        about=""
        action="/account/disconnect"
        csrf={csrf}
        button="End my connection"
      >
        {whatStops(agents.length, keys.keys.filter(({ state }) => state === "live").length)} To use Gong
        again, agents must be approved anew and keys made anew. This can't be undone.
      </Confirm>
    </section>
  );
}

function whatStops(agents: number, keys: number): string {
  if (agents + keys === 0) return "No agent uses it.";
  const parts = [
    ...(agents === 0 ? [] : [agents === 1 ? "1 agent" : `${agents} agents`]),
    ...(keys === 0 ? [] : [keys === 1 ? "1 agent key" : `${keys} agent keys`]),
  ];
  return `At once ${parts.join(" and ")} will stop working.`;
}
