// CORS for what browser-based MCP clients read: metadata, token, registration, revocation. Any origin, never with
// credentials; pages and /admin have none. Cookies play no part in these answers. Fetch, CORS protocol.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";

const PREFLIGHT = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
  "Access-Control-Allow-Headers": "authorization,content-type,accept,mcp-protocol-version",
  "Access-Control-Max-Age": "86400",
};

/** Lets web pages of any origin read the answer, and answers their preflights. */
export const anyOrigin = (): MiddlewareHandler<AppEnv> =>
  async function anyOrigin(c, next) {
    if (c.req.method === "OPTIONS") return c.body(null, 204, PREFLIGHT);
    await next();
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Access-Control-Expose-Headers", "www-authenticate");
    return undefined;
  };
