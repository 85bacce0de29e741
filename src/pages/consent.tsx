// The consent page: who asks, where access goes, what it opens, what it costs, how it ends. Rendered by GET
// /authorize; its form goes to POST /authorize. RFC 6749 §10.2, §10.13; MCP security best practices, confused deputy.

import type { Child } from "hono/jsx";
import { DeviceCheck, DeviceDestination, type AskingDeviceView } from "./device.tsx";
import { ACCESS_IN_WORDS, scopeInWords, type Access } from "./flow-text.ts";
import { Layout } from "./layout.tsx";
import { asciiUri, spelledOut, visibleName } from "./outside-text.ts";
import { Badge, ClientName, Fact } from "./parts.tsx";
import { KeptQuestions } from "./policy-content.tsx";

export interface ConsentView {
  nonce: string;
  client: {
    name: string | undefined;
    registration: "preregistered" | "metadata_document" | "dynamic";
    clientId: string;
  };
  /** The exact redirect URI of the request. */
  redirectUri: string;
  /** Its host (and port) in ASCII. */
  redirectHost: string;
  /** The device that the answer goes to in the place of the redirect URI: RFC 8628 §3.3. */
  device?: AskingDeviceView;
  /** Whether the redirect URI leads back to the person's own computer. */
  loopback: boolean;
  scopes: readonly string[];
  access: Access;
  /** The MCP URL that access is for. */
  resource: string;
  gatewayHost: string;
  sealedRequest: string;
  /** Days without use after which access ends, and the most days it lasts in any case. */
  idleDays: number;
  longestDays: number;
  /** For how many days admins can read what agents ask; undefined while they can't. */
  readableDays?: number | undefined;
}

/** Renders the question, with Approve and Deny as the two ways to answer it. */
export function ConsentPage(view: ConsentView) {
  return (
    <Layout title="Approve access to Gong" nonce={view.nonce} script="guard">
      <div class="stack">
        <h1>Let this client use Gong?</h1>
        <p class="soft">Approve only if you started this yourself, just now.</p>
      </div>
      <div class="card">
        <dl class="facts">
          <Asker view={view} />
          {view.device === undefined ? <Destination view={view} /> : <DeviceDestination {...view.device} />}
          <Abilities scopes={view.scopes} />
          <Terms view={view} />
        </dl>
        <Answer view={view} />
      </div>
      <p class="small soft">
        This page belongs to <strong>{asciiUri(view.gatewayHost)}</strong>, your organization's way to Gong.
        It never asks for your Gong password: that belongs only on Gong's own page.
      </p>
    </Layout>
  );
}

function Asker({ view }: { view: ConsentView }) {
  const { client } = view;
  const { tone, badge, text } = standing(view);
  return (
    <Fact term="Who asks">
      <p class="row">
        <strong class="key">
          <AskerName {...client} />
        </strong>
        <Badge tone={tone}>{badge}</Badge>
      </p>
      <p>{text}</p>
      <p class="small soft">
        Client ID <code>{spelledOut(client.clientId)}</code>
      </p>
    </Fact>
  );
}

interface Standing {
  readonly tone: "good" | "warn";
  readonly badge: string;
  readonly text: Child;
}

/** Who vouches for the client, and how far that goes. */
function standing({ client, loopback, device }: ConsentView): Standing {
  switch (client.registration) {
    case "preregistered":
      return {
        tone: "good",
        badge: "Set up by your admin",
        text: "Pre-registered by your admin under this name.",
      };
    case "metadata_document":
      return documentStanding(client.clientId, loopback, device !== undefined);
    case "dynamic": {
      const chosen =
        visibleName(client.name) === undefined ? "gave no name" : "chose this name, which anyone could use";
      return {
        tone: "warn",
        badge: "Not verified",
        text: `Not verified: this client registered itself and ${chosen}.`,
      };
    }
  }
}

// A web address proves who wrote the document, and so who receives a code at an https address it lists. It does not
// prove which program listens on this computer (MCP authorization, Localhost Redirect URI Risks).
function documentStanding(clientId: string, loopback: boolean, device: boolean): Standing {
  const host = <strong>{asciiUri(URL.parse(clientId)?.host ?? clientId)}</strong>;
  return loopback || device
    ? {
        tone: "warn",
        badge: "Only the name is verified",
        text: (
          <>
            The name is the one published at {host}. Any program {device ? "" : "on this computer "}can claim
            to be this client.
          </>
        ),
      }
    : { tone: "good", badge: "Web address verified", text: <>Verified by its web address: {host}</> };
}

// Quotation marks say whose word a name is: an admin's, or the client's own.
function AskerName({ name, registration }: ConsentView["client"]) {
  if (registration === "preregistered" || visibleName(name) === undefined) return <ClientName name={name} />;
  return (
    <>
      “<ClientName name={name} />”
    </>
  );
}

function Destination({ view }: { view: ConsentView }) {
  const host = asciiUri(view.redirectHost);
  return (
    <Fact term="Where access goes">
      <p class="key">
        {view.loopback ? "A program on this computer: " : ""}
        <strong>{host}</strong>
      </p>
      <p>
        {view.loopback
          ? "The gateway can't tell which program is listening there. Approve only if you are signing in from a program on this computer right now."
          : "Whoever runs this site gets the access. If you don't know it, deny."}
      </p>
      <p class="small soft">
        Full address <code>{asciiUri(view.redirectUri)}</code>
      </p>
    </Fact>
  );
}

function Abilities({ scopes }: { scopes: readonly string[] }) {
  return (
    <Fact term="What it can do">
      <ul class="bare stack-wide">
        {scopes.map((scope) => (
          <Ability scope={scope} />
        ))}
      </ul>
      <p class="small soft">
        {scopes.every((scope) => scope.endsWith(":read")) ? "It can't change anything in Gong. " : ""}
        Gong does not publish which tool each permission opens; the tools above are our reading of their
        names.
      </p>
    </Fact>
  );
}

function Ability({ scope }: { scope: string }) {
  const { title, tools, text } = scopeInWords(scope);
  return (
    <li>
      <strong>{title}</strong>
      <br />
      {text}
      <br />
      <span class="small soft">
        {tools.length === 0 ? "" : "Tool "}
        {tools.map((tool, index) => (
          <>
            {index === 0 ? "" : ", "}
            <code>{tool}</code>
          </>
        ))}
        {tools.length === 0 ? "" : " · "}Scope <code>{spelledOut(scope)}</code>
      </span>
    </li>
  );
}

function Terms({ view }: { view: ConsentView }) {
  const access = ACCESS_IN_WORDS[view.access];
  return (
    <>
      <Fact term="Which data">
        <p>
          <strong>{access.title}.</strong> {access.text}
        </p>
        <p class="small soft">
          Through{" "}
          {view.access === "personal"
            ? "your own connection to Gong, which all your agents use,"
            : "the one connection that your company shares,"}{" "}
          at <code>{asciiUri(view.resource)}</code>
        </p>
      </Fact>
      <Fact term="What it costs">
        Every call spends your company's Gong credits. The more calls and emails a question covers, the more
        it costs.
      </Fact>
      {view.readableDays === undefined ? null : (
        <Fact term="Who can read the questions">
          <KeptQuestions days={view.readableDays} />
        </Fact>
      )}
      <Fact term="For how long">
        <p>
          {`Until you stop it, and at most ${view.longestDays} days. If the client doesn't use it for ${view.idleDays} days, it ends by itself. `}
          {view.access === "personal" ? (
            <>
              To stop it sooner, open <strong>{asciiUri(view.gatewayHost)}/account</strong> in your browser.
            </>
          ) : (
            "To stop it sooner, ask the admin of this gateway to end it."
          )}
        </p>
      </Fact>
    </>
  );
}

function Answer({ view }: { view: ConsentView }) {
  return (
    <form method="post" action="/authorize" class="stack answer" data-guard>
      <input type="hidden" name="request" value={view.sealedRequest} />
      <p>
        {view.access === "personal"
          ? "After you approve, Gong asks you to sign in and allow it."
          : "After you approve, an admin of this gateway is asked."}
      </p>
      {view.device === undefined ? null : <DeviceCheck />}
      <div class="choice">
        <button type="submit" name="decision" value="approve" class="primary">
          Approve
        </button>
        <button type="submit" name="decision" value="deny" formnovalidate>
          Deny
        </button>
      </div>
      <p role="status" class="small status"></p>
    </form>
  );
}
