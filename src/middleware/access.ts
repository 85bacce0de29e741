// Cloudflare Access in front of what people do in their browser: while it is configured, nobody gets past here without
// its token. Used by /authorize and every page a person signs in to. Cloudflare Access, Validate JWTs.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { readAccessIdentity } from "../domain/access-identity.ts";
import { problemPage } from "../respond.tsx";

/**
 * Puts the person whom Access names on the request. While Access is off nobody is named and the request goes on; while
 * it is on, a request without a good token gets a page that says what to do.
 */
export const throughAccess = (): MiddlewareHandler<AppEnv> =>
  async function throughAccess(c, next) {
    const reading = await readAccessIdentity(c.get("gateway"), c.req.raw);
    switch (reading.kind) {
      case "missing":
        return problemPage(c, "access_missing", 403);
      case "refused":
        return problemPage(c, "access_refused", 403);
      case "unavailable":
        return problemPage(c, "access_unavailable", 503);
      case "person":
        c.set("person", { email: reading.email });
        break;
      case "off":
    }
    await next();
    return undefined;
  };
