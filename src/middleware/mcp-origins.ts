// Which web pages may call the MCP endpoints, and what their browsers are told. Called by routes/mcp ahead of
// everything else. MCP 2026-07-28, Streamable HTTP, Security (DNS rebinding); Fetch, CORS protocol.

import type { Config } from "../config.ts";

/** CORS headers for an answer. */
export type Cors = Readonly<Record<string, string>>;

/** The methods of the MCP endpoints, as an Allow header lists them. */
export const MCP_METHODS = "POST, GET, DELETE, HEAD, OPTIONS";

const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** No Origin is a native client. Ours, a listed one, and on a loopback gateway any loopback one may call. */
export function isAllowedOrigin(origin: string, config: Config): boolean {
  if (origin === config.publicUrl || config.allowedOrigins.has(origin)) return true;
  return LOOPBACK.test(config.publicUrl) && LOOPBACK.test(origin);
}

/**
 * A gateway on loopback answers to loopback names only, so that a rebound name reaches nothing. The URL's text is
 * compared as it came: a Host header can make it one that no parser takes.
 */
export function isOwnHost(url: string, config: Config): boolean {
  return !LOOPBACK.test(config.publicUrl) || LOOPBACK.test(url.slice(0, url.indexOf("/", "http://".length)));
}

const ALLOWED_HEADERS =
  "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, last-event-id";

/** The CORS headers of an answer to `origin`, which is allowed. */
export function corsHeaders(origin: string): Cors {
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "www-authenticate, mcp-session-id",
    vary: "Origin",
  };
}

/** Answers OPTIONS. Succeeds without a token: browsers send none with a preflight. */
export function preflight(request: Request, cors: Cors | undefined): Response {
  const asked = (request.headers.get("access-control-request-headers") ?? "").toLowerCase().split(",");
  const parameters = asked
    .map((name) => name.trim())
    .filter((name) => /^mcp-param-[a-z0-9-]{1,64}$/.test(name));
  const headers = {
    ...cors,
    "access-control-allow-methods": "POST, GET, DELETE",
    "access-control-allow-headers": [ALLOWED_HEADERS, ...parameters].join(", "),
    "access-control-max-age": "7200",
    allow: MCP_METHODS,
  };
  return new Response(null, { status: 204, headers });
}
