// One paid call, from its caller to the ConnectionObject and back: the object
// decides, asks Gong and knows who got what; this Worker only holds the line to the
// client. Called by call-gong.ts. MCP 2026-07-28 and 2025-11-25 Streamable HTTP.

import { sha256 } from "../crypto/encoding.ts";
import { log } from "../log.ts";
import { cancelledId, identifyCall } from "../mcp/call-identity.ts";
import { INVALID_REQUEST } from "../mcp/errors.ts";
import { isModern } from "../mcp/headers.ts";
import type { McpMessage } from "../mcp/message.ts";
import { McpRefused } from "../mcp/refused.ts";
import { openLine, type AnswerHead } from "../storage/answer-line.ts";
import type { GongToken, PaidCallRequest, PaidOutcome } from "../storage/paid-rpc.ts";
import { forget, type Caller } from "./caller.ts";
import {
  ourSessionId,
  refusal,
  unavailable,
  type KnownSession,
  type McpAnswer,
  type McpCall,
  type Refusal,
} from "./mcp-answers.ts";

/** A paid call whose caller is known. */
export interface PaidCall {
  readonly caller: Caller;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly message: McpMessage;
  readonly session: KnownSession | undefined;
}

/** The tool costs nothing: Gong is asked with this token, as for any message. */
interface Unpaid {
  readonly kind: "unpaid";
  readonly gong: GongToken;
}

/** Headers that the object needs: MCP's own, which go on to Gong, and those that say what the client accepts. */
const NEEDED = /^(accept|content-type|last-event-id|mcp-(?!session-id).*)$/;

/**
 * Makes one paid call. Resolves when its answer begins, with the reason why there is none, or when it turns out to cost
 * nothing. Refuses a call without an id: nobody could be given what it costs.
 */
export async function callPaid(call: McpCall, paid: PaidCall): Promise<McpAnswer | Unpaid> {
  if (paid.message.kind !== "request") {
    throw new McpRefused(400, INVALID_REQUEST, "Send tools/call with an id, so that its answer finds you.");
  }
  const open = openLine();
  const connection = call.gateway.objects.connection(paid.caller.connectionId);
  const done: Promise<PaidOutcome> = connection.callTool(await requestOf(call, paid), open.line);
  const told = done.then((outcome) => ({ outcome }));
  // Once the answer has begun, only its breaking off can still be told.
  told.catch(() => open.breakOff());
  const first = await Promise.race([open.head, told]);
  if ("status" in first) return begun(call, paid, first, open.body);
  return ended(call, paid, first.outcome);
}

async function begun(
  call: McpCall,
  { caller, message, session }: PaidCall,
  head: AnswerHead,
  body: ReadableStream<Uint8Array>,
): Promise<McpAnswer> {
  const upstream = isModern(call.headers) ? null : (head.upstreamSessionId ?? session?.upstreamId ?? null);
  const sessionId = await ourSessionId(call, caller, session, upstream, message);
  const headers = new Headers({ ...head.headers, ...call.cors });
  if (sessionId !== undefined) headers.set("mcp-session-id", sessionId);
  const response = new Response(head.hasBody ? body : null, { status: head.status, headers });
  return { kind: "response", response };
}

async function ended(
  call: McpCall,
  { caller, message }: PaidCall,
  outcome: PaidOutcome,
): Promise<McpAnswer | Unpaid> {
  switch (outcome.kind) {
    case "unpaid":
      return outcome;
    case "unauthorized": {
      forget(call.accessToken);
      const { connectionId } = caller;
      const { reason } = outcome;
      const isEnded = reason === "not_connected" || reason === "needs_reconnect";
      const refused: Refusal = isEnded ? { reason, connectionId } : { reason: "invalid_token" };
      return refusal(call, message, refused);
    }
    case "insufficient_scope":
      return { kind: "insufficient_scope", scope: outcome.scope ?? [...caller.scope].join(" ") };
    case "failed": {
      const { status, reason, retryAfterSeconds } = outcome;
      log("info", "mcp.refused", { reason }, call.gateway);
      return { kind: "response", response: unavailable(call, message, status, retryAfterSeconds) };
    }
    case "answered":
    case "left":
      // Nobody is there to see it.
      return { kind: "response", response: unavailable(call, message, 503) };
  }
}

async function requestOf(
  { headers }: McpCall,
  { caller, body, message, session }: PaidCall,
): Promise<PaidCallRequest> {
  const { spelling, ...identity } = identifyCall(new TextDecoder().decode(body));
  // MCP 2026-07-28, Custom Headers: these go on to Gong as well.
  const mirrored = [...headers].filter(([name]) => name.startsWith("mcp-param-"));
  const asked = mirrored.length === 0 ? spelling : `${spelling}\n${JSON.stringify(mirrored)}`;
  return {
    ...identity,
    credential: caller.presented,
    tool: message.toolName ?? "",
    arguments: message.arguments,
    callHash: await sha256(asked),
    modern: isModern(headers),
    headers: [...headers].filter(([name]) => NEEDED.test(name)),
    body,
    session: session === undefined ? undefined : { given: session.given, upstream: session.upstreamId },
  };
}

/**
 * MCP 2025-11-25, Cancellation: ends the caller's part of the paid call that the notification names. False when it
 * names none, so that the notification is Gong's to hear.
 */
export async function cancelPaidCall(
  { gateway }: McpCall,
  caller: Caller,
  body: Uint8Array,
  session: string | undefined,
): Promise<boolean> {
  const idJson = cancelledId(new TextDecoder().decode(body));
  if (idJson === undefined) return false;
  const connection = gateway.objects.connection(caller.connectionId);
  return connection.cancelToolCall({ credential: caller.presented, idJson, session });
}
