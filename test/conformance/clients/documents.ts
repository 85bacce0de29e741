// What the metadata documents of well-known clients say, as their makers and users describe them (they are not fetched
// here). Served to the gateway by record.ts and by the replay. MCP 2026-07-28, Client ID Metadata Documents.

export interface SiteAnswer {
  readonly status: number;
  readonly document: unknown;
}

const CODE_FLOW = { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] };

/** By URL. claude.ai answers servers with a bot challenge: its documents are built in. */
export const CLIENT_SITES: Readonly<Record<string, SiteAnswer>> = {
  "https://claude.ai/oauth/mcp-oauth-client-metadata": { status: 403, document: "Just a moment..." },
  "https://claude.ai/oauth/claude-code-client-metadata": { status: 403, document: "Just a moment..." },
  "https://chatgpt.com/oauth/client.json": {
    status: 200,
    document: {
      ...CODE_FLOW,
      client_id: "https://chatgpt.com/oauth/client.json",
      client_name: "ChatGPT",
      redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_methods_supported: ["private_key_jwt", "none"],
      token_endpoint_auth_signing_alg: "RS256",
      jwks_uri: "https://chatgpt.com/oauth/jwks.json",
    },
  },
  "https://chatgpt.com/oauth/codex/client.json": {
    status: 200,
    document: {
      ...CODE_FLOW,
      client_id: "https://chatgpt.com/oauth/codex/client.json",
      client_name: "Codex",
      redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
  },
  "https://vscode.dev/oauth/client-metadata.json": {
    status: 200,
    document: {
      ...CODE_FLOW,
      client_id: "https://vscode.dev/oauth/client-metadata.json",
      client_name: "Visual Studio Code",
      redirect_uris: ["http://127.0.0.1:33418/", "http://127.0.0.1/", "https://vscode.dev/redirect"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
  },
};
