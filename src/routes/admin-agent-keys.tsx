// /admin/agent-keys: everybody's agent keys, and new ones for shared access.

import type { Context } from "hono";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  createAgentKey,
  KEY_LIFETIMES_DAYS,
  pageOfAgentKeys,
  revokeAnyAgentKey,
  sharedEndpoints,
} from "../domain/agent-keys.ts";
import { actorOf, frameOf, goTo, queryOf } from "./admin-parts.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { AdminAgentKeyMadePage, AdminAgentKeysPage } from "../pages/admin-agent-keys.tsx";
import type { EnteredKey } from "../pages/agent-key-form.tsx";
import type { AgentKeyRefusal } from "../pages/agent-key-text.ts";
import { problemPage } from "../respond.tsx";
import { readAgentKeyForm } from "./agent-key-form.ts";

export const adminAgentKeys = newRoutes()
  .get("/agent-keys", adminPage(), (c) => keysPage(c))
  .post("/agent-keys", adminForm(), async (c) => {
    const gateway = c.get("gateway");
    const form = c.get("act")?.form;
    if (form === undefined) return problemPage(c, "admin_form_stale", 401);
    const wish = { ...readAgentKeyForm(form), resource: form.get("resource") };
    const endpoint = (await sharedEndpoints(gateway)).find(({ resource }) => resource === wish.resource);
    if (endpoint === undefined) return keysPage(c, "not_connected", wish);
    const made = await createAgentKey(gateway, endpoint.connectionId, { ...wish, createdBy: actorOf(c) });
    if (!made.ok) return keysPage(c, made.reason, wish);
    return c.html(
      <AdminAgentKeyMadePage
        {...frameOf(c)}
        name={made.name}
        value={made.key}
        resource={endpoint.resource}
        expiresAt={made.expiresAt}
      />,
    );
  })
  .post("/agent-keys/:id/revoke", adminForm(), async (c) => {
    const revoked = await revokeAnyAgentKey(c.get("gateway"), c.req.param("id"), actorOf(c));
    if (!revoked) return problemPage(c, "agent_key_gone", 404);
    return goTo(c, "/admin/agent-keys");
  });

async function keysPage(
  c: Context<AppEnv>,
  refusal?: AgentKeyRefusal,
  entered?: EnteredKey,
): Promise<Response> {
  const gateway = c.get("gateway");
  const query = queryOf(c, ["state"]);
  const [endpoints, page] = await Promise.all([sharedEndpoints(gateway), pageOfAgentKeys(gateway, query)]);
  return c.html(
    <AdminAgentKeysPage
      {...frameOf(c)}
      query={query}
      page={page}
      resources={endpoints.map(({ resource }) => resource)}
      lifetimes={KEY_LIFETIMES_DAYS}
      refusal={refusal}
      entered={entered}
    />,
    refusal === undefined ? 200 : 400,
  );
}
