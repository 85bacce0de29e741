// Small pieces that several pages share: a client's name, a moment in time, text to copy.

import type { Child, PropsWithChildren } from "hono/jsx";
import { visibleName } from "./outside-text.ts";

/** What stands in for a name when a client gave none that can be seen. */
export const NAMELESS_CLIENT = "A client that gave no name";

/** A client's own name, cleaned, and kept from turning the text around it when it reads right to left. */
export function ClientName({ name }: { name: string | undefined }) {
  const visible = visibleName(name);
  return visible === undefined ? <>{NAMELESS_CLIENT}</> : <bdi>{visible}</bdi>;
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** A moment in UTC, to the minute. `at` is in epoch seconds. */
export function Moment({ at }: { at: number }) {
  const date = new Date(at * 1000);
  return <time datetime={date.toISOString()}>{`${MOMENT.format(date)} UTC`}</time>;
}

/** A moment on the clock of `zone`, an IANA name, to the minute. `at` is in epoch seconds. */
export function momentIn(at: number, zone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: zone,
  });
  return `${format.format(at * 1000)} ${zone}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/** The day of a moment in UTC. `at` is in epoch seconds. */
export function Day({ at }: { at: number }) {
  const date = new Date(at * 1000);
  return <time datetime={date.toISOString().slice(0, 10)}>{DAY.format(date)}</time>;
}

/** Lines to paste, with a copy button where script runs. The page's Layout needs `script="copy"`. */
export function Snippet({ id, text, label }: { id: string; text: string; label: string }) {
  return (
    <div class="snippet">
      <pre>
        <code id={id}>{text}</code>
      </pre>
      <CopyButton source={id} label={label} />
    </div>
  );
}

/** Copies the element with the id `source`. It takes up its room from the start, and shows once script runs. */
export function CopyButton({ source, label }: { source: string; label: string }) {
  return (
    <button type="button" data-copy={source}>
      Copy<span class="unseen"> {label}</span>
    </button>
  );
}

/** A part of a page under its heading, which names it for those who don't see it. */
export function Card({ id, title, children }: PropsWithChildren<{ id: string; title: Child }>) {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** One line of a list of facts (`dl class="facts"`). */
export function Fact({ term, children }: PropsWithChildren<{ term: Child }>) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Links to the same rows as files. `what` says which, e.g. "all that match". */
export function Files({ what, url }: { what: string; url: (format: "csv" | "ndjson") => string }) {
  return (
    <p class="small">
      Download {what}:{" "}
      <a href={url("csv")}>
        CSV<span class="unseen"> of {what}</span>
      </a>{" "}
      <a href={url("ndjson")}>
        NDJSON<span class="unseen"> of {what}</span>
      </a>
    </p>
  );
}

/** A word about a state, coloured by how much it needs someone: `good`, `warn`, `bad`, or neither. */
export function Badge({ tone, children }: PropsWithChildren<{ tone: string }>) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/**
 * A form that does something: it posts, and carries the token of the session that it was made for. `label` names it.
 */
export function PostForm({
  action,
  csrf,
  class: look,
  label,
  children,
}: PropsWithChildren<{ action: string; csrf: string; class?: string; label?: string }>) {
  return (
    <form method="post" action={action} class={look} aria-label={label}>
      <input type="hidden" name="csrf" value={csrf} />
      {children}
    </form>
  );
}
