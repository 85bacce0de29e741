// A web page that is an MCP client: the unmodified TypeScript SDK 2 with what such a page keeps in its local storage.
// Bundled into a page by browser-client.test.ts, which finds the outcome in the page's text.

import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";

const kept = (name: string): string | undefined => localStorage.getItem(name) ?? undefined;
const keep = (name: string, value: string): void => localStorage.setItem(name, value);
/** What was kept as JSON; what its type is, only who kept it knows. */
const keptJson = (name: string): unknown => JSON.parse(kept(name) ?? "null") ?? undefined;

const provider: OAuthClientProvider = {
  redirectUrl: `${location.origin}/callback`,
  clientMetadata: {
    client_name: "Web page",
    redirect_uris: [`${location.origin}/callback`],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  state: () => {
    keep("state", crypto.randomUUID());
    return kept("state") ?? "";
  },
  clientInformation: () => keptJson("client") as StoredOAuthClientInformation | undefined,
  saveClientInformation: (client) => keep("client", JSON.stringify(client)),
  tokens: () => keptJson("tokens") as StoredOAuthTokens | undefined,
  saveTokens: (tokens) => keep("tokens", JSON.stringify(tokens)),
  redirectToAuthorization: (url) => location.assign(url),
  saveCodeVerifier: (verifier) => keep("verifier", verifier),
  codeVerifier: () => kept("verifier") ?? "",
  discoveryState: () => keptJson("discovery") as OAuthDiscoveryState | undefined,
  saveDiscoveryState: (discovery) => keep("discovery", JSON.stringify(discovery)),
};

async function ask(mcpUrl: string): Promise<string> {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider });
  const arrived = new URLSearchParams(location.search);
  if (arrived.has("code")) {
    if (arrived.get("state") !== kept("state")) throw new Error("Another state came back");
    await transport.finishAuth(arrived);
  }
  const client = new Client({ name: "Web page", version: "1.0.0" });
  await client.connect(
    arrived.has("code")
      ? new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider })
      : transport,
  );
  const result = await client.callTool({
    name: "ask_account",
    arguments: { crmAccount: "Globex", question: "Is the renewal on track?" },
  });
  await client.close();
  return JSON.stringify(result);
}

async function main(): Promise<void> {
  const mcpUrl = new URLSearchParams(location.search).get("mcp") ?? kept("mcp") ?? "";
  keep("mcp", mcpUrl);
  try {
    document.body.textContent = await ask(mcpUrl);
  } catch (error) {
    // The browser is on its way to the consent page.
    if (error instanceof UnauthorizedError) return;
    document.body.textContent = `Failed: ${String(error)}`;
  }
}

await main();
