// Copies of metadata documents that clients are known to publish where servers can't fetch them: claude.ai answers data
// centres with a challenge for browsers. Called by domain/document-clients, only after a fetch has failed.
import type { JsonObject } from "../json.ts";

/** By client id. */
export const KNOWN_DOCUMENTS: ReadonlyMap<string, JsonObject> = new Map(
  [
    {
      client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata",
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
      token_endpoint_auth_method: "none",
    },
    {
      client_id: "https://claude.ai/oauth/claude-code-client-metadata",
      client_name: "Claude Code",
      redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
      token_endpoint_auth_method: "none",
    },
  ].map((document) => [document.client_id, document]),
);
