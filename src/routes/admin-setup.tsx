// /admin/setup: the set-up that proves itself. A check and a sign-in at Gong are form posts of an admin.

import { newRoutes } from "../context.ts";
import { beginSetupSignIn, describeSetup, runChecks, type SetupCheck } from "../domain/setup.ts";
import { bindingCookieName } from "../domain/transaction.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { keepBinding } from "../middleware/cookies.ts";
import { AdminSetupPage } from "../pages/admin-setup.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, frameOf, goTo } from "./admin-parts.ts";
import { leadOn } from "./lead-on.tsx";

export const adminSetup = newRoutes()
  .get("/setup", adminPage(), async (c) => {
    const { config } = c.get("gateway");
    const { checks, well, asOf } = await describeSetup(c.get("gateway"));
    return c.html(
      <AdminSetupPage
        {...frameOf(c)}
        redirectUri={config.integrations[0].redirectUri}
        checks={checksOf(checks, undefined)}
        integrations={config.integrations.map(({ name, access, clientId }) => ({
          name,
          access,
          clientId,
          checks: checksOf(checks, name),
        }))}
        well={well}
        asOf={asOf}
      />,
    );
  })
  .post("/setup/check", adminForm(), async (c) => {
    const gateway = c.get("gateway");
    await runChecks(gateway, URL.parse(c.req.url)?.origin ?? "an address that is no URL", actorOf(c));
    return goTo(c, "/admin/setup");
  })
  .post("/setup/sign-in", adminForm(), async (c) => {
    const { form, actor } = c.get("act") ?? {};
    const begun = await beginSetupSignIn(c.get("gateway"), form?.get("integration"), actor ?? "admin");
    if (begun === undefined) return problemPage(c, "integration_unknown", 404);
    keepBinding(c, bindingCookieName(begun.transactionId), begun.cookieValue);
    return leadOn(c, begun.url, "Taking you to Gong", "Sign in there and allow access.");
  });

const checksOf = (checks: readonly SetupCheck[], of: SetupCheck["integration"]): readonly SetupCheck[] =>
  checks.filter(({ integration }) => integration === of);
