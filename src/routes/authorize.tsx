// GET /authorize asks, POST /authorize decides, GET /authorize/waiting/<transaction> waits for an admin. RFC 6749
// §4.1.1; MCP authorization, Security Considerations, Confused Deputy.

import type { Context } from "hono";
import { newRoutes, nonceOf, searchOf, type AppEnv } from "../context.ts";
import { findAdmin } from "../domain/admin-session.ts";
import { beginAuthorization, type BegunAuthorization } from "../domain/begin-authorization.ts";
import { keptQuestionsDays } from "../domain/call-contents.ts";
import { decideConsent, type DecidedConsent } from "../domain/decide-consent.ts";
import { finishApproval } from "../domain/finish-approval.ts";
import { newBinding } from "../domain/sealed-request.ts";
import { bindingCookieName, isTransactionId } from "../domain/transaction.ts";
import { throughAccess } from "../middleware/access.ts";
import { addressRate } from "../middleware/address-rate.ts";
import { traced } from "../middleware/attempts.ts";
import { readForm } from "../middleware/body.ts";
import { ADMIN_COOKIE, CONSENT_COOKIE, keepBinding, readCookie, writeCookie } from "../middleware/cookies.ts";
import { isSameOrigin } from "../middleware/same-origin.ts";
import { redirectUriKind } from "../oauth/redirect-uri.ts";
import { ConsentPage } from "../pages/consent.tsx";
import type { AskingDeviceView } from "../pages/device.tsx";
import { WaitingPage } from "../pages/waiting.tsx";
import { problemPage } from "../respond.tsx";
import { leadOn } from "./lead-on.tsx";

const BINDING = /^[A-Za-z0-9_-]{43}$/;
// Longer than the form is good for, so that a form open for too long is not taken for another browser's.
const CONSENT_SECONDS = 3600;

const DAY_SECONDS = 86_400;

export const authorize = newRoutes()
  .use("/authorize", throughAccess())
  .use("/authorize/*", throughAccess())
  .get("/authorize", traced("authorize"), addressRate("STEP_RATE", "authorize"), async (c) => {
    const binding = consentBinding(c);
    const begun = await beginAuthorization(c.get("gateway"), searchOf(c), binding);
    if (begun.kind === "return") return redirect(c, begun.url);
    writeConsentBinding(c, binding);
    return askConsent(c, begun);
  })
  .post("/authorize", traced("consent"), addressRate("STEP_RATE", "consent"), async (c) => {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const form = await readForm(c.req.raw);
    const decided = await decideConsent(c.get("gateway"), {
      sealedRequest: form.get("request"),
      decision: form.get("decision"),
      deviceChecked: form.get("device_checked") === "yes",
      binding: readCookie(c, CONSENT_COOKIE),
      admin: await findAdmin(c.get("gateway"), readCookie(c, ADMIN_COOKIE), c.req.raw),
      person: c.get("person")?.email,
    });
    return goOn(c, decided);
  })
  .all("/authorize", (c) => c.body(null, 405, { allow: "GET, POST" }))
  .get("/authorize/waiting/:id", traced("approval"), async (c) => {
    const id = c.req.param("id");
    if (!isTransactionId(id)) return problemPage(c, "state_unknown", 400);
    const { publicUrl } = c.get("gateway").config;
    const finished = await finishApproval(c.get("gateway"), id, readCookie(c, bindingCookieName(id)));
    if (finished.kind === "refused") return problemPage(c, finished.reason, 400);
    if (finished.kind === "redirect") return redirect(c, finished.url);
    c.header("Cache-Control", "no-store");
    return c.html(
      <WaitingPage
        nonce={nonceOf(c)}
        clientName={finished.clientName}
        code={finished.code}
        checkUrl={`${publicUrl}/authorize/waiting/${id}`}
        adminUrl={`${publicUrl}/admin`}
      />,
    );
  });

/** A second page in the same browser keeps the cookie, or the first page's form would stop working. */
function consentBinding(c: Context<AppEnv>): string {
  const known = readCookie(c, CONSENT_COOKIE);
  return known !== undefined && BINDING.test(known) ? known : newBinding();
}

function writeConsentBinding(c: Context<AppEnv>, binding: string): void {
  writeCookie(c, CONSENT_COOKIE, binding, { maxAgeSeconds: CONSENT_SECONDS, sameSite: "Lax" });
}

/** The value of the consent cookie, set or kept for an hour. */
export function keepConsentBinding(c: Context<AppEnv>): string {
  const binding = consentBinding(c);
  writeConsentBinding(c, binding);
  return binding;
}

type AskedConsent = Omit<Extract<BegunAuthorization, { kind: "ask" }>, "kind" | "redirectUri"> &
  ({ readonly redirectUri: string } | { readonly device: AskingDeviceView });

/** The consent page for a request that was checked, from a redirect or from a device. */
export async function askConsent(c: Context<AppEnv>, begun: AskedConsent) {
  const { client, integration } = begun;
  const redirectUri = "device" in begun ? integration.redirectUri : begun.redirectUri;
  const { config } = c.get("gateway");
  const readableDays = await keptQuestionsDays(c.get("gateway"));
  c.header("Cache-Control", "no-store");
  return c.html(
    <ConsentPage
      nonce={nonceOf(c)}
      client={{ name: client.clientName, registration: client.registration, clientId: client.clientId }}
      redirectUri={redirectUri}
      redirectHost={new URL(redirectUri).host}
      loopback={!("device" in begun) && redirectUriKind(redirectUri) === "loopback"}
      {...("device" in begun ? { device: begun.device } : {})}
      scopes={begun.scope}
      access={integration.access}
      resource={integration.resource}
      gatewayHost={new URL(integration.redirectUri).host}
      sealedRequest={begun.sealedRequest}
      idleDays={config.refreshTokenSeconds / DAY_SECONDS}
      longestDays={config.grantSeconds / DAY_SECONDS}
      readableDays={readableDays}
    />,
  );
}

function goOn(c: Context<AppEnv>, decided: DecidedConsent) {
  c.header("Cache-Control", "no-store");
  switch (decided.kind) {
    case "refused":
      return problemPage(c, decided.reason, decided.reason === "other_browser" ? 403 : 400);
    case "gong":
      keepBinding(c, bindingCookieName(decided.transactionId), decided.cookieValue);
      return leadOn(c, decided.url, "Taking you to Gong", "Sign in at Gong and allow access there.");
    case "client":
      return leadOn(c, decided.url, "You denied access", "Nothing was connected. Your app is being told.");
    case "admin": {
      keepBinding(c, bindingCookieName(decided.transactionId), decided.cookieValue);
      const url = `${c.get("gateway").config.publicUrl}/authorize/waiting/${decided.transactionId}`;
      // What is decided goes on to the client, where the browser would not follow the form.
      if (decided.isDecided) return leadOn(c, url, "Taking you to your client", "An admin approved it.");
      return c.redirect(url, 303);
    }
  }
}

/** 303, so that nothing is posted again, and no Referer that could carry a code. RFC 9700 §4.12. */
function redirect(c: Context<AppEnv>, url: string): Response {
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "no-referrer");
  return c.redirect(url, 303);
}
