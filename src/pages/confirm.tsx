// An act that can't be undone: a button that opens what will happen, and behind it the button that does it. Works
// without script. Called by the pages of admins and people.

import type { PropsWithChildren } from "hono/jsx";
import { spelledOut } from "./outside-text.ts";
import { PostForm } from "./parts.tsx";

export interface ConfirmView {
  /** On the closed button, e.g. "End…". */
  readonly label: string;
  /** What it is about, for screen readers: several of these buttons stand on one page. */
  readonly about: string;
  /** The path that is posted to. */
  readonly action: string;
  readonly csrf: string;
  /** On the button that does it. */
  readonly button: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Renders the button and the form behind it. `children` say what will happen and whether it can be undone. */
export function Confirm({
  label,
  about,
  action,
  csrf,
  button,
  fields = {},
  children,
}: PropsWithChildren<ConfirmView>) {
  return (
    <details>
      <summary class="button">
        {label}
        <span class="unseen"> {spelledOut(about)}</span>
      </summary>
      <PostForm action={action} csrf={csrf} class="confirm">
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <p>{children}</p>
        <button type="submit" class="danger">
          {button}
          <span class="unseen"> {spelledOut(about)}</span>
        </button>
      </PostForm>
    </details>
  );
}
