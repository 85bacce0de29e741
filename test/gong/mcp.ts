// The MCP endpoint: bearer check, refusals over HTTP, then the SDK's server in the era that the knob names. Called by
// stand-in.ts. That the endpoint exists and answers 401 without a token is known; most of the rest is not.
import { type AuthInfo, createMcpHandler, isLegacyRequest } from "@modelcontextprotocol/server";
import type { Arrival } from "./arrival.ts";
import { challengeResponse, refusedAddressResponse } from "./challenge.ts";
import { type Grant, grantOfAccessToken } from "./grants.ts";
import { TOOL_NAMES } from "./knobs.ts";
import { serveLegacy } from "./mcp-sessions.ts";
import { createToolServer, creditsUsedUp } from "./tools.ts";
import { isRemoved, type World } from "./world.ts";

/** Who calls, as the bearer token says. */
export interface Caller {
  grant: Grant;
  /** Person and integration, which stay the same over a refresh. */
  owner: string;
  /** For the SDK; `extra.request` is the ledger's number of this request. */
  authInfo: AuthInfo;
}

/** Answers any request to /mcp. */
export async function serveMcp(world: World, arrival: Arrival): Promise<Response> {
  return withExtraHeaders(world, await answerMcp(world, arrival));
}

async function answerMcp(world: World, arrival: Arrival): Promise<Response> {
  const { refusedAddressAt, seatRefusedAt } = world.knobs;
  if (refusedAddressAt === "mcp" || refusedAddressAt === "everywhere") return refusedAddressResponse();
  const caller = callerOf(world, arrival);
  if (caller === undefined) {
    // C1, C2. No token: the bare challenge. A token that does not work: by knob with `error` (RFC 6750 §3.1).
    return challengeResponse(world, arrival.headers.has("authorization") ? "invalid_token" : undefined);
  }
  if (caller.grant.person.seat !== "paid" && seatRefusedAt === "call") {
    return Response.json({ error: "A paid Gong seat is needed" }, { status: 403 });
  }
  if (world.knobs.creditsRefusedAt === "every_request" && world.knobs.creditBalance === 0) {
    return noCreditsResponse();
  }
  const tool = TOOL_NAMES.find((name) => name === arrival.tool);
  if (tool !== undefined && world.knobs.creditsUsedUpAs === "http_402" && creditsUsedUp(world, tool)) {
    return noCreditsResponse();
  }
  const request = requestForSdk(world, arrival);
  const { era } = world.knobs;
  const isLegacy = era === "legacy" || (era === "both" && (await isLegacyRequest(request)));
  return isLegacy ? serveLegacy(world, caller, request) : serveModern(world, caller, request);
}

/** K7. REST answers 402 (third party); over MCP unknown. */
function noCreditsResponse(): Response {
  return Response.json({ requestId: "stand-in", errors: ["No Gong credits are left"] }, { status: 402 });
}

/** C2, C3, C4. Only the header counts: a token in the query string is refused (inferred, RFC 6750 §2.3). */
function callerOf(world: World, arrival: Arrival): Caller | undefined {
  if (arrival.url.searchParams.has("access_token")) return undefined;
  const token = /^bearer ([^\s]+)$/i.exec(arrival.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return undefined;
  const removed = (grant: Grant): boolean => isRemoved(world, grant);
  const grant = grantOfAccessToken(world.book, world.knobs, world.nowMs(), token, removed);
  if (grant === undefined) return undefined;
  const { clientId, scopes } = grant;
  const owner = `${grant.person.id} ${clientId}`;
  return { grant, owner, authInfo: { token, clientId, scopes, extra: { request: arrival.seq } } };
}

/** M5. The SDK always refuses an `Accept` without both types; unless the knob wants that, both are put in. */
function requestForSdk(world: World, arrival: Arrival): Request {
  const headers = new Headers(arrival.headers);
  const isStream = arrival.method === "GET";
  if (!world.knobs.strictAccept) {
    headers.set("accept", isStream ? "text/event-stream" : "application/json, text/event-stream");
  }
  const { method, signal } = arrival;
  const body = method === "GET" || method === "HEAD" ? null : arrival.body;
  return new Request(arrival.url, { method, headers, body, signal });
}

/** M7. 2026-07-28: no sessions, `server/discover`, `subscriptions/listen`. Unknown at Gong. */
function serveModern(world: World, caller: Caller, request: Request): Promise<Response> {
  const handler = createMcpHandler(() => createToolServer(world, caller.grant), {
    legacy: "reject",
    // The SDK's `json` would drop progress; `auto` answers JSON until there is something to stream.
    responseMode: world.knobs.answerAs === "sse" ? "sse" : "auto",
    keepAliveMs: world.knobs.keepAliveMs,
    bus: world.changes,
  });
  return handler.fetch(request, { authInfo: caller.authInfo });
}

/** M8. Test need: headers that a careless or hostile upstream adds. A 401 keeps its own challenge. */
function withExtraHeaders(world: World, response: Response): Response {
  if (world.knobs.extraHeaders.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of world.knobs.extraHeaders) {
    if (name === "set-cookie") headers.append(name, value);
    else if (name !== "www-authenticate" || response.status !== 401) headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, headers });
}
