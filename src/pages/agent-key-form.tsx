// The form that makes an agent key, the one time that the key is shown, and the button that revokes it. Parts of the
// pages of admins and people.

import {
  daysInWords,
  KEY_VARIABLE,
  keyLines,
  keyRefusalInWords,
  TOOL_CHOICES,
  type AgentKeyRefusal,
} from "./agent-key-text.ts";
import { Confirm } from "./confirm.tsx";
import { pathSegment } from "./links.ts";
import { visibleName } from "./outside-text.ts";
import { Moment, PostForm, Snippet } from "./parts.tsx";

export interface AgentKeyFormView {
  readonly action: string;
  readonly csrf: string;
  /** The choices of days that a key works. */
  readonly lifetimes: readonly number[];
  /** The MCP URLs that a key can be for; a choice is shown when there are several. */
  readonly resources: readonly string[];
  /** Why the last try made no key. */
  readonly refusal?: AgentKeyRefusal | undefined;
  /** What that try asked for, to be mended. */
  readonly entered?: EnteredKey | undefined;
}

export interface EnteredKey {
  readonly name: string;
  /** Undefined for every tool. */
  readonly tools: readonly string[] | undefined;
  readonly expiresInDays: number;
  readonly resource?: string | undefined;
}

const USUAL_DAYS = 90;

/** Renders the form. Posts `name`, `tools` (`all` or `some`), `tool-<name>`, `days` and `resource`. */
export function AgentKeyForm({ action, csrf, lifetimes, resources, refusal, entered }: AgentKeyFormView) {
  const chosenDays = lifetimes.find((days) => days === entered?.expiresInDays) ?? USUAL_DAYS;
  const isName = refusal === "name" || refusal === "name_taken";
  return (
    <PostForm action={action} csrf={csrf} class="stack-wide">
      {refusal === undefined ? null : (
        <p class="note bad" role="alert" id="key-problem" tabindex={-1} autofocus={!isName}>
          {keyRefusalInWords(refusal)}
        </p>
      )}
      <div class="stack">
        <label for="key-name">Name</label>
        <input
          id="key-name"
          name="name"
          value={entered?.name}
          required
          maxlength={64}
          autocomplete="off"
          aria-describedby={isName ? "key-problem key-name-hint" : "key-name-hint"}
          aria-invalid={isName ? "true" : undefined}
          autofocus={isName}
        />
        <p id="key-name-hint" class="small soft">
          What will use it, so that you know which key to revoke later.
        </p>
      </div>
      <ResourceChoice resources={resources} chosen={entered?.resource} />
      <ToolChoice chosen={entered?.tools} />
      <div class="stack">
        <label for="key-days">Works for</label>
        <select id="key-days" name="days">
          {lifetimes.map((days) => (
            <option value={String(days)} selected={days === chosenDays}>
              {daysInWords(days)}
            </option>
          ))}
        </select>
      </div>
      <div>
        <button type="submit" class="primary">
          Make the key
        </button>
      </div>
    </PostForm>
  );
}

function ResourceChoice({
  resources,
  chosen,
}: Pick<AgentKeyFormView, "resources"> & { chosen: string | undefined }) {
  const [only = ""] = resources;
  if (resources.length < 2) return <input type="hidden" name="resource" value={only} />;
  return (
    <div class="stack">
      <label for="key-resource">Address</label>
      <select id="key-resource" name="resource">
        {resources.map((resource) => (
          <option value={resource} selected={resource === chosen}>
            {resource}
          </option>
        ))}
      </select>
    </div>
  );
}

function ToolChoice({ chosen }: { chosen: EnteredKey["tools"] }) {
  return (
    <fieldset>
      <legend>Tools it may call</legend>
      <label class="check">
        <input type="radio" name="tools" value="all" checked={chosen === undefined} /> Every tool that is
        allowed, also new ones
      </label>
      <label class="check">
        <input type="radio" name="tools" value="some" checked={chosen !== undefined} /> Only these:
      </label>
      <div class="indented">
        {TOOL_CHOICES.map(([tool, title]) => (
          <label class="check">
            <input type="checkbox" name={`tool-${tool}`} value="on" checked={chosen?.includes(tool)} />{" "}
            <span>
              {title} <code>{tool}</code>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export interface AgentKeyMadeView {
  readonly name: string;
  /** The key itself. */
  readonly value: string;
  readonly resource: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** Shows a key, which happens once, and the lines that give it to a client. The page's Layout needs `script="copy"`. */
export function AgentKeyMade({ name, value, resource, expiresAt }: AgentKeyMadeView) {
  return (
    <>
      <section class="card" aria-labelledby="the-key">
        <div class="stack">
          <h2 id="the-key">
            <bdi>{visibleName(name) ?? "The new key"}</bdi>
          </h2>
          <p>
            <strong>Copy the key now.</strong> It is shown once and kept nowhere. Whoever has it can spend
            your company's Gong credits until <Moment at={expiresAt} />.
          </p>
        </div>
        <Snippet id="key" text={value} label="the key" />
      </section>
      <section class="card" aria-labelledby="use-it">
        <div class="stack">
          <h2 id="use-it">Give it to your agent</h2>
          <p>
            Put it into your agent's environment as <code>{KEY_VARIABLE}</code>, or into its secret store.
          </p>
        </div>
        {keyLines(resource).map(({ id, client, before, paste }) => (
          <div class="stack">
            <h3>{client}</h3>
            <p>{before}</p>
            <Snippet id={id} text={paste} label={`the lines for ${client}`} />
          </div>
        ))}
      </section>
    </>
  );
}

/** What a key is called on our pages, cleaned. */
export const agentKeyName = (name: string): string => visibleName(name) ?? "A key without a name";

/** Renders the button that revokes a key, and what that does. Posts to `<path>/<id>/revoke`. */
export function RevokeKey({
  id,
  name,
  path,
  csrf,
}: {
  id: string;
  name: string;
  path: string;
  csrf: string;
}) {
  return (
    <Confirm
      label="Revoke…"
      about={`the key ${agentKeyName(name)}`}
      action={`${path}/${pathSegment(id)}/revoke`}
      csrf={csrf}
      button="Revoke this key"
    >
      The agent that uses it is refused at its next call. This can't be undone.
    </Confirm>
  );
}
