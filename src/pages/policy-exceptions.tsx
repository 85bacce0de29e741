// The exceptions of the policy: the budget and the tools of one connection, client or agent key. Part of
// admin-policy.tsx.

import { Confirm } from "./confirm.tsx";
import { nameInWords, type Names } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { Choice, Field, FormProblems, Lines, type FormState } from "./policy-fields.tsx";
import { Card } from "./parts.tsx";

export interface ExceptionView {
  readonly kind: "connection" | "client" | "key";
  readonly id: string;
  readonly form: FormState;
}

interface ExceptionsView {
  readonly csrf: string;
  readonly version: number;
  readonly exceptions: readonly ExceptionView[];
  readonly added: FormState;
  readonly names: Names;
}

const KINDS = [
  ["client", "Client"],
  ["key", "Agent key"],
  ["connection", "Connection"],
] as const;
const KIND_NAMES: ReadonlyMap<string, string> = new Map(KINDS);

/** Lists the exceptions, each with its form and the way to remove it, and the form for a new one. */
export function PolicyExceptions({ csrf, version, exceptions, added, names }: ExceptionsView) {
  return (
    <Card id="exceptions" title="Exceptions">
      <p class="soft">
        A budget here holds in place of the one that each connection, client or key has. A list of tools holds
        beside the rules for everyone: a tool must be allowed by both.
      </p>
      {exceptions.length === 0 ? <p class="soft">None yet.</p> : null}
      <ul class="items">
        {exceptions.map((exception, at) => (
          <Exception {...{ exception, at, csrf, version, names }} />
        ))}
      </ul>
      <h3 id="new-exception">Add an exception</h3>
      <form method="post" action="/admin/policy/exception" class="stack-wide" aria-labelledby="new-exception">
        <Hidden csrf={csrf} version={version} />
        <input type="hidden" name="is_new" value="yes" />
        <FormProblems form={added} />
        <Choice form={added} within="new-" name="kind" label="For one" options={KINDS} />
        <Field
          form={added}
          within="new-"
          name="id"
          label="Its id"
          hint="As it stands on the pages of connections, clients and agent keys."
        />
        <ExceptionFields form={added} within="new-" />
        <div>
          <button type="submit">Add the exception</button>
        </div>
      </form>
    </Card>
  );
}

function Exception({
  exception,
  at,
  csrf,
  version,
  names,
}: Pick<ExceptionsView, "csrf" | "version" | "names"> & { exception: ExceptionView; at: number }) {
  const { kind, id, form } = exception;
  const within = `exception-${at}-`;
  const named = names.get(id);
  const name = `${KIND_NAMES.get(kind) ?? kind} ${nameInWords(id, named)}`;
  const hasProblems = Object.keys(form.problems).length > 0;
  return (
    <li>
      <h3>{name}</h3>
      <p class="small soft">
        {inWords(form.values)}
        {named === undefined ? null : <code class="under">{spelledOut(id)}</code>}
      </p>
      <details open={hasProblems}>
        <summary class="button">
          Change…<span class="unseen"> {name}</span>
        </summary>
        <form method="post" action="/admin/policy/exception" class="stack-wide confirm" aria-label={name}>
          <Hidden csrf={csrf} version={version} />
          <input type="hidden" name="kind" value={kind} />
          <input type="hidden" name="id" value={id} />
          <FormProblems form={form} />
          <ExceptionFields form={form} within={within} />
          <button type="submit">Save this exception</button>
        </form>
      </details>
      <Confirm
        label="Remove…"
        about={name}
        action="/admin/policy/removal"
        csrf={csrf}
        button="Remove this exception"
        fields={{ version: String(version), kind, id }}
      >
        From then on only the rules and budgets for everyone hold for it. You can add the exception again.
      </Confirm>
    </li>
  );
}

function Hidden({ csrf, version }: Pick<ExceptionsView, "csrf" | "version">) {
  return (
    <>
      <input type="hidden" name="csrf" value={csrf} />
      <input type="hidden" name="version" value={String(version)} />
    </>
  );
}

function ExceptionFields({ form, within }: { form: FormState; within: string }) {
  return (
    <>
      <fieldset class="pair">
        <legend>Budget</legend>
        <Field form={form} within={within} name="perDay" label="Calls a day" inputmode="numeric" />
        <Field form={form} within={within} name="perMonth" label="Calls a month" inputmode="numeric" />
      </fieldset>
      <Lines
        form={form}
        within={within}
        name="allow"
        label="Only these tools"
        hint="One a line. Empty is every tool; the word none is no tool."
      />
      <Lines form={form} within={within} name="deny" label="Not these tools" hint="One a line." />
    </>
  );
}

function inWords(values: Readonly<Record<string, string>>): string {
  const { perDay = "", perMonth = "", allow = "", deny = "" } = values;
  const list = (text: string): string => text.trim().split(/\s+/).join(", ");
  const said = [
    perDay === "" ? "" : `${perDay} calls a day`,
    perMonth === "" ? "" : `${perMonth} calls a month`,
    allow === "" ? "" : `only ${list(allow)}`,
    deny === "" ? "" : `not ${list(deny)}`,
  ];
  return spelledOut(said.filter((part) => part !== "").join(" · "));
}
