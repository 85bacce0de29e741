// The machine clients of shared access: those there are, the form that makes one, and the one time its secret is shown.
// Rendered by routes/admin-machine-clients for a signed-in admin.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { Confirm } from "./confirm.tsx";
import { scopeInWords } from "./flow-text.ts";
import { spelledOut } from "./outside-text.ts";
import { Badge, Card, ClientName, Moment, PostForm, Snippet } from "./parts.tsx";
import { pathSegment } from "./links.ts";

export interface MachineClient {
  readonly id: string;
  readonly name: string;
  readonly proof: "secret" | "keys" | "key_set_url";
  /** Names of scopes, separated by spaces. */
  readonly scope: string;
  readonly state: "live" | "expired" | "ended";
  /** Epoch seconds, as every moment here. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number | undefined;
  readonly usedAt?: number | undefined;
}

export interface MachineClientsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<MachineClient>;
  /** Whether there is an integration that a machine client could use. */
  readonly hasShared: boolean;
  /** The scopes to choose from. */
  readonly scopes: readonly string[];
  /** The choices for the end, in days; 0 is never. */
  readonly expiryDays: readonly number[];
  /** What was wrong with the form that was just posted, in words, and the name that was in it. */
  readonly problem?: string | undefined;
  readonly enteredName?: string | undefined;
}

const PATH = "/admin/machine-clients";
const PROOFS = {
  secret: "by a secret",
  keys: "by public keys",
  key_set_url: "by a key set at a URL",
} as const;
const STATES = { live: ["Live", "good"], expired: ["Expired", ""], ended: ["Ended", ""] } as const;

/** Renders the list and the form. Posts to /admin/machine-clients and /admin/machine-clients/<id>/end. */
export function MachineClientsPage(view: MachineClientsView) {
  const { nonce, csrf, query, page } = view;
  return (
    <AdminFrame section={PATH} title="Machine clients" nonce={nonce} csrf={csrf}>
      {view.problem === undefined ? null : (
        <p class="note bad" role="alert" tabindex={-1} autofocus>
          {view.problem}
        </p>
      )}
      <section class="card" aria-labelledby="existing">
        <div class="stack">
          <h2 id="existing">Machine clients</h2>
          <p>
            A machine client uses shared access, <strong>all of your company's Gong data</strong>, without a
            browser: it asks for an access token by its own secret or signature.
          </p>
        </div>
        <AdminList
          path={PATH}
          query={query}
          page={page}
          caption="Machine clients"
          searchLabel="Search name or id"
          empty="None yet."
          columns={[
            { heading: "Name", cell: (client) => <Identity client={client} /> },
            { heading: "State", cell: (client) => <State client={client} /> },
            {
              heading: "Last token",
              cell: ({ usedAt }) => (usedAt === undefined ? "never" : <Moment at={usedAt} />),
            },
            { heading: "End", cell: (client) => <End client={client} csrf={csrf} /> },
          ]}
        />
      </section>
      {view.hasShared ? (
        <NewMachineClient {...view} />
      ) : (
        <p class="note">
          To make one, register a second integration with shared access at Gong and set GONG_SHARED_CLIENT_ID
          and GONG_SHARED_CLIENT_SECRET.
        </p>
      )}
    </AdminFrame>
  );
}

function Identity({ client }: { client: MachineClient }) {
  const { id, name, proof, scope, createdAt, createdBy } = client;
  return (
    <div class="stack">
      <ClientName name={name} />
      <code class="small">{spelledOut(id)}</code>
      <span class="small soft">
        {scope
          .split(" ")
          .map((one) => scopeInWords(one).title)
          .join(", ")}
      </span>
      <span class="small soft">
        known {PROOFS[proof]}, made <Moment at={createdAt} /> by {spelledOut(createdBy)}
      </span>
    </div>
  );
}

function State({ client: { state, expiresAt } }: { client: MachineClient }) {
  const [label, tone] = STATES[state];
  return (
    <div class="stack">
      <span>
        <Badge tone={tone}>{label}</Badge>
      </span>
      {state === "live" ? (
        <span class="small soft">
          {expiresAt === undefined ? (
            "no end set"
          ) : (
            <>
              until <Moment at={expiresAt} />
            </>
          )}
        </span>
      ) : null}
    </div>
  );
}

function End({ client: { id, name, state }, csrf }: { client: MachineClient; csrf: string }) {
  if (state === "ended") return <span class="soft">–</span>;
  return (
    <Confirm
      label="End access…"
      about={name}
      action={`${PATH}/${pathSegment(id)}/end`}
      csrf={csrf}
      button="End its access"
    >
      Its tokens stop working at once, and it gets no new ones. This can't be undone: make another one to let
      the machine in again.
    </Confirm>
  );
}

function NewMachineClient({ csrf, scopes, expiryDays, enteredName }: MachineClientsView) {
  return (
    <Card id="new" title="New machine client">
      <PostForm action={PATH} csrf={csrf} class="stack-wide">
        <div class="stack">
          <label for="name">Name</label>
          <input id="name" name="name" value={enteredName} required maxlength={64} autocomplete="off" />
        </div>
        <fieldset class="stack">
          <legend>It may use</legend>
          {scopes.map((scope) => (
            <label class="check">
              <input type="checkbox" name={`scope:${scope}`} value="1" checked />
              <span>
                {scopeInWords(scope).title} <code class="small soft">{spelledOut(scope)}</code>
              </span>
            </label>
          ))}
        </fieldset>
        <ProofChoice />
        <div class="stack">
          <label for="days">It ends</label>
          <select id="days" name="days">
            {expiryDays.map((days) => (
              <option value={days} selected={days === 90}>
                {days === 0 ? "when an admin ends it" : `after ${days} days`}
              </option>
            ))}
          </select>
        </div>
        <div class="row">
          <button type="submit" class="primary">
            Make the machine client
          </button>
        </div>
      </PostForm>
    </Card>
  );
}

function ProofChoice() {
  return (
    <fieldset class="stack">
      <legend>It proves itself by</legend>
      <label class="check">
        <input type="radio" name="proof" value="secret" checked />
        <span>a secret that the gateway makes and shows once</span>
      </label>
      <label class="check">
        <input type="radio" name="proof" value="keys" />
        <span>a signature; these are its public keys (a JWK Set)</span>
      </label>
      <textarea name="jwks" rows={4} aria-label="Public keys, a JWK Set" spellcheck={false} />
      <label class="check">
        <input type="radio" name="proof" value="key_set_url" />
        <span>a signature; its public keys are at this https URL</span>
      </label>
      <input name="jwks_uri" type="text" inputmode="url" aria-label="URL of its key set" autocomplete="off" />
    </fieldset>
  );
}

export interface MadeMachineClientView extends AdminPageView {
  readonly clientId: string;
  /** Undefined for a client that signs. */
  readonly secret: string | undefined;
  readonly tokenEndpoint: string;
  /** The MCP endpoint with shared access. */
  readonly resource: string;
}

/** Renders a new machine client with its secret, the only time that anybody sees it, and what to do with it. */
export function MadeMachineClientPage({ nonce, csrf, clientId, secret, ...urls }: MadeMachineClientView) {
  return (
    <AdminFrame section={PATH} title="Machine client made" nonce={nonce} csrf={csrf} script="copy">
      <section class="card" aria-labelledby="made">
        <div class="stack">
          <h2 id="made">For the machine</h2>
          {secret === undefined ? null : (
            <p class="note warn">
              The secret is shown this once. Put it where the machine keeps secrets; the gateway keeps only
              its hash.
            </p>
          )}
        </div>
        <div class="stack">
          <h3>Client ID</h3>
          <Snippet id="client-id" text={clientId} label="the client ID" />
        </div>
        {secret === undefined ? null : (
          <div class="stack">
            <h3>Client secret</h3>
            <Snippet id="client-secret" text={secret} label="the client secret" />
          </div>
        )}
        <div class="stack">
          <h3>MCP server</h3>
          <Snippet id="mcp-url" text={urls.resource} label="the URL of the MCP server" />
          <p class="soft">
            A client that knows client credentials needs these, and finds the rest by itself.
          </p>
        </div>
        {secret === undefined ? null : <TryIt {...urls} />}
        <p>
          <a class="button" href={PATH}>
            Back to the machine clients
          </a>
        </p>
      </section>
    </AdminFrame>
  );
}

function TryIt({ tokenEndpoint, resource }: Pick<MadeMachineClientView, "tokenEndpoint" | "resource">) {
  const lines = [
    `curl -u "$CLIENT_ID:$CLIENT_SECRET" ${tokenEndpoint} \\`,
    `  -d grant_type=client_credentials -d resource=${resource}`,
  ];
  return (
    <div class="stack">
      <h3>Try it</h3>
      <Snippet id="try-it" text={lines.join("\n")} label="the command" />
    </div>
  );
}
