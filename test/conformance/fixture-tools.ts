// The fixture's tools, one for each scenario that names one: content of every kind, notifications during a call,
// headers that mirror arguments, and changes of the lists. Texts are what the scenarios print. Called by fixture.ts.

import { setTimeout as wait } from "node:timers/promises";
import {
  type CallToolResult,
  fromJsonSchema,
  type JsonSchemaType,
  type McpServer,
  type ServerContext,
  type ServerEventBus,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { PIXEL_PNG, textResult } from "./fixture-content.ts";

const SILENT_WAV = Buffer.from([
  ...Buffer.from("RIFF"), 38, 0, 0, 0, ...Buffer.from("WAVEfmt "), 16, 0, 0, 0, 1, 0, 1, 0,
  0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, ...Buffer.from("data"), 2, 0, 0, 0, 0x80, 0x80,
]).toString("base64"); // prettier-ignore

/** Registers all tools that need no answer from the client's person. */
export function registerTools(server: McpServer, bus: ServerEventBus): void {
  registerContentTools(server);
  registerTalkativeTools(server);
  registerSchemaTools(server);
  registerListChanges(server, bus);
}

const IMAGE = { type: "image", data: PIXEL_PNG, mimeType: "image/png" } as const;

const CONTENT: Readonly<Record<string, CallToolResult>> = {
  test_simple_text: textResult("This is a simple text response for testing."),
  test_image_content: { content: [IMAGE] },
  test_audio_content: { content: [{ type: "audio", data: SILENT_WAV, mimeType: "audio/wav" }] },
  test_embedded_resource: {
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  },
  test_multiple_content_types: {
    content: [
      { type: "text", text: "Multiple content types test:" },
      IMAGE,
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        },
      },
    ],
  },
};

function registerContentTools(server: McpServer): void {
  for (const [name, result] of Object.entries(CONTENT)) {
    server.registerTool(name, { description: `Answers with content of a kind: ${name}` }, () => result);
  }
  server.registerTool("test_error_handling", { description: "Always fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
}

/** Long enough for two messages to be two chunks on the wire. */
const PAUSE_MS = 50;

function registerTalkativeTools(server: McpServer): void {
  server.registerTool("test_tool_with_logging", { description: "Logs while it runs" }, async (ctx) => {
    for (const line of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await ctx.mcpReq.log("info", line);
      await wait(PAUSE_MS);
    }
    return textResult("Logged three lines.");
  });
  server.registerTool("test_logging_tool", { description: "Logs one line" }, async (ctx) => {
    await ctx.mcpReq.log("info", "A line for those who asked for lines");
    return textResult("Logged one line, if anybody wanted it.");
  });
  server.registerTool("test_tool_with_progress", { description: "Reports progress" }, async (ctx) => {
    for (const progress of [0, 50, 100]) {
      await reportProgress(ctx, progress);
      await wait(PAUSE_MS);
    }
    return textResult("Reported progress to 100.");
  });
  server.registerTool(
    "test_reconnection",
    { description: "Ends its stream before it answers" },
    async (ctx) => {
      ctx.http?.closeSSE?.();
      await wait(2 * PAUSE_MS);
      return textResult("Answered after the stream was taken up again.");
    },
  );
}

async function reportProgress(ctx: ServerContext, progress: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({
    method: "notifications/progress",
    params: { progressToken, progress, total: 100 },
  });
}

/** JSON Schema 2020-12 with every keyword that the scenario looks for. */
const RICH_SCHEMA = JSON.parse(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}`) as JsonSchemaType;

function registerSchemaTools(server: McpServer): void {
  const rich = {
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: fromJsonSchema(RICH_SCHEMA),
  };
  server.registerTool("json_schema_2020_12_tool", rich, () => textResult("The arguments fit the schema."));
  // MCP 2026-07-28, SEP-2243: the argument is mirrored in `Mcp-Param-Region`.
  const region = z.string().meta({ "x-mcp-header": "Region" });
  const mirrored = { description: "Has an argument in a header", inputSchema: z.object({ region }) };
  server.registerTool("test_mirrored_argument", mirrored, (asked) => textResult(`Region: ${asked.region}`));
}

function registerListChanges(server: McpServer, bus: ServerEventBus): void {
  server.registerTool("test_trigger_tool_change", { description: "Says that the tools changed" }, () => {
    bus.publish({ kind: "tools_list_changed" });
    return textResult("Announced.");
  });
  server.registerTool("test_trigger_prompt_change", { description: "Says that the prompts changed" }, () => {
    bus.publish({ kind: "prompts_list_changed" });
    return textResult("Announced.");
  });
}
