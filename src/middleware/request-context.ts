// The first middleware: opens the gateway for the request and names the request. While a setting is wrong, everything
// but /health stops here.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { openGateway } from "../domain/gateway.ts";
import { ConfigError } from "../errors.ts";
import { misconfigured } from "../respond.tsx";
import { networkOf } from "./address-rate.ts";

/** Puts the gateway and a fresh request id on the request; answers 503 while a setting is wrong. */
export const requestContext = (): MiddlewareHandler<AppEnv> =>
  async function requestContext(c, next) {
    const requestId = crypto.randomUUID();
    c.set("requestId", requestId);
    try {
      c.set("gateway", openGateway(c.env, c.executionCtx, requestId, networkOf(c)));
    } catch (error) {
      if (error instanceof ConfigError) return misconfigured(error);
      throw error;
    }
    await next();
    return undefined;
  };
