// The set-up: what to click at Gong, what to put into the settings, and the checks that prove each of it. Rendered by
// GET /admin/setup; posts to /admin/setup/check and /admin/setup/sign-in.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { ACCESS_IN_WORDS, type Access } from "./flow-text.ts";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { Badge, Card, CopyButton, Fact, Moment, PostForm } from "./parts.tsx";
import { checkTitle, findingInWords } from "./setup-text.ts";

export interface SetupCheckView {
  readonly name: string;
  readonly verdict: "ok" | "problem" | "unknown" | "not_run";
  readonly reason: string;
  readonly detail?: string | undefined;
  /** Epoch seconds. */
  readonly checkedAt?: number | undefined;
}

export interface SetupIntegrationView {
  readonly name: "main" | "shared";
  readonly access: Access;
  readonly clientId: string;
  readonly checks: readonly SetupCheckView[];
}

export interface AdminSetupView extends AdminPageView {
  readonly redirectUri: string;
  readonly checks: readonly SetupCheckView[];
  readonly integrations: readonly SetupIntegrationView[];
  readonly well: boolean;
  /** Epoch seconds, of the oldest of the last results. */
  readonly asOf?: number | undefined;
}

/** Renders the whole set-up, from the first click at Gong to the last check. */
export function AdminSetupPage(view: AdminSetupView) {
  const { nonce, csrf, redirectUri, checks, integrations } = view;
  return (
    <AdminFrame section="/admin/setup" title="Set-up" nonce={nonce} csrf={csrf} script="copy">
      <Summary view={view} />
      <AtGong redirectUri={redirectUri} integrations={integrations} />
      <section class="card" aria-labelledby="checks">
        <div class="stack">
          <h2 id="checks">2. Run the checks</h2>
          <p>
            The gateway asks Gong what it can ask without anybody signing in. Nothing is changed or charged.
          </p>
        </div>
        <ul class="items">
          {checks.map((check) => (
            <CheckItem check={check} />
          ))}
          {integrations.flatMap(({ access, checks: own }) =>
            own
              .filter(({ name }) => name === "client")
              .map((check) => <CheckItem check={check} about={ACCESS_IN_WORDS[access].title} />),
          )}
        </ul>
        <PostForm action="/admin/setup/check" csrf={csrf}>
          <button type="submit" class={isUntouched(checks) ? "primary" : undefined}>
            Run the checks
          </button>
        </PostForm>
      </section>
      {integrations.map((integration, at) => (
        <SignIn integration={integration} csrf={csrf} step={3 + at} />
      ))}
      <LaterErrors />
    </AdminFrame>
  );
}

const isUntouched = (checks: readonly SetupCheckView[]): boolean =>
  checks.every(({ verdict }) => verdict === "not_run");

function Summary({ view }: { view: AdminSetupView }) {
  const all = [...view.checks, ...view.integrations.flatMap(({ checks }) => checks)];
  const open = all.filter(({ verdict }) => verdict !== "ok").length;
  if (view.well) {
    return (
      <p class="note" role="status">
        <strong>The set-up is well.</strong>{" "}
        {view.asOf === undefined ? null : (
          <>
            Every check passed, the oldest <Moment at={view.asOf} />.
          </>
        )}
      </p>
    );
  }
  return (
    <p class="note warn" role="status">
      <strong>
        {open} of {all.length} checks have not passed.
      </strong>{" "}
      Go through the steps in order; what is wrong says what to do.
    </p>
  );
}

function AtGong({ redirectUri, integrations }: Pick<AdminSetupView, "redirectUri" | "integrations">) {
  return (
    <Card id="at-gong" title="1. Register the gateway at Gong">
      <div class="stack">
        <label for="redirect-uri">Redirect URI to register</label>
        <div class="snippet">
          <input id="redirect-uri" readonly value={redirectUri} aria-describedby="redirect-hint" />
          <CopyButton source="redirect-uri" label="the redirect URI" />
        </div>
        <p id="redirect-hint" class="small soft">
          Exactly this, without a slash at the end. It is the same for both kinds of access.
        </p>
      </div>
      <ol class="stack-wide">
        <li>
          As a Gong tech admin, open <strong>Admin center</strong>, <strong>Settings</strong>,{" "}
          <strong>Ecosystem</strong>, <strong>MCP</strong>, the tab <strong>MCP servers</strong>, and choose{" "}
          <strong>New MCP server integration</strong>.
        </li>
        <li>
          Registration type: <strong>manual</strong>. <FixedForGood />
        </li>
        <li>
          Authorization context: <strong>Personal access</strong> or <strong>Shared access</strong>.{" "}
          <FixedForGood />
          <ul>
            {integrations.map(({ access, name }) => (
              <li>
                For <code>{name === "main" ? "GONG_CLIENT_ID" : "GONG_SHARED_CLIENT_ID"}</code>:{" "}
                <strong>{ACCESS_IN_WORDS[access].title}</strong>. {ACCESS_IN_WORDS[access].text}
              </li>
            ))}
          </ul>
        </li>
        <li>Give it a name, paste the redirect URI, and choose all three scopes.</li>
        <li>Leave IP restrictions off: a Worker calls from changing addresses.</li>
        <li>
          Save. Copy client ID and client secret (later: <strong>More actions</strong>,{" "}
          <strong>View credentials</strong>) into this gateway's settings, and deploy.
        </li>
      </ol>
    </Card>
  );
}

function FixedForGood() {
  return <span class="badge warn">Can't be changed later: a wrong choice needs a new integration</span>;
}

function SignIn({
  integration,
  csrf,
  step,
}: {
  integration: SetupIntegrationView;
  csrf: string;
  step: number;
}) {
  const { name, access, clientId, checks } = integration;
  const id = `sign-in-${name}`;
  const own = checks.filter((check) => check.name !== "client");
  const isDone = own.every(({ verdict }) => verdict === "ok");
  return (
    <section class="card" aria-labelledby={id}>
      <div class="stack">
        <h2 id={id}>
          {step}. {access === "shared" ? "Connect shared access" : "Sign in at Gong once, as a test"}
        </h2>
        <p class="small soft">
          Client ID at Gong <code>{spelledOut(clientId)}</code>
        </p>
        <p>
          {access === "shared"
            ? "Sign in as the person whose access the company shares. Every approved client uses this connection; connecting it again ends no client."
            : "Sign in as anybody with a paid seat. The gateway looks at what Gong grants and keeps nothing; if that person is connected already, their connection is renewed."}
        </p>
        <p>
          If Gong shows an error page of its own, the redirect URI there is not exactly the one above. Come
          back here by yourself then.
        </p>
      </div>
      <ul class="items">
        {own.map((check) => (
          <CheckItem check={check} />
        ))}
      </ul>
      <PostForm action="/admin/setup/sign-in" csrf={csrf}>
        <input type="hidden" name="integration" value={name} />
        <button type="submit" class={isDone ? undefined : "primary"}>
          {access === "shared" ? "Connect shared access" : "Sign in at Gong"}
          {isDone ? " again" : ""}
        </button>
      </PostForm>
    </section>
  );
}

function CheckItem({ check, about }: { check: SetupCheckView; about?: string }) {
  const { name, verdict, reason, detail, checkedAt } = check;
  const { text, hint } = findingInWords(name, reason);
  const { label, tone } = VERDICTS[verdict];
  return (
    <li>
      <div class="row">
        <h3>
          {checkTitle(name)}
          {about === undefined ? "" : ` (${about})`}
        </h3>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p>
        {spelledOut(text)}
        {detail === undefined ? null : (
          <>
            {" "}
            <code>{asciiUri(detail)}</code>
          </>
        )}
      </p>
      {hint === undefined || verdict === "ok" ? null : (
        <p class={`note ${tone}`}>
          <strong>What to do.</strong> {hint}
        </p>
      )}
      {checkedAt === undefined ? null : (
        <p class="small soft">
          Checked <Moment at={checkedAt} />
        </p>
      )}
    </li>
  );
}

const VERDICTS = {
  ok: { label: "OK", tone: "good" },
  problem: { label: "Problem", tone: "bad" },
  unknown: { label: "Could not check", tone: "warn" },
  not_run: { label: "Not checked", tone: "plain" },
} as const;

/** What no check can see before it happens to somebody. */
function LaterErrors() {
  return (
    <Card id="later" title="What people may meet later">
      <dl class="facts">
        {(["no_seat", "no_credits", "address_refused"] as const).map((reason) => {
          const { text, hint } = findingInWords("", reason);
          return (
            <Fact term={LATER_TITLES[reason]}>
              <p>{text}</p>
              <p>{hint}</p>
            </Fact>
          );
        })}
      </dl>
    </Card>
  );
}

const LATER_TITLES = {
  no_seat: "No paid seat",
  no_credits: "No credits",
  address_refused: "IP restriction",
} as const;
