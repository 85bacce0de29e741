// JSON-RPC error bodies, and the codes that the gateway itself uses. Called by whoever answers an MCP client in place
// of Gong. JSON-RPC 2.0 §5.1; MCP 2026-07-28, Streamable HTTP, Server Validation.

/** JSON-RPC 2.0 §5.1: the text is not JSON. */
export const PARSE_ERROR = -32_700;
/** JSON-RPC 2.0 §5.1: the JSON is not one valid message. */
export const INVALID_REQUEST = -32_600;
/** MCP 2026-07-28, HeaderMismatch: the mirrored headers and the body disagree. */
export const HEADER_MISMATCH = -32_020;

/** MCP 2025-11-25, URL Mode Elicitation: nothing goes on before a person has opened a URL. */
export const URL_ELICITATION_REQUIRED = -32_042;
/** Ours, in the range left to implementations: a person has to connect to Gong again, and the message says where. */
export const RECONNECT_NEEDED = -32_004;
/** JSON-RPC 2.0 §5.1, in the range left to implementations: Gong, or the gateway's way to it, does not work now. */
export const GATEWAY_UNAVAILABLE = -32_003;

/** Ours, in the range left to implementations: the caller's credential was revoked while its call ran. */
export const CREDENTIAL_REVOKED = -32_005;

/** The id of a JSON-RPC message; null where the message could not be read (JSON-RPC 2.0 §5). */
export type JsonRpcId = string | number | null;

export interface JsonRpcError {
  readonly jsonrpc: "2.0";
  readonly id: JsonRpcId;
  readonly error: { readonly code: number; readonly message: string };
}

/**
 * Builds a JSON-RPC error response. `message` is ours, never text from outside; an unknown `id` becomes null.
 * JSON-RPC 2.0 §5.1.
 */
export function jsonRpcError(id: JsonRpcId | undefined, code: number, message: string): JsonRpcError {
  return { jsonrpc: "2.0", id: id ?? null, error: { code, message } };
}
