// The first middleware: opens the gateway for the request and names the request. While a setting is wrong, everything
// but /health stops here.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { openGateway } from "../domain/gateway.ts";
import { ConfigError } from "../errors.ts";
import { misconfigured } from "../respond.tsx";

/** Puts the gateway and a fresh request id on the request; answers 503 while a setting is wrong. */
export const requestContext = (): MiddlewareHandler<AppEnv> =>
  async function requestContext(c, next) {
    c.set("requestId", crypto.randomUUID());
    try {
      c.set("gateway", openGateway(c.env, c.executionCtx));
    } catch (error) {
      if (error instanceof ConfigError) return misconfigured(error);
      throw error;
    }
    await next();
    return undefined;
  };
