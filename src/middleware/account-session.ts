// Who may see and change an account: a live account session, and for every change a post from our own page with the
// session's form token. RFC 6749 §10.12.

import type { Context, MiddlewareHandler } from "hono";
import type { AccountVisitor, AppEnv } from "../context.ts";
import { isSessionOf } from "../domain/account-access.ts";
import { ACCOUNT_COOKIE, liveAccountSession } from "../domain/account-session.ts";
import { actorIn } from "../domain/gateway.ts";
import { formToken, isFormToken } from "../domain/admin-session.ts";
import { problemPage } from "../respond.tsx";
import { readForm } from "./body.ts";
import { readCookie } from "./cookies.ts";
import { isSameOrigin } from "./same-origin.ts";

/** Lets only people's own forms through; puts the account session and the form on the request. */
export const accountForm = (): MiddlewareHandler<AppEnv> =>
  async function accountForm(c, next) {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const visitor = await findVisitor(c);
    if (visitor === undefined) return problemPage(c, "account_form_stale", 401);
    const form = await readForm(c.req.raw);
    if (!(await isFormToken(visitor.cookie, form.get("csrf")))) {
      return problemPage(c, "account_form_stale", 403);
    }
    c.set("visitor", visitor);
    c.set("visitorForm", form);
    await next();
    return undefined;
  };

/** Lets only a person with a live account session see a page; everybody else is led to the sign-in. */
export const accountPage = (): MiddlewareHandler<AppEnv> =>
  async function accountPage(c, next) {
    const visitor = await findVisitor(c);
    if (visitor === undefined) return c.redirect(`${c.get("gateway").config.publicUrl}/account`, 303);
    c.set("visitor", visitor);
    await next();
    return undefined;
  };

/**
 * Who visits, by the account cookie; undefined without a live session. Where Cloudflare Access names a person, the
 * session must be on a connection of theirs.
 */
export async function findVisitor(c: Context<AppEnv>): Promise<AccountVisitor | undefined> {
  const gateway = c.get("gateway");
  const cookie = readCookie(c, ACCOUNT_COOKIE);
  const session = await liveAccountSession(gateway, cookie);
  if (cookie === undefined || session === undefined) return undefined;
  const person = c.get("person");
  if (person !== undefined && !(await isSessionOf(gateway, session, person.email))) return undefined;
  return {
    session,
    cookie,
    csrf: await formToken(cookie),
    by: actorIn(gateway, person?.email ?? UNNAMED_ACTOR, "person"),
  };
}

/** Whoever proved at Gong that a connection is theirs: Gong says no name that the audit could keep. */
const UNNAMED_ACTOR = "person";
