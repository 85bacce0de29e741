// What the ids of connections, clients and agent keys stand for, so that pages and files can say names. Called by the
// stories of spend, the policy and the audit.

import type { NamedRow } from "../storage/named-ids.ts";
import { accessOf, type Gateway } from "./gateway.ts";
import { peopleOfConnections } from "./people.ts";

/** What one id stands for. */
export interface Named {
  readonly kind: NamedRow["kind"];
  /** A client's or a key's own name, or those of a connection's agents; as their makers chose them. */
  readonly name: string | undefined;
  /** Of a connection. */
  readonly access: ReturnType<typeof accessOf> | undefined;
  /** E-mail addresses of those who signed in to a connection through Cloudflare Access. */
  readonly people: readonly string[];
  /** Epoch seconds. */
  readonly since: number;
}

export type NamedIds = ReadonlyMap<string, Named>;

/** What is known of these ids, each once; nothing of one that is gone. */
export async function nameIds(
  gateway: Gateway,
  asked: readonly (string | null | undefined)[],
): Promise<NamedIds> {
  const ids = [...new Set(asked)].flatMap((id) => id || []);
  if (ids.length === 0) return new Map();
  const rows = await gateway.objects.admin().findNamed(ids);
  const people = await peopleOfConnections(
    gateway,
    rows.filter(({ kind }) => kind === "connection").map(({ id }) => id),
  );
  return new Map(
    rows.map(({ id, kind, name, integration, since }) => [
      id,
      {
        kind,
        name: name ?? undefined,
        access: integration === null ? undefined : accessOf(gateway, { integration }),
        people: people.get(id) ?? [],
        since,
      },
    ]),
  );
}

/** The name in one cell of a file: a connection's people, else its agents. */
export function nameInFile(names: NamedIds, id: string | null | undefined): string | undefined {
  const named = names.get(id ?? "");
  return named?.people.length === 0 ? named.name : named?.people.join(", ");
}
