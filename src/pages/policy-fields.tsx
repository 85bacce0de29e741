// The fields of the policy's forms: a label, what it means, the value, and what is wrong with it right beside it.
// Called by the policy and tools pages.

import type { Child } from "hono/jsx";
import { spelledOut } from "./outside-text.ts";

/** A form as it is shown: with the policy's values, or with what an admin sent and what is wrong with it. */
export interface FormState {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
}

interface FieldView {
  readonly form: FormState;
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Makes ids unique where a page has the same form several times. */
  readonly within?: string;
}

function Frame({ view, children }: { view: FieldView; children: (ids: FieldIds) => Child }) {
  const id = `${view.within ?? ""}${view.name}`.replaceAll(/[^\w-]/g, "-");
  const problem = view.form.problems[view.name];
  const described = [
    view.hint === undefined ? "" : `${id}-hint`,
    problem === undefined ? "" : `${id}-problem`,
  ];
  return (
    <div class="stack">
      <label for={id}>{view.label}</label>
      {view.hint === undefined ? null : (
        <p class="small soft" id={`${id}-hint`}>
          {view.hint}
        </p>
      )}
      {children({ id, describedBy: described.join(" ").trim() || undefined, invalid: problem !== undefined })}
      {problem === undefined ? null : (
        <p class="small problem" id={`${id}-problem`}>
          {spelledOut(problem)}
        </p>
      )}
    </div>
  );
}

interface FieldIds {
  readonly id: string;
  readonly describedBy: string | undefined;
  readonly invalid: boolean;
}

const valueOf = ({ form, name }: FieldView): string => form.values[name] ?? "";

/** A field for one line of text or a number. */
export function Field({
  inputmode,
  list,
  ...view
}: FieldView & { readonly inputmode?: "numeric"; readonly list?: string }) {
  return (
    <Frame view={view}>
      {({ id, describedBy, invalid }) => (
        <input
          id={id}
          name={view.name}
          value={valueOf(view)}
          inputmode={inputmode}
          list={list}
          autocomplete="off"
          aria-describedby={describedBy}
          aria-invalid={invalid ? "true" : undefined}
          autofocus={invalid}
        />
      )}
    </Frame>
  );
}

/** A field for a list, one entry a line. */
export function Lines(view: FieldView) {
  return (
    <Frame view={view}>
      {({ id, describedBy, invalid }) => (
        <textarea
          id={id}
          name={view.name}
          rows={4}
          autocomplete="off"
          spellcheck={false}
          aria-describedby={describedBy}
          aria-invalid={invalid ? "true" : undefined}
          autofocus={invalid}
        >
          {valueOf(view)}
        </textarea>
      )}
    </Frame>
  );
}

/** One of several choices. */
export function Choice({
  options,
  ...view
}: FieldView & { readonly options: readonly (readonly [value: string, label: string])[] }) {
  return (
    <Frame view={view}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          name={view.name}
          aria-describedby={describedBy}
          aria-invalid={invalid ? "true" : undefined}
          autofocus={invalid}
        >
          {options.map(([value, label]) => (
            <option value={value} selected={value === valueOf(view)}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

const YES_NO = [
  ["", "No"],
  ["yes", "Yes"],
] as const;

/** Yes or no, as a choice: a box that is not ticked sends nothing, and nothing could not be told from a lost field. */
export function YesNo(view: FieldView) {
  return <Choice {...view} options={YES_NO} />;
}

/** What is wrong with a form as a whole, told first. */
export function FormProblems({ form, fields }: { form: FormState; fields?: readonly string[] }) {
  const entries = Object.entries(form.problems);
  if (entries.length === 0) return null;
  const own = entries.filter(([name]) => fields?.includes(name) === false || name === "");
  return (
    <div class="note bad" role="alert" tabindex={-1} autofocus={own.length > 0}>
      <p>
        Nothing was saved. {entries.length === 1 ? "One field needs" : `${entries.length} fields need`}{" "}
        another value.
      </p>
      {own.map(([, problem]) => (
        <p>{spelledOut(problem)}</p>
      ))}
    </div>
  );
}
