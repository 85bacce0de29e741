// One MCP request, from a caller to Gong and back: parsed once for policy, sent on as the very bytes that came,
// streamed back untouched. A 401 from Gong ran nothing, so it is answered by one refresh and one replay; nothing else
// is ever sent twice. MCP 2026-07-28 and 2025-11-25, Streamable HTTP.

import { GongError } from "../errors.ts";
import { discardBody, gongRefusal, passGongResponse, requestGongMcp } from "../gong/mcp.ts";
import { log } from "../log.ts";
import { INVALID_REQUEST } from "../mcp/errors.ts";
import { assertHeadersMatch, isModern } from "../mcp/headers.ts";
import { parseMessage, type McpMessage } from "../mcp/message.ts";
import { McpRefused } from "../mcp/refused.ts";
import { knownRevision } from "../mcp/revisions.ts";
import { isToolCall, reachesData } from "../mcp/tool-policy.ts";
import { callPaid, cancelPaidCall } from "./call-paid.ts";
import { startCallTimer, type CallTimer } from "./call-timer.ts";
import { forget, identify, recall, type Caller } from "./caller.ts";
import {
  answerOpening,
  answerWithoutGong,
  BEGUN_WITHOUT_GONG,
  noteHandshake,
  openingOf,
} from "./handshake.ts";
import { allowedInError, listAllowedTools, mayListTools } from "./list-tools.ts";
import {
  isSignInNeeded,
  needsLink,
  ourHeaders,
  ourSessionId,
  refusal,
  unavailable,
  type KnownSession,
  type McpAnswer,
  type McpCall,
} from "./mcp-answers.ts";
import { openSessionId, SESSION_NOT_FOUND } from "./mcp-session.ts";
import { endWithCredential } from "./open-stream.ts";

export type { McpAnswer, McpCall } from "./mcp-answers.ts";

const METHODS: ReadonlySet<string> = new Set(["POST", "GET", "DELETE", "HEAD"]);

/** Answers one request to `/mcp`. Throws McpRefused for a message that must not reach Gong. */
export async function callGong(call: McpCall): Promise<McpAnswer> {
  const { gateway, integration, accessToken } = call;
  let identified =
    recall(gateway, integration, accessToken) ?? (await identify(gateway, integration, accessToken));
  if (!identified.ok && isSignInNeeded(identified) && !needsLink(identified, call)) {
    return refusal(call, undefined, identified);
  }
  // For the client doctor, should the call be refused.
  if (identified.ok && identified.caller.clientId !== undefined)
    gateway.attempt.clientId = identified.caller.clientId;
  if (!METHODS.has(call.method)) throw new McpRefused(405, INVALID_REQUEST, "Use POST, GET or DELETE.");
  const timer = startCallTimer();
  const body = await call.readBody?.(timer.upload);
  const message = body === undefined ? undefined : readMessage(body, call.headers);
  if (identified.ok && !identified.fresh && !isToolCall(message) && reachesData(message)) {
    // Whatever reaches Gong's data is checked against the connection every time; a tool call is checked there.
    identified = await identify(gateway, integration, accessToken);
  }
  const opening = openingOf(message, body, call.headers);
  if (identified.ok) return serve(call, { caller: identified.caller, timer, body, message, opening });
  const recalled =
    identified.reason === "unavailable" && opening !== undefined
      ? await answerOpening(call, message, identified.connectionId, opening)
      : undefined;
  return recalled ?? refusal(call, message, identified);
}

/** A request that was read, of a caller who was let in. */
interface ReadCall {
  readonly caller: Caller;
  readonly timer: CallTimer;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  readonly message: McpMessage | undefined;
  /** Of a message that opens a conversation. */
  readonly opening: string | undefined;
}

interface SessionCall extends ReadCall {
  readonly session: KnownSession | undefined;
  /** Whether the request is of a legacy revision. */
  readonly hasSessions: boolean;
}

/** What costs credits goes through the connection's object, what does not goes straight to Gong. */
async function serve(call: McpCall, read: ReadCall): Promise<McpAnswer> {
  const { caller, body, message } = read;
  // What is not needed by every call is not waited for by every call.
  const hasSessions = !isModern(call.headers);
  const given = hasSessions ? call.headers.get("mcp-session-id") : null;
  const session = given === null ? undefined : await knownSession(call, caller, given, message);
  if (session?.upstreamId === BEGUN_WITHOUT_GONG) {
    return answerWithoutGong(call, message, caller.gong.accessToken);
  }
  const admitted = { ...read, session, hasSessions };
  if (body === undefined || message === undefined) return send(call, admitted);
  if (isToolCall(message)) {
    const answer = await callPaid(call, { caller, body, message, session });
    if (answer.kind !== "unpaid") return answer;
    return send(call, { ...admitted, caller: { ...caller, gong: answer.gong } });
  }
  const isCancelled = message.method === "notifications/cancelled";
  if (isCancelled && (await cancelPaidCall(call, caller, body, session?.given))) return accepted(call);
  return send(call, admitted);
}

/** MCP 2025-11-25, Streamable HTTP: 202 without a body for a notification. */
function accepted(call: McpCall): McpAnswer {
  return { kind: "response", response: new Response(null, { status: 202, headers: ourHeaders(call) }) };
}

/** MCP 2025-11-25, Session Management: 404 makes the client start a new session. Modern requests have none. */
async function knownSession(
  { gateway }: McpCall,
  caller: Caller,
  given: string,
  message: McpMessage | undefined,
): Promise<KnownSession> {
  const session = await openSessionId(gateway, caller.connectionId, given);
  if (session === undefined) {
    const text = "Start a new session: this one is not known here.";
    throw new McpRefused(404, SESSION_NOT_FOUND, text, message?.id);
  }
  return { given, ...session };
}

/** Parameters that say another encoding than the one the body is read in: Gong could read another message from it. */
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-?8(?![\w-]))/i;

function readMessage(body: Uint8Array, headers: Headers): McpMessage {
  if (OTHER_CHARSET.test(headers.get("content-type") ?? "")) {
    throw new McpRefused(415, INVALID_REQUEST, "Send the message as JSON in UTF-8.");
  }
  const message = parseMessage(body);
  assertHeadersMatch(message, headers);
  return message;
}

async function send(call: McpCall, admitted: SessionCall): Promise<McpAnswer> {
  const { caller, message, opening } = admitted;
  const { connectionId } = caller;
  const asked = await askGong(call, admitted);
  if (opening !== undefined && isOutage(asked)) {
    const recalled = await answerOpening(call, message, connectionId, opening);
    if (recalled !== undefined) return recalled;
  }
  if (asked.kind === "answered") return asked.answer;
  const refused = gongRefusal(asked.response);
  if (refused === undefined) return passOn(call, admitted, asked);
  await discardBody(asked.response);
  log("warn", "mcp.upstream_failed", { kind: refused, connection: connectionId }, call.gateway);
  return refused === "unauthorized"
    ? refusal(call, message, { reason: "needs_reconnect", connectionId })
    : { kind: "insufficient_scope", scope: [...caller.scope].join(" ") };
}

/** Passes Gong's answer on: its bytes as they came, but for tools that the caller may not use, under our session id. */
async function passOn(
  call: McpCall,
  { caller, message, session, hasSessions, opening }: SessionCall,
  { response, accessToken }: GongAsked,
): Promise<McpAnswer> {
  const { gateway, integration, method, headers, cors } = call;
  if (opening !== undefined) noteHandshake(call, caller.connectionId, opening, response);
  const upstreamId = hasSessions ? response.headers.get("mcp-session-id") : null;
  const listing = mayListTools(method, message)
    ? { gateway, integration, caller, revision: revisionOf(headers, message) }
    : undefined;
  const answer = listing === undefined ? response : await listAllowedTools(listing, response, message?.id);
  const sessionId =
    upstreamId === null ? undefined : await ourSessionId(call, caller, session, upstreamId, message);
  const passed = await passGongResponse(answer, {
    sessionId,
    cors,
    accessToken,
    requestId: message?.id ?? null,
    allowedInError: listing && ((bytes) => allowedInError(listing, bytes, message?.id)),
  });
  if (passed.status >= 500) {
    const { connectionId: connection } = caller;
    log("warn", "mcp.upstream_failed", { kind: "answer", status: response.status, connection }, gateway);
  }
  return {
    kind: "response",
    response: endWithCredential(gateway, integration, call.accessToken, passed),
  };
}

const revisionOf = (headers: Headers, message: McpMessage | undefined): string =>
  knownRevision(headers.get("mcp-protocol-version") ?? message?.protocolVersion);

/** Whether Gong could not be reached, or failed, or is not able to serve now. */
function isOutage(asked: Asked): boolean {
  if (asked.kind === "asked") return asked.response.status >= 500;
  return asked.answer.kind === "response" && asked.answer.response.status >= 500;
}

interface GongAsked {
  readonly kind: "asked";
  readonly response: Response;
  /** Gong's, with which it was asked. */
  readonly accessToken: string;
}

/** `answered` is without a response of Gong: the answer is ours. */
type Asked = GongAsked | { readonly kind: "answered"; readonly answer: McpAnswer };

/** Asks Gong; after a 401, which ran nothing, once more with a newer Gong access token. Nothing else is sent twice. */
async function askGong(call: McpCall, admitted: SessionCall): Promise<Asked> {
  const { caller, message } = admitted;
  const { connectionId } = caller;
  try {
    const asked = await askOnce(call, admitted, caller.gong.accessToken);
    if (asked.kind === "answered" || gongRefusal(asked.response) !== "unauthorized") return asked;
    forget(call.accessToken);
    await discardBody(asked.response);
    const replaced = await call.gateway.objects
      .connection(connectionId)
      .replaceRejectedGongToken(caller.gong.generation);
    if (replaced.ok) return await askOnce(call, admitted, replaced.accessToken);
    return { kind: "answered", answer: await refusal(call, message, { ...replaced, connectionId }) };
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    return failed(call, admitted, 502, error.kind);
  }
}

async function askOnce(call: McpCall, admitted: SessionCall, accessToken: string): Promise<Asked> {
  const response = await admitted.timer.answer(
    requestGongMcp({
      mcpUrl: call.integration.mcpUrl,
      method: call.method,
      headers: call.headers,
      body: admitted.body,
      authorization: `Bearer ${accessToken}`,
      sessionId: admitted.session?.upstreamId,
    }),
  );
  return response === undefined
    ? failed(call, admitted, 504, "late")
    : { kind: "asked", response, accessToken };
}

function failed(call: McpCall, { caller, message }: ReadCall, status: 502 | 504, kind: string): Asked {
  log("warn", "mcp.upstream_failed", { kind, connection: caller.connectionId }, call.gateway);
  return {
    kind: "answered",
    answer: { kind: "response", response: unavailable(call, message, status) },
  };
}
