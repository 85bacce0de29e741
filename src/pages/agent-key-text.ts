// The one place for words about agent keys: what they may do, how long they last, why none was made, and the lines that
// give a client one. Pages of admins and people say the same thing the same way.

import { scopeInWords } from "./flow-text.ts";

/** Gong's own tools as choices: name, and what it does. */
export const TOOL_CHOICES: readonly (readonly [tool: string, title: string])[] = [
  "mcp:ai-ask:read",
  "mcp:ai-assistant:read",
  "mcp:ai-briefer:read",
].flatMap((scope) => {
  const { title, tools } = scopeInWords(scope);
  return tools.map((tool) => [tool, title] as const);
});

/** What a key may call. */
export function toolsInWords(tools: readonly string[] | undefined): string {
  return tools === undefined ? "every tool that is allowed" : tools.join(", ");
}

export type AgentKeyState = "live" | "expired" | "revoked";

const STATES: Record<AgentKeyState, { readonly label: string; readonly tone: "good" | "plain" }> = {
  live: { label: "Live", tone: "good" },
  expired: { label: "Expired", tone: "plain" },
  revoked: { label: "Revoked", tone: "plain" },
};

/** A key's state for people. */
export const keyStateInWords = (state: AgentKeyState) => STATES[state];

/** A number of days as a choice. */
export function daysInWords(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}

export type AgentKeyRefusal = "name" | "name_taken" | "tools" | "expiry" | "not_connected" | "too_many";

const REFUSALS: Record<AgentKeyRefusal, string> = {
  name: "Give the key a name that can be read.",
  name_taken: "A live key has this name already. Choose another one, so that you can tell them apart.",
  tools: "Choose at least one tool, or every tool.",
  expiry: "Choose how long the key works.",
  not_connected: "Gong is not connected right now. Connect first, then make the key.",
  too_many: "This connection has its most keys already. Revoke one that nobody uses, then make the new one.",
};

/** Why no key was made, and what to do. */
export const keyRefusalInWords = (refusal: AgentKeyRefusal): string => REFUSALS[refusal];

/** The environment variable that the lines below take the key from, so that no line holds it. */
export const KEY_VARIABLE = "GONG_MCP_KEY";

export interface KeyLines {
  readonly id: string;
  readonly client: string;
  /** Prose. */
  readonly before: string;
  readonly paste: string;
}

/** How clients are given a key for the MCP URL `url`. */
export function keyLines(url: string): readonly KeyLines[] {
  return [
    {
      id: "key-settings",
      client: "Settings file of an MCP client",
      before: "In .mcp.json for Claude Code; other clients have a file like it.",
      paste: [
        `{`,
        `  "mcpServers": {`,
        `    "gong": {`,
        `      "type": "http",`,
        `      "url": ${JSON.stringify(url)},`,
        `      "headers": { "Authorization": "Bearer \${${KEY_VARIABLE}}" }`,
        `    }`,
        `  }`,
        `}`,
      ].join("\n"),
    },
    {
      id: "key-claude-code",
      client: "Claude Code",
      before: "The key is written into your own settings, not into the folder's.",
      paste: `claude mcp add --scope user --transport http gong ${url} --header "Authorization: Bearer $${KEY_VARIABLE}"`,
    },
    {
      id: "key-codex",
      client: "Codex",
      before: "It reads the key from the environment each time it starts.",
      paste: `codex mcp add gong --url ${url} --bearer-token-env-var ${KEY_VARIABLE}`,
    },
    {
      id: "key-gemini",
      client: "Gemini CLI",
      before: "The key is written into your own settings, not into the folder's.",
      paste: `gemini mcp add --scope user --transport http --header "Authorization: Bearer $${KEY_VARIABLE}" gong ${url}`,
    },
    {
      id: "key-http",
      client: "Plain HTTP",
      before: "This lists the tools. Every other call is a JSON-RPC message to the same address.",
      paste: [
        `curl -sS ${url} \\`,
        `  -H "Authorization: Bearer $${KEY_VARIABLE}" \\`,
        `  -H "Content-Type: application/json" \\`,
        `  -H "Accept: application/json, text/event-stream" \\`,
        `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
      ].join("\n"),
    },
  ];
}
