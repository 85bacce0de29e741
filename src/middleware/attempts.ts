// Tells the client doctor how a step of a client ended. Around the routes of that step; the error pages and the stories
// say why and for whom.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { claimDiscovery, noteAttempt, writeAttempts, type Step } from "../domain/attempts.ts";

/** Steps that only somebody who got this far can take, and that have written themselves. */
const WRITING: readonly Step[] = ["consent", "approval", "callback", "token"];

/** Notes the outcome of `step`. What worked and has written takes along what waits; a refusal alone writes nothing. */
export const traced = (step: Step): MiddlewareHandler<AppEnv> =>
  async function traced(c, next) {
    await next();
    const gateway = c.get("gateway");
    const refusal = c.get("refusal");
    // RFC 8628 §3.5: a device that waits for its person asks again and again.
    if (refusal === "authorization_pending" || refusal === "slow_down") return;
    const { clientId, reason } = gateway.attempt;
    const address = c.req.header("CF-Connecting-IP");
    if (address !== undefined) claimDiscovery(gateway, address);
    const writes = refusal === undefined && WRITING.includes(step);
    if (clientId !== undefined || refusal !== undefined || reason !== undefined) {
      noteAttempt(gateway, { step, reason: refusal, requestId: c.get("requestId") }, writes);
    } else if (writes) writeAttempts(gateway);
  };
