// /admin/tools: what Gong offers, what changed in it, and which of it agents may use.

import type { Context } from "hono";
import type { IntegrationName } from "../config.ts";
import { newRoutes, type AppEnv } from "../context.ts";
import { decideTool, toolsOverview, type SeenTool } from "../domain/approve-tool.ts";
import { editPolicy, fieldsOf, type FieldProblems } from "../domain/edit-policy.ts";
import { toolSettingsOf } from "../mcp/policy.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import type { FormParameters } from "../oauth/form.ts";
import { AdminToolsPage, type AdminToolsView, type ToolView } from "../pages/admin-tools.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, frameOf, goTo } from "./admin-parts.ts";

/** Settings that an admin sent and that were not saved. */
interface Unsaved {
  readonly form: FormParameters;
  readonly problems: FieldProblems;
}

export const adminTools = newRoutes()
  .get("/tools", adminPage(), async (c) => {
    const view = await toolsView(c);
    return c.html(
      <AdminToolsPage {...view} {...(c.req.query("saved") === "1" ? { outcome: "saved" } : {})} />,
    );
  })
  .post("/tools/decide", adminForm(), async (c) => {
    const act = c.get("act");
    const decision = act?.form.get("decision");
    const integration = integrationOf(act?.form.get("integration"));
    if (act === undefined || integration === undefined || (decision !== "approve" && decision !== "hold")) {
      return problemPage(c, "admin_form_stale", 400);
    }
    const decided = await decideTool(c.get("gateway"), {
      by: actorOf(c),
      integration,
      name: act.form.get("name") ?? "",
      decision,
      shown: (act.form.get("shown") ?? "").split(" "),
    });
    if (decided === "done") return saved(c);
    const view = await toolsView(c);
    return c.html(<AdminToolsPage {...view} outcome="changed_meanwhile" />, 409);
  })
  .post("/tools/settings", adminForm(), async (c) => {
    const act = c.get("act");
    if (act === undefined) return problemPage(c, "admin_form_stale", 400);
    const edit = await editPolicy(c.get("gateway"), actorOf(c), "tool", act.form);
    if (edit.kind === "saved") return saved(c);
    const problems = edit.kind === "refused" ? edit.problems : {};
    const view = await toolsView(c, { form: act.form, problems });
    return c.html(<AdminToolsPage {...view} outcome={edit.kind} />, edit.kind === "refused" ? 400 : 409);
  });

const saved = (c: Context<AppEnv>): Response => goTo(c, "/admin/tools?saved=1");

const integrationOf = (name: string | undefined): IntegrationName | undefined =>
  name === "main" || name === "shared" ? name : undefined;

async function toolsView(c: Context<AppEnv>, unsaved?: Unsaved): Promise<AdminToolsView> {
  const { version, policy, tools } = await toolsOverview(c.get("gateway"));
  return {
    ...frameOf(c),
    version,
    tools: tools.map(({ access, ...tool }) => {
      const values = fieldsOf(toolSettingsOf(policy, tool.name));
      const isSent = unsaved?.form.get("name") === tool.name;
      return {
        ...toolView(tool),
        access,
        settings: isSent ? asSent(unsaved, values) : { values, problems: {} },
      };
    }),
  };
}

function asSent({ form, problems }: Unsaved, values: Readonly<Record<string, string>>): ToolView["settings"] {
  const sent = Object.keys(values).map((name) => [name, form.get(name) ?? ""] as const);
  return { values: Object.fromEntries(sent), problems };
}

function toolView({ integration, name, state, stateSince, approved, waiting }: SeenTool) {
  const newest = approved.reduce<(typeof approved)[number] | undefined>(
    (best, form) => (best === undefined || (form.approvedAt ?? 0) >= (best.approvedAt ?? 0) ? form : best),
    undefined,
  );
  return {
    integration,
    name,
    state,
    stateSince,
    approved: newest === undefined ? undefined : { ...newest, by: newest.approvedBy ?? "" },
    waiting,
  };
}
