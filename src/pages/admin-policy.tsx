// The policy as an admin edits it: how much of each budget is used, and one form for each part of the policy. Rendered
// by GET /admin/policy, and again with what was sent when it could not be saved.

import type { PropsWithChildren } from "hono/jsx";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { BudgetPanel, type BudgetRow } from "./budget-panel.tsx";
import { Choice, Field, FormProblems, Lines, YesNo, type FormState } from "./policy-fields.tsx";
import { CONTENT_TEXT, PolicyContent } from "./policy-content.tsx";
import { PolicyExceptions, type ExceptionView } from "./policy-exceptions.tsx";
import type { Names } from "./named.tsx";
import { Card, PostForm } from "./parts.tsx";

/** The parts of the policy in the order of their tabs: path and name. */
const PARTS = [
  ["budgets", "/admin/policy", "Budgets"],
  ["guards", "/admin/policy/guards", "Cost guards"],
  ["access", "/admin/policy/access", "Tool rules"],
  ["exceptions", "/admin/policy/exceptions", "Exceptions"],
  ["content", "/admin/policy/content", "Kept questions"],
] as const;
export type PolicyPart = (typeof PARTS)[number][0];

export interface AdminPolicyView extends AdminPageView {
  readonly part: PolicyPart;
  /** The version that the forms are made for; 0 is the default policy. */
  readonly version: number;
  readonly budgets: FormState;
  readonly guards: FormState;
  readonly access: FormState;
  readonly content: FormState;
  readonly exceptions: readonly ExceptionView[];
  /** The empty form, or the exception that could not be added. */
  readonly added: FormState;
  readonly used: readonly BudgetRow[];
  /** What the ids of budgets and exceptions stand for. */
  readonly names: Names;
  /** What became of the last form. */
  readonly outcome?: "saved" | "refused" | "changed_meanwhile";
}

/**
 * Renders one part of the policy. Posts to /admin/policy/budgets, /guards, /access, /exception, /removal and /content.
 */
export function AdminPolicyPage(view: AdminPolicyView) {
  return (
    <AdminFrame section="/admin/policy" title="Policy" nonce={view.nonce} csrf={view.csrf}>
      <nav class="sections" aria-label="Policy">
        <ul>
          {PARTS.map(([part, path, name]) => (
            <li>
              <a href={path} aria-current={part === view.part ? "page" : undefined}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Outcome {...view} />
      <Part view={view} />
    </AdminFrame>
  );
}

function Part({ view }: { view: AdminPolicyView }) {
  switch (view.part) {
    case "budgets":
      return (
        <>
          <BudgetPanel rows={view.used} names={view.names} />
          <Budgets view={view} />
        </>
      );
    case "guards":
      return <Guards view={view} />;
    case "access":
      return <Access view={view} />;
    case "exceptions":
      return <PolicyExceptions {...view} />;
    case "content":
      return (
        <PartForm
          view={view}
          id="content"
          title="Kept questions"
          about={CONTENT_TEXT}
          save="Save what is kept"
        >
          <PolicyContent form={view.content} />
        </PartForm>
      );
  }
}

function Outcome({ outcome }: Pick<AdminPolicyView, "outcome">) {
  if (outcome === "saved") {
    return (
      <p class="note" role="status">
        Saved. Calls are held to it from now on; lists of tools within seconds.
      </p>
    );
  }
  if (outcome === "changed_meanwhile") {
    return (
      <p class="note warn" role="alert">
        Nothing was saved: the policy was changed while you were editing. What you wrote is still below.
        Compare it with the rest of the page, then save again.
      </p>
    );
  }
  return null;
}

interface PartFormView {
  readonly view: AdminPolicyView;
  /** Names the part in the page and in the path that is posted to. */
  readonly id: "budgets" | "guards" | "access" | "content";
  readonly title: string;
  readonly about: string;
  /** On the button. */
  readonly save: string;
}

/** One part of the policy: what it is about, and the form that saves it. */
function PartForm({ view, id, title, about, save, children }: PropsWithChildren<PartFormView>) {
  return (
    <Card id={id} title={title}>
      <p class="soft">{about}</p>
      <PostForm action={`/admin/policy/${id}`} csrf={view.csrf} class="stack-wide">
        <input type="hidden" name="version" value={String(view.version)} />
        <FormProblems form={view[id]} />
        {children}
        <div>
          <button type="submit" class="primary">
            {save}
          </button>
        </div>
      </PostForm>
    </Card>
  );
}

const SCOPES = [
  ["budgets.company", "The whole company"],
  ["budgets.connection.each", "Each connection"],
  ["budgets.client.each", "Each client"],
  ["budgets.key.each", "Each agent key"],
] as const;

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "Europe/London",
  "America/New_York",
  "America/Los_Angeles",
  "Asia/Jerusalem",
];

function Budgets({ view }: { view: AdminPolicyView }) {
  const form = view.budgets;
  return (
    <PartForm
      view={view}
      id="budgets"
      title="Budgets"
      about="How many paid calls may be made. A call beyond a budget is refused before it reaches Gong. An empty field is no limit. How much one call counts is set for each tool under Tools."
      save="Save the budgets"
    >
      {SCOPES.map(([name, label]) => (
        <fieldset class="pair">
          <legend>{label}</legend>
          <Field form={form} name={`${name}.perDay`} label="Calls a day" inputmode="numeric" />
          <Field form={form} name={`${name}.perMonth`} label="Calls a month" inputmode="numeric" />
        </fieldset>
      ))}
      <Field
        form={form}
        name="warnAtPercent"
        label="Warn from this part of a budget on, in percent"
        hint="From then on, each paid call is answered with a warning."
        inputmode="numeric"
      />
      <Field
        form={form}
        name="timeZone"
        label="Time zone"
        hint="Budgets start anew at its midnight. An IANA name, such as Europe/Berlin."
        list="zones"
      />
      <datalist id="zones">
        {ZONES.map((zone) => (
          <option value={zone} />
        ))}
      </datalist>
    </PartForm>
  );
}

const LISTS = [
  [
    "guards.allowAccounts",
    "Only these accounts",
    "Empty is every account. One a line, written as agents send it: a name or a CRM id.",
  ],
  [
    "guards.denyAccounts",
    "Not these accounts",
    "Also refused when a name or an id is only a part of what the agent sends.",
  ],
  ["guards.allowDeals", "Only these deals", "Empty is every deal."],
  ["guards.denyDeals", "Not these deals", "One a line."],
] as const;

function Guards({ view }: { view: AdminPolicyView }) {
  const form = view.guards;
  return (
    <PartForm
      view={view}
      id="guards"
      title="Cost guards"
      about="Gong charges by how many calls and emails it reads. These look at what a paid call asks for before it is made, but not at the question itself: an account that is only named there is not noticed."
      save="Save the cost guards"
    >
      <Field
        form={form}
        name="guards.longestRangeDays"
        label="Longest date range, in days"
        hint="Empty is no limit. A call that names no range at all is not limited by this: require one below."
        inputmode="numeric"
      />
      <YesNo form={form} name="guards.rangeRequired" label="A call must name a date range" />
      {LISTS.map(([name, label, hint]) => (
        <Lines form={form} name={name} label={label} hint={hint} />
      ))}
      <Field
        form={form}
        name="guards.maxArgumentsBytes"
        label="Largest arguments, in bytes"
        hint="From 256 to 1048576."
        inputmode="numeric"
      />
    </PartForm>
  );
}

const TOOL_LISTS = [
  [
    "access.personal.allow",
    "Personal access: only these tools",
    "One a line. Empty is every tool; the word none is no tool.",
  ],
  ["access.personal.deny", "Personal access: not these tools", "Wins over every list of what is allowed."],
  [
    "access.shared.allow",
    "Shared access: only these tools",
    "As above, for agents that reach all of the company's data.",
  ],
  ["access.shared.deny", "Shared access: not these tools", "One a line."],
] as const;

const HOLD_BACK = [
  ["paid", "New and changed paid tools"],
  ["all", "Every new and changed tool"],
  ["none", "Nothing"],
] as const;

function Access({ view }: { view: AdminPolicyView }) {
  const form = view.access;
  return (
    <PartForm
      view={view}
      id="access"
      title="Tools for everyone"
      about="A tool that is not allowed is neither listed nor can it be called. Rules for one client or one agent key are under Exceptions."
      save="Save the tool rules"
    >
      {TOOL_LISTS.map(([name, label, hint]) => (
        <Lines form={form} name={name} label={label} hint={hint} />
      ))}
      <Choice
        form={form}
        name="holdBack"
        label="Hold back until an admin approves"
        hint="You see a new or changed tool under Tools before any agent sees it."
        options={HOLD_BACK}
      />
      <YesNo
        form={form}
        name="shareResults"
        label="Agents with shared access may be given each other's results"
        hint="Only where a tool's results may be used again at all. Personal results never leave their connection."
      />
    </PartForm>
  );
}
