// From an admin's form to a change of the policy: one section at a time, on top of the policy in force, with every
// problem told beside the field it belongs to. Called by routes/admin-policy.tsx and routes/admin-tools.tsx.

import { isJsonObject } from "../json.ts";
import { log } from "../log.ts";
import { ownEntry, type Policy, type PolicyProblem } from "../mcp/policy.ts";
import type { BudgetUse, PolicyVersion } from "../storage/admin-rpc.ts";
import { forgetQuestionsDays } from "./call-contents.ts";
import { readerOf, required, type FieldProblems, type FormReader, type PolicyForm } from "./policy-form.ts";
import { forgetRules } from "./list-tools.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { nameIds, type NamedIds } from "./named-ids.ts";

/** What a form may change. An exception is the budget and the rule of one connection, client or agent key. */
export const POLICY_SECTIONS = [
  "budgets",
  "guards",
  "access",
  "exception",
  "removal",
  "tool",
  "content",
] as const;
export type PolicySection = (typeof POLICY_SECTIONS)[number];

export type PolicyEdit =
  | { readonly kind: "saved" }
  | { readonly kind: "refused"; readonly problems: FieldProblems }
  /** Another admin was faster: nothing is saved. */
  | { readonly kind: "changed_meanwhile" };

export type { BudgetUse, FieldProblems };

/** The policy in force, how much of its budgets is used, and what the ids in both stand for. */
export async function policyOverview(
  gateway: Gateway,
): Promise<PolicyVersion & { readonly uses: readonly BudgetUse[]; readonly names: NamedIds }> {
  const object = gateway.objects.admin();
  const [policy, uses] = await Promise.all([object.policy(), object.budgetUses()]);
  const ids = [...uses, ...exceptionsOf(policy.policy)].map(({ id }) => id);
  return { ...policy, uses, names: await nameIds(gateway, ids) };
}

/** Saves one section of the policy as `by`, if the policy is still the version that the form was made for. */
export async function editPolicy(
  gateway: Gateway,
  by: Actor,
  section: PolicySection,
  form: PolicyForm,
): Promise<PolicyEdit> {
  const object = gateway.objects.admin();
  const { version, policy } = await object.policy();
  if (form.get("version") !== String(version)) return { kind: "changed_meanwhile" };
  const reader = readerOf(form);
  const draft = DRAFTS[section](policy, reader, version);
  if (Object.keys(reader.problems).length > 0) return { kind: "refused", problems: reader.problems };
  const change = await object.setPolicy(by, version, draft);
  if (change.ok) {
    forgetRules(gateway);
    forgetQuestionsDays(gateway);
    log("info", "admin.acted", { action: "policy.changed" }, gateway);
    return { kind: "saved" };
  }
  if (change.reason === "changed_meanwhile") return { kind: "changed_meanwhile" };
  return { kind: "refused", problems: byField(change.problems) };
}

/** A policy as it may be: the AdminObject says whether it is one. */
type Draft = Readonly<Record<string, unknown>>;

const DRAFTS: Readonly<Record<PolicySection, (policy: Policy, form: FormReader, version: number) => Draft>> =
  {
    budgets: draftBudgets,
    guards: draftGuards,
    access: draftAccess,
    exception: draftException,
    removal: (policy, form) => withoutException(policy, form.text("kind"), form.text("id")),
    tool: draftTool,
    content: draftContent,
  };

function draftBudgets(policy: Policy, form: FormReader): Draft {
  const { budgets } = policy;
  const each = (scope: "connection" | "client" | "key") => ({
    ...budgets[scope],
    each: limitOf(form, `budgets.${scope}.each.`),
  });
  return {
    ...policy,
    timeZone: form.text("timeZone"),
    warnAtPercent: required(form, "warnAtPercent"),
    budgets: {
      company: limitOf(form, "budgets.company."),
      connection: each("connection"),
      client: each("client"),
      key: each("key"),
    },
  };
}

function limitOf(form: FormReader, prefix: string): object {
  const [perDay, perMonth] = [form.count(`${prefix}perDay`), form.count(`${prefix}perMonth`)];
  return { ...(perDay === undefined ? {} : { perDay }), ...(perMonth === undefined ? {} : { perMonth }) };
}

function draftGuards(policy: Policy, form: FormReader): Draft {
  const longestRangeDays = form.count("guards.longestRangeDays");
  return {
    ...policy,
    guards: {
      ...(longestRangeDays === undefined ? {} : { longestRangeDays }),
      rangeRequired: form.isOn("guards.rangeRequired"),
      allowAccounts: form.lines("guards.allowAccounts"),
      denyAccounts: form.lines("guards.denyAccounts"),
      allowDeals: form.lines("guards.allowDeals"),
      denyDeals: form.lines("guards.denyDeals"),
      maxArgumentsBytes: required(form, "guards.maxArgumentsBytes"),
    },
  };
}

function draftAccess(policy: Policy, form: FormReader): Draft {
  return {
    ...policy,
    access: { personal: ruleOf(form, "access.personal."), shared: ruleOf(form, "access.shared.") },
    holdBack: form.text("holdBack"),
    shareResults: form.isOn("shareResults"),
  };
}

/** What was kept before it is switched on is never read again: the version that does so is remembered. */
function draftContent({ content, ...policy }: Policy, form: FormReader, version: number): Draft {
  if (!form.isOn("content.keep")) return policy;
  const keepDays = required(form, "content.keepDays");
  return { ...policy, content: { keepDays, since: content?.since ?? version + 1 } };
}

/** How a form says that no tool at all may be used: an empty field is every tool. */
const NO_TOOL = "none";

function ruleOf(form: FormReader, prefix: string): object {
  const allow = form.words(`${prefix}allow`);
  const deny = form.words(`${prefix}deny`);
  if (allow.length === 0) return { deny };
  return { allow: allow.length === 1 && allow[0] === NO_TOOL ? [] : allow, deny };
}

const KINDS = ["connection", "client", "key"] as const;
type Kind = (typeof KINDS)[number];

/** Names that the policy's reader leaves out of every record. */
const UNNAMABLE: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

function draftException(policy: Policy, form: FormReader): Draft {
  const id = form.text("id");
  const kind = KINDS.find((known) => known === form.text("kind"));
  if (kind === undefined) form.problems["kind"] = "Choose whom the exception is for.";
  if (id === "") form.problems["id"] = "Write the id.";
  if (UNNAMABLE.has(id)) form.problems["id"] = "There is no client and no key of this id.";
  if (kind === undefined) return policy;
  const limit = limitOf(form, "");
  const rule = ruleOf(form, "");
  const saysRule = form.words("allow").length + form.words("deny").length > 0;
  if (kind === "connection" && saysRule) {
    form.problems[form.words("allow").length > 0 ? "allow" : "deny"] =
      "Tools are chosen for clients and agent keys, not for connections.";
  }
  if (!saysRule && Object.keys(limit).length === 0) {
    form.problems["perDay"] ??= "Write a budget or a list of tools, or remove the exception.";
  }
  const rest = withoutException(policy, kind, id);
  const byId = { ...rest.budgets[kind].byId, ...(Object.keys(limit).length > 0 ? { [id]: limit } : {}) };
  const budgets = { ...rest.budgets, [kind]: { ...rest.budgets[kind], byId } };
  if (kind === "connection" || !saysRule) return { ...rest, budgets };
  const rules = kind === "client" ? "clients" : "keys";
  return { ...rest, budgets, [rules]: { ...rest[rules], [id]: rule } };
}

function withoutException(policy: Policy, kind: string, id: string): Policy {
  const known = KINDS.find((candidate) => candidate === kind);
  if (known === undefined) return policy;
  const without = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => name !== id));
  const budgets = {
    ...policy.budgets,
    [known]: { ...policy.budgets[known], byId: without(policy.budgets[known].byId) },
  };
  return {
    ...policy,
    budgets,
    clients: known === "client" ? without(policy.clients) : policy.clients,
    keys: known === "key" ? without(policy.keys) : policy.keys,
  };
}

function draftTool(policy: Policy, form: FormReader): Draft {
  const settings = {
    pays: form.isOn("pays"),
    weight: required(form, "weight"),
    reuseSeconds: required(form, "reuseSeconds"),
  };
  const name = form.text("name");
  if (UNNAMABLE.has(name)) form.problems[""] = "A tool of this name can't have settings: it stays paid.";
  return { ...policy, tools: { ...policy.tools, [name]: settings } };
}

/** The fields of forms that are named like the last member of a path. */
const BY_LAST_MEMBER: ReadonlySet<string> = new Set([
  "perDay",
  "perMonth",
  "allow",
  "deny",
  "weight",
  "reuseSeconds",
]);

/** A field is named like its place in the policy; in a list the line is told. */
function byField(problems: readonly PolicyProblem[]): FieldProblems {
  const told: Record<string, string> = {};
  for (const { path, message } of problems) {
    const [, place = path, line] = /^(.*?)(?:\.(\d+))?$/.exec(path) ?? [];
    const text = line === undefined ? message : `Line ${Number(line) + 1}: ${message}`;
    const last = place.slice(place.lastIndexOf(".") + 1);
    const isException = /^(clients|keys|tools|budgets\.\w+\.byId)\./.test(place);
    const field = !isException ? place : BY_LAST_MEMBER.has(last) ? last : "id";
    told[field] ??= text;
  }
  return told;
}

/** An exception that the policy makes. */
export interface PolicyException {
  readonly kind: Kind;
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Every exception of a policy with its form fields. */
export function exceptionsOf(policy: Policy): readonly PolicyException[] {
  return KINDS.flatMap((kind) => {
    const { byId } = policy.budgets[kind];
    const rules = kind === "connection" ? {} : kind === "client" ? policy.clients : policy.keys;
    const ids = [...new Set([...Object.keys(byId), ...Object.keys(rules)])].sort();
    return ids.map((id) => ({
      kind,
      id,
      fields: { ...fieldsOf(ownEntry(byId, id) ?? {}), ...fieldsOf(ownEntry(rules, id) ?? {}) },
    }));
  });
}

/**
 * The form fields of a part of the policy, named by their place in it: lists as lines, absent members as empty ones.
 */
export function fieldsOf(value: unknown, place = ""): Readonly<Record<string, string>> {
  const dotted = (name: string): string => (place === "" ? name : `${place}.${name}`);
  if (Array.isArray(value))
    return { [place]: value.length === 0 && isAllowList(place) ? NO_TOOL : value.join("\n") };
  if (typeof value === "boolean") return { [place]: value ? "yes" : "" };
  if (!isJsonObject(value)) return { [place]: String(value) };
  return Object.assign({}, ...Object.entries(value).map(([name, member]) => fieldsOf(member, dotted(name))));
}

/** In a list of guards nothing allowed by name means that everything is. */
const isAllowList = (place: string): boolean => place === "allow" || /^access\.\w+\.allow$/.test(place);
