// The way to Gong's MCP endpoint and back: what of a client's request reaches Gong, and what of Gong's answer reaches
// the client. Both are built from nothing by allow-lists; bodies of good answers are never touched by JavaScript.
// Called by domain/. RFC 9110 §7.6.1; MCP 2026-07-28 Streamable HTTP and Token Handling.
import { nowSeconds } from "../clock.ts";
import { GongError } from "../errors.ts";
import { gongError, parseRetryAfter, readBounded, USER_AGENT } from "./answer.ts";

export interface GongMcpCall {
  readonly mcpUrl: URL;
  readonly method: string;
  /** The client's own headers. */
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** `Bearer` and the Gong access token. */
  readonly authorization: string;
  /** Gong's MCP session id, from our records; the client's header is never used. */
  readonly sessionId: string | undefined;
  readonly signal?: AbortSignal;
}

const FORWARDED: readonly string[] = [
  "accept",
  "content-type",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "last-event-id",
];
/** MCP 2026-07-28: an intermediary forwards these, known or not. */
const FORWARDED_PREFIX = "mcp-param-";

/**
 * Sends one MCP request to Gong and returns its answer as it is, unread. Of the client's headers only MCP's own go
 * along; redirects are not followed. Throws GongError "unavailable" when there is no answer, also when `signal` ended
 * the call. MCP 2026-07-28, Streamable HTTP.
 */
export async function requestGongMcp(call: GongMcpCall, fetcher: typeof fetch = fetch): Promise<Response> {
  const headers: Record<string, string> = { "user-agent": USER_AGENT };
  for (const name of FORWARDED) {
    const value = call.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  if (headers["mcp-name"] !== undefined) addParameters(headers, call.headers);
  if (call.sessionId !== undefined) headers["mcp-session-id"] = call.sessionId;
  headers["authorization"] = call.authorization;
  const init: RequestInit = { method: call.method, headers, body: call.body ?? null, redirect: "manual" };
  if (call.signal !== undefined) init.signal = call.signal;
  try {
    return await fetcher(call.mcpUrl.href, init);
  } catch {
    // A fetch rejects for the network and for `signal` only: there is no answer to look at.
    throw gongError("unavailable", "No answer from the MCP endpoint.");
  }
}

/**
 * MCP 2026-07-28, Custom Headers: they mirror arguments of a tool call, which then has an Mcp-Name. Looking through all
 * headers of a request costs more than asking for a few by name.
 */
function addParameters(headers: Record<string, string>, given: Headers): void {
  for (const [name, value] of given) if (name.startsWith(FORWARDED_PREFIX)) headers[name] = value;
}

/**
 * Says whether Gong refused the Gong access token: "unauthorized" for 401, "insufficient_scope" for 403 with that
 * error in its challenge. The caller cancels the body and answers with a challenge of its own: Gong's would send the
 * client to Gong's authorization server. RFC 6750 §3.1.
 */
export function gongRefusal(response: Response): "unauthorized" | "insufficient_scope" | undefined {
  if (response.status === 401) return "unauthorized";
  if (response.status !== 403) return undefined;
  const challenge = response.headers.get("www-authenticate") ?? "";
  return /\berror\s*=\s*"?insufficient_scope"?\s*(,|$)/i.test(challenge) ? "insufficient_scope" : undefined;
}

export interface ExposedAnswer {
  /** Our MCP session id for the client. */
  readonly sessionId: string | undefined;
  /** Our CORS headers. */
  readonly cors: Readonly<Record<string, string>> | undefined;
  /** The Gong access token that was sent: never to be seen in an error body. */
  readonly accessToken: string;
  /** The id of the client's message, for answers in place of Gong's; null when there is none. */
  readonly requestId?: string | number | null | undefined;
  /** What the client may see of the JSON of a 4xx; undefined when that has to be replaced. */
  readonly allowedInError?: ((bytes: Uint8Array<ArrayBuffer>) => Promise<BodyInit | undefined>) | undefined;
}

const LONGEST_ERROR_BODY = 64 * 1024;
const LONGEST_ERROR_MS = 10_000;
/** One media type: a list of two could be read as the second one. */
const READABLE = /^(application\/json|text\/event-stream)\s*(;[^,]*)?$/i;
const JSON_ONLY = /^application\/json\s*(;[^,]*)?$/i;

/**
 * Turns Gong's answer into the client's. 2xx: JSON and event streams pass as a stream, untouched; an answer without a
 * body stays one; anything else is 502. 4xx: a JSON body passes byte for byte, because clients tell protocol revisions
 * apart by it; other bodies, bodies over 64 KiB and bodies that hold the Gong access token are replaced. 3xx and 401,
 * which the caller deals with, become 502; 5xx keep their class with our body. Of the headers only Content-Type,
 * X-Accel-Buffering and a bounded Retry-After pass. MCP 2026-07-28, Streamable HTTP; RFC 9110 §15.
 */
export async function passGongResponse(response: Response, exposed: ExposedAnswer): Promise<Response> {
  const { status } = response;
  if (status >= 200 && status < 300) return passStream(response, exposed) ?? passEmpty(response, exposed);
  if (status >= 400 && status < 500 && status !== 401) return await passClientError(response, exposed);
  await discardBody(response);
  return ownError(response, exposed, [502, 503, 504].includes(status) ? status : 502);
}

function hasBody({ status, body }: Response): boolean {
  return status !== 202 && status !== 204 && status !== 205 && body !== null;
}

/** Undefined when there is no body that a client could read. */
function passStream(response: Response, exposed: ExposedAnswer): Response | undefined {
  const type = contentTypeOf(response);
  if (!hasBody(response) || !READABLE.test(type)) return undefined;
  return new Response(response.body, {
    status: response.status,
    headers: passedHeaders(response, type, exposed),
  });
}

async function passEmpty(response: Response, exposed: ExposedAnswer): Promise<Response> {
  const { status } = response;
  if (!hasBody(response)) await discardBody(response);
  // The answer to DELETE is 200 with neither a body nor a content type.
  else if ((await readAtMost(response, 0)) === undefined) return ownError(response, exposed, 502);
  return new Response(null, { status, headers: ownHeaders(response, exposed) });
}

async function passClientError(response: Response, exposed: ExposedAnswer): Promise<Response> {
  const { status } = response;
  const bytes = await readAtMost(response, LONGEST_ERROR_BODY);
  if (bytes?.byteLength === 0) return new Response(null, { status, headers: ownHeaders(response, exposed) });
  const type = contentTypeOf(response);
  if (bytes === undefined || !JSON_ONLY.test(type) || holds(bytes, exposed.accessToken)) {
    return ownError(response, exposed, status);
  }
  const allowed = exposed.allowedInError === undefined ? bytes : await exposed.allowedInError(bytes);
  if (allowed === undefined) return ownError(response, exposed, status);
  return new Response(allowed, { status, headers: passedHeaders(response, type, exposed) });
}

/** Whether the text holds the token, as it is or in JSON escapes. */
function holds(bytes: Uint8Array, token: string): boolean {
  const text = new TextDecoder().decode(bytes);
  if (text.includes(token)) return true;
  const unescaped = text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll("\\", "");
  return unescaped.includes(token.replaceAll("\\", ""));
}

/** The body when it is at most `longest` bytes; undefined when it is longer, takes too long or breaks off. */
async function readAtMost(response: Response, longest: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const signal = AbortSignal.timeout(LONGEST_ERROR_MS);
  return await readBounded(response, longest, signal).catch(() => undefined);
}

const PING = '{"jsonrpc":"2.0","id":0,"method":"ping"}';
const LONGEST_PING_MS = 10_000;

/** Whether Gong answers a ping at all, whatever it says to one without a session. Costs nothing (MCP, Ping). */
export async function answersPing(mcpUrl: URL, accessToken: string): Promise<boolean> {
  try {
    const response = await requestGongMcp({
      mcpUrl,
      method: "POST",
      headers: new Headers({
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
      }),
      body: Uint8Array.from(PING, (character) => character.charCodeAt(0)),
      authorization: `Bearer ${accessToken}`,
      sessionId: undefined,
      signal: AbortSignal.timeout(LONGEST_PING_MS),
    });
    await discardBody(response);
    return response.status < 500;
  } catch (error) {
    if (error instanceof GongError) return false;
    throw error;
  }
}

/**
 * Drops the rest of a body, so that its connection is free again. A body that broke off already is as good as dropped.
 */
export async function discardBody(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** JSON-RPC 2.0 §5.1: in the range left to implementations. */
const GONG_FAILED = -32_000;

/** Our own JSON-RPC error in place of Gong's body. */
function ownError(response: Response, exposed: ExposedAnswer, status: number): Response {
  const message =
    status < 500
      ? "Gong refused the request. Check the request and try again."
      : "Gong is not answering as it should. Try again later.";
  const error = { jsonrpc: "2.0", id: exposed.requestId ?? null, error: { code: GONG_FAILED, message } };
  return Response.json(error, { status, headers: ownHeaders(response, exposed) });
}

function contentTypeOf(response: Response): string {
  return response.headers.get("content-type") ?? "";
}

function passedHeaders(response: Response, type: string, exposed: ExposedAnswer): Record<string, string> {
  const headers = ownHeaders(response, exposed);
  headers["content-type"] = type;
  const buffering = response.headers.get("x-accel-buffering");
  if (buffering === "no" || buffering === "yes") headers["x-accel-buffering"] = buffering;
  return headers;
}

const METHOD_LIST = /^[A-Z]+(\s*,\s*[A-Z]+)*$/;

/** What goes with every answer; of Gong's only Retry-After, bounded, and the Allow of a 405 (RFC 9110 §15.5.6). */
function ownHeaders(response: Response, exposed: ExposedAnswer): Record<string, string> {
  const headers: Record<string, string> = {
    ...exposed.cors,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  if (exposed.sessionId !== undefined) headers["mcp-session-id"] = exposed.sessionId;
  const allow = response.status === 405 ? response.headers.get("allow") : null;
  if (allow !== null && METHOD_LIST.test(allow)) headers["allow"] = allow;
  const value = response.headers.get("retry-after");
  const retryAfter = value === null ? undefined : parseRetryAfter(value, nowSeconds());
  if (retryAfter !== undefined) headers["retry-after"] = String(retryAfter);
  return headers;
}
