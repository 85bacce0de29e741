// What Gong offers: each tool with its state, what changed in it, and the decision of an admin. Rendered by GET
// /admin/tools. Everything that Gong says of a tool is text from outside: agents read it, and so it is shown whole.

import { memberChanges } from "../mcp/member-changes.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { Confirm } from "./confirm.tsx";
import { spelledOut } from "./outside-text.ts";
import { Badge, Card, Fact, Moment, PostForm } from "./parts.tsx";
import { Field, FormProblems, YesNo, type FormState } from "./policy-fields.tsx";

export interface ToolForm {
  /** As Gong said it: canonical JSON, or its beginning. */
  readonly definition: string;
  /** Epoch seconds. */
  readonly seenAt: number;
  readonly hash: string;
}

export interface ToolView {
  readonly integration: "main" | "shared";
  readonly access: "personal" | "shared";
  readonly name: string;
  readonly state: "approved" | "held";
  /** Epoch seconds. */
  readonly stateSince: number;
  /** The newest definition that was approved. */
  readonly approved: (ToolForm & { readonly by: string }) | undefined;
  /** What nobody has approved, the oldest first. */
  readonly waiting: readonly ToolForm[];
  readonly settings: FormState;
}

export interface AdminToolsView extends AdminPageView {
  readonly version: number;
  readonly tools: readonly ToolView[];
  readonly outcome?: "saved" | "refused" | "changed_meanwhile";
}

/** Lists the tools: those that wait for a decision first. Posts to /admin/tools/decide and /admin/tools/settings. */
export function AdminToolsPage(view: AdminToolsView) {
  const { nonce, csrf, tools } = view;
  const waiting = tools.filter(({ state }) => state === "held");
  const rest = tools.filter(({ state }) => state !== "held");
  return (
    <AdminFrame section="/admin/tools" title="Tools" nonce={nonce} csrf={csrf}>
      <Outcome {...view} />
      {tools.length === 0 ? (
        <div class="card">
          <p class="soft">
            No tool was seen yet. They appear here when an agent first asks Gong for its list of tools.
          </p>
        </div>
      ) : null}
      <Tools id="held" title="Held back" tools={waiting} view={view} />
      <Tools id="approved" title="Approved" tools={rest} view={view} />
    </AdminFrame>
  );
}

function Outcome({ outcome }: Pick<AdminToolsView, "outcome">) {
  if (outcome === "saved") {
    return (
      <p class="note" role="status">
        Saved. Calls are held to it from now on; lists of tools within seconds.
      </p>
    );
  }
  if (outcome !== "changed_meanwhile") return null;
  return (
    <p class="note warn" role="alert">
      Nothing was saved: this changed while you were looking. Look at what the page says now, then decide
      again.
    </p>
  );
}

function Tools(props: {
  readonly id: string;
  readonly title: string;
  readonly tools: readonly ToolView[];
  readonly view: AdminToolsView;
}) {
  const { id, title, tools, view } = props;
  if (tools.length === 0) return null;
  return (
    <Card id={id} title={title}>
      <ul class="items">
        {tools.map((tool, at) => (
          <Tool tool={tool} within={`${id}-${at}-`} view={view} />
        ))}
      </ul>
    </Card>
  );
}

const ACCESS_NAMES = { personal: "Personal access", shared: "Shared access" } as const;

function Tool({ tool, within, view }: { tool: ToolView; within: string; view: AdminToolsView }) {
  const { name, access, state, stateSince, approved, waiting } = tool;
  return (
    <li>
      <div class="row">
        <h3>{spelledOut(name)}</h3>
        <Badge tone={state === "held" ? "warn" : "good"}>{state === "held" ? "Held back" : "Approved"}</Badge>
        <span class="badge">{ACCESS_NAMES[access]}</span>
      </div>
      <p class="small soft">
        Since <Moment at={stateSince} />
        {approved === undefined ? "" : ` · approved by ${approverInWords(approved.by)}`}
      </p>
      {waiting.map((form) => (
        <Waiting form={form} approved={approved} />
      ))}
      {approved === undefined ? null : <Definition label="As approved" text={approved.definition} />}
      <Decision tool={tool} csrf={view.csrf} />
      <Settings tool={tool} within={within} view={view} />
    </li>
  );
}

/** Both integrations may have a tool of one name. */
const aboutTool = ({ name, access }: ToolView): string => `${name}, ${ACCESS_NAMES[access]}`;

const approverInWords = (by: string): string =>
  by === "first sight" ? "the gateway: one of Gong's own tools, as it was first seen" : spelledOut(by);

function Waiting({ form, approved }: { form: ToolForm; approved: ToolView["approved"] }) {
  if (approved === undefined) {
    return (
      <div class="note warn stack">
        <p>
          <strong>New</strong>, first seen <Moment at={form.seenAt} />. Agents would read this:
        </p>
        <pre class="scroll" tabindex={0} role="region" aria-label="Definition">
          <code>{pretty(form.definition)}</code>
        </pre>
      </div>
    );
  }
  const changes = memberChanges(parsed(approved.definition), parsed(form.definition));
  return (
    <div class="note warn stack">
      <p>
        <strong>Changed</strong>, seen <Moment at={form.seenAt} />. What differs from what was approved:
      </p>
      <dl class="facts">
        {changes.map(({ path, from, to }) => (
          <Fact term={spelledOut(path)}>
            <del>
              <span class="unseen">Before: </span>
              {spelledOut(inWords(from))}
            </del>
            <ins>
              <span class="unseen">Now: </span>
              {spelledOut(inWords(to))}
            </ins>
          </Fact>
        ))}
      </dl>
    </div>
  );
}

const inWords = (json: string): string => (json === "none" ? "not there" : json);

/** A definition that was too long to keep whole is shown as the text it is. */
function parsed(definition: string): unknown {
  try {
    return JSON.parse(definition);
  } catch {
    return { definition };
  }
}

/** Line breaks stay; whatever else can't be seen is spelt out. */
function pretty(definition: string): string {
  const value = parsed(definition);
  return JSON.stringify(value, undefined, 2).split("\n").map(spelledOut).join("\n");
}

function Definition({ label, text }: { label: string; text: string }) {
  return (
    <details>
      <summary class="link">{label}</summary>
      <pre class="scroll" tabindex={0} role="region" aria-label="Definition">
        <code>{pretty(text)}</code>
      </pre>
    </details>
  );
}

function Decision({ tool, csrf }: { tool: ToolView; csrf: string }) {
  const fields = { integration: tool.integration, name: tool.name };
  if (tool.state === "approved") {
    return (
      <Confirm
        label="Hold back…"
        about={aboutTool(tool)}
        action="/admin/tools/decide"
        csrf={csrf}
        button="Hold back this tool"
        fields={{ ...fields, decision: "hold" }}
      >
        No agent can list or call the tool any more, from now on. You can approve it again here.
      </Confirm>
    );
  }
  return (
    <PostForm action="/admin/tools/decide" csrf={csrf}>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <input type="hidden" name="decision" value="approve" />
      <input type="hidden" name="shown" value={tool.waiting.map(({ hash }) => hash).join(" ")} />
      <button type="submit" class="primary">
        Approve<span class="unseen"> {spelledOut(aboutTool(tool))}</span>
      </button>
    </PostForm>
  );
}

const SETTINGS = ["pays", "weight", "reuseSeconds"];

function Settings({ tool, within, view }: { tool: ToolView; within: string; view: AdminToolsView }) {
  const { settings, name } = tool;
  const { pays, weight, reuseSeconds } = settings.values;
  return (
    <>
      <p class="small soft">
        {pays === "yes" ? `Paid: a call counts ${weight ?? "1"}` : "Free: a call counts against no budget"}
        {reuseSeconds === "0"
          ? ", results are never used again."
          : `, results may be used again for ${reuseSeconds} s.`}
      </p>
      <details open={Object.keys(settings.problems).length > 0}>
        <summary class="button">
          Settings…<span class="unseen"> of {spelledOut(aboutTool(tool))}</span>
        </summary>
        <PostForm
          action="/admin/tools/settings"
          csrf={view.csrf}
          class="confirm stack-wide"
          label={`Settings of ${spelledOut(aboutTool(tool))}`}
        >
          <input type="hidden" name="version" value={String(view.version)} />
          <input type="hidden" name="name" value={name} />
          <FormProblems form={settings} fields={SETTINGS} />
          <YesNo
            form={settings}
            within={within}
            name="pays"
            label="A call costs Gong credits"
            hint="Every tool of Gong's does, as far as known. A tool that is not paid has no budget and no cost guards."
          />
          <Field
            form={settings}
            within={within}
            name="weight"
            label="How much a call counts"
            hint="From 1 to 1000. A brief with many sections costs Gong more than one question."
            inputmode="numeric"
          />
          <Field
            form={settings}
            within={within}
            name="reuseSeconds"
            label="Give the same answer again for, in seconds"
            hint="0 is never. An agent that asks the same within this time is not charged, and is told how old the answer is."
            inputmode="numeric"
          />
          <button type="submit">Save these settings</button>
        </PostForm>
      </details>
    </>
  );
}
