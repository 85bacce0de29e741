// How each MCP client is told about this gateway: the words, and the lines to paste with the real URL in them.
// Called by home.tsx, and by the README's test. Only steps that the client's own documentation gives.

export interface SetupStep {
  /** For the element that holds `paste`; unique on the page. */
  readonly id: string;
  readonly client: string;
  /** Prose; text between backticks is code. */
  readonly before: string;
  readonly paste: string;
  /** Prose, as in `before`. */
  readonly after?: string;
}

export interface SetupGroup {
  /** Of its heading; unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly steps: readonly SetupStep[];
}

/** The set-up of every client the front page names, for the MCP URL `url`. No client needs a secret for it. */
export function setupGroups(url: string): readonly SetupGroup[] {
  return [
    { id: "assistants", title: "Assistants and automation", steps: hostedClients(url) },
    { id: "terminal", title: "In a terminal", steps: commandLineClients(url) },
    { id: "editors", title: "Editors and desktop applications", steps: editorClients(url) },
    { id: "code", title: "Your own code", steps: libraries(url) },
  ];
}

function hostedClients(url: string): readonly SetupStep[] {
  return [
    {
      id: "claude",
      client: "Claude, web and desktop",
      before:
        "In Settings, open Connectors, choose Add custom connector, and paste this address. Leave client ID and secret empty. Then connect it.",
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
    {
      id: "copilot-studio",
      client: "Copilot Studio",
      before:
        "In your agent, open Tools, choose Add a tool, New tool, Model Context Protocol. Paste this address, and choose OAuth 2.0 with Dynamic discovery.",
      paste: url,
    },
    {
      id: "n8n",
      client: "n8n",
      before:
        "In an MCP Client Tool node, paste this address as the endpoint, choose HTTP Streamable as the transport and MCP OAuth2 as the authentication. Paste it again as the Server URL of the credential, and connect.",
      paste: url,
    },
    {
      id: "librechat",
      client: "LibreChat",
      before: "Put this into `librechat.yaml`, restart, and sign in from the list of MCP servers.",
      paste: `mcpServers:\n  gong:\n    type: streamable-http\n    url: ${url}`,
    },
  ];
}

function commandLineClients(url: string): readonly SetupStep[] {
  return [
    {
      id: "claude-code",
      client: "Claude Code",
      before: "Run the first line once, then sign in with the second.",
      paste: `claude mcp add --scope user --transport http gong ${url}\nclaude mcp login gong`,
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
      paste: `gemini mcp add --scope user --transport http gong ${url}`,
    },
    {
      id: "opencode",
      client: "OpenCode",
      before: "Put this into `opencode.json`, then run `opencode mcp auth gong`.",
      paste: lines(
        `"mcp": {`,
        `  "gong": { "type": "remote", "url": ${JSON.stringify(url)}, "enabled": true }`,
      ),
    },
    {
      id: "inspector",
      client: "MCP Inspector",
      before: "Lists the tools. It prints the address of the sign-in: open it in your browser.",
      paste: `npx @modelcontextprotocol/inspector --cli ${url} --transport http --method tools/list`,
    },
  ];
}

function editorClients(url: string): readonly SetupStep[] {
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
      before: "Put this into `.vscode/mcp.json`.",
      paste: lines(`"servers": {`, `  "gong": { "type": "http", "url": ${JSON.stringify(url)} }`),
    },
    {
      id: "mcp-remote",
      client: "Any other client, with mcp-remote",
      before: "For clients that only start local programs. Needs Node.js on your computer.",
      paste: lines(
        `"mcpServers": {`,
        `  "gong": { "command": "npx", "args": ["-y", "mcp-remote", ${JSON.stringify(url)}] }`,
      ),
      after:
        'On a machine without a browser, add `"--device-code"` to `args`: it shows an address and a code for a browser elsewhere.',
    },
  ];
}

function libraries(url: string): readonly SetupStep[] {
  return [
    {
      id: "fastmcp",
      client: "Python, with FastMCP",
      before: "The first call opens the sign-in in your browser.",
      paste: `async with Client(${JSON.stringify(url)}, auth="oauth") as gong:\n    tools = await gong.list_tools()`,
    },
  ];
}

// A settings file with one entry, kept to few lines.
function lines(open: string, entry: string): string {
  return `{\n  ${open}\n  ${entry}\n  }\n}`;
}
