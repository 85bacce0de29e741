// Who may see and change an account: a live account session, and for every change a post from our own page with the
// session's form token. RFC 6749 §10.12.

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { ACCOUNT_COOKIE, liveAccountSession } from "../domain/account-session.ts";
import { formToken, isFormToken } from "../domain/admin-session.ts";
import { problemPage } from "../respond.tsx";
import { readForm } from "./body.ts";
import { readCookie } from "./cookies.ts";
import { isSameOrigin } from "./same-origin.ts";

/** Lets only people's own forms through; puts the account session and the form on the request. */
export const accountForm = (): MiddlewareHandler<AppEnv> =>
  async function accountForm(c, next) {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const cookie = readCookie(c, ACCOUNT_COOKIE);
    const session = await liveAccountSession(c.get("gateway"), cookie);
    if (cookie === undefined || session === undefined) return problemPage(c, "account_form_stale", 401);
    const form = await readForm(c.req.raw);
    if (!(await isFormToken(cookie, form.get("csrf")))) return problemPage(c, "account_form_stale", 403);
    c.set("visitor", { session, cookie, csrf: await formToken(cookie) });
    c.set("visitorForm", form);
    await next();
    return undefined;
  };

/** Lets only a person with a live account session see a page; everybody else is led to the sign-in. */
export const accountPage = (): MiddlewareHandler<AppEnv> =>
  async function accountPage(c, next) {
    const gateway = c.get("gateway");
    const cookie = readCookie(c, ACCOUNT_COOKIE);
    const session = await liveAccountSession(gateway, cookie);
    if (cookie === undefined || session === undefined) {
      return c.redirect(`${gateway.config.publicUrl}/account`, 303);
    }
    c.set("visitor", { session, cookie, csrf: await formToken(cookie) });
    await next();
    return undefined;
  };
