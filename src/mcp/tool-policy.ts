// Which messages can cost Gong credits or reach its data, and which scopes they need. Called by domain/call-gong.ts
// before anything is sent. Gong charges each `tools/call`, also a repeated one.
import type { McpMessage } from "./message.ts";

/**
 * Whether a message calls a tool, and so may cost Gong credits: the policy says which tools do. Also when sent as a
 * notification, because nothing says that Gong would not run it.
 */
export function isToolCall(message: McpMessage | undefined): boolean {
  return message?.method === "tools/call";
}

/** Methods that only tell what the server offers, or that the client is there. */
const WITHOUT_DATA: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "logging/setLevel",
]);

/**
 * Whether a message can reach Gong's data or cost credits: all but the few methods that can't, so that a method nobody
 * knows counts as one that can. Undefined is a request without a message, which may resume an earlier answer (MCP
 * 2025-11-25, Resumability). An answer to a question of the server lets a call go on, so it counts too.
 */
export function reachesData(message: McpMessage | undefined): boolean {
  if (message?.method === undefined) return true;
  return !WITHOUT_DATA.has(message.method) && !message.method.startsWith("notifications/");
}

const ASK = "mcp:ai-ask:read";
const ASSISTANT = "mcp:ai-assistant:read";
const BRIEFER = "mcp:ai-briefer:read";
const EVERY_SCOPE: readonly string[] = [ASK, BRIEFER, ASSISTANT];

/** Any one of these scopes allows the tool. Gong doesn't say which of two scopes gates `ask_deal`: either will do. */
const SCOPES_OF_TOOL: ReadonlyMap<string, readonly string[]> = new Map([
  ["ask_account", [ASK]],
  ["ask_deal", [ASK, ASSISTANT]],
  ["generate_brief", [BRIEFER]],
]);

/**
 * The scopes that calls of `tools` need, in canonical order; undefined means every tool. A tool nobody knows needs all.
 */
export function scopesOfTools(tools: readonly string[] | undefined): readonly string[] {
  const needed = new Set(tools?.flatMap((tool) => SCOPES_OF_TOOL.get(tool) ?? EVERY_SCOPE) ?? EVERY_SCOPE);
  return EVERY_SCOPE.filter((scope) => needed.has(scope));
}

/**
 * The scopes to ask for when `granted` does not allow a tool call, else undefined. A connection's Gong token may reach
 * further than one client was granted, so each client is held to its own scopes here; a tool nobody knows needs all of
 * them. MCP authorization, Runtime Insufficient Scope Errors.
 */
export function missingScope(
  message: Pick<McpMessage, "method" | "toolName">,
  granted: ReadonlySet<string>,
): string | undefined {
  if (message.method !== "tools/call") return undefined;
  const sufficient = SCOPES_OF_TOOL.get(message.toolName ?? "");
  const allowed =
    sufficient === undefined
      ? EVERY_SCOPE.every((scope) => granted.has(scope))
      : sufficient.some((scope) => granted.has(scope));
  if (allowed) return undefined;
  return [...new Set([...granted, ...(sufficient ?? EVERY_SCOPE)])].join(" ");
}
