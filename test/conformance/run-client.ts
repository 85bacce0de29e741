// Plays the client scenarios that are not about OAuth, with the gateway in the middle: an unmodified MCP SDK 2 client
// uses the scenario's server through the gateway. What the scenario checks about its client's requests therefore holds
// for what the gateway passes on. Called by referee.test.ts through the desk.

import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import * as z from "zod";
import { eraOf, type Task } from "./desk.ts";
import type { Stage } from "./stage.ts";

const CAPABILITIES: NonNullable<ClientOptions["capabilities"]> = {
  elicitation: { form: { applyDefaults: true } },
  sampling: {},
  roots: {},
};

/** Puts the scenario's server behind the gateway and uses everything it offers. Rejects when something fails. */
export async function useThroughGateway(stage: Stage, task: Task): Promise<void> {
  stage.pointAt(new URL(task.url));
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    { capabilities: CAPABILITIES, versionNegotiation: { mode: eraOf(task) } },
  );
  client.setRequestHandler("elicitation/create", ({ params }) => ({
    action: "accept",
    content: "requestedSchema" in params ? filledIn(params.requestedSchema) : {},
  }));
  const requestInit = { headers: { authorization: `Bearer ${stage.accessToken}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(stage.mcpUrl), { requestInit }));
  try {
    await useEverything(client, task);
  } finally {
    await client.close();
    stage.hangUp();
  }
}

async function useEverything(client: Client, task: Task): Promise<void> {
  const offered = client.getServerCapabilities();
  if (offered?.tools !== undefined) await callTools(client, task);
  if (offered?.prompts !== undefined) {
    const { prompts } = await client.listPrompts();
    for (const { name } of prompts) await client.getPrompt({ name });
  }
  if (offered?.resources !== undefined) {
    const { resources } = await client.listResources();
    for (const { uri } of resources) await client.readResource({ uri });
  }
}

const ECHO = "json_schema_echo";

async function callTools(client: Client, { context }: Task): Promise<void> {
  const { tools } = await client.listTools();
  if (context.toolCalls !== undefined) {
    for (const call of context.toolCalls) await client.callTool(call);
    return;
  }
  if (tools.some(({ name }) => name === ECHO)) {
    // The scenario compares what comes back with the schema that it listed.
    const schema = tools.find(({ name }) => name !== ECHO)?.inputSchema;
    await client.callTool({ name: ECHO, arguments: { schema } });
    return;
  }
  for (const { name, inputSchema } of tools) {
    await client.callTool({ name, arguments: filledIn(inputSchema, { everything: true }) });
  }
}

const Schema = z.object({
  properties: z
    .record(z.string(), z.object({ type: z.string().optional(), default: z.unknown().optional() }))
    .default({}),
  required: z.array(z.string()).default([]),
});

const SAMPLES: Readonly<Record<string, string | number | boolean>> = {
  string: "text",
  number: 2.5,
  integer: 2,
  boolean: true,
};

/** Values for what a form or a tool asks for: all of it, or what is required and has no default. */
function filledIn(schema: unknown, { everything = false } = {}): Record<string, string | number | boolean> {
  const { properties, required } = Schema.parse(schema);
  const asked = Object.entries(properties).filter(
    ([name, property]) => everything || (required.includes(name) && property.default === undefined),
  );
  return Object.fromEntries(asked.map(([name, { type }]) => [name, SAMPLES[type ?? "string"] ?? "text"]));
}
