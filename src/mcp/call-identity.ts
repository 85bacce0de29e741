// What makes two tool calls the same call: the tool and its arguments, in one canonical spelling. Ids, progress tokens
// and all of `_meta` are the caller's own and left out. Called by domain/call-paid.ts, which hashes the spelling.
// RFC 8785 (canonical form), MCP 2026-07-28 `_meta` and Multi Round-Trip Requests.
import { isJsonObject, parseKeepingNumbers, type JsonObject } from "../json.ts";

/** Set to true in `params._meta`, it asks for an answer that Gong gives now, not one that was kept. */
const FRESH_KEY = "gong-mcp-gateway/fresh";

export interface CallIdentity {
  /** Equal for two calls exactly when they ask the same of Gong. */
  readonly spelling: string;
  /**
   * Whether another caller may have the same answer. A call that carries anything else than a name and arguments (an
   * answer to Gong's question, a task to create) belongs to its caller alone.
   */
  readonly shareable: boolean;
  /** The caller wants no kept answer. */
  readonly fresh: boolean;
  /** JSON of the caller's own id; its digits as they were sent. */
  readonly idJson: string;
  /** JSON of the caller's progress token, if it gave one. MCP 2025-11-25, Progress. */
  readonly progressTokenJson: string | undefined;
}

const SHARED_PARAMS: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);

/**
 * Reads the identity of a `tools/call`, whose text was checked by parseMessage. Numbers count by their spelling where
 * JavaScript would lose digits, so that two calls that Gong tells apart are never taken for one.
 */
export function identifyCall(text: string): CallIdentity {
  const message = parseKeepingNumbers(text);
  const params = isJsonObject(message) && isJsonObject(message["params"]) ? message["params"] : {};
  const { _meta: meta, ...asked } = params;
  const { arguments: given = {}, ...rest } = asked;
  return {
    spelling: canonical({ ...rest, arguments: given }),
    shareable: Object.keys(params).every((key) => SHARED_PARAMS.has(key)),
    fresh: isJsonObject(meta) && meta[FRESH_KEY] === true,
    idJson: JSON.stringify((isJsonObject(message) ? message["id"] : undefined) ?? null),
    progressTokenJson: isJsonObject(meta) ? progressTokenOf(meta) : undefined,
  };
}

function progressTokenOf(meta: JsonObject): string | undefined {
  const token = meta["progressToken"];
  const isToken = typeof token === "string" || typeof token === "number" || JSON.isRawJSON(token);
  return isToken ? JSON.stringify(token) : undefined;
}

/**
 * The canonical JSON of a value that parseKeepingNumbers read. RFC 8785 §3.2: no white space, members sorted by UTF-16
 * code units, strings and numbers as ECMAScript writes them.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isJsonObject(value) || JSON.isRawJSON(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted((one, other) => (one < other ? -1 : 1))
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

/** JSON of the id that a `notifications/cancelled` names, if it names one. MCP 2025-11-25, Cancellation. */
export function cancelledId(text: string): string | undefined {
  const message = parseKeepingNumbers(text);
  const params = isJsonObject(message) && isJsonObject(message["params"]) ? message["params"] : {};
  return params["requestId"] === undefined ? undefined : JSON.stringify(params["requestId"]);
}
