// Who may act as an admin: a live session cookie, and for every change a post from our own page with the session's form
// token. RFC 6749 §10.12.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { findAdmin, formToken, isFormToken } from "../domain/admin-session.ts";
import { problemPage } from "../respond.tsx";
import { readForm } from "./body.ts";
import { ADMIN_COOKIE, readCookie } from "./cookies.ts";
import { isSameOrigin } from "./same-origin.ts";

/** Lets only admins' own forms through; puts the form, and whoever sent it, on the request. */
export const adminForm = (): MiddlewareHandler<AppEnv> =>
  async function adminForm(c, next) {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const session = readCookie(c, ADMIN_COOKIE);
    const actor = await findAdmin(c.get("gateway"), session, c.req.raw);
    if (session === undefined || actor === undefined) {
      return problemPage(c, "admin_form_stale", 401);
    }
    const form = await readForm(c.req.raw);
    if (!(await isFormToken(session, form.get("csrf")))) return problemPage(c, "admin_form_stale", 403);
    c.set("act", { session, form, actor });
    c.set("viewer", { csrf: await formToken(session), actor });
    await next();
    return undefined;
  };

/** Lets only admins see a page; everybody else is led to the sign-in. */
export const adminPage = (): MiddlewareHandler<AppEnv> =>
  async function adminPage(c, next) {
    const gateway = c.get("gateway");
    const session = readCookie(c, ADMIN_COOKIE);
    const actor = await findAdmin(gateway, session, c.req.raw);
    if (session === undefined || actor === undefined) {
      return c.redirect(`${gateway.config.publicUrl}/admin`, 303);
    }
    c.set("viewer", { csrf: await formToken(session), actor });
    await next();
    return undefined;
  };
