// What an admin sees: the overview with what needs attention, and one connection
// with all that can use it. Lists come from the index in the AdminObject, so that
// no page asks more objects than it names. No token and no secret is in any of it.

import type { IntegrationConfig } from "../config.ts";
import type { AgentKeyDescription } from "../storage/agent-keys.ts";
import { periodName } from "../mcp/time-zone.ts";
import type { Served } from "../storage/admin-rpc.ts";
import type { ListPage, ListQuery } from "../listing.ts";
import type { AuditRow } from "../storage/audit.ts";
import type { Approval } from "../storage/admin-schema.ts";
import { WARNING_SECONDS, type IndexedConnection, type IndexWarnings } from "../storage/connection-index.ts";
import type { ConnectionDescription } from "../storage/connection-rpc.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import { accessOf, type Gateway } from "./gateway.ts";
import { nameIds, nameInFile } from "./named-ids.ts";
import { peopleOfConnections } from "./people.ts";
import { describeSetup, type SetupState } from "./setup.ts";

export interface AdminOverview {
  readonly setup: SetupState;
  readonly integrations: readonly {
    readonly access: "personal" | "shared";
    readonly resource: string;
    readonly connection: ConnectionDescription | undefined;
  }[];
  readonly approvals: readonly Approval[];
  /** How many connections are in each state. */
  readonly states: Readonly<Record<string, number>>;
  readonly warnings: readonly Warning[];
  /** Since when Gong says that its credits are used up, to the first connection that it told so. */
  readonly outOfCreditsSince: number | undefined;
  readonly activity: Activity;
}

/** Tool calls of the last thirty days, by day and by how they were served. */
export interface Activity {
  /** `YYYY-MM-DD` in the policy's time zone, the oldest first. */
  readonly days: readonly string[];
  readonly paid: readonly number[];
  /** Answered without a new call to Gong. */
  readonly saved: readonly number[];
  readonly refused: readonly number[];
  readonly failed: readonly number[];
}

/** Something that needs an admin, in plain words of ours, and where to look. */
export interface Warning {
  readonly text: string;
  readonly path: string | undefined;
}

/** Everything the overview shows. */
export async function adminOverview(gateway: Gateway): Promise<AdminOverview> {
  const { config, objects } = gateway;
  const [approvals, states, warnings, activity, setup, waitingTools] = await Promise.all([
    objects.admin().listApprovals(),
    objects.admin().countStates(),
    objects.admin().indexWarnings(),
    activityOf(gateway),
    describeSetup(gateway),
    objects.admin().countWaitingTools(),
  ]);
  const integrations = await Promise.all(
    config.integrations.map(async (integration) => ({
      access: integration.access,
      resource: integration.resource,
      connection: await sharedConnection(gateway, integration),
    })),
  );
  return {
    setup,
    integrations,
    approvals,
    states,
    warnings: [
      ...setupWarning(setup),
      ...sharedWarning(integrations.map(({ connection }) => connection)),
      ...warningsOf(gateway, states, warnings, waitingTools),
    ],
    outOfCreditsSince: warnings.outOfCredits.since ?? undefined,
    activity,
  };
}

const ACTIVITY_DAYS = 30;

async function activityOf(gateway: Gateway): Promise<Activity> {
  const admin = gateway.objects.admin();
  const { policy } = await admin.policy();
  // Counted in whole days of the calendar, whatever the length of a day in the zone.
  const today = Date.parse(periodName("day", gateway.now(), policy.timeZone));
  const days = Array.from({ length: ACTIVITY_DAYS }, (_, at) =>
    new Date(today - (ACTIVITY_DAYS - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
  const [from = "", to = ""] = [days.at(0), days.at(-1)];
  const rows = await admin.usage({ from, to, groupBy: "day" });
  const calls = (...served: readonly Served[]): readonly number[] =>
    days.map((day) =>
      rows
        .filter((row) => row.name === day && served.includes(row.served))
        .reduce((total, row) => total + row.calls, 0),
    );
  return {
    days,
    paid: calls("paid"),
    saved: calls("joined", "recovered", "reused"),
    refused: calls("refused"),
    failed: calls("failed"),
  };
}

/** Only what a check found wrong the last time: one that was never run, or could not be, is no alarm. */
function setupWarning({ checks }: SetupState): readonly Warning[] {
  const wrong = checks.filter(({ verdict }) => verdict === "problem").length;
  if (wrong === 0) return [];
  const found = wrong === 1 ? "1 problem" : `${wrong} problems`;
  return [{ text: `The checks of the set-up found ${found} when they were last run.`, path: "/admin/setup" }];
}

/** Shared access that has ended stops every client of it, and only an admin can bring it back. */
function sharedWarning(connections: readonly (ConnectionDescription | undefined)[]): readonly Warning[] {
  if (!connections.some((connection) => connection?.state === "needs_reconnect")) return [];
  return [
    { text: "Shared access has ended at Gong. An admin has to connect it again.", path: "/admin/setup" },
  ];
}

function warningsOf(
  gateway: Gateway,
  states: Readonly<Record<string, number>>,
  { atRisk, personSoon, kids }: IndexWarnings,
  waitingTools: number,
): readonly Warning[] {
  const missing = Object.entries(kids).filter(([kid]) => !gateway.keyring.kids.includes(kid));
  const list = "/admin/connections";
  const given: readonly (readonly [count: number, one: string, many: string, path: string])[] = [
    [
      states["needs_reconnect"] ?? 0,
      "1 connection needs its person to sign in at Gong again.",
      "# connections need their person to sign in at Gong again.",
      `${list}?state=needs_reconnect`,
    ],
    [
      atRisk,
      "1 connection could not be refreshed at Gong, and its access is about to end. The gateway goes on trying.",
      "# connections could not be refreshed at Gong, and their access is about to end. The gateway goes on trying.",
      `${list}?state=soon`,
    ],
    [
      personSoon,
      "1 connection will need its person within a week.",
      "# connections will need their person within a week.",
      `${list}?state=soon`,
    ],
    [
      waitingTools,
      "1 tool of Gong's is new or has changed. No agent can use it before you have looked at it.",
      "# tools of Gong's are new or have changed. No agent can use them before you have looked at them.",
      "/admin/tools",
    ],
  ];
  return [
    ...given
      .filter(([count]) => count > 0)
      .map(([count, one, many, path]) => ({
        text: count === 1 ? one : many.replace("#", String(count)),
        path,
      })),
    ...missing.map(([kid]) => ({
      text: `Connections are sealed with key ${kid}, which is not in SEALING_KEYS.`,
      path: "/admin/sealing-keys",
    })),
  ];
}

async function sharedConnection(
  gateway: Gateway,
  integration: IntegrationConfig,
): Promise<ConnectionDescription | undefined> {
  if (integration.access === "personal") return undefined;
  return gateway.objects.connection(await sharedConnectionId(integration)).describe();
}

export interface ConnectionDetail {
  readonly indexed: IndexedConnection;
  readonly access: "personal" | "shared";
  /** Undefined while a first sign-in at Gong has not been completed. */
  readonly description: ConnectionDescription | undefined;
  readonly keys: readonly AgentKeyDescription[];
  /** The kid that seals it and that is not in SEALING_KEYS. */
  readonly missingKid: string | undefined;
  /** E-mail addresses of the people whom Cloudflare Access named when they signed in; the last one first. */
  readonly people: readonly string[];
}

/** One connection. Undefined for an id that is not in the index, so a made-up id wakes no object. */
export async function connectionDetail(gateway: Gateway, id: string): Promise<ConnectionDetail | undefined> {
  const { objects, keyring } = gateway;
  const indexed = await objects.admin().findConnection(id);
  if (indexed === undefined) return undefined;
  const connection = objects.connection(id);
  const [description, keys, people] = await Promise.all([
    connection.describe(),
    connection.listAgentKeys(),
    peopleOfConnections(gateway, [id]),
  ]);
  const kid = description?.sealedWith;
  return {
    indexed,
    access: accessOf(gateway, indexed),
    description,
    keys,
    people: people.get(id) ?? [],
    missingKid: kid === undefined || keyring.kids.includes(kid) ? undefined : kid,
  };
}

/** One page of the index of connections, with the people who signed in to each, as far as they are known. */
export async function pageConnections(gateway: Gateway, query: ListQuery) {
  const page = await gateway.objects.admin().pageConnections(query);
  const people = await peopleOfConnections(
    gateway,
    page.rows.map(({ id }) => id),
  );
  return { page, people };
}

/** One page of the requests for shared access that wait. */
export function pageApprovals(gateway: Gateway, query: ListQuery): Promise<ListPage<Approval>> {
  return gateway.objects.admin().pageApprovals(query);
}

/** One page of the audit, with what its filters can be set to and what the ids on it stand for. */
export async function readAudit(gateway: Gateway, query: ListQuery) {
  const admin = gateway.objects.admin();
  const [page, choices] = await Promise.all([admin.pageAudit(query), admin.auditChoices()]);
  const names = await nameIds(
    gateway,
    page.rows.map(({ target }) => target),
  );
  return { page, choices, names };
}

/** Reads all of the audit that matches, part by part, the newest first; an empty part is the end. */
export function auditInParts(
  gateway: Gateway,
  query: ListQuery,
): () => Promise<readonly (AuditRow & { readonly targetName: string | undefined })[]> {
  let before: number | undefined;
  return async () => {
    const rows = await gateway.objects.admin().exportAudit(query, before);
    before = rows.at(-1)?.id;
    const names = await nameIds(
      gateway,
      rows.map(({ target }) => target),
    );
    return rows.map((row) => ({ ...row, targetName: nameInFile(names, row.target) }));
  };
}

/** Whether a person has to sign in again within the time of the warning. */
export function isDueSoon(gateway: Gateway, row: Pick<IndexedConnection, "person_due_at">): boolean {
  return row.person_due_at !== null && row.person_due_at <= gateway.now() + WARNING_SECONDS;
}
