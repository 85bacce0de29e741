// GET /callback: the one redirect URI registered at Gong. Never renders the code; answers with the client's redirect or
// a page. RFC 6749 §4.1.2, RFC 9700 §4.2.

import { newRoutes, searchOf } from "../context.ts";
import { ACCOUNT_COOKIE, ACCOUNT_SECONDS, accountUrl } from "../domain/account-session.ts";
import { completeAuthorization } from "../domain/complete-authorization.ts";
import { traced } from "../middleware/attempts.ts";
import { readCookie, writeCookie } from "../middleware/cookies.ts";
import { problemPage } from "../respond.tsx";
import { leadOn } from "./lead-on.tsx";

export const callback = newRoutes();

callback.get("/callback", traced("callback"), async (c) => {
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "no-referrer");
  // A HEAD from a link checker must not use up the sign-in.
  if (c.req.method !== "GET") return c.body(null, 405, { allow: "GET" });
  const query = new URLSearchParams(searchOf(c));
  const completed = await completeAuthorization(c.get("gateway"), query, (name) => readCookie(c, name));
  if (completed.kind === "redirect") return c.redirect(completed.url, 303);
  if (completed.kind === "admin") {
    // The admin cookie is Strict: browsers send it from a page of ours, not on a redirect that began at Gong's site.
    return leadOn(c, completed.url, "Back from Gong", "Taking you to what the sign-in came to.");
  }
  if (completed.kind === "account") {
    const { session, otherPerson } = completed;
    writeCookie(c, ACCOUNT_COOKIE, session, { maxAgeSeconds: ACCOUNT_SECONDS, sameSite: "Strict" });
    const url = accountUrl(c.get("gateway")) + (otherPerson ? "?done=other_person" : "");
    return leadOn(c, url, "You are signed in", "Taking you to your account.");
  }
  if (completed.kind === "busy") {
    c.header("Retry-After", "2");
    // The page's own address has Gong's code in it, and stays out of the page.
    c.header("Refresh", "2");
    return problemPage(c, "busy", 409);
  }
  if (completed.kind === "lost") {
    return problemPage(c, "failed", 400, { label: "Begin again", url: completed.url });
  }
  return problemPage(c, completed.reason, 400);
});

callback.all("/callback", (c) => c.body(null, 405, { allow: "GET" }));
