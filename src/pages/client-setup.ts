// How each MCP client is told about this gateway: the words, and the lines to paste with the real URL in them.
// Called by home.tsx. Only steps that the client's own documentation gives.

export interface SetupStep {
  /** For the element that holds `paste`; unique on the page. */
  id: string;
  client: string;
  /** Prose; text between backticks is code. */
  before: string;
  paste: string;
  /** Prose, as in `before`. */
  after?: string;
}

/** The set-up of every client the front page names, for the MCP URL `url`. */
export function setupSteps(url: string): readonly SetupStep[] {
  return [...hostedClients(url), ...commandLineClients(url), ...editorClients(url), anyOtherClient(url)];
}

function hostedClients(url: string): SetupStep[] {
  return [
    {
      id: "claude",
      client: "Claude, web and desktop",
      before:
        "In Settings, open Connectors, choose Add custom connector, and paste this address. Then connect it.",
      paste: url,
      after: "Claude connects from its own servers, so this address must be reachable from the internet.",
    },
    {
      id: "chatgpt",
      client: "ChatGPT",
      before:
        "Turn on Developer mode in the advanced settings of Connectors (Apps in newer versions), create one there, paste this address, and choose OAuth.",
      paste: url,
      after:
        "On a company plan an admin may have to allow Developer mode. ChatGPT, too, connects from its own servers.",
    },
  ];
}

function commandLineClients(url: string): SetupStep[] {
  return [
    {
      id: "claude-code",
      client: "Claude Code",
      before: "Run the first line once, then sign in with the second.",
      paste: `claude mcp add --transport http gong ${url}\nclaude mcp login gong`,
    },
    {
      id: "codex",
      client: "Codex",
      before: "Adding it opens the sign-in.",
      paste: `codex mcp add gong --url ${url}`,
      after: "To sign in again later, run `codex mcp login gong`.",
    },
    {
      id: "gemini",
      client: "Gemini CLI",
      before: "Add it, start Gemini CLI, and type `/mcp auth gong` to sign in.",
      paste: `gemini mcp add --transport http gong ${url}`,
    },
  ];
}

function editorClients(url: string): SetupStep[] {
  return [
    {
      id: "cursor",
      client: "Cursor",
      before: "Put this into `~/.cursor/mcp.json`, then sign in when Cursor offers it.",
      paste: lines(`"mcpServers": {`, `  "gong": { "url": ${JSON.stringify(url)} }`),
      after:
        "If the gateway refuses Cursor's own `cursor://` address at sign-in, use the mcp-remote lines below in the same file.",
    },
    {
      id: "vscode",
      client: "VS Code",
      before:
        "Put this into `.vscode/mcp.json`, or run MCP: Add Server from the command palette and give the address.",
      paste: lines(`"servers": {`, `  "gong": { "type": "http", "url": ${JSON.stringify(url)} }`),
    },
  ];
}

function anyOtherClient(url: string): SetupStep {
  return {
    id: "mcp-remote",
    client: "Any other client, with mcp-remote",
    before: "For clients that only start local programs. Needs Node.js on your computer.",
    paste: lines(
      `"mcpServers": {`,
      `  "gong": { "command": "npx", "args": ["-y", "mcp-remote", ${JSON.stringify(url)}] }`,
    ),
  };
}

// A settings file with one entry, kept to few lines.
function lines(open: string, entry: string): string {
  return `{\n  ${open}\n  ${entry}\n  }\n}`;
}
