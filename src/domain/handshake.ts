// The opening of a conversation while Gong is down: an agent that starts then is answered what
// Gong last answered, and hears of the outage with its first call, instead of being thrown out
// by its client for good. What Gong answers is noted beside the stream, which passes
// untouched. Called by call-gong.ts. MCP 2025-11-25, Lifecycle; MCP 2026-07-28, Discovery.

import { readBounded } from "../bounded-body.ts";
import { answersPing } from "../gong/mcp.ts";
import { isJsonObject, JsonRefused, parseStrictJson, type JsonObject } from "../json.ts";
import { errorFields, log } from "../log.ts";
import { isModern } from "../mcp/headers.ts";
import type { McpMessage } from "../mcp/message.ts";
import { McpRefused } from "../mcp/refused.ts";
import type { Handshake } from "../storage/handshakes.ts";
import { retrying } from "../storage/stubs.ts";
import type { Gateway } from "./gateway.ts";
import { ourHeaders, unavailable, type McpAnswer, type McpCall } from "./mcp-answers.ts";
import { sealSessionId, SESSION_NOT_FOUND } from "./mcp-session.ts";

const OPENINGS: ReadonlySet<string> = new Set(["initialize", "server/discover"]);
const REVISION = /^\d{4}-\d{2}-\d{2}$/;
const LONGEST_RESULT = 65_536;
const LONGEST_READ_MS = 10_000;
const MOST_KNOWN = 40;

/** Stands in the place of Gong's session id, which has no spaces: the session began while Gong was down. */
export const BEGUN_WITHOUT_GONG = "begun without Gong";

/** The method and the revision of a message that opens a conversation; undefined for every other one. */
export function openingOf(
  message: McpMessage | undefined,
  body: Uint8Array | undefined,
  headers: Headers,
): string | undefined {
  const method = message?.method;
  if (message?.kind !== "request" || method === undefined || !OPENINGS.has(method)) return undefined;
  const asked = isModern(headers) ? message.protocolVersion : revisionIn(body);
  return `${method} ${asked !== undefined && REVISION.test(asked) ? asked : "unknown"}`;
}

/** `params.protocolVersion` of a body that was parsed before. */
function revisionIn(body: Uint8Array | undefined): string | undefined {
  const message: unknown = JSON.parse(new TextDecoder().decode(body));
  const params = isJsonObject(message) ? message["params"] : undefined;
  const revision = isJsonObject(params) ? params["protocolVersion"] : undefined;
  return typeof revision === "string" ? revision : undefined;
}

/** What this isolate knows to be kept, by the objects of the deployment. */
const kept = new WeakMap<Gateway["objects"], Map<string, Handshake>>();

function keptOf(gateway: Gateway): Map<string, Handshake> {
  const known = kept.get(gateway.objects) ?? new Map<string, Handshake>();
  kept.set(gateway.objects, known);
  return known;
}

/** Notes Gong's answer to an opening, after the answer has gone on. A failure is logged and costs nothing else. */
export function noteHandshake(
  { gateway, integration }: McpCall,
  connectionId: string,
  opening: string,
  response: Response,
): void {
  const { name } = integration;
  if (response.status !== 200 || response.body === null) return;
  const hasSession = response.headers.has("mcp-session-id") ? 1 : 0;
  const copy = response.clone();
  const note = async (): Promise<void> => {
    const bytes = await readBounded(copy, LONGEST_RESULT, AbortSignal.timeout(LONGEST_READ_MS));
    const answered = bytes === undefined ? undefined : resultIn(new TextDecoder().decode(bytes));
    if (answered === undefined) return;
    const result = JSON.stringify(publicPart(answered));
    const handshake: Handshake = { result, has_session: hasSession };
    const known = keptOf(gateway);
    // By the revision that Gong speaks, not the one it was asked for: clients can ask for any.
    const { protocolVersion: spoken } = answered;
    const [method = ""] = opening.split(" ");
    const under = typeof spoken === "string" && REVISION.test(spoken) ? `${method} ${spoken}` : opening;
    // MCP 2026-07-28, Caching: what is private is for nobody but the connection it was said to, in memory only.
    const isShared = answered["cacheScope"] !== "private";
    if (isShared) known.delete(`${name} ${under} ${connectionId}`);
    const place = isShared ? `${name} ${under}` : `${name} ${under} ${connectionId}`;
    const before = known.get(place);
    if (before?.result === result && before.has_session === hasSession) return;
    if (isShared)
      await retrying(async () => gateway.objects.admin().rememberHandshake(name, under, handshake));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(place, handshake);
  };
  gateway.waitUntil(
    note().catch((error: unknown) => log("warn", "handshake.not_kept", errorFields(error), gateway)),
  );
}

/** The result in Gong's answer, as JSON or as the last event of a stream that holds one. */
function resultIn(text: string): JsonObject | undefined {
  const messages = text.startsWith("{") ? [text] : text.split(/\r?\n/).flatMap(dataOf);
  for (const candidate of messages.toReversed()) {
    const message = parsed(candidate);
    const result = isJsonObject(message) ? message["result"] : undefined;
    if (isJsonObject(result)) return result;
  }
  return undefined;
}

/**
 * What a server says of itself alone. Instructions and the rest of `_meta` may be written for the person who asked, and
 * what is kept goes to everybody. MCP 2025-11-25, InitializeResult; MCP 2026-07-28, DiscoverResult.
 */
const PUBLIC_MEMBERS: readonly string[] = [
  "protocolVersion",
  "supportedVersions",
  "capabilities",
  "serverInfo",
  "resultType",
  "ttlMs",
  "cacheScope",
];

/** MCP 2026-07-28: where a server's name and version are. */
const SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo";

function publicPart(result: JsonObject): JsonObject {
  const kept = Object.entries(result).filter(([name]) => PUBLIC_MEMBERS.includes(name));
  const meta = isJsonObject(result["_meta"]) ? result["_meta"][SERVER_INFO_KEY] : undefined;
  return {
    ...Object.fromEntries(kept),
    ...(meta === undefined ? {} : { _meta: { [SERVER_INFO_KEY]: meta } }),
  };
}

const dataOf = (line: string): readonly string[] => (line.startsWith("data:") ? [line.slice(5).trim()] : []);

function parsed(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

/** The answer to an opening in Gong's place, from what it last answered. Undefined when it never did. */
export async function answerOpening(
  call: McpCall,
  message: McpMessage | undefined,
  connectionId: string,
  opening: string,
): Promise<McpAnswer | undefined> {
  const { gateway } = call;
  const { name } = call.integration;
  const handshake =
    keptOf(gateway).get(`${name} ${opening} ${connectionId}`) ??
    keptOf(gateway).get(`${name} ${opening}`) ??
    (await retrying(async () => gateway.objects.admin().recallHandshake(name, opening)));
  if (handshake === undefined) return undefined;
  log("info", "handshake.recalled", { connection: connectionId }, gateway);
  const result: unknown = JSON.parse(handshake.result);
  const headers = ourHeaders(call);
  if (handshake.has_session === 1 && opening.startsWith("initialize ")) {
    const session = { upstreamId: BEGUN_WITHOUT_GONG, opensUrls: message?.opensUrls ?? false };
    headers.set("mcp-session-id", await sealSessionId(gateway, connectionId, session));
  }
  const answer = { jsonrpc: "2.0", id: message?.id ?? null, result };
  return { kind: "response", response: Response.json(answer, { headers }) };
}

/**
 * Answers a message of a session that began while Gong was down. The gateway speaks for itself only: notifications and
 * pings. For the rest it looks whether Gong is back, which costs nothing: then the client is told to start a new
 * session (throws McpRefused 404; MCP 2025-11-25, Session Management), else that Gong is not available.
 */
export async function answerWithoutGong(
  call: McpCall,
  message: McpMessage | undefined,
  gongAccessToken: string,
): Promise<McpAnswer> {
  const headers = ourHeaders(call);
  const own = (response: Response): McpAnswer => ({ kind: "response", response });
  if (call.method === "DELETE") return own(new Response(null, { status: 200, headers }));
  if (message?.kind === "notification") return own(new Response(null, { status: 202, headers }));
  if (message?.kind === "request" && message.method === "ping") {
    return own(Response.json({ jsonrpc: "2.0", id: message.id ?? null, result: {} }, { headers }));
  }
  if (await answersPing(call.integration.mcpUrl, gongAccessToken)) {
    const text = "Gong is back. Start a new session: this one began while Gong was not available.";
    throw new McpRefused(404, SESSION_NOT_FOUND, text, message?.id);
  }
  return own(unavailable(call, message, 503));
}
