// What a request to `/mcp` is answered when the answer is ours and not Gong's: who must sign in, who needs a link, who
// must wait. Called by call-gong.ts and call-paid.ts. RFC 6750 §3.1, RFC 9110 §15.6, MCP 2025-11-25 Session Management.

import type { IntegrationConfig } from "../config.ts";
import { log } from "../log.ts";
import { GATEWAY_UNAVAILABLE, jsonRpcError } from "../mcp/errors.ts";
import type { McpMessage } from "../mcp/message.ts";
import { isAgentKey, type Caller } from "./caller.ts";
import type { Limit } from "./call-timer.ts";
import type { Gateway } from "./gateway.ts";
import { sealSessionId, type UpstreamSession } from "./mcp-session.ts";
import { askToReconnect } from "./reconnect.ts";

/** One request to `/mcp`, and what serves it. */
export interface McpCall {
  readonly gateway: Gateway;
  readonly integration: IntegrationConfig;
  readonly method: string;
  readonly headers: Headers;
  readonly accessToken: string;
  /** Reads the body, bounded; called once, after the caller is known. Undefined for methods without one. */
  readonly readBody: ((limit: Limit) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  readonly cors: Readonly<Record<string, string>> | undefined;
}

export type McpAnswer =
  | { readonly kind: "response"; readonly response: Response }
  /** RFC 6750 §3.1: the route challenges. */
  | { readonly kind: "unauthorized" }
  | { readonly kind: "insufficient_scope"; readonly scope: string };

/** A session id as the client sent it, and Gong's session for it. */
export interface KnownSession extends UpstreamSession {
  readonly given: string;
}

/** Our id for the session that Gong names; the client's own one as long as Gong names the same session. */
export async function ourSessionId(
  { gateway }: McpCall,
  caller: Caller,
  known: KnownSession | undefined,
  upstreamId: string | null,
  message: McpMessage | undefined,
): Promise<string | undefined> {
  if (upstreamId === null) return undefined;
  if (upstreamId === known?.upstreamId) return known.given;
  const opensUrls = known?.opensUrls ?? message?.opensUrls ?? false;
  return sealSessionId(gateway, caller.connectionId, { upstreamId, opensUrls });
}

export type Refusal =
  | { readonly reason: "invalid_token" }
  | { readonly reason: "not_connected" | "needs_reconnect"; readonly connectionId: string }
  | { readonly reason: "unavailable" | "unreadable"; readonly retryAfterSeconds: number };

type SignInNeeded = Extract<Refusal, { reason: "invalid_token" | "not_connected" | "needs_reconnect" }>;

type ConnectionEnded = Extract<Refusal, { reason: "not_connected" | "needs_reconnect" }>;

/** Signing in again heals all but an outage; an outage must not send anyone to sign in again. */
export function isSignInNeeded(refused: Refusal): refused is SignInNeeded {
  return refused.reason !== "unavailable" && refused.reason !== "unreadable";
}

/** Whether a person has to bring the connection back for an agent that can't do it: the holder of an agent key. */
export function needsLink(refused: Refusal, call: McpCall): refused is ConnectionEnded {
  if (refused.reason !== "not_connected" && refused.reason !== "needs_reconnect") return false;
  return isAgentKey(call.accessToken);
}

/** The answer to a caller who can't be served: a challenge, a link for the holder of a key, or 503. */
export async function refusal(
  call: McpCall,
  message: McpMessage | undefined,
  refused: Refusal,
): Promise<McpAnswer> {
  log("info", "mcp.refused", { reason: refused.reason }, call.gateway);
  const { attempt } = call.gateway;
  if (refused.reason !== "invalid_token") attempt.reason = refused.reason;
  // Known here a moment ago, so ended since. One that has run out is routine: a client renews it and goes on.
  else if (attempt.clientId !== undefined) attempt.reason ??= "token_ended";
  if (needsLink(refused, call)) {
    const { status, body } = await askToReconnect(call, message, refused.connectionId);
    return { kind: "response", response: Response.json(body, { status, headers: ourHeaders(call) }) };
  }
  if (isSignInNeeded(refused)) return { kind: "unauthorized" };
  return { kind: "response", response: unavailable(call, message, 503, refused.retryAfterSeconds) };
}

/** The headers of an answer that is ours: nobody keeps it, and it is what it says it is. */
export function ourHeaders({ cors }: McpCall): Headers {
  return new Headers({ ...cors, "cache-control": "no-store", "x-content-type-options": "nosniff" });
}

/** 502, 503 or 504 in words of ours. */
export function unavailable(
  call: McpCall,
  message: McpMessage | undefined,
  status: 502 | 503 | 504,
  retryAfterSeconds?: number,
): Response {
  const headers = ourHeaders(call);
  if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
  const text =
    status === 504
      ? "Gong did not answer in time. Your sign-in is kept; a tool call may have cost credits all the same."
      : "Gong is not available right now. Your sign-in is kept; try again later.";
  return Response.json(jsonRpcError(message?.id ?? null, GATEWAY_UNAVAILABLE, text), { status, headers });
}
