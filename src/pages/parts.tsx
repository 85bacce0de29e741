// Small pieces that several pages share: a client's name, a moment in time, text to copy.

import { spelledOut, visibleName } from "./outside-text.ts";

/** What stands in for a name when a client gave none that can be seen. */
export const NAMELESS_CLIENT = "A client that gave no name";

/** A client's own name, cleaned, and kept from turning the text around it when it reads right to left. */
export function ClientName({ name }: { name: string | undefined }) {
  const visible = visibleName(name);
  return visible === undefined ? <>{NAMELESS_CLIENT}</> : <bdi>{visible}</bdi>;
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** An ISO 8601 moment in UTC, to the minute. Text that is no moment is shown as it is. */
export function Moment({ at }: { at: string }) {
  const milliseconds = Date.parse(at);
  if (Number.isNaN(milliseconds)) return <>{spelledOut(at)}</>;
  return <time datetime={new Date(milliseconds).toISOString()}>{`${MOMENT.format(milliseconds)} UTC`}</time>;
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/** The day of an ISO 8601 moment in UTC. Text that is no moment is shown as it is. */
export function Day({ at }: { at: string }) {
  const milliseconds = Date.parse(at);
  if (Number.isNaN(milliseconds)) return <>{spelledOut(at)}</>;
  return <time datetime={new Date(milliseconds).toISOString().slice(0, 10)}>{DAY.format(milliseconds)}</time>;
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
