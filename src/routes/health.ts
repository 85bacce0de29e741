// GET /health: whether the gateway can work at all. Names what is wrong with the settings, never a value. An admin also
// learns how many connections are in which state.

import { Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { isAdminSession } from "../domain/admin-session.ts";
import { countConnections } from "../domain/administer.ts";
import { openGateway } from "../domain/gateway.ts";
import { ConfigError } from "../errors.ts";
import { ADMIN_COOKIE, readCookie } from "../middleware/cookies.ts";

export const health = new Hono<AppEnv>().get("/", async (c) => {
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  try {
    const gateway = openGateway(c.env, c.executionCtx);
    if (!(await isAdminSession(gateway, readCookie(c, ADMIN_COOKIE)))) return c.json({ status: "ok" });
    return c.json({ status: "ok", connections: await countConnections(gateway) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return c.json({ status: "misconfigured", problems: error.problems }, 503);
  }
});
