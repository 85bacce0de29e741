// The tools that Gong was seen to offer, by integration, in the AdminObject: which definitions were approved, and which
// tools are held back until an admin approves a new or changed one. MCP 2026-07-28, Tools, Security Considerations.

import type { ToolState } from "../mcp/allowed-tool.ts";

/** For each tool seen on an integration whether it may be used. */
export function toolStates(sql: SqlStorage, integration: string): Readonly<Record<string, ToolState>> {
  const rows = sql
    .exec<{ name: string; state: ToolState }>(
      "SELECT name, state FROM tools WHERE integration = ?",
      integration,
    )
    .toArray();
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
}
