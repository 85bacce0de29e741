// Names in place of ids: what a connection, a client or an agent key is called, which leads to its own page, with the
// id in small print. Called by the pages of spend, budgets, connections, the policy and the audit.

import { ACCESS_IN_WORDS, type Access } from "./flow-text.ts";
import { pathSegment } from "./links.ts";
import { spelledOut, visibleName } from "./outside-text.ts";
import { Day, NAMELESS_CLIENT } from "./parts.tsx";

/** What one id stands for. */
export interface Named {
  readonly kind: "connection" | "client" | "key";
  /** A client's or a key's own name, or those of a connection's agents. */
  readonly name: string | undefined;
  /** Of a connection. */
  readonly access?: Access | undefined;
  /** E-mail addresses of whoever signed in to a connection. */
  readonly people: readonly string[];
  /** Epoch seconds. */
  readonly since: number;
}

/** By id. One that is gone is not here. */
export type Names = ReadonlyMap<string, Named>;

/** What a connection is called: whoever signed in, its agents' names, cleaned, and the beginning of its id. */
export function connectionLabel(id: string, agents: string, people: readonly string[] = []): string {
  const names = namesOfConnection(agents, people);
  return `${names === "" ? "Connection " : `${names} · `}${spelledOut(id.slice(0, 8))}`;
}

function namesOfConnection(agents: string | undefined, people: readonly string[]): string {
  const names = [...people, agents].map(visibleName).filter((name) => name !== undefined);
  return names.join(" · ");
}

/** A name in one line; the id stands for one that is gone. */
export function nameInWords(id: string, named: Named | undefined): string {
  if (named === undefined) return spelledOut(id);
  if (named.kind === "connection") return connectionLabel(id, named.name ?? "", named.people);
  return visibleName(named.name) ?? NAMELESS_CLIENT;
}

/** The same where the whole id stands under it: the beginning of a connection's is left out, if it has names. */
function wordsOf(id: string, named: Named | undefined): string {
  const isConnection = named?.kind === "connection";
  return (isConnection && namesOfConnection(named.name, named.people)) || nameInWords(id, named);
}

/** The page of one client. The id is in the query, because it may be a URL. */
export const clientUrl = (clientId: string): string =>
  `/admin/client?${new URLSearchParams({ id: clientId }).toString()}`;

/** Where an admin finds it. */
function pathOf(id: string, { kind }: Named): string {
  if (kind === "client") return clientUrl(id);
  if (kind === "connection") return `/admin/connections/${pathSegment(id)}`;
  return `/admin/agent-keys?${new URLSearchParams({ q: id }).toString()}`;
}

/** The name, which leads to `path`, or to what has it; the id under it. `isPlain` leaves the link out. */
export function NamedId({
  id,
  names,
  path,
  isPlain = false,
}: {
  id: string;
  names: Names;
  path?: string;
  isPlain?: boolean;
}) {
  const named = names.get(id);
  const words = <bdi dir={named?.kind === "connection" ? "ltr" : undefined}>{wordsOf(id, named)}</bdi>;
  const target = path ?? (named === undefined ? undefined : pathOf(id, named));
  return (
    <>
      {isPlain || target === undefined ? words : <a href={target}>{words}</a>}
      {named === undefined ? null : (
        <span class="small soft under">
          {named.access === undefined ? null : (
            <>
              {ACCESS_IN_WORDS[named.access].title}, since <Day at={named.since} />
              <br />
            </>
          )}
          <code>{spelledOut(id)}</code>
        </span>
      )}
    </>
  );
}
