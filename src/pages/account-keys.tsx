// The agent keys of a person's own connection: the list with the way to revoke each, the form for a new one, and the
// page that shows a key once. Part of account.tsx; rendered by GET and POST /account/keys too.

import { callsInWords, type AgentCalls, type CallsOfAgents } from "./account-calls.tsx";
import {
  AgentKeyForm,
  AgentKeyMade,
  agentKeyName,
  RevokeKey,
  type AgentKeyMadeView,
  type EnteredKey,
} from "./agent-key-form.tsx";
import { keyStateInWords, toolsInWords, type AgentKeyRefusal, type AgentKeyState } from "./agent-key-text.ts";
import { Layout } from "./layout.tsx";
import { spelledOut } from "./outside-text.ts";
import { Badge, Moment } from "./parts.tsx";

const PATH = "/account/keys";

export interface AccountKey {
  readonly id: string;
  readonly name: string;
  readonly tools: readonly string[] | undefined;
  readonly state: AgentKeyState;
  /** Epoch seconds, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | undefined;
  readonly revokedAt: number | undefined;
}

export interface AccountKeysView {
  readonly csrf: string;
  readonly keys: readonly AccountKey[];
  readonly calls: CallsOfAgents;
  /** Whether a key can be made now: the connection must be connected. */
  readonly connected: boolean;
  readonly lifetimes: readonly number[];
  readonly resource: string;
  readonly refusal: AgentKeyRefusal | undefined;
  /** What was asked for when it was refused. */
  readonly entered?: EnteredKey | undefined;
}

/** Renders the keys and the form. Posts to /account/keys and /account/keys/<id>/revoke. */
export function AccountKeys(view: AccountKeysView) {
  const { csrf, keys, calls, connected, lifetimes, resource, refusal, entered } = view;
  return (
    <section class="card" aria-labelledby="agent-keys">
      <div class="stack">
        <h2 id="agent-keys">Agent keys</h2>
        <p>
          For an agent that has no browser, such as a nightly job. A key sees what you can see in Gong, for as
          long as you say.
        </p>
      </div>
      {keys.length === 0 ? null : (
        <ul class="items">
          {keys.map((key) => (
            <KeyItem agentKey={key} calls={calls.get(key.id)} csrf={csrf} />
          ))}
        </ul>
      )}
      {connected ? (
        <details open={refusal !== undefined}>
          <summary class="button">Make an agent key…</summary>
          <div class="confirm">
            <AgentKeyForm
              action={PATH}
              csrf={csrf}
              lifetimes={lifetimes}
              resources={[resource]}
              refusal={refusal}
              entered={entered}
            />
          </div>
        </details>
      ) : (
        <p class="soft">Connect at Gong again first, then you can make a key.</p>
      )}
    </section>
  );
}

interface ItemView {
  readonly agentKey: AccountKey;
  readonly calls: AgentCalls | undefined;
  readonly csrf: string;
}

function KeyItem({ agentKey, calls, csrf }: ItemView) {
  const { state, tools, createdAt, expiresAt, lastUsedAt, revokedAt } = agentKey;
  const { label, tone } = keyStateInWords(state);
  return (
    <li>
      <div class="row">
        <h3>
          <bdi>{agentKeyName(agentKey.name)}</bdi>
        </h3>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p class="small soft">
        Made <Moment at={createdAt} />
        {lastUsedAt === undefined ? ", not used yet" : ", last used "}
        {lastUsedAt === undefined ? null : <Moment at={lastUsedAt} />}
        {callsInWords(calls)}
        <br />
        May call {spelledOut(toolsInWords(tools))}
        <br />
        {revokedAt === undefined ? (
          <>
            {state === "live" ? "Works until " : "Ran out "}
            <Moment at={expiresAt} />
          </>
        ) : (
          <>
            Revoked <Moment at={revokedAt} />
          </>
        )}
      </p>
      {state === "live" ? <RevokeKey {...agentKey} path={PATH} csrf={csrf} /> : null}
    </li>
  );
}

/** Renders the page that shows a key once. */
export function AccountKeyMadePage({ nonce, ...made }: AgentKeyMadeView & { readonly nonce: string }) {
  return (
    <Layout title="New agent key" nonce={nonce} script="copy" wide>
      <h1>New agent key</h1>
      <AgentKeyMade {...made} />
      <p>
        <a class="button" href="/account">
          Back to your Gong access
        </a>
      </p>
    </Layout>
  );
}
