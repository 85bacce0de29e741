// One MCP request, from a caller to Gong and back: parsed once for policy, sent on as the very bytes that came,
// streamed back untouched. A 401 from Gong ran nothing, so it is answered by one refresh and one replay; nothing else
// is ever sent twice. MCP 2026-07-28 and 2025-11-25, Streamable HTTP.

import type { IntegrationConfig } from "../config.ts";
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
import type { Gateway } from "./gateway.ts";
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
export async function callGong(
  gateway: Gateway,
  integration: IntegrationConfig,
  call: McpCall,
): Promise<McpAnswer> {
  const { accessToken } = call;
  let identified =
    recall(gateway, integration, accessToken) ?? (await identify(gateway, integration, accessToken));
  if (!identified.ok && isSignInNeeded(identified) && !needsLink(identified, call)) {
    return refusal(gateway, integration, identified, undefined, call);
  }
  // For the client doctor, should the call be refused.
  if (identified.ok && identified.caller.clientId !== undefined)
    gateway.attempt.clientId = identified.caller.clientId;
  if (!METHODS.has(call.method)) throw new McpRefused(405, INVALID_REQUEST, "Use POST, GET or DELETE.");
  const timer = startCallTimer();
  const body = await call.readBody?.(timer.upload);
  const message = body === undefined ? undefined : readMessage(body, call.headers);
  const isCall = isToolCall(message);
  if (identified.ok && !identified.fresh && !isCall && reachesData(message)) {
    // Whatever reaches Gong's data is checked against the connection every time; for a tool call the connection does
    // it.
    identified = await identify(gateway, integration, accessToken);
  }
  const opening = openingOf(message, body, call.headers);
  if (!identified.ok) {
    const recalled =
      identified.reason === "unavailable" && opening !== undefined
        ? await answerOpening(gateway, integration, identified.connectionId, opening, message, call)
        : undefined;
    return recalled ?? refusal(gateway, integration, identified, message, call);
  }
  const { caller } = identified;
  // What is not needed by every call is not waited for by every call.
  const hasSessions = !isModern(call.headers);
  const given = hasSessions ? call.headers.get("mcp-session-id") : null;
  const session = given === null ? undefined : await knownSession(gateway, caller, given, message);
  if (session?.upstreamId === BEGUN_WITHOUT_GONG) {
    return answerWithoutGong(integration, caller.gong.accessToken, message, call);
  }
  const admitted = { caller, timer, body, message, session, hasSessions, opening };
  if (body !== undefined && message !== undefined) {
    if (isCall) {
      const answer = await callPaid(gateway, integration, call, { caller, body, message, session });
      if (answer.kind !== "unpaid") return answer;
      return send(gateway, integration, call, { ...admitted, caller: { ...caller, gong: answer.gong } });
    }
    const isCancelled = message.method === "notifications/cancelled";
    if (isCancelled && (await cancelPaidCall(gateway, caller, body, session?.given))) return accepted(call);
  }
  return send(gateway, integration, call, admitted);
}

/** MCP 2025-11-25, Streamable HTTP: 202 without a body for a notification. */
function accepted({ cors }: McpCall): McpAnswer {
  const headers = { ...cors, "cache-control": "no-store", "x-content-type-options": "nosniff" };
  return { kind: "response", response: new Response(null, { status: 202, headers }) };
}

/** MCP 2025-11-25, Session Management: 404 makes the client start a new session. Modern requests have none. */
async function knownSession(
  gateway: Gateway,
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

interface AdmittedCall {
  readonly caller: Caller;
  readonly timer: CallTimer;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  readonly message: McpMessage | undefined;
  readonly session: KnownSession | undefined;
  /** Whether the request is of a legacy revision. */
  readonly hasSessions: boolean;
  /** Of a message that opens a conversation. */
  readonly opening: string | undefined;
}

async function send(
  gateway: Gateway,
  integration: IntegrationConfig,
  call: McpCall,
  admitted: AdmittedCall,
): Promise<McpAnswer> {
  const { caller, message, session, hasSessions, opening } = admitted;
  const asked = await askGong(gateway, integration, call, admitted);
  if (opening !== undefined && isOutage(asked)) {
    const { connectionId } = caller;
    const recalled = await answerOpening(gateway, integration, connectionId, opening, message, call);
    if (recalled !== undefined) return recalled;
  }
  if (asked.kind === "answered") return asked.answer;
  const { response, accessToken } = asked;
  const refused = gongRefusal(response);
  if (refused !== undefined) {
    await discardBody(response);
    log("warn", "mcp.upstream_failed", { kind: refused, connection: caller.connectionId });
    if (refused === "unauthorized") {
      const ended = { reason: "needs_reconnect", connectionId: caller.connectionId } as const;
      return refusal(gateway, integration, ended, message, call);
    }
    return { kind: "insufficient_scope", scope: [...caller.scope].join(" ") };
  }
  if (opening !== undefined) noteHandshake(gateway, integration, caller.connectionId, opening, response);
  const upstreamId = hasSessions ? response.headers.get("mcp-session-id") : null;
  const listing = mayListTools(call.method, message)
    ? { gateway, integration, caller, revision: revisionOf(call.headers, message) }
    : undefined;
  const answer = listing === undefined ? response : await listAllowedTools(listing, response, message?.id);
  const sessionId =
    upstreamId === null ? undefined : await ourSessionId(gateway, caller, session, upstreamId, message);
  const passed = await passGongResponse(answer, {
    sessionId,
    cors: call.cors,
    accessToken,
    requestId: message?.id ?? null,
    allowedInError: listing && ((bytes) => allowedInError(listing, bytes, message?.id)),
  });
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

type Asked =
  | { readonly kind: "asked"; readonly response: Response; readonly accessToken: string }
  /** Without a response of Gong: the answer is ours. */
  | { readonly kind: "answered"; readonly answer: McpAnswer };

/** Asks Gong; after a 401, which ran nothing, once more with a newer Gong access token. Nothing else is sent twice. */
async function askGong(
  gateway: Gateway,
  integration: IntegrationConfig,
  call: McpCall,
  { caller, timer, body, message, session }: AdmittedCall,
): Promise<Asked> {
  const ask = (accessToken: string): Promise<Response | undefined> =>
    timer.answer(
      requestGongMcp({
        mcpUrl: integration.mcpUrl,
        method: call.method,
        headers: call.headers,
        body,
        authorization: `Bearer ${accessToken}`,
        sessionId: session?.upstreamId,
      }),
    );
  const failed = (status: 502 | 504, kind: string): Asked => {
    log("warn", "mcp.upstream_failed", { kind, connection: caller.connectionId });
    return {
      kind: "answered",
      answer: { kind: "response", response: unavailable(status, undefined, message, call) },
    };
  };
  try {
    let { accessToken } = caller.gong;
    let response = await ask(accessToken);
    if (response !== undefined && gongRefusal(response) === "unauthorized") {
      forget(call.accessToken);
      await discardBody(response);
      const replaced = await gateway.objects
        .connection(caller.connectionId)
        .replaceRejectedGongToken(caller.gong.generation);
      if (!replaced.ok) {
        const refused = { ...replaced, connectionId: caller.connectionId };
        const answer = await refusal(gateway, integration, refused, message, call);
        return { kind: "answered", answer };
      }
      accessToken = replaced.accessToken;
      response = await ask(accessToken);
    }
    return response === undefined ? failed(504, "late") : { kind: "asked", response, accessToken };
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    return failed(502, error.kind);
  }
}
