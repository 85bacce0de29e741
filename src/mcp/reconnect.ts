// The answer to an agent key whose connection at Gong has ended: a link for a person, in the form that the client's
// revision knows. Called by domain/reconnect. MCP 2025-11-25, Elicitation, URL Mode; MCP 2026-07-28, SEP-2322.

import { jsonRpcError, RECONNECT_NEEDED, URL_ELICITATION_REQUIRED } from "./errors.ts";
import type { McpMessage } from "./message.ts";

export interface ReconnectRequest {
  /** What happened and what to do, without the URL. Ours. */
  readonly text: string;
  /** A page of this gateway. It holds no secret: whoever opens it has to sign in. */
  readonly url: string;
  /** Names this request to the client. */
  readonly elicitationId: string;
}

export interface ReconnectAnswer {
  readonly status: 200 | 403;
  readonly body: unknown;
}

/** The methods whose result may ask for input: MCP 2026-07-28, SEP-2322. */
const MAY_ASK_FOR_INPUT: ReadonlySet<string | undefined> = new Set([
  "tools/call",
  "prompts/get",
  "resources/read",
]);

/**
 * Builds the answer. A client that declared URL elicitation is asked to open the URL; to every other one a tool call is
 * a failed call whose text says where to go (MCP 2025-11-25, Tools, Error Handling), and any other request a JSON-RPC
 * error. `client.opensUrls` is what a legacy client declared when its session began.
 */
export function reconnectAnswer(
  message: McpMessage | undefined,
  client: { readonly isModern: boolean; readonly opensUrls: boolean },
  request: ReconnectRequest,
): ReconnectAnswer {
  const text = `${request.text} ${request.url}`;
  const { id } = message ?? {};
  // MCP 2025-11-25, Sending Messages: what is no request is refused by its status.
  if (message?.kind !== "request" || id === undefined || id === null) {
    return { status: 403, body: jsonRpcError(null, RECONNECT_NEEDED, text) };
  }
  const asked = { mode: "url", message: request.text, url: request.url };
  if (client.isModern) {
    // A client that comes back with its answers, and still there is no connection, must not be sent round again.
    if (message.opensUrls && !message.answersInput && MAY_ASK_FOR_INPUT.has(message.method)) {
      const inputRequests = { reconnect: { method: "elicitation/create", params: asked } };
      return ok({ jsonrpc: "2.0", id, result: { resultType: "input_required", inputRequests } });
    }
  } else if (client.opensUrls) {
    const elicitations = [{ ...asked, elicitationId: request.elicitationId }];
    const error = { code: URL_ELICITATION_REQUIRED, message: text, data: { elicitations } };
    return ok({ jsonrpc: "2.0", id, error });
  }
  if (message.method !== "tools/call") return ok(jsonRpcError(id, RECONNECT_NEEDED, text));
  const result = { content: [{ type: "text", text }], isError: true };
  return ok({ jsonrpc: "2.0", id, result: client.isModern ? { resultType: "complete", ...result } : result });
}

const ok = (body: unknown): ReconnectAnswer => ({ status: 200, body });
