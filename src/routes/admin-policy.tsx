// /admin/policy: budgets, cost guards, tool rules, exceptions and whether questions are kept. Each form changes one
// part of the policy; what can't be saved is shown again as it was sent, with what is wrong beside it.

import type { Context } from "hono";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  editPolicy,
  exceptionsOf,
  fieldsOf,
  POLICY_SECTIONS,
  policyOverview,
  type FieldProblems,
  type PolicySection,
} from "../domain/edit-policy.ts";
import type { Policy } from "../mcp/policy.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import type { FormParameters } from "../oauth/form.ts";
import { AdminPolicyPage, type AdminPolicyView, type PolicyPart } from "../pages/admin-policy.tsx";
import type { FormState } from "../pages/policy-fields.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, budgetRow, frameOf, goTo } from "./admin-parts.ts";

/** The settings of a tool have their form on the tools page. */
const POLICY_FORMS = POLICY_SECTIONS.filter((section) => section !== "tool");

/** What an admin sent that was not saved. */
interface Unsaved {
  readonly section: PolicySection;
  readonly form: FormParameters;
  readonly problems: FieldProblems;
  readonly outcome: "refused" | "changed_meanwhile";
}

export const adminPolicy = newRoutes()
  .get("/policy", adminPage(), (c) => showPart(c, "budgets"))
  .get("/policy/guards", adminPage(), (c) => showPart(c, "guards"))
  .get("/policy/access", adminPage(), (c) => showPart(c, "access"))
  .get("/policy/exceptions", adminPage(), (c) => showPart(c, "exceptions"))
  .get("/policy/content", adminPage(), (c) => showPart(c, "content"))
  .post("/policy/:section", adminForm(), async (c) => {
    const act = c.get("act");
    const section = POLICY_FORMS.find((known) => known === c.req.param("section"));
    if (act === undefined || section === undefined) return problemPage(c, "admin_form_stale", 404);
    const edit = await editPolicy(c.get("gateway"), actorOf(c), section, act.form);
    if (edit.kind === "saved") {
      return goTo(c, `${PATHS[PARTS[section]]}?saved=1`);
    }
    const problems = edit.kind === "refused" ? edit.problems : {};
    const view = await policyView(c, PARTS[section], {
      section,
      form: act.form,
      problems,
      outcome: edit.kind,
    });
    return c.html(<AdminPolicyPage {...view} />, edit.kind === "refused" ? 400 : 409);
  });

/** Where each part is, and which one a form belongs to. */
const PATHS: Readonly<Record<PolicyPart, string>> = {
  budgets: "/admin/policy",
  guards: "/admin/policy/guards",
  access: "/admin/policy/access",
  exceptions: "/admin/policy/exceptions",
  content: "/admin/policy/content",
};
const PARTS = {
  budgets: "budgets",
  guards: "guards",
  access: "access",
  exception: "exceptions",
  removal: "exceptions",
  content: "content",
} as const;

async function showPart(c: Context<AppEnv>, part: PolicyPart) {
  const view = await policyView(c, part);
  return c.html(
    <AdminPolicyPage {...view} {...(c.req.query("saved") === "1" ? { outcome: "saved" } : {})} />,
  );
}

async function policyView(c: Context<AppEnv>, part: PolicyPart, unsaved?: Unsaved): Promise<AdminPolicyView> {
  const gateway = c.get("gateway");
  const { version, policy, uses, names } = await policyOverview(gateway);
  const { budgets, timeZone, warnAtPercent, guards, access, holdBack, shareResults, content } = policy;
  const state = (section: PolicySection, part: unknown): FormState => {
    const values = fieldsOf(part);
    return unsaved?.section === section ? asSent(unsaved, values) : { values, problems: {} };
  };
  const { company, connection, client, key } = budgets;
  const each = {
    company,
    connection: { each: connection.each },
    client: { each: client.each },
    key: { each: key.each },
  };
  return {
    part,
    ...frameOf(c),
    version,
    budgets: state("budgets", { budgets: each, timeZone, warnAtPercent }),
    guards: state("guards", { guards }),
    access: state("access", { access, holdBack, shareResults }),
    content: state("content", {
      content: { keep: content !== undefined, keepDays: content?.keepDays ?? USUAL_KEEP_DAYS },
    }),
    exceptions: exceptionViews(policy, unsaved),
    added:
      unsaved !== undefined && isAddition(unsaved)
        ? asSent(unsaved, {})
        : { values: prefilled(c), problems: {} },
    used: uses.map((use) => budgetRow(policy, use, gateway.now())),
    names,
    ...(unsaved === undefined ? {} : { outcome: unsaved.outcome }),
  };
}

/** Offered when the arguments of calls are not kept yet. */
const USUAL_KEEP_DAYS = 30;

const EXCEPTION_FIELDS = ["kind", "id", "perDay", "perMonth", "allow", "deny"];

/** Every field as it was sent; an empty one was sent empty. */
function asSent({ form, problems }: Unsaved, values: Readonly<Record<string, string>>): FormState {
  const names = [...new Set([...Object.keys(values), ...OPTIONAL_FIELDS, ...EXCEPTION_FIELDS])];
  return { values: Object.fromEntries(names.map((name) => [name, form.get(name) ?? ""])), problems };
}

/** Fields that a policy may lack. */
const OPTIONAL_FIELDS = [
  ...["company", "connection.each", "client.each", "key.each"].flatMap((scope) => [
    `budgets.${scope}.perDay`,
    `budgets.${scope}.perMonth`,
  ]),
  "guards.longestRangeDays",
  "access.personal.allow",
  "access.shared.allow",
];

const isAddition = ({ section, form }: Unsaved): boolean =>
  section === "exception" && form.get("is_new") === "yes";

function exceptionViews(policy: Policy, unsaved: Unsaved | undefined): AdminPolicyView["exceptions"] {
  const sent = unsaved?.section === "exception" && !isAddition(unsaved) ? unsaved : undefined;
  return exceptionsOf(policy).map(({ kind, id, fields }) => ({
    kind,
    id,
    form:
      sent?.form.get("kind") === kind && sent.form.get("id") === id
        ? asSent(sent, fields)
        : { values: fields, problems: {} },
  }));
}

/** Other pages lead here with the id of what the exception is to be for. */
function prefilled(c: Context<AppEnv>): Readonly<Record<string, string>> {
  return { kind: c.req.query("kind") ?? "client", id: c.req.query("id") ?? "" };
}
