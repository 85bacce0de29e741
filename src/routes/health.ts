// GET /health: whether the gateway can work at all. Names what is wrong with the settings, never a value.

import { Hono } from "hono";
import type { AppEnv } from "../context.ts";
import { openGateway } from "../domain/gateway.ts";
import { ConfigError } from "../errors.ts";

export const health = new Hono<AppEnv>().get("/", (c) => {
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  try {
    openGateway(c.env, c.executionCtx);
    return c.json({ status: "ok" });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return c.json({ status: "misconfigured", problems: error.problems }, 503);
  }
});
