// /admin: sign-in, sign-out and the overview. The other sections are admin-sections.tsx. Every change is a form post of
// a live session.

import type { Context } from "hono";
import { newRoutes, nonceOf, type AppEnv } from "../context.ts";
import {
  ADMIN_SESSION_SECONDS,
  adminByAccess,
  findAdmin,
  formToken,
  hasAdminSignIn,
  signInAdmin,
  signInAdminByAccess,
  signOutAdmin,
} from "../domain/admin-session.ts";
import { adminOverview, type AdminOverview } from "../domain/admin-views.ts";
import { needsSetup } from "../domain/setup.ts";
import { adminForm } from "../middleware/admin-session.ts";
import { readForm } from "../middleware/body.ts";
import { ADMIN_COOKIE, readCookie, writeCookie } from "../middleware/cookies.ts";
import { addressOf, addressRate } from "../middleware/address-rate.ts";
import { isSameOrigin } from "../middleware/same-origin.ts";
import { AdminSignInPage } from "../pages/admin-sign-in.tsx";
import { AdminPage } from "../pages/admin.tsx";
import { problemPage } from "../respond.tsx";
import { adminClientSections } from "./admin-client-sections.tsx";
import { goTo } from "./admin-parts.ts";
import { adminSections } from "./admin-sections.tsx";

const acts = newRoutes()
  .use(adminForm())
  .post("/sign-out", async (c) => {
    await signOutAdmin(c.get("gateway"), c.get("act")?.session);
    writeCookie(c, ADMIN_COOKIE, "", { maxAgeSeconds: 0, sameSite: "Strict" });
    return backToAdmin(c);
  });

export const admin = newRoutes()
  .get("/", async (c) => {
    const session = readCookie(c, ADMIN_COOKIE);
    if (!hasAdminSignIn(c.get("gateway"))) return problemPage(c, "admin_sign_in_missing", 404);
    const actor = await findAdmin(c.get("gateway"), session, c.req.raw);
    if (session === undefined || actor === undefined) return signInPage(c, false, 0);
    if (await needsSetup(c.get("gateway"))) {
      return goTo(c, "/admin/setup");
    }
    return overviewPage(c, await adminOverview(c.get("gateway")), await formToken(session));
  })
  // Where a reload of a refused sign-in leads.
  .get("/sign-in", backToAdmin)
  .post("/sign-in", addressRate("STEP_RATE", "admin"), async (c) => {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const form = await readForm(c.req.raw);
    if (form.get("by") === "access") {
      const session = await signInAdminByAccess(c.get("gateway"), c.req.raw);
      return session === undefined ? signInPage(c, false, 0) : signedIn(c, session);
    }
    const address = addressOf(c);
    const signIn = await signInAdmin(c.get("gateway"), form.get("token") ?? "", address);
    if (signIn.kind === "signed_in") return signedIn(c, signIn.session);
    const { retryAfterSeconds } = signIn;
    if (retryAfterSeconds > 0) c.header("Retry-After", String(retryAfterSeconds));
    return signInPage(c, true, retryAfterSeconds);
  })
  .route("/", adminSections)
  .route("/", adminClientSections)
  .route("/", acts);

/** Sets the cookie. The browser's earlier session, also one that somebody planted, ends (ASVS 7.2.4). */
async function signedIn(c: Context<AppEnv>, session: string): Promise<Response> {
  await signOutAdmin(c.get("gateway"), readCookie(c, ADMIN_COOKIE));
  writeCookie(c, ADMIN_COOKIE, session, { maxAgeSeconds: ADMIN_SESSION_SECONDS, sameSite: "Strict" });
  return backToAdmin(c);
}

async function signInPage(c: Context<AppEnv>, failed: boolean, retryAfterSeconds: number): Promise<Response> {
  const gateway = c.get("gateway");
  const { publicUrl, adminToken } = gateway.config;
  return c.html(
    <AdminSignInPage
      nonce={nonceOf(c)}
      byToken={adminToken !== undefined}
      byAccess={await adminByAccess(gateway, c.req.raw)}
      {...(URL.parse(c.req.url)?.origin === publicUrl ? {} : { publicUrl })}
      failed={failed}
      {...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {})}
    />,
    retryAfterSeconds > 0 ? 429 : 401,
  );
}

function backToAdmin(c: Context<AppEnv>): Response {
  return goTo(c, "/admin");
}

function overviewPage(c: Context<AppEnv>, overview: AdminOverview, csrf: string) {
  const { checks, asOf } = overview.setup;
  return c.html(
    <AdminPage
      nonce={nonceOf(c)}
      csrf={csrf}
      setup={{
        all: checks.length,
        open: checks.filter(({ verdict }) => verdict !== "ok").length,
        asOf,
      }}
      integrations={overview.integrations.map(({ connection, ...integration }) => ({
        ...integration,
        ...(connection === undefined
          ? {}
          : { connection: { state: connection.state, ...reasonOf(connection) } }),
      }))}
      approvals={overview.approvals.map((approval) => ({
        id: approval.transaction_id,
        code: approval.code,
        clientId: approval.client_id,
        clientName: approval.client_name ?? undefined,
        redirectUri: approval.redirect_uri,
        requestedAt: approval.requested_at,
      }))}
      states={overview.states}
      activity={overview.activity}
      outOfCreditsSince={overview.outOfCreditsSince}
      problems={overview.warnings.map(({ text, path }) => (path === undefined ? { text } : { text, path }))}
    />,
  );
}

const reasonOf = ({ reason }: { readonly reason: string | undefined }) =>
  reason === undefined ? {} : { reason };
