// /account: a person's sign-in by proof at Gong, their page, and what they can do there. Every change is a form post of
// a live account session, answered with a redirect back to the page.

import type { Context } from "hono";
import { isoTime } from "../clock.ts";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  accountEvents,
  createOwnKey,
  disconnectAccount,
  endAgent,
  endAllAgents,
  eraseOwnCalls,
  revokeOwnKey,
  signOutEverywhere,
} from "../domain/account.ts";
import { openAccountByAccess } from "../domain/account-access.ts";
import { ACCOUNT_COOKIE, ACCOUNT_SECONDS, signOutOfAccount } from "../domain/account-session.ts";
import { beginAccountSignIn, personalIntegration } from "../domain/account-sign-in.ts";
import { LEDGER_COLUMNS, ownFile } from "../domain/ledger-files.ts";
import { bindingCookieName } from "../domain/transaction.ts";
import { exportResponse, parseExportFormat, type ExportedList } from "../export.ts";
import { throughAccess } from "../middleware/access.ts";
import { accountForm, accountPage, findVisitor } from "../middleware/account-session.ts";
import { addressRate } from "../middleware/address-rate.ts";
import { readForm } from "../middleware/body.ts";
import { keepBinding, readCookie, writeCookie } from "../middleware/cookies.ts";
import { isSameOrigin } from "../middleware/same-origin.ts";
import { problemPage } from "../respond.tsx";
import {
  backToAccount,
  showAccount,
  showCalls,
  showMadeKey,
  showSignIn,
  visitorOf,
} from "./account-view.tsx";
import { queryOf } from "./admin-parts.ts";
import { readAgentKeyForm } from "./agent-key-form.ts";
import { leadOn } from "./lead-on.tsx";

type Events = Awaited<ReturnType<typeof accountEvents>>;

const acts = newRoutes()
  .use(accountForm())
  .post("/reconnect", (c) => goToGongForAccount(c))
  .post("/agents/end-all", async (c) => {
    await endAllAgents(c.get("gateway"), visitorOf(c));
    return backToAccount(c, "agents_ended");
  })
  .post("/agents/:id/end", async (c) => {
    const ended = await endAgent(c.get("gateway"), visitorOf(c), c.req.param("id"));
    return ended ? backToAccount(c, "agent_ended") : problemPage(c, "agent_gone", 404);
  })
  .post("/keys", async (c) => {
    const gateway = c.get("gateway");
    const form = c.get("visitorForm");
    if (form === undefined) return problemPage(c, "account_form_stale", 401);
    const wish = readAgentKeyForm(form);
    const made = await createOwnKey(gateway, visitorOf(c), wish);
    return made.ok ? showMadeKey(c, made) : showAccount(c, visitorOf(c), made.reason, wish);
  })
  .post("/keys/:id/revoke", async (c) => {
    const revoked = await revokeOwnKey(c.get("gateway"), visitorOf(c), c.req.param("id"));
    return revoked ? backToAccount(c, "key_revoked") : problemPage(c, "agent_gone", 404);
  })
  .post("/calls/erase", async (c) => {
    await eraseOwnCalls(c.get("gateway"), visitorOf(c));
    return backToAccount(c, "calls_erased");
  })
  .post("/disconnect", async (c) => {
    await disconnectAccount(c.get("gateway"), visitorOf(c));
    return backToAccount(c, "disconnected");
  })
  .post("/sign-out", async (c) => {
    await signOutOfAccount(c.get("gateway"), visitorOf(c).cookie);
    return signedOut(c);
  })
  .post("/sign-out-everywhere", async (c) => {
    await signOutEverywhere(c.get("gateway"), visitorOf(c));
    return signedOut(c);
  });

function signedOut(c: Context<AppEnv>): Response {
  writeCookie(c, ACCOUNT_COOKIE, "", { maxAgeSeconds: 0, sameSite: "Strict" });
  return backToAccount(c);
}

const downloads = newRoutes()
  .get("/calls", accountPage(), showCalls)
  .get("/calls/:format", accountPage(), (c) => {
    const format = parseExportFormat(c.req.param("format"));
    if (format === undefined) return c.notFound();
    const { connectionId } = visitorOf(c).session;
    const more = ownFile(c.get("gateway"), connectionId, queryOf(c, ["from", "to"]).filters);
    return exportResponse(format, { name: "gong-calls", columns: LEDGER_COLUMNS, more });
  })
  .get("/record/:format", accountPage(), async (c) => {
    const format = parseExportFormat(c.req.param("format"));
    if (format === undefined) return c.notFound();
    const events = await accountEvents(c.get("gateway"), visitorOf(c).session);
    const batches = [events];
    return exportResponse(format, {
      name: "gong-connection-record",
      columns: RECORD_COLUMNS,
      more: () => Promise.resolve(batches.shift() ?? []),
    });
  });

const RECORD_COLUMNS: ExportedList<Events[number]>["columns"] = [
  ["time", ({ at }) => isoTime(at)],
  ["event", ({ action }) => action],
  ["id", ({ target }) => target],
  ["name", ({ name }) => name],
  ["reason", ({ reason }) => reason],
];

export const account = newRoutes()
  .use(throughAccess())
  .get("/", async (c) => {
    const gateway = c.get("gateway");
    if (personalIntegration(gateway) === undefined) return problemPage(c, "account_shared_only", 404);
    const visitor = await findVisitor(c);
    return visitor === undefined ? showSignIn(c) : showAccount(c, visitor);
  })
  .post("/*", addressRate("STEP_RATE", "account"))
  // Where a reload of a sign-in leads.
  .get("/sign-in", (c) => backToAccount(c))
  .post("/sign-in", (c) => (isSameOrigin(c) ? goToGongForAccount(c) : problemPage(c, "cross_site", 403)))
  .post("/open", async (c) => {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const person = c.get("person");
    const connection = (await readForm(c.req.raw)).get("connection") ?? "";
    if (person === undefined) return backToAccount(c);
    const before = readCookie(c, ACCOUNT_COOKIE);
    const session = await openAccountByAccess(c.get("gateway"), person.email, connection, before);
    if (session === undefined) return problemPage(c, "account_not_yours", 404);
    writeCookie(c, ACCOUNT_COOKIE, session, { maxAgeSeconds: ACCOUNT_SECONDS, sameSite: "Strict" });
    return backToAccount(c);
  })
  .route("/", downloads)
  .route("/", acts);

async function goToGongForAccount(c: Context<AppEnv>): Promise<Response> {
  const begun = await beginAccountSignIn(c.get("gateway"), c.get("person")?.email);
  if (begun === undefined) return problemPage(c, "account_shared_only", 404);
  keepBinding(c, bindingCookieName(begun.transactionId), begun.cookieValue);
  return leadOn(c, begun.url, "Taking you to Gong", "Sign in there as yourself. Gong then brings you back.");
}
