// An MCP integration as a tech admin registered it at Gong: what this Worker is at Gong. Built from the settings,
// passed to everything in this folder.

/**
 * What Gong lets the integration see: the authorizing person's own calls, or the whole company's. Fixed at creation.
 */
export type Access = "personal" | "shared";

export interface Integration {
  readonly access: Access;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Gong's MCP endpoint: also the `resource` of every token (RFC 8707). */
  readonly mcpUrl: URL;
  /** Our `/callback`, exactly as saved at Gong. */
  readonly redirectUri: string;
}
