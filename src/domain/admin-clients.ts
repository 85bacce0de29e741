// What an admin sees of clients and does about them: the list of those that got a token, the registrations of all
// shards, what each tried, and its end everywhere. Every act is in the audit.

import { EMPTY_PAGE, PAGE_ROWS, type Cursor, type ListPage, type ListQuery } from "../listing.ts";
import { log } from "../log.ts";
import { KNOWN_DOCUMENTS } from "../oauth/known-documents.ts";
import type { IndexedClient } from "../storage/client-index.ts";
import type { Registration } from "../storage/registry-object.ts";
import type { TraceRow } from "../storage/traces.ts";
import { flushAttempts } from "./attempts.ts";
import { MACHINE_ID } from "./clients.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { endMachineClient } from "./machine-clients.ts";

const AT_ONCE = 20;
const DYNAMIC_ID = /^gcl_[A-Za-z0-9_-]{22}$/;

/** One page of the clients that got a token. */
export function pageClients(gateway: Gateway, query: ListQuery): Promise<ListPage<IndexedClient>> {
  return gateway.objects.admin().pageClients(query);
}

/**
 * One page of the registrations, the newest first, merged from one page of each shard: sixteen questions, however many
 * registrations there are.
 */
export async function pageRegistrations(gateway: Gateway, query: ListQuery): Promise<ListPage<Registration>> {
  const pages = await Promise.all(gateway.objects.registries().map((shard) => shard.page(query)));
  const all = pages
    .flatMap(({ rows }) => rows)
    .toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  const backwards = query.cursor?.direction === "before";
  const rows = backwards ? all.slice(-PAGE_ROWS) : all.slice(0, PAGE_ROWS);
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return { ...EMPTY_PAGE, total: totalOf(pages) };
  const left = all.length > rows.length;
  const hasNext = backwards || left || pages.some(({ next }) => next !== undefined);
  const hasPrevious = backwards
    ? left || pages.some(({ previous }) => previous !== undefined)
    : query.cursor !== undefined;
  return {
    rows,
    total: totalOf(pages),
    next: hasNext ? cursorAt("after", last) : undefined,
    previous: hasPrevious ? cursorAt("before", first) : undefined,
  };
}

const totalOf = (pages: readonly ListPage<Registration>[]): number =>
  pages.reduce((total, page) => total + page.total, 0);

const cursorAt = (direction: Cursor["direction"], { created_at: at, id }: Registration): Cursor => ({
  direction,
  at,
  id,
});

export interface ClientDetail {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly registration: "dynamic" | "metadata_document" | "preregistered" | "other";
  readonly redirectUris: readonly string[];
  readonly authMethod: string | undefined;
  /** Whether a registration of its own is kept. */
  readonly isRegistered: boolean;
  /** Whether a copy of its document is part of this program. */
  readonly hasKnownDocument: boolean;
  readonly firstAt: number | undefined;
  readonly usedOn: number | undefined;
  readonly connections: number;
  /** The last first. */
  readonly trace: readonly TraceRow[];
}

/** One client by its id: what it is, and what it tried. Fetches nothing. Undefined when nothing is known of it. */
export async function clientDetail(gateway: Gateway, clientId: string): Promise<ClientDetail | undefined> {
  const { objects, config } = gateway;
  await flushAttempts(gateway);
  const admin = objects.admin();
  const [seen, trace, registered] = await Promise.all([
    admin.findSeenClient(clientId),
    admin.traceOf(clientId),
    DYNAMIC_ID.test(clientId) ? objects.registry(clientId).find(clientId) : undefined,
  ]);
  const known = config.preregisteredClients.get(clientId) ?? registered;
  if (seen === undefined && trace.length === 0 && known === undefined) return undefined;
  return {
    clientId,
    name: known?.clientName ?? seen?.name ?? trace.find(({ name }) => name !== null)?.name ?? undefined,
    registration: kindOf(known?.registration ?? seen?.registration, clientId),
    redirectUris: known?.redirectUris ?? (typeof seen?.redirect_uri === "string" ? [seen.redirect_uri] : []),
    authMethod: known?.tokenEndpointAuthMethod,
    isRegistered: registered !== undefined,
    hasKnownDocument: KNOWN_DOCUMENTS.has(clientId),
    firstAt: seen?.first_at,
    usedOn: seen?.used_on,
    connections: seen?.connections ?? 0,
    trace,
  };
}

function kindOf(registration: string | undefined, clientId: string): ClientDetail["registration"] {
  if (registration === "dynamic" || registration === "metadata_document" || registration === "preregistered")
    return registration;
  return clientId.startsWith("https://") ? "metadata_document" : "other";
}

/** One page of the doctor: the clients that tried something, with what waits in this isolate written first. */
export async function pageTraces(gateway: Gateway, query: ListQuery): Promise<ListPage<TraceRow>> {
  await flushAttempts(gateway);
  return gateway.objects.admin().pageTraces(query);
}

/**
 * Ends every grant of a client on 400 connections at most, and forgets its registration, so that it can't refresh
 * either. Returns how many connections are left; asked again, it goes on.
 */
export async function endClientEverywhere(gateway: Gateway, clientId: string, by: Actor): Promise<number> {
  const { objects } = gateway;
  // It could get tokens by its own credentials again.
  if (MACHINE_ID.test(clientId)) await endMachineClient(gateway, clientId, by);
  const { ids, total } = await objects.admin().connectionsOfClient(clientId);
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const batch = ids.slice(at, at + AT_ONCE);
    await Promise.all(batch.map((id) => objects.connection(id).endClient(clientId, "ended_by_admin")));
    await objects.admin().dropClientConnections(clientId, batch);
  }
  if (DYNAMIC_ID.test(clientId)) await objects.registry(clientId).remove(clientId);
  await objects.admin().recordAct(by, "client.ended", clientId);
  log("info", "admin.acted", { action: "client.ended", connections: ids.length }, gateway);
  return total - ids.length;
}

/** Forgets a registration. False when there is none. */
export async function deleteRegistration(gateway: Gateway, clientId: string, by: Actor): Promise<boolean> {
  const { objects } = gateway;
  if (!DYNAMIC_ID.test(clientId) || !(await objects.registry(clientId).remove(clientId))) return false;
  await objects.admin().recordAct(by, "registration.deleted", clientId);
  log("info", "admin.acted", { action: "registration.deleted" }, gateway);
  return true;
}
