// What an admin sees and does: the redirect URI to register, shared access, the requests that wait for approval, and
// the connections. Every act is recorded in the audit.

import { randomId } from "../crypto/credential.ts";
import type { IntegrationConfig } from "../config.ts";
import { log } from "../log.ts";
import type { ConnectionDescription } from "../storage/connection-rpc.ts";
import { sharedConnectionId } from "./connection-id.ts";
import { goToGong, type DecidedConsent } from "./decide-consent.ts";
import type { Gateway } from "./gateway.ts";

const MOST_LISTED = 100;

export interface AdminOverview {
  readonly redirectUri: string;
  readonly publicUrl: string;
  readonly integrations: readonly {
    readonly access: "personal" | "shared";
    readonly clientId: string;
    readonly resource: string;
    readonly connection: ConnectionDescription | undefined;
  }[];
  readonly approvals: readonly {
    readonly id: string;
    readonly code: string;
    readonly clientName: string | undefined;
    readonly redirectUri: string;
    readonly requestedAt: number;
  }[];
  readonly connections: readonly (ConnectionDescription & { readonly id: string })[];
  /** What needs an admin, in plain words of ours. */
  readonly problems: readonly string[];
}

/** Everything the admin page shows; no token and no secret in it. */
export async function adminOverview(gateway: Gateway): Promise<AdminOverview> {
  const { config, objects } = gateway;
  const [approvals, entries, states] = await Promise.all([
    objects.admin().listApprovals(),
    objects.admin().listConnections(MOST_LISTED),
    objects.admin().countStates(),
  ]);
  const described = await Promise.all(
    entries.map(async ({ id }) => ({ id, description: await objects.connection(id).describe() })),
  );
  return {
    redirectUri: config.integrations[0].redirectUri,
    publicUrl: config.publicUrl,
    integrations: await Promise.all(
      config.integrations.map(async (integration) => ({
        access: integration.access,
        clientId: integration.clientId,
        resource: integration.resource,
        connection: await sharedConnection(gateway, integration),
      })),
    ),
    approvals: approvals.map((approval) => ({
      id: approval.transaction_id,
      code: approval.code,
      clientName: approval.client_name ?? undefined,
      redirectUri: approval.redirect_uri,
      requestedAt: approval.requested_at,
    })),
    problems: problemsOf(gateway, states, described),
    connections: described.flatMap(({ id, description }) =>
      description === undefined ? [] : [{ ...description, id }],
    ),
  };
}

function problemsOf(
  gateway: Gateway,
  states: Readonly<Record<string, number>>,
  described: readonly { readonly id: string; readonly description: ConnectionDescription | undefined }[],
): readonly string[] {
  const waiting = states["needs_reconnect"] ?? 0;
  const missing = new Set(
    described.flatMap(({ description }) => {
      const kid = description?.sealedWith;
      return kid === undefined || gateway.keyring.kids.includes(kid) ? [] : [kid];
    }),
  );
  return [
    ...(waiting === 0 ? [] : [`${waiting} connections need their person to sign in at Gong again.`]),
    ...[...missing].map((kid) => `Connections are sealed with key ${kid}, which is not in SEALING_KEYS.`),
  ];
}

async function sharedConnection(
  gateway: Gateway,
  integration: IntegrationConfig,
): Promise<ConnectionDescription | undefined> {
  if (integration.access === "personal") return undefined;
  return gateway.objects.connection(await sharedConnectionId(integration)).describe();
}

/** Begins the one authorization at Gong that shared access needs. Undefined when no integration has shared access. */
export async function connectSharedAccess(
  gateway: Gateway,
  actor: string,
): Promise<Extract<DecidedConsent, { kind: "gong" }> | undefined> {
  const integration = gateway.config.integrations.find(({ access }) => access === "shared");
  if (integration === undefined) return undefined;
  return goToGong(gateway, integration, randomId(), { actor });
}

/** Approves or denies a request for shared access. False when it was decided or has expired. */
export async function settleApproval(
  gateway: Gateway,
  transactionId: string,
  decision: "approved" | "denied",
  actor: string,
): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.admin().settleApproval(transactionId, decision, actor))) return false;
  log("info", "admin.acted", { action: `approval.${decision}` });
  return objects.transaction(transactionId).decide(decision);
}

/** Ends a connection: every agent on it, and our copies of Gong's tokens. False for an id that is not on the list. */
export async function endConnection(gateway: Gateway, connectionId: string, actor: string): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.admin().hasConnection(connectionId))) return false;
  if (!(await objects.connection(connectionId).disconnect("ended_by_admin"))) return false;
  await objects.admin().recordAct(actor, "connection.ended", connectionId);
  log("info", "admin.acted", { action: "connection.ended", connection: connectionId });
  return true;
}

/** How many connections are in each state. */
export function countConnections(gateway: Gateway): Promise<Readonly<Record<string, number>>> {
  return gateway.objects.admin().countStates();
}
