// The three MCP tools, on the official server SDK. Called by mcp-sessions.ts and mcp.ts. THIS IS NOT GONG'S SCHEMA:
// Gong publishes the names and purposes of the tools (documented); the argument names come from third-party usage
// notes, which of them are required and their types are assumptions, and those of generate_brief are a guess.
import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { askAnswer, briefAnswer } from "./answers.ts";
import type { Grant } from "./grants.ts";
import type { ToolName } from "./knobs.ts";
import { creditsCharged } from "./ledger-questions.ts";
import { wait } from "./streams.ts";
import type { World } from "./world.ts";

const common = {
  fromDateTime: z.string().optional().describe("ISO 8601, inclusive"),
  toDateTime: z.string().optional().describe("ISO 8601, exclusive"),
  workspace: z.string().optional().describe("Name of the workspace, needed when there are several"),
};
const question = z.string().min(1).describe("The question to answer");
const includeSources = z.boolean().default(false).describe("Add links to the calls behind the answer");
const READ_ONLY = { readOnlyHint: true, openWorldHint: true } as const;

/** K1, K2. A server with the tools that the scopes of `grant` open. */
export function createToolServer(world: World, grant: Grant, versions?: string[]): McpServer {
  const server = new McpServer(
    { name: "gong-stand-in", version: "1.0.0" },
    {
      capabilities: { tools: { listChanged: true } },
      ...(versions === undefined ? {} : { supportedProtocolVersions: versions }),
    },
  );
  const open = new Set(grant.scopes.flatMap((scope) => world.knobs.scopeTools[scope] ?? []));
  if (open.has("ask_account")) registerAsk(world, grant, server, "ask_account");
  if (open.has("ask_deal")) registerAsk(world, grant, server, "ask_deal");
  if (open.has("generate_brief")) registerBrief(world, grant, server);
  return server;
}

function registerAsk(world: World, grant: Grant, server: McpServer, tool: "ask_account" | "ask_deal"): void {
  const isAccount = tool === "ask_account";
  const entity = z
    .string()
    .min(1)
    .describe(isAccount ? "Account name or CRM id" : "CRM opportunity id");
  const base = { question, includeSources, ...common };
  const description = isAccount ? "Ask a question about an account" : "Ask a question about a deal";
  const run = (asked: z.output<z.ZodObject<typeof base>>, entity: string, ctx: ServerContext) =>
    runCall(world, grant, tool, ctx, () => {
      const problem = workspaceProblem(world, asked.workspace);
      return problem ?? answered(world, askAnswer(world, grant, { ...asked, entity }));
    });
  if (isAccount) {
    const inputSchema = z.object({ crmAccount: entity, ...base });
    server.registerTool(tool, { description, inputSchema, annotations: READ_ONLY }, (asked, ctx) =>
      run(asked, asked.crmAccount, ctx),
    );
  } else {
    const inputSchema = z.object({ crmDeal: entity, ...base });
    server.registerTool(tool, { description, inputSchema, annotations: READ_ONLY }, (asked, ctx) =>
      run(asked, asked.crmDeal, ctx),
    );
  }
}

function registerBrief(world: World, grant: Grant, server: McpServer): void {
  const inputSchema = z.object({
    briefName: z.string().min(1).describe("A published brief"),
    entityType: z.enum(["ACCOUNT", "DEAL", "CONTACT"]),
    entity: z.string().min(1).describe("Name or CRM id"),
    ...common,
  });
  const config = { description: "Write a brief", inputSchema, annotations: READ_ONLY };
  server.registerTool("generate_brief", config, (asked, ctx) =>
    runCall(world, grant, "generate_brief", ctx, () => {
      const problem = workspaceProblem(world, asked.workspace);
      if (problem !== undefined) return problem;
      // K8. REST answers 404 with this meaning (third party); the form over MCP is an assumption.
      const isPublished = world.knobs.publishedBriefs.includes(asked.briefName);
      if (!isPublished) return failed("The brief was not found. It may not be published.");
      return answered(world, briefAnswer(world, grant, asked));
    }),
  );
}

/** How often a call that is held looks whether it still is. */
const HELD_MS = 10;

/** K5, K6, K7, K10. One call: asks first if it must, charges, takes its time, reports progress, answers. */
async function runCall(
  world: World,
  grant: Grant,
  tool: ToolName,
  ctx: ServerContext,
  answer: () => CallToolResult,
): Promise<CallToolResult | InputRequiredResult> {
  if (world.knobs.asksBeforeAnswer && inputResponse(ctx.mcpReq.inputResponses, "sure").kind === "missing") {
    const requestedSchema = { type: "object" as const, properties: { sure: { type: "boolean" as const } } };
    const sure = inputRequired.elicit({ message: "This spends Gong credits. Go on?", requestedSchema });
    return inputRequired({ inputRequests: { sure } });
  }
  if (creditsUsedUp(world, tool))
    return failed("No Gong credits are left. Ask your Gong admin to add credits.");
  // Kept from before any wait: a reset in between gives the world another ledger, which this call is no part of.
  const { ledger } = world;
  const request = Number(ctx.http?.authInfo?.extra?.["request"]);
  const note = (event: "started" | "charged" | "answered" | "cancelled", credits?: number): void => {
    const charge = credits === undefined ? {} : { credits };
    ledger.append({ kind: "tool_call", request, tool, person: grant.person.id, event, ...charge });
  };
  const charge = (): void => note("charged", world.knobs.creditsPerCall[tool]);
  note("started");
  if (world.knobs.chargedAt === "start") charge();
  const signal = cancellation(world, ctx);
  await reportProgress(ctx, 1);
  if (world.knobs.toolLatencyMs > 0) await wait(world.knobs.toolLatencyMs, signal);
  while (world.knobs.toolsHeld && !signal.aborted) await wait(HELD_MS, signal);
  if (signal.aborted) {
    note("cancelled");
    return failed("Cancelled.");
  }
  await reportProgress(ctx, 2);
  if (world.knobs.chargedAt === "answer") charge();
  const result = answer();
  note("answered");
  return result;
}

/** K7. Whether a call of `tool` would go beyond the credits that the company bought. */
export function creditsUsedUp(world: World, tool: ToolName): boolean {
  const { creditBalance, creditsPerCall } = world.knobs;
  if (creditBalance === null) return false;
  return creditsCharged(world.ledger.entries()) + creditsPerCall[tool] > creditBalance;
}

/** K10. The protocol's own cancellation always counts; a broken connection by knob, or as 2026-07-28 says. */
function cancellation(world: World, ctx: ServerContext): AbortSignal {
  const signals = [ctx.mcpReq.signal, world.ended.signal];
  const connection = ctx.http?.req?.signal;
  if (world.knobs.disconnectCancels && connection !== undefined) signals.push(connection);
  return AbortSignal.any(signals);
}

/** Progress, when the caller asked for it. In JSON answers there is no place for it, and the SDK drops it. */
async function reportProgress(ctx: ServerContext, progress: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({
    method: "notifications/progress",
    params: { progressToken, progress, total: 2 },
  });
}

/** K3. Third party: the first call fails on a company with several workspaces, and the error names them. */
function workspaceProblem(world: World, workspace: string | undefined): CallToolResult | undefined {
  const { workspaces } = world.knobs;
  if (workspace === undefined && workspaces.length === 1) return undefined;
  if (workspace !== undefined && workspaces.includes(workspace)) return undefined;
  return failed(`WORKSPACE_NOT_FOUND. Valid workspaces: ${workspaces.join(", ")}`);
}

/** K4. One text item that holds JSON: third-party mocks do so; what Gong sends is unknown. */
function answered(world: World, content: Record<string, unknown>): CallToolResult {
  return {
    content: [{ type: "text", text: JSON.stringify(content) }],
    ...(world.knobs.structuredContent ? { structuredContent: content } : {}),
  };
}

function failed(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
