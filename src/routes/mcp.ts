// ALL /mcp and /shared/mcp: bearer in, stream out. Order of checks, because clients probe with odd methods and headers
// and must get the challenge first: Host and Origin, OPTIONS, token, everything else. MCP 2026-07-28, Streamable HTTP,
// Security; MCP authorization; RFC 6750 §3.

import type { IntegrationConfig, IntegrationName } from "../config.ts";
import { noteAttempt } from "../domain/attempts.ts";
import type { Limit } from "../domain/call-timer.ts";
import { isAgentKey } from "../domain/caller.ts";
import { callGong, type McpAnswer, type McpCall } from "../domain/call-gong.ts";
import { openGateway, type Gateway } from "../domain/gateway.ts";
import { ConfigError, failureOf, OAuthError } from "../errors.ts";
import { errorFields, log } from "../log.ts";
import { HEADER_MISMATCH, INVALID_REQUEST, jsonRpcError } from "../mcp/errors.ts";
import { McpRefused } from "../mcp/refused.ts";
import { readBody } from "../middleware/body.ts";
import {
  corsHeaders,
  isAllowedOrigin,
  isOwnHost,
  MCP_METHODS,
  preflight,
  type Cors,
} from "../middleware/mcp-origins.ts";
import { bearerChallenge, parseBearer } from "../oauth/challenge.ts";
import { protectedResourceMetadataUrl } from "../oauth/metadata.ts";
import { SCOPES } from "../oauth/scope.ts";
import { misconfigured } from "../respond.tsx";

const INTERNAL_ERROR = -32_603;

/** Which integration a URL's path is for. The path is compared as it came, so no other spelling means the same. */
export function mcpEndpoint(url: string): IntegrationName | undefined {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  const path = start === -1 ? "" : url.slice(start, query === -1 ? url.length : query);
  if (path === "/mcp") return "main";
  return path === "/shared/mcp" ? "shared" : undefined;
}

/** Answers one request to an MCP endpoint. */
export async function serveMcp(
  request: Request,
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  name: IntegrationName,
): Promise<Response> {
  let gateway: Gateway;
  try {
    gateway = openGateway(env, context);
  } catch (error) {
    if (error instanceof ConfigError) return misconfigured(error);
    throw error;
  }
  const { config } = gateway;
  const integration = config.integrations.find((candidate) => candidate.name === name);
  if (integration === undefined) return refuse(404, "There is no shared access on this gateway.", undefined);
  const origin = request.headers.get("origin");
  if ((origin !== null && !isAllowedOrigin(origin, config)) || !isOwnHost(request.url, config)) {
    noteRefused(gateway, "origin_refused");
    return refuse(403, "This origin may not call the gateway.", undefined);
  }
  const cors = origin === null ? undefined : corsHeaders(origin);
  if (request.method === "OPTIONS") return preflight(request, cors);
  const authorization = request.headers.get("authorization");
  const accessToken = parseBearer(authorization);
  if (accessToken === undefined) {
    if (authorization !== null) noteRefused(gateway, "bearer_malformed");
    return challenge(integration, cors, authorization !== null);
  }
  const { method, headers } = request;
  const read = (limit: Limit) => readBody(request, config.maxBodyBytes, limit);
  const body = method === "POST" ? read : undefined;
  return answer({ gateway, integration, method, headers, accessToken, readBody: body, cors });
}

async function answer(call: McpCall): Promise<Response> {
  const { gateway, cors } = call;
  try {
    const given = await callGong(call);
    if (given.kind === "insufficient_scope") noteRefused(gateway, given.kind);
    else if (given.kind === "unauthorized") noteRefused(gateway, undefined);
    else if (given.response.status === 406) noteRefused(gateway, "mcp_accept");
    return respond(given, call);
  } catch (error) {
    // 404 only asks for a new MCP session, and 5xx is not the client's doing.
    if (error instanceof McpRefused && error.status < 500 && error.status !== 404)
      noteRefused(gateway, error.code === HEADER_MISMATCH ? "mcp_headers" : "mcp_message");
    return failed(gateway, error, cors);
  }
}

/** Keeps a refused call for the client doctor, in memory: nothing is written for a stranger's request. */
function noteRefused(gateway: Gateway, reason: string | undefined): void {
  if (reason === undefined && gateway.attempt.reason === undefined) return;
  noteAttempt(gateway, { step: "refused", reason, requestId: undefined }, false);
}

function respond(given: McpAnswer, { integration, accessToken, cors }: McpCall): Response {
  if (given.kind === "response") return given.response;
  if (isAgentKey(accessToken)) return keyChallenge(given.kind, cors);
  return challenge(integration, cors, true, given.kind === "unauthorized" ? undefined : given.scope);
}

function failed(gateway: Gateway, error: unknown, cors: Cors | undefined): Response {
  if (error instanceof McpRefused) {
    // What Gong did wrong is in the log where it was seen.
    if (error.status < 500) log("info", "mcp.refused", { status: error.status, code: error.code }, gateway);
    const headers: Record<string, string> = error.status === 405 ? { allow: MCP_METHODS } : {};
    return json(error.toResponseBody(), error.status, { ...cors, ...headers });
  }
  if (error instanceof OAuthError) {
    log("info", "mcp.refused", { status: error.status, reason: error.reason, code: error.code }, gateway);
    return refuse(error.status, error.description, cors);
  }
  log("error", "request.failed", { route: "/mcp", ...errorFields(error) }, gateway);
  const { status, description, retryAfterSeconds } = failureOf(error);
  const wait: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  return json(jsonRpcError(null, INTERNAL_ERROR, description), status, { ...cors, ...wait });
}

/** RFC 6750 §3.1: 401 without an error when no token was sent, `invalid_token` when one was; 403 for scope. */
function challenge(
  integration: IntegrationConfig,
  cors: Cors | undefined,
  tokenSent: boolean,
  missingScope?: string,
): Response {
  const code = missingScope === undefined ? (tokenSent ? "invalid_token" : undefined) : "insufficient_scope";
  const text = missingScope === undefined ? "Sign in to use this endpoint." : "Sign in with more scopes.";
  const header = bearerChallenge({
    resourceMetadataUrl: protectedResourceMetadataUrl(integration.resource),
    scope: missingScope ?? SCOPES.join(" "),
    error: code,
    description: code === undefined ? undefined : text,
  });
  const body = { error: code ?? "invalid_token", error_description: text };
  return json(body, missingScope === undefined ? 401 : 403, { ...cors, "www-authenticate": header });
}

/**
 * The same for an agent key, without where to sign in: whoever holds a key gave it to an agent that has no browser, and
 * a new sign-in would not bring the key back.
 */
function keyChallenge(kind: "unauthorized" | "insufficient_scope", cors: Cors | undefined): Response {
  const ended = kind === "unauthorized";
  const error = ended ? "invalid_token" : "insufficient_scope";
  const description = ended
    ? "This agent key is not valid here. Ask whoever made it for a new one."
    : "This agent key does not reach that at Gong.";
  return json({ error, error_description: description }, ended ? 401 : 403, {
    ...cors,
    "www-authenticate": bearerChallenge({ error, description }),
  });
}

function refuse(status: number, message: string, cors: Cors | undefined): Response {
  return json(jsonRpcError(null, INVALID_REQUEST, message), status, { ...cors });
}

function json(body: unknown, status: number, headers: Record<string, string>): Response {
  return Response.json(body, {
    status,
    headers: { ...headers, "cache-control": "no-store", "x-content-type-options": "nosniff" },
  });
}
