// The fixture's tools and prompt that need something from the client: over the stream in the revisions with
// `initialize` (sampling, elicitation), by an input-required result in 2026-07-28. Texts and schemas are what the
// scenarios print. Called by fixture.ts.

import {
  acceptedContent,
  type CallToolResult,
  type GetPromptResult,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { clientCapabilities, textResult } from "./fixture-content.ts";

/** Registers everything that asks the client back. */
export function registerInputTools(server: McpServer, codec: RequestStateCodec): void {
  registerPushingTools(server);
  registerOneRoundTools(server);
  registerStatefulTools(server, codec);
  registerInputPrompt(server);
}

type FormSchema = Parameters<ServerContext["mcpReq"]["elicitInput"]>[0] extends infer Params
  ? Params extends { requestedSchema: infer Schema }
    ? Schema
    : never
  : never;

const DEFAULTS: FormSchema = {
  type: "object",
  properties: {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", default: true },
  },
};

const titled = (of: string) =>
  ["First", "Second", "Third"].map((place, at) => ({ const: `value${at + 1}`, title: `${place} ${of}` }));

const ENUMS: FormSchema = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
    titledSingle: { type: "string", oneOf: titled("Option") },
    legacyEnum: {
      type: "string",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
    titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
  },
};

const USER: FormSchema = {
  type: "object",
  properties: {
    username: { type: "string", description: "User's response" },
    email: { type: "string", description: "User's email address" },
  },
  required: ["username", "email"],
};

/**
 * MCP 2025-11-25: the server sends requests of its own on the stream of the call. Without the id of that call the SDK
 * sends them on the stream of a GET, which nobody promises to be open yet.
 */
function registerPushingTools(server: McpServer): void {
  const sampling = { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) };
  server.registerTool("test_sampling", sampling, async ({ prompt }, ctx) => {
    const messages = [{ role: "user" as const, content: { type: "text" as const, text: prompt } }];
    const { content } = await ctx.mcpReq.requestSampling(
      { messages, maxTokens: 100 },
      { relatedRequestId: ctx.mcpReq.id },
    );
    const [first] = Array.isArray(content) ? content : [content];
    return textResult(`LLM response: ${first?.type === "text" ? first.text : ""}`);
  });
  const elicitation = {
    description: "Asks the client's person",
    inputSchema: z.object({ message: z.string() }),
  };
  server.registerTool("test_elicitation", elicitation, async ({ message }, ctx) => {
    const { action, content } = await ctx.mcpReq.elicitInput(
      { message, requestedSchema: USER },
      { relatedRequestId: ctx.mcpReq.id },
    );
    return textResult(`User response: action=${action}, content=${JSON.stringify(content)}`);
  });
  for (const [name, requestedSchema] of [
    ["test_elicitation_sep1034_defaults", DEFAULTS],
    ["test_elicitation_sep1330_enums", ENUMS],
  ] as const) {
    server.registerTool(name, { description: "Asks the client's person with a form" }, async (ctx) => {
      const { action, content } = await ctx.mcpReq.elicitInput(
        { message: "Fill in the form", requestedSchema },
        { relatedRequestId: ctx.mcpReq.id },
      );
      return textResult(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
    });
  }
}

const ask = (message: string, field: string, type: "string" | "boolean" = "string") =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: "object",
      properties: { [field]: type === "string" ? { type } : { type } },
      required: [field],
    },
  });

const sample = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens });

/** The person's accepted answer to `key`; undefined when there is none with a text or a yes or no in `field`. */
function answerTo(ctx: ServerContext, key: string, field: string): string | undefined {
  const value = acceptedContent(ctx.mcpReq.inputResponses, key)?.[field];
  return typeof value === "string" || typeof value === "boolean" ? String(value) : undefined;
}

/** What a client answered to `key` that is not a form: undefined when it is missing or of another kind. */
function rawAnswerTo(ctx: ServerContext, key: string, kind: "sampling" | "roots"): string | undefined {
  const view = inputResponse(ctx.mcpReq.inputResponses, key);
  return view.kind === kind ? JSON.stringify(view) : undefined;
}

/** MCP 2026-07-28, Multi Round-Trip Requests: the answer is a question, and the client calls again with the reply. */
function registerOneRoundTools(server: McpServer): void {
  const questions = {
    test_input_required_result_elicitation: (ctx: ServerContext) => {
      const name = answerTo(ctx, "user_name", "name");
      return name === undefined ? { user_name: ask("What is your name?", "name") } : `Hello, ${name}!`;
    },
    test_streaming_elicitation: (ctx: ServerContext) => {
      const name = answerTo(ctx, "user_name", "name");
      return name === undefined ? { user_name: ask("What is your name?", "name") } : `Hello, ${name}!`;
    },
    // The SDK refuses (-32021) to ask a client for what it did not say it can do.
    test_missing_capability: (ctx: ServerContext) =>
      rawAnswerTo(ctx, "thought", "sampling") ?? { thought: sample("Say anything", 50) },
    test_input_required_result_sampling: (ctx: ServerContext) =>
      rawAnswerTo(ctx, "capital_question", "sampling") ?? {
        capital_question: sample("What is the capital of France?", 100),
      },
    test_input_required_result_list_roots: (ctx: ServerContext) =>
      rawAnswerTo(ctx, "client_roots", "roots") ?? { client_roots: inputRequired.listRoots() },
    // Asks for no more than the client says it can do.
    test_input_required_result_capabilities: (ctx: ServerContext): InputRequests | string => {
      const can = clientCapabilities(ctx);
      return {
        ...(can.has("sampling") ? { thought: sample("Say anything", 50) } : {}),
        ...(can.has("elicitation") ? { name: ask("What is your name?", "name") } : {}),
      };
    },
  };
  for (const [name, question] of Object.entries(questions)) {
    server.registerTool(
      name,
      { description: "Asks before it answers" },
      (ctx): CallToolResult | InputRequiredResult => {
        const asked = question(ctx);
        return typeof asked === "string" ? textResult(asked) : inputRequired({ inputRequests: asked });
      },
    );
  }
}

/** State that comes back has been verified by the server's own hook before the tool runs. */
function registerStatefulTools(server: McpServer, codec: RequestStateCodec): void {
  const confirm = { confirm: ask("Please confirm", "ok", "boolean") };
  for (const name of [
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
  ]) {
    server.registerTool(name, { description: "Confirms with signed state" }, async (ctx) => {
      if (ctx.mcpReq.requestState() === "asked" && answerTo(ctx, "confirm", "ok") !== undefined) {
        return textResult("state-ok");
      }
      return inputRequired({ inputRequests: confirm, requestState: await codec.mint("asked") });
    });
  }
  registerSeveralQuestions(server, codec);
  registerRounds(server, codec);
}

function registerSeveralQuestions(server: McpServer, codec: RequestStateCodec): void {
  const config = { description: "Asks three things at once" };
  server.registerTool("test_input_required_result_multiple_inputs", config, async (ctx) => {
    const name = answerTo(ctx, "user_name", "name");
    const greeting = rawAnswerTo(ctx, "greeting", "sampling");
    const roots = rawAnswerTo(ctx, "client_roots", "roots");
    if (name !== undefined && greeting !== undefined && roots !== undefined) {
      return textResult(`${name}: ${greeting}, ${roots}`);
    }
    const inputRequests = {
      user_name: ask("What is your name?", "name"),
      greeting: sample("Generate a greeting", 50),
      client_roots: inputRequired.listRoots(),
    };
    return inputRequired({ inputRequests, requestState: await codec.mint("asked") });
  });
}

function registerRounds(server: McpServer, codec: RequestStateCodec): void {
  const config = { description: "Asks one thing after the other" };
  server.registerTool("test_input_required_result_multi_round", config, async (ctx) => {
    const state = z.object({ name: z.string() }).safeParse(ctx.mcpReq.requestState()).data;
    const color = answerTo(ctx, "step2", "color");
    if (state !== undefined && color !== undefined) return textResult(`${state.name} likes ${color}.`);
    const name = answerTo(ctx, "step1", "name");
    return name === undefined
      ? inputRequired({
          inputRequests: { step1: ask("Step 1: What is your name?", "name") },
          requestState: await codec.mint("asked"),
        })
      : inputRequired({
          inputRequests: { step2: ask("Step 2: What is your favorite color?", "color") },
          requestState: await codec.mint({ name }),
        });
  });
}

function registerInputPrompt(server: McpServer): void {
  const config = { description: "Asks for its context first" };
  server.registerPrompt(
    "test_input_required_result_prompt",
    config,
    (ctx): GetPromptResult | InputRequiredResult => {
      const context = answerTo(ctx, "user_context", "context");
      if (context === undefined) {
        const inputRequests = { user_context: ask("What context should the prompt use?", "context") };
        return inputRequired({ inputRequests });
      }
      return {
        messages: [{ role: "user", content: { type: "text", text: `Use this context: ${context}` } }],
      };
    },
  );
}
