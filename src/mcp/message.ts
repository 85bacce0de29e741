// One JSON-RPC message from an MCP client, read once and strictly, so that policy and Gong can't read two different
// messages from the same bytes. The bytes themselves are forwarded, never a re-serialised copy. Called by
// domain/call-gong. JSON-RPC 2.0 §4 and §5; MCP 2025-06-18 (no batches) to 2026-07-28.
import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "../json.ts";
import { INVALID_REQUEST, PARSE_ERROR } from "./errors.ts";
import { McpRefused } from "./refused.ts";

export interface McpMessage {
  readonly kind: "request" | "notification" | "response";
  /** Undefined in a response. */
  readonly method: string | undefined;
  /** Undefined in a notification; null only in an error response to a message that could not be read. */
  readonly id: string | number | null | undefined;
  /** `params.name` of `tools/call`. */
  readonly toolName: string | undefined;
  /** `params.arguments` of `tools/call`, as parsed. */
  readonly arguments: unknown;
  /** The value that `Mcp-Name` mirrors for this method; undefined when there is none. MCP 2026-07-28, SEP-2243. */
  readonly mirroredName: string | undefined;
  /** The revision named in the body: `params._meta["io.modelcontextprotocol/protocolVersion"]`. MCP 2026-07-28. */
  readonly protocolVersion: string | undefined;
  /** Whether the message says that its client can open URLs for a person. MCP 2025-11-25, Elicitation, Capabilities. */
  readonly opensUrls: boolean;
  /** Whether it carries answers to an earlier input request. MCP 2026-07-28, SEP-2322. */
  readonly answersInput: boolean;
}

const PROTOCOL_VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities";

/** SEP-2243 and SEP-2663: the member of `params` that `Mcp-Name` mirrors, by method. */
const MIRRORED_MEMBER: ReadonlyMap<string, "name" | "uri" | "taskId"> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);
/** What decides which tool runs with what. */
const CALL_KEYS: ReadonlySet<string> = new Set(["name", "arguments"]);

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259 §8.1).
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one message. Throws McpRefused (400) for bytes that are not UTF-8 or not JSON, repeated keys, batches (MCP
 * 2025-06-18 removed them), other versions than JSON-RPC 2.0, ids that are neither a string nor a finite number,
 * messages that are a request and a response at once, and keys of the envelope in another spelling (`Method`), which
 * a case-insensitive reader would take for the real ones.
 */
export function parseMessage(bytes: Uint8Array): McpMessage {
  const envelope = parseEnvelope(bytes);
  if (Object.hasOwn(envelope, "method")) return parseCall(envelope);
  return parseResponse(envelope);
}

function parseEnvelope(bytes: Uint8Array): JsonObject {
  const message = parseJson(bytes);
  if (Array.isArray(message)) refuse("Send one JSON-RPC message per request; batches are not supported.");
  if (!isJsonObject(message)) refuse("Send a JSON-RPC message: a JSON object.");
  assertSpelling(message, ENVELOPE_KEYS);
  if (message["jsonrpc"] !== "2.0") refuse('Send "jsonrpc": "2.0".');
  return message;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(utf8.decode(bytes));
  } catch (error) {
    // TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    if (!(error instanceof JsonRefused || error instanceof TypeError)) throw error;
    if (error instanceof JsonRefused && error.reason !== "not_json") {
      refuse("Send JSON without repeated or reserved keys and without deep nesting.");
    }
    throw new McpRefused(400, PARSE_ERROR, "Send the message as JSON in UTF-8.");
  }
}

function parseCall(envelope: JsonObject): McpMessage {
  const { method, params, id } = envelope;
  if (typeof method !== "string" || method === "") refuse("Send the method as a string.");
  if (Object.hasOwn(envelope, "result") || Object.hasOwn(envelope, "error")) {
    refuse("Send either a method or a result, not both.");
  }
  if (params !== undefined && !isJsonObject(params)) refuse("Send params as a JSON object.");
  const isRequest = Object.hasOwn(envelope, "id");
  if (isRequest && !isId(id)) refuse("Send the id as a string or a number.");
  const isToolCall = method === "tools/call";
  if (isToolCall && params !== undefined) assertSpelling(params, CALL_KEYS);
  const mirroredName = mirroredNameOf(method, params);
  return {
    kind: isRequest ? "request" : "notification",
    method,
    id: isId(id) ? id : undefined,
    toolName: isToolCall ? mirroredName : undefined,
    arguments: isToolCall ? params?.["arguments"] : undefined,
    mirroredName,
    protocolVersion: protocolVersionOf(params),
    opensUrls: opensUrls(method, params),
    answersInput: params !== undefined && Object.hasOwn(params, "inputResponses"),
  };
}

function parseResponse(envelope: JsonObject): McpMessage {
  const { id } = envelope;
  const hasError = Object.hasOwn(envelope, "error");
  if (Object.hasOwn(envelope, "result") === hasError) refuse("Send a method, a result or an error.");
  // JSON-RPC 2.0 §5: an error about a message that could not be read has a null id; MCP lets it be absent.
  const unread = hasError && (id === null || id === undefined);
  if (!unread && !isId(id)) refuse("Send the id as a string or a number.");
  return {
    kind: "response",
    method: undefined,
    id: isId(id) ? id : null,
    toolName: undefined,
    arguments: undefined,
    mirroredName: undefined,
    protocolVersion: undefined,
    opensUrls: false,
    answersInput: false,
  };
}

function mirroredNameOf(method: string, params: JsonObject | undefined): string | undefined {
  const member = MIRRORED_MEMBER.get(method);
  const value = member === undefined ? undefined : params?.[member];
  return typeof value === "string" ? value : undefined;
}

function protocolVersionOf(params: JsonObject | undefined): string | undefined {
  const meta = params?.["_meta"];
  const version = isJsonObject(meta) ? meta[PROTOCOL_VERSION_KEY] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** Legacy clients declare their capabilities in `initialize`, modern ones in every request. */
function opensUrls(method: string, params: JsonObject | undefined): boolean {
  const meta = params?.["_meta"];
  const inMeta = isJsonObject(meta) ? meta[CLIENT_CAPABILITIES_KEY] : undefined;
  const capabilities = method === "initialize" ? params?.["capabilities"] : inMeta;
  const elicitation = isJsonObject(capabilities) ? capabilities["elicitation"] : undefined;
  return isJsonObject(elicitation) && isJsonObject(elicitation["url"]);
}

/** Refuses keys that differ from one of `keys` only in case. */
function assertSpelling(object: JsonObject, keys: ReadonlySet<string>): void {
  for (const key of Object.keys(object)) {
    if (!keys.has(key) && keys.has(fold(key))) refuse("Spell the keys of the message in lower case.");
  }
}

/** Folds as the most lenient readers do: `ſ` equals `s`, and the Kelvin sign equals `k`. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function isId(value: unknown): value is string | number {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

function refuse(message: string): never {
  throw new McpRefused(400, INVALID_REQUEST, message);
}
