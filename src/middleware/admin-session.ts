// Who may act as an admin: a live session cookie, and for every change a post from our own page with the session's form
// token. RFC 6749 §10.12.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { isAdminSession, isFormToken } from "../domain/admin-session.ts";
import { problemPage } from "../respond.tsx";
import { readForm } from "./body.ts";
import { ADMIN_COOKIE, readCookie } from "./cookies.ts";
import { isSameOrigin } from "./same-origin.ts";

/** Lets only admins' own forms through; puts the session and the form on the request. */
export const adminForm = (): MiddlewareHandler<AppEnv> =>
  async function adminForm(c, next) {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const session = readCookie(c, ADMIN_COOKIE);
    if (session === undefined || !(await isAdminSession(c.get("gateway"), session))) {
      return problemPage(c, "admin_form_stale", 401);
    }
    const form = await readForm(c.req.raw);
    if (!(await isFormToken(session, form.get("csrf")))) return problemPage(c, "admin_form_stale", 403);
    c.set("act", { session, form });
    await next();
    return undefined;
  };
