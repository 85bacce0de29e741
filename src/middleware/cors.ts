// CORS for what browser-based MCP clients read: metadata, token, registration, revocation. Any origin, never with
// credentials; pages and /admin have none. Cookies play no part in these answers.

import { cors } from "hono/cors";

/** Lets web pages of any origin read the answer, and answers their preflights. */
export const anyOrigin = () =>
  cors({
    origin: "*",
    allowMethods: ["GET", "POST", "OPTIONS"],
    allowHeaders: ["authorization", "content-type", "accept", "mcp-protocol-version"],
    exposeHeaders: ["www-authenticate"],
    maxAge: 86_400,
  });
