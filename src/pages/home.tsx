// The front page: what this gateway is, and how to add it to each client with this deployment's real URL.
// Rendered by GET /.

import type { Access } from "./flow-text.ts";
import { Layout } from "./layout.tsx";
import { Snippet } from "./parts.tsx";
import { setupSteps } from "./client-setup.ts";

export interface HomeView {
  nonce: string;
  gatewayName: string;
  mcpUrl: string;
  /** The access that `mcpUrl` gives; personal by default. */
  access?: Access;
  /** The URL for shared access, when the deployment has it. */
  sharedMcpUrl: string | undefined;
}

/** Renders the front page. */
export function HomePage({ nonce, gatewayName, mcpUrl, access, sharedMcpUrl }: HomeView) {
  return (
    <Layout title={gatewayName} nonce={nonce} script="copy" wide>
      <div class="stack">
        <h1>{gatewayName}</h1>
        <p>
          Let the AI agents you already use ask Gong about your accounts, deals and contacts. Add one address
          to your client, approve it once in your browser, and sign in at Gong. Gong's tokens stay sealed in
          this gateway and never reach the agent, and every call spends your company's Gong credits.
        </p>
        {access === "shared" ? null : (
          <p>
            <a href="/account">Your Gong access</a> shows what uses Gong in your name, and stops it.
          </p>
        )}
      </div>
      <section class="card" aria-labelledby="address">
        <h2 id="address">The address</h2>
        <div class="stack">
          <p>
            {access === "shared"
              ? "Shared access: all of your company's Gong data. An admin must approve each client."
              : "Personal access: the agent sees what you can see in Gong."}
          </p>
          <Snippet id="url" text={mcpUrl} label="the address" />
        </div>
        {sharedMcpUrl === undefined ? null : (
          <div class="stack">
            <p>
              Shared access: all of your company's Gong data. Add it in the same way, under another name such
              as <code>gong-shared</code>. An admin must approve each client.
            </p>
            <Snippet id="shared-url" text={sharedMcpUrl} label="the address for shared access" />
          </div>
        )}
      </section>
      <SetUp mcpUrl={mcpUrl} />
      <Trouble />
    </Layout>
  );
}

function SetUp({ mcpUrl }: { mcpUrl: string }) {
  return (
    <section class="card" aria-labelledby="clients">
      <h2 id="clients">Add it to your client</h2>
      <ul class="items">
        {setupSteps(mcpUrl).map(({ id, client, before, paste, after }) => (
          <li>
            <h3>{client}</h3>
            <p>
              <Prose text={before} />
            </p>
            <Snippet id={id} text={paste} label={`for ${client}`} />
            {after === undefined ? null : (
              <p class="soft">
                <Prose text={after} />
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

// Our own words only: what stands between backticks is code.
function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}

const TROUBLE: readonly { when: string; what: string }[] = [
  {
    when: "The page says that it has expired or was used already",
    what: "Start again from your client. An approval can be finished for 10 minutes, once.",
  },
  {
    when: "The page says that it is the wrong browser",
    what: "Finish in the browser window where you pressed Approve. A private window counts as another browser.",
  },
  {
    when: "The page does not know the client or its redirect URI",
    what: "Remove the server in your client and add it again, so that it registers anew.",
  },
  {
    when: "Gong does not let you in",
    what: "Gong's MCP server needs a paid Gong seat; collaborators can't use it. Ask your Gong admin.",
  },
  {
    when: "Anything else",
    what: "Give your admin the request ID from the error page. It finds the entry in the gateway's log.",
  },
];

function Trouble() {
  return (
    <section class="card" aria-labelledby="trouble">
      <h2 id="trouble">When sign-in fails</h2>
      <dl class="stack-wide">
        {TROUBLE.map(({ when, what }) => (
          <div>
            <dt>
              <strong>{when}</strong>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
