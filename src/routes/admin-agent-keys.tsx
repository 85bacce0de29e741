// /admin/agent-keys: everybody's agent keys, and new ones for shared access.

import type { Context } from "hono";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  createAgentKey,
  KEY_LIFETIMES_DAYS,
  pageOfAgentKeys,
  revokeAnyAgentKey,
  sharedEndpoints,
  type ListedAgentKey,
} from "../domain/agent-keys.ts";
import { EMPTY_PAGE } from "../listing.ts";
import { actorOf, queryOf } from "./admin-parts.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { AdminAgentKeyMadePage, AdminAgentKeysPage, type AdminAgentKey } from "../pages/admin-agent-keys.tsx";
import type { AgentKeyRefusal } from "../pages/agent-key-text.ts";
import { problemPage } from "../respond.tsx";
import { readAgentKeyForm } from "./agent-key-form.ts";

export const adminAgentKeys = newRoutes()
  .get("/agent-keys", adminPage(), async (c) => keysPage(c, c.get("viewer")?.csrf ?? ""))
  .post("/agent-keys", adminForm(), async (c) => {
    const gateway = c.get("gateway");
    const form = c.get("act")?.form;
    if (form === undefined) return problemPage(c, "admin_form_stale", 401);
    const csrf = form.get("csrf") ?? "";
    const endpoint = (await sharedEndpoints(gateway)).find(
      ({ resource }) => resource === form.get("resource"),
    );
    if (endpoint === undefined) return keysPage(c, csrf, "not_connected");
    const wish = { ...readAgentKeyForm(form), createdBy: actorOf(c) };
    const made = await createAgentKey(gateway, endpoint.connectionId, wish);
    if (!made.ok) return keysPage(c, csrf, made.reason);
    c.header("Cache-Control", "no-store");
    return c.html(
      <AdminAgentKeyMadePage
        nonce={c.get("secureHeadersNonce") ?? ""}
        csrf={csrf}
        name={made.name}
        value={made.key}
        resource={endpoint.resource}
        expiresAt={date(made.expiresAt)}
      />,
    );
  })
  .post("/agent-keys/:id/revoke", adminForm(), async (c) => {
    const revoked = await revokeAnyAgentKey(c.get("gateway"), c.req.param("id"), actorOf(c));
    if (!revoked) return problemPage(c, "agent_key_gone", 404);
    return c.redirect(`${c.get("gateway").config.publicUrl}/admin/agent-keys`, 303);
  });

async function keysPage(c: Context<AppEnv>, csrf: string, refusal?: AgentKeyRefusal): Promise<Response> {
  const gateway = c.get("gateway");
  const query = queryOf(c, ["state"]);
  const [endpoints, page] = await Promise.all([sharedEndpoints(gateway), pageOfAgentKeys(gateway, query)]);
  c.header("Cache-Control", "no-store");
  return c.html(
    <AdminAgentKeysPage
      nonce={c.get("secureHeadersNonce") ?? ""}
      csrf={csrf}
      query={query}
      page={{ ...EMPTY_PAGE, ...page, rows: page.rows.map(shown) }}
      resources={endpoints.map(({ resource }) => resource)}
      lifetimes={KEY_LIFETIMES_DAYS}
      {...(refusal === undefined ? {} : { refusal })}
    />,
    refusal === undefined ? 200 : 400,
  );
}

function shown({ lastUsedAt, revokedAt, revokedBy, ...key }: ListedAgentKey): AdminAgentKey {
  return {
    ...key,
    createdAt: date(key.createdAt),
    expiresAt: date(key.expiresAt),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: date(lastUsedAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: date(revokedAt) }),
    ...(revokedBy === undefined ? {} : { revokedBy }),
  };
}

const date = (epochSeconds: number): string => new Date(epochSeconds * 1000).toISOString();
