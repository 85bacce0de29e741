// The headers that mirror a JSON-RPC message (MCP-Protocol-Version, Mcp-Method, Mcp-Name), compared with the body that
// policy was decided on. Called by domain/call-gong before anything is sent. MCP 2026-07-28, Streamable HTTP, Server
// Validation (SEP-2243).
import { HEADER_MISMATCH } from "./errors.ts";
import type { McpMessage } from "./message.ts";
import { McpRefused } from "./refused.ts";

/** Revisions are ISO dates, so that they sort as text. The first one whose headers mirror the body. */
const FIRST_MODERN_REVISION = "2026-07-28";

/** Whether the headers name a revision whose requests must carry mirrored headers (MCP 2026-07-28 or later). */
export function isModern(headers: Headers): boolean {
  return isModernRevision(headers.get("mcp-protocol-version") ?? undefined);
}

/**
 * Throws McpRefused (400, -32020) when a mirrored header contradicts the body, in every revision, or is absent where
 * MCP 2026-07-28 demands it: on modern requests; notifications may go without. `Mcp-Name` is compared after its
 * base64 form is decoded. A request is modern when its header or its body says so.
 */
export function assertHeadersMatch(message: McpMessage, headers: Headers): void {
  if (message.method === undefined) return;
  const revision = headers.get("mcp-protocol-version") ?? undefined;
  const method = headers.get("mcp-method");
  const required =
    message.kind === "request" && (isModernRevision(revision) || isModernRevision(message.protocolVersion));

  if (revision === undefined ? required : differs(message.protocolVersion, revision)) {
    mismatch(message, "MCP-Protocol-Version", "the revision in params._meta");
  }
  if (method === null ? required : method !== message.method) {
    mismatch(message, "Mcp-Method", "the method of the message");
  }
  assertNameMatches(message, headers.get("mcp-name"), required);
}

function assertNameMatches(message: McpMessage, name: string | null, required: boolean): void {
  const mirrored = message.mirroredName;
  if (mirrored === undefined) return;
  if (name === null ? required : decodeSentinel(name) !== mirrored) {
    mismatch(message, "Mcp-Name", "the name, uri or taskId in params");
  }
}

function differs(inBody: string | undefined, inHeader: string): boolean {
  return inBody !== undefined && inBody !== inHeader;
}

function isModernRevision(revision: string | undefined): boolean {
  return revision !== undefined && revision >= FIRST_MODERN_REVISION;
}

function mismatch({ id }: McpMessage, header: string, source: string): never {
  const text = `Send the ${header} header with the same value as ${source}.`;
  throw new McpRefused(400, HEADER_MISMATCH, text, id);
}

const SENTINEL = /^=\?base64\?(.*)\?=$/s;
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The value of a mirrored header: `=?base64?…?=` is decoded as UTF-8, anything else stands for itself. Undefined when
 * the base64 form is broken. MCP 2026-07-28, Value Encoding.
 */
function decodeSentinel(value: string): string | undefined {
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!CANONICAL_BASE64.test(encoded)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Bytes that are not UTF-8: the caller refuses the header.
    return undefined;
  }
}
