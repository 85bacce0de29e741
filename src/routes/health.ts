// GET /health: whether the gateway can work at all, and which version it is. Names what is wrong with the settings,
// never a value. An admin also learns how many connections are in which state, and what needs somebody.

import { version } from "../../package.json";
import { newRoutes } from "../context.ts";
import { findAdmin } from "../domain/admin-session.ts";
import { describeConnections } from "../domain/administer.ts";
import { openGateway } from "../domain/gateway.ts";
import { ConfigError } from "../errors.ts";
import { ADMIN_COOKIE, readCookie } from "../middleware/cookies.ts";

export const health = newRoutes().get("/", async (c) => {
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  try {
    const gateway = openGateway(c.env, c.executionCtx);
    if ((await findAdmin(gateway, readCookie(c, ADMIN_COOKIE), c.req.raw)) === undefined)
      return c.json({ status: "ok", version });
    return c.json({ status: "ok", version, ...(await describeConnections(gateway)) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return c.json({ status: "misconfigured", version, problems: error.problems }, 503);
  }
});
