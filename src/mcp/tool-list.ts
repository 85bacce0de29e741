// Gong's answer to `tools/list`, read to see which tools it offers and written again without some of them. Everything
// else in it stays: the cursor of the next page, `_meta`, unknown members, numbers as they were spelt. Called by
// domain/list-tools.ts. MCP 2025-03-26 to 2026-07-28, Tools, Listing Tools.

import { isJsonObject, JsonRefused, parseKeepingNumbers, parseStrictJson, type JsonObject } from "../json.ts";
import { canonical } from "./call-identity.ts";

/** One tool as the list offers it. */
export interface OfferedTool {
  readonly name: string;
  /** All that Gong says of the tool, as canonical JSON. */
  readonly definition: string;
}

export type ToolListMessage =
  /** An error, a notification, a question of the server, or a result that lists no tools. */
  | { readonly kind: "other" }
  | {
      readonly kind: "list";
      readonly tools: readonly OfferedTool[];
      /** The message as JSON, with those tools only for which `keep` is true, by their place in the list. */
      readonly only: (keep: readonly boolean[]) => string;
    }
  /** No JSON-RPC message that every reader would read alike, or a list with something in it that is no tool. */
  | { readonly kind: "unreadable" };

/** Reads one message of Gong's answer to `tools/list`. */
export function readToolList(text: string): ToolListMessage {
  const message = readMessage(text);
  if (message === undefined) return { kind: "unreadable" };
  const { result } = message;
  if (result === undefined) return isOther(message) ? { kind: "other" } : { kind: "unreadable" };
  if (!isJsonObject(result)) return { kind: "unreadable" };
  const { tools } = result;
  // The answer to another request, in a stream that is resumed, or a question of the server: nothing is listed.
  if (tools === undefined) return { kind: "other" };
  if (!Array.isArray(tools)) return { kind: "unreadable" };
  const offered = tools.map(offeredTool);
  if (!offered.every((tool) => tool !== undefined)) return { kind: "unreadable" };
  return {
    kind: "list",
    tools: offered,
    only: (keep) =>
      JSON.stringify({ ...message, result: { ...result, tools: tools.filter((_, at) => keep[at]) } }),
  };
}

const isOther = (message: JsonObject): boolean =>
  typeof message["method"] === "string" || isJsonObject(message["error"]);

function readMessage(text: string): JsonObject | undefined {
  try {
    // The first reading refuses what readers disagree on, the second keeps the numbers.
    parseStrictJson(text);
    const message = parseKeepingNumbers(text);
    return isJsonObject(message) && message["jsonrpc"] === "2.0" ? message : undefined;
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

const LONGEST_NAME = 256;

function offeredTool(tool: unknown): OfferedTool | undefined {
  if (!isJsonObject(tool)) return undefined;
  const { name } = tool;
  if (typeof name !== "string" || name === "" || name.length > LONGEST_NAME) return undefined;
  return { name, definition: canonical(tool) };
}
