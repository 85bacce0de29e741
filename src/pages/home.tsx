// The front page: what this gateway is, and how to add it to each client with this deployment's real URL.
// Rendered by GET /.

import { KEY_VARIABLE, keyLines } from "./agent-key-text.ts";
import { setupGroups, type SetupGroup, type SetupStep } from "./client-setup.ts";
import type { Access } from "./flow-text.ts";
import { Layout } from "./layout.tsx";
import { Card, Fact, Snippet } from "./parts.tsx";

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
  const groups = setupGroups(mcpUrl);
  return (
    <Layout title={gatewayName} nonce={nonce} script="copy" wide>
      <div class="stack">
        <h1>{gatewayName}</h1>
        <p>
          Let the AI agents you already use ask Gong about your accounts, deals and contacts. Add one address
          to your client, approve it once in your browser, and sign in at Gong. Every call spends your
          company's Gong credits.
        </p>
        {access === "shared" ? null : (
          <p>
            <a href="/account">Your Gong access</a> shows what uses Gong in your name, and stops it.
          </p>
        )}
      </div>
      <Card id="address" title="The address">
        <div class="stack">
          <p>
            {access === "shared"
              ? "Shared access: all of your company's Gong data. An admin must approve each client."
              : "Personal access: the agent sees what you can see in Gong."}
          </p>
          <Snippet id="url" text={mcpUrl} label="the address" />
          <p class="soft">
            No client needs a secret or a client ID for it: leave such fields empty. Each signs in once, in
            your browser.
          </p>
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
      </Card>
      <Contents groups={groups} />
      {groups.map((group) => (
        <SetUp {...group} />
      ))}
      <WithoutBrowser mcpUrl={mcpUrl} access={access ?? "personal"} />
      <Trouble />
    </Layout>
  );
}

function Contents({ groups }: { groups: readonly SetupGroup[] }) {
  const places = [...groups, { id: "keys", title: "Agents without a browser" }, TROUBLE_PLACE];
  return (
    <nav aria-label="On this page">
      <p>
        {places.map(({ id, title }, index) => (
          <>
            {index === 0 ? "" : " · "}
            <a href={`/#${id}`}>{title}</a>
          </>
        ))}
      </p>
    </nav>
  );
}

function SetUp({ id, title, steps }: SetupGroup) {
  return (
    <Card id={id} title={title}>
      <ul class="items">
        {steps.map((step) => (
          <Step {...step} />
        ))}
      </ul>
    </Card>
  );
}

function WithoutBrowser({ mcpUrl, access }: { mcpUrl: string; access: Access }) {
  return (
    <Card id="keys" title="Agents without a browser">
      <p>
        Jobs and servers call with an agent key, in place of a sign-in.{" "}
        {access === "shared" ? (
          "Ask your admin for one: the"
        ) : (
          <>
            Make one for your own data at <a href="/account">your Gong access</a>; for shared access, ask your
            admin. The
          </>
        )}{" "}
        key opens one address, for the tools and the time that it was made for. Put it into the environment
        variable <code>{KEY_VARIABLE}</code>, not into a file that others read.
      </p>
      <ul class="items">
        {keyLines(mcpUrl).map((step) => (
          <Step {...step} />
        ))}
      </ul>
    </Card>
  );
}

function Step({ id, client, before, paste, after }: SetupStep) {
  return (
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
  );
}

// Our own words only: what stands between backticks is code.
function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}

const TROUBLE_PLACE = { id: "trouble", title: "When sign-in fails" };

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
    when: "The client never opens a browser",
    what: "Remove the server in your client and add it again. On a machine without a browser use mcp-remote with `--device-code`, or an agent key.",
  },
  {
    when: "It worked, and now the client asks to sign in again, or its tools are gone",
    what: "Sign in again in the client: your connection at Gong has ended, or the client was not used for a long time. Some clients need a restart first, or the server removed and added again.",
  },
  {
    when: "An agent with a key stopped working",
    what: "401 means that the key was ended or has expired: make a new one. An answer with a link means that its connection to Gong must be renewed: open the link.",
  },
  {
    when: "The page does not know the client or its redirect URI",
    what: "Remove the server in your client and add it again.",
  },
  {
    when: "A client that is a web page can't connect",
    what: "Its origin has to be in `ALLOWED_ORIGINS`: ask your admin.",
  },
  {
    when: "Gong does not let you in",
    what: "Gong's MCP server needs a paid Gong seat; collaborators can't use it. Ask your Gong admin.",
  },
  {
    when: "Anything else",
    what: "Give your admin the request ID from the error page, your client's name, and the time. The client doctor at `/admin/doctor` shows the reason.",
  },
];

function Trouble() {
  return (
    <Card id={TROUBLE_PLACE.id} title={TROUBLE_PLACE.title}>
      <dl class="stack-wide">
        {TROUBLE.map(({ when, what }) => (
          <Fact term={<strong>{when}</strong>}>
            <Prose text={what} />
          </Fact>
        ))}
      </dl>
    </Card>
  );
}
