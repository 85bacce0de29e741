// One MCP request, from a caller to Gong and back: parsed once for policy, sent on as the very bytes that came, streamed
// back untouched. A 401 from Gong ran nothing, so it is answered by one refresh and one replay; nothing else is ever
// sent twice. MCP 2026-07-28 and 2025-11-25, Streamable HTTP.

import type { IntegrationConfig } from "../config.ts";
import { GongError } from "../errors.ts";
import { gongRefusal, passGongResponse, requestGongMcp } from "../gong/mcp.ts";
import { log } from "../log.ts";
import { INVALID_REQUEST, jsonRpcError } from "../mcp/errors.ts";
import { assertHeadersMatch, isModern } from "../mcp/headers.ts";
import { parseMessage, type McpMessage } from "../mcp/message.ts";
import { McpRefused } from "../mcp/refused.ts";
import { isPaidCall, missingScope } from "../mcp/tool-policy.ts";
import { forget, identify, type Caller } from "./caller.ts";
import type { Gateway } from "./gateway.ts";
import { openSessionId, sealSessionId } from "./mcp-session.ts";

export interface McpCall {
  readonly method: string;
  readonly headers: Headers;
  readonly accessToken: string;
  /** Reads the body, bounded; called once, after the caller is known. Undefined for methods without one. */
  readonly readBody: (() => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  readonly cors: Readonly<Record<string, string>> | undefined;
}

export type McpAnswer =
  | { readonly kind: "response"; readonly response: Response }
  /** RFC 6750 §3.1: the route challenges. */
  | { readonly kind: "unauthorized" }
  | { readonly kind: "insufficient_scope"; readonly scope: string };

const METHODS: ReadonlySet<string> = new Set(["POST", "GET", "DELETE", "HEAD"]);

/** JSON-RPC 2.0 §5.1: in the range left to implementations. */
const GATEWAY_UNAVAILABLE = -32_003;
const SESSION_NOT_FOUND = -32_001;

/** Answers one request to `/mcp`. Throws McpRefused for a message that must not reach Gong. */
export async function callGong(
  gateway: Gateway,
  integration: IntegrationConfig,
  call: McpCall,
): Promise<McpAnswer> {
  let identified = await identify(gateway, integration, call.accessToken, "cached");
  if (!identified.ok) return refusal(identified, undefined, call);
  if (!METHODS.has(call.method)) throw new McpRefused(405, INVALID_REQUEST, "Use POST, GET or DELETE.");
  const body = await call.readBody?.();
  const message = body === undefined ? undefined : readMessage(body, call.headers);
  if (!identified.fresh && message !== undefined && isPaidCall(message)) {
    // Whatever can cost credits or reach Gong's data is checked against the connection every time.
    identified = await identify(gateway, integration, call.accessToken, "fresh");
  }
  if (!identified.ok) return refusal(identified, message, call);
  const { caller } = identified;
  const missing = message === undefined ? undefined : missingScope(message, caller.scope);
  if (missing !== undefined) return { kind: "insufficient_scope", scope: missing };
  const given = isModern(call.headers) ? null : call.headers.get("mcp-session-id");
  const sessionId = given === null ? undefined : await openSessionId(gateway, caller.connectionId, given);
  if (given !== null && sessionId === undefined) {
    // MCP 2025-11-25, Session Management: 404 makes the client start a new session.
    throw new McpRefused(404, SESSION_NOT_FOUND, "Start a new session: this one is not known here.");
  }
  return send(gateway, integration, call, { caller, body, message, sessionId });
}

function readMessage(body: Uint8Array, headers: Headers): McpMessage {
  const message = parseMessage(body);
  assertHeadersMatch(message, headers);
  return message;
}

interface AdmittedCall {
  readonly caller: Caller;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  readonly message: McpMessage | undefined;
  readonly sessionId: string | undefined;
}

async function send(
  gateway: Gateway,
  integration: IntegrationConfig,
  call: McpCall,
  { caller, body, message, sessionId }: AdmittedCall,
): Promise<McpAnswer> {
  const ask = (accessToken: string): Promise<Response> =>
    requestGongMcp({
      mcpUrl: integration.mcpUrl,
      method: call.method,
      headers: call.headers,
      body,
      authorization: `Bearer ${accessToken}`,
      sessionId,
    });
  let { accessToken } = caller.gong;
  let response: Response;
  try {
    response = await ask(accessToken);
    if (gongRefusal(response) === "unauthorized") {
      forget(call.accessToken);
      await response.body?.cancel();
      const replaced = await gateway.objects
        .connection(caller.connectionId)
        .replaceRejectedGongToken(caller.gong.generation);
      if (!replaced.ok) return refusal(replaced, message, call);
      accessToken = replaced.accessToken;
      response = await ask(accessToken);
    }
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    log("warn", "mcp.upstream_failed", { kind: error.kind, connection: caller.connectionId });
    return { kind: "response", response: unavailable(502, undefined, message, call) };
  }
  const refused = gongRefusal(response);
  if (refused !== undefined) {
    await response.body?.cancel();
    log("warn", "mcp.upstream_failed", { kind: refused, connection: caller.connectionId });
    if (refused === "unauthorized") return { kind: "unauthorized" };
    return { kind: "insufficient_scope", scope: [...caller.scope].join(" ") };
  }
  const upstreamSessionId = response.headers.get("mcp-session-id");
  const passed = await passGongResponse(response, {
    sessionId:
      upstreamSessionId === null
        ? undefined
        : await sealSessionId(gateway, caller.connectionId, upstreamSessionId),
    cors: call.cors,
    accessToken,
    requestId: message?.id ?? null,
  });
  return { kind: "response", response: passed };
}

type Refusal =
  | { readonly reason: "invalid_token" | "not_connected" | "needs_reconnect" }
  | { readonly reason: "unavailable" | "unreadable"; readonly retryAfterSeconds: number };

/** Signing in again heals all but an outage; an outage must not send anyone to sign in again. */
function refusal(refused: Refusal, message: McpMessage | undefined, call: McpCall): McpAnswer {
  log("info", "mcp.refused", { reason: refused.reason });
  if (refused.reason !== "unavailable" && refused.reason !== "unreadable") return { kind: "unauthorized" };
  return { kind: "response", response: unavailable(503, refused.retryAfterSeconds, message, call) };
}

function unavailable(
  status: 502 | 503,
  retryAfterSeconds: number | undefined,
  message: McpMessage | undefined,
  call: McpCall,
): Response {
  const headers = new Headers({
    ...call.cors,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
  const text = "Gong is not available right now. Your sign-in is kept; try again later.";
  return Response.json(jsonRpcError(message?.id ?? null, GATEWAY_UNAVAILABLE, text), { status, headers });
}
