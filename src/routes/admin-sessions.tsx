// /admin/sessions: who is signed in as an admin, and the end of all of it. ASVS 7.4.

import { newRoutes } from "../context.ts";
import { endAllAdminSessions, listAdminSessions } from "../domain/admin-session.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { ADMIN_COOKIE, writeCookie } from "../middleware/cookies.ts";
import { AdminSessionsPage } from "../pages/admin-sessions.tsx";
import { actorOf, frameOf, goTo } from "./admin-parts.ts";

export const adminSessions = newRoutes()
  .get("/sessions", adminPage(), async (c) => {
    const sessions = await listAdminSessions(c.get("gateway"));
    return c.html(
      <AdminSessionsPage
        {...frameOf(c)}
        actor={c.get("viewer")?.actor ?? ""}
        sessions={sessions.map(({ actor, created_at: created, seen_at: seen }) => ({
          actor,
          since: created,
          lastUsed: seen,
        }))}
      />,
    );
  })
  .post("/sessions/end", adminForm(), async (c) => {
    await endAllAdminSessions(c.get("gateway"), actorOf(c));
    writeCookie(c, ADMIN_COOKIE, "", { maxAgeSeconds: 0, sameSite: "Strict" });
    return goTo(c, "/admin");
  });
