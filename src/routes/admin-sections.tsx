// The sections of /admin: lists and details to look at, and the acts that stand on them. The overview, the sign-in and
// the sign-out are routes/admin.tsx.

import type { Context } from "hono";
import { isoTime } from "../clock.ts";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  auditInParts,
  connectionDetail,
  isDueSoon,
  pageApprovals,
  pageConnections,
  readAudit,
} from "../domain/admin-views.ts";
import { endAgent, endAgentKey, endConnection, settleApproval } from "../domain/administer.ts";
import { accessOf } from "../domain/gateway.ts";
import { keyWaitSeconds, sweepKeys } from "../domain/rotate-keys.ts";
import { exportResponse, parseExportFormat } from "../export.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { ApprovalsPage } from "../pages/admin-approvals.tsx";
import { AuditPage } from "../pages/admin-audit.tsx";
import { ConnectionPage } from "../pages/admin-connection.tsx";
import { ConnectionsPage } from "../pages/admin-connections.tsx";
import { SealingKeysPage } from "../pages/admin-sealing-keys.tsx";
import { KeySweepPage } from "../pages/key-sweep.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, frameOf, goTo, mapPage, queryOf } from "./admin-parts.ts";

const AUDIT_FILTERS = ["actor", "action", "from", "to"];

export const adminSections = newRoutes()
  .get("/connections", adminPage(), async (c) => {
    const gateway = c.get("gateway");
    const query = queryOf(c, ["state", "client"]);
    const { page, people } = await pageConnections(gateway, query);
    return c.html(
      <ConnectionsPage
        {...frameOf(c)}
        query={query}
        page={mapPage(page, (row) => ({
          id: row.id,
          access: accessOf(gateway, row),
          state: row.state,
          reason: row.reason ?? undefined,
          since: row.state_since,
          agents: row.agents,
          agentCount: row.agent_count,
          people: people.get(row.id),
          ...(row.used_on === 0 ? {} : { lastUsed: row.used_on }),
          ...(isDueSoon(gateway, row) ? personDueOf(row) : {}),
          atRisk: row.at_risk === 1,
          outOfCreditsSince: row.out_of_credits_since ?? undefined,
        }))}
      />,
    );
  })
  .get("/connections/:id", adminPage(), (c) => connectionPage(c, c.req.param("id")))
  .post("/connections/:id/end", adminForm(), async (c) => {
    const ended = await endConnection(c.get("gateway"), c.req.param("id"), actorOf(c));
    return ended ? goTo(c, "/admin/connections") : problemPage(c, "connection_gone", 404);
  })
  .post("/connections/:id/agents/:grant/end", adminForm(), async (c) => {
    const { id, grant } = c.req.param();
    const ended = await endAgent(c.get("gateway"), id, grant, actorOf(c));
    return ended ? goToConnection(c, id) : problemPage(c, "connection_gone", 404);
  })
  .post("/connections/:id/keys/:key/revoke", adminForm(), async (c) => {
    const { id, key } = c.req.param();
    const ended = await endAgentKey(c.get("gateway"), id, key, actorOf(c));
    return ended ? goToConnection(c, id) : problemPage(c, "connection_gone", 404);
  })
  .get("/approvals", adminPage(), async (c) => {
    const query = queryOf(c);
    const page = await pageApprovals(c.get("gateway"), query);
    return c.html(
      <ApprovalsPage
        {...frameOf(c)}
        query={query}
        page={mapPage(page, (row) => ({
          id: row.transaction_id,
          code: row.code,
          clientId: row.client_id,
          clientName: row.client_name ?? undefined,
          redirectUri: row.redirect_uri,
          requestedAt: row.requested_at,
        }))}
      />,
    );
  })
  .post("/approvals/:id", adminForm(), async (c) => {
    const decision = c.get("act")?.form.get("decision");
    if (decision !== "approve" && decision !== "deny") return problemPage(c, "admin_form_stale", 400);
    const settled = await settleApproval(
      c.get("gateway"),
      c.req.param("id"),
      decision === "approve" ? "approved" : "denied",
      actorOf(c),
    );
    return settled ? goTo(c, "/admin") : problemPage(c, "approval_gone", 409);
  })
  .get("/audit", adminPage(), async (c) => {
    const query = queryOf(c, AUDIT_FILTERS);
    const { page, choices, names } = await readAudit(c.get("gateway"), query);
    return c.html(
      <AuditPage
        {...frameOf(c)}
        {...choices}
        names={names}
        query={query}
        page={mapPage(page, (row) => ({
          at: row.at,
          actor: row.actor,
          action: row.action,
          target: row.target ?? undefined,
          requestId: row.request_id ?? undefined,
        }))}
      />,
    );
  })
  .get("/audit/export", adminPage(), exportAudit)
  .get("/sealing-keys", adminPage(), (c) => c.html(<SealingKeysPage {...frameOf(c)} />))
  .post("/keys/sweep", adminForm(), async (c) => {
    const gateway = c.get("gateway");
    const sweep = await sweepKeys(gateway, actorOf(c), c.get("act")?.form.get("next"));
    return c.html(
      <KeySweepPage
        {...frameOf(c)}
        {...sweep}
        sealingKid={gateway.keyring.sealingKid}
        waitMinutes={Math.ceil(keyWaitSeconds(gateway) / 60)}
      />,
    );
  });

async function connectionPage(c: Context<AppEnv>, id: string) {
  const detail = await connectionDetail(c.get("gateway"), id);
  if (detail === undefined) return problemPage(c, "connection_gone", 404);
  const { indexed, access, description, keys, missingKid, people } = detail;
  return c.html(
    <ConnectionPage
      {...frameOf(c)}
      id={indexed.id}
      access={access}
      state={description?.state ?? indexed.state}
      reason={description?.reason}
      since={description?.since ?? indexed.state_since}
      {...(description === undefined
        ? {}
        : { connectedAt: description.connectedAt, refreshedAt: description.refreshedAt })}
      {...personDueOf(indexed)}
      outOfCreditsSince={description?.outOfCreditsSince}
      atRisk={indexed.at_risk === 1}
      sealedWith={description?.sealedWith}
      missingKid={missingKid}
      people={people}
      agents={indexed.agents}
      grants={description?.grants ?? []}
      keys={keys}
    />,
  );
}

function exportAudit(c: Context<AppEnv>): Response | Promise<Response> {
  const format = parseExportFormat(c.req.query("format"));
  if (format === undefined) return goTo(c, "/admin/audit");
  const more = auditInParts(c.get("gateway"), queryOf(c, AUDIT_FILTERS));
  return exportResponse(format, {
    name: "gong-gateway-audit",
    columns: [
      ["at", ({ at }) => isoTime(at)],
      ["actor", ({ actor }) => actor],
      ["action", ({ action }) => action],
      ["target", ({ target }) => target],
      ["target_name", ({ targetName }) => targetName],
      ["request", ({ request_id: requestId }) => requestId],
    ],
    more,
  });
}

function goToConnection(c: Context<AppEnv>, id: string): Response {
  return goTo(c, `/admin/connections/${encodeURIComponent(id)}`);
}

function personDueOf(row: { readonly person_due_at: number | null; readonly person_due_for: string | null }) {
  if (row.person_due_at === null) return {};
  return { personDue: { at: row.person_due_at, why: row.person_due_for ?? "" } };
}
