// The redirect URI to register at Gong and the integrations of this deployment. Part of admin.tsx.

import { StateBadge } from "./admin-connections.tsx";
import { ACCESS_IN_WORDS, reasonInWords, type Access } from "./flow-text.ts";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { CopyButton, Moment } from "./parts.tsx";

export interface Integration {
  access: Access;
  /** The client ID that Gong gave it. */
  clientId: string;
  /** The MCP URL that it serves; without it, the usual path of its access under the public URL. */
  resource?: string;
  /** The state of its connection; for shared access only. */
  connection?: { state: string; reason?: string; since?: string };
}

interface IntegrationsView {
  integrations: readonly Integration[];
  redirectUri: string;
  publicUrl: string;
  csrf: string;
}

/** Shows what to register at Gong, then each integration. Posts to /admin/shared/connect. */
export function Integrations({ integrations, redirectUri, publicUrl, csrf }: IntegrationsView) {
  return (
    <section class="card" aria-labelledby="integrations">
      <h2 id="integrations">Set-up at Gong</h2>
      <div class="stack">
        <label for="redirect-uri">Redirect URI to register</label>
        <div class="snippet">
          <input id="redirect-uri" readonly value={redirectUri} aria-describedby="redirect-hint" />
          <CopyButton source="redirect-uri" label="the redirect URI" />
        </div>
        <p id="redirect-hint" class="small soft">
          In Gong's Admin center: Settings, Ecosystem, MCP, the MCP servers tab, New MCP server integration.
          Choose manual registration. Gong never lets you change the registration type or personal and shared
          access later.
        </p>
      </div>
      <ul class="items">
        {integrations.map((integration) => (
          <IntegrationItem integration={integration} publicUrl={publicUrl} csrf={csrf} />
        ))}
      </ul>
    </section>
  );
}

interface ItemView {
  integration: Integration;
  publicUrl: string;
  csrf: string;
}

function IntegrationItem({ integration, publicUrl, csrf }: ItemView) {
  const { access, clientId, connection } = integration;
  const path = access === "shared" ? "/shared/mcp" : "/mcp";
  const resource = integration.resource ?? publicUrl.replace(/\/$/u, "") + path;
  return (
    <li>
      <div class="row">
        <h3>{ACCESS_IN_WORDS[access].title}</h3>
        {connection === undefined ? null : <StateBadge state={connection.state} />}
      </div>
      <p class="small soft">
        Agents use <code>{asciiUri(resource)}</code>
        <br />
        Client ID at Gong <code>{spelledOut(clientId)}</code>
        {connection?.since === undefined ? null : (
          <>
            <br />
            Since <Moment at={connection.since} />
          </>
        )}
      </p>
      {connection?.reason === undefined ? null : (
        <p class="note warn">{spelledOut(reasonInWords(connection.reason))}</p>
      )}
      {access === "shared" ? (
        <ConnectShared again={connection !== undefined && connection.state !== "disconnected"} csrf={csrf} />
      ) : (
        <p>Nothing to do here: each person connects when they first approve a client.</p>
      )}
    </li>
  );
}

function ConnectShared({ again, csrf }: { again: boolean; csrf: string }) {
  return (
    <form method="post" action="/admin/shared/connect" class="stack">
      <p>
        {again
          ? "Connecting again replaces Gong's tokens. The clients that were approved stay approved."
          : "Sign in at Gong once for the whole company. Until then no client can use shared access."}
      </p>
      <input type="hidden" name="csrf" value={csrf} />
      <div>
        <button type="submit" class={again ? undefined : "primary"}>
          {again ? "Connect shared access again" : "Connect shared access"}
        </button>
      </div>
    </form>
  );
}
