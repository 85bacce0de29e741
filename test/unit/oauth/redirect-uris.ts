// Redirect URIs that a client may register, most of them those of real MCP clients.

export const HTTPS = [
  "https://client.test/callback",
  "https://claude.ai/api/mcp/auth_callback",
  "https://www.cursor.com/agents/mcp/oauth/callback",
  "https://global.consent.azure-apim.net/redirect/cr5ab-gong-5f1d",
  "https://client.test:8443/cb?tenant=a%2Fb",
  "https://xn--bcher-kva.example/cb",
  "https://client.test",
  "https://127.0.0.1:8443/cb",
  "https://1password.example/cb",
];
export const LOOPBACK = [
  "http://127.0.0.1:33418/",
  "http://127.0.0.1:1111/cb",
  "http://localhost:8787/callback",
  "http://localhost/callback",
  "http://[::1]:19876/mcp/oauth/callback",
  "http://localhost:7777/oauth/callback?from=agent",
];
export const PRIVATE_USE = [
  "cursor://anysphere.cursor-mcp/oauth/callback",
  "com.example.app:/oauth2redirect",
  "vscode://vscode.github-authentication/did-authenticate",
];
