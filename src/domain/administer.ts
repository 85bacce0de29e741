// What an admin does: deciding requests, ending connections and agents. Each act takes effect at
// once and is in the audit with who did it. What an admin sees is admin-views.ts.

import { log } from "../log.ts";
import { revokeAgentKey } from "./agent-keys.ts";
import { MACHINE_ID } from "./clients.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { endMachineClient } from "./machine-clients.ts";

/** Approves or denies a request for shared access. False when it was decided or has expired. */
export async function settleApproval(
  gateway: Gateway,
  transactionId: string,
  decision: "approved" | "denied",
  by: Actor,
): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.admin().settleApproval(transactionId, decision, by))) return false;
  log("info", "admin.acted", { action: `approval.${decision}` }, gateway);
  return objects.transaction(transactionId).decide(decision);
}

/** Ends a connection: every agent on it, and our copies of Gong's tokens. False for an id that is not on the list. */
export async function endConnection(gateway: Gateway, connectionId: string, by: Actor): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.admin().hasConnection(connectionId))) return false;
  if (!(await objects.connection(connectionId).disconnect("ended_by_admin"))) return false;
  await record(gateway, by, "connection.ended", connectionId);
  return true;
}

/**
 * Ends one client's grant on a connection; a machine client that an admin made ends with it. False when the connection
 * or the grant is not there, or it has ended.
 */
export async function endAgent(
  gateway: Gateway,
  connectionId: string,
  grantId: string,
  by: Actor,
): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.admin().hasConnection(connectionId))) return false;
  const connection = await objects.connection(connectionId).describe();
  const clientId = connection?.grants.find(({ id }) => id === grantId)?.clientId;
  if (clientId !== undefined && MACHINE_ID.test(clientId)) {
    return endMachineClient(gateway, clientId, by);
  }
  if (!(await objects.connection(connectionId).endGrant(grantId, "ended_by_admin"))) return false;
  await record(gateway, by, "agent.ended", `${connectionId}/${grantId}`);
  return true;
}

/** Ends one agent key on a connection. False when the connection or the key is not there, or it has ended. */
export async function endAgentKey(
  gateway: Gateway,
  connectionId: string,
  keyId: string,
  by: Actor,
): Promise<boolean> {
  if (!(await gateway.objects.admin().hasConnection(connectionId))) return false;
  return revokeAgentKey(gateway, connectionId, keyId, by);
}

/**
 * How many connections are in each state, need somebody soon or heard from Gong that its credits are used up, and are
 * sealed with which key.
 */
export async function describeConnections({ objects }: Gateway) {
  const [connections, warnings] = await Promise.all([
    objects.admin().countStates(),
    objects.admin().indexWarnings(),
  ]);
  return { connections, ...warnings };
}

async function record(gateway: Gateway, by: Actor, action: string, target: string): Promise<void> {
  await gateway.objects.admin().recordAct(by, action, target);
  log("info", "admin.acted", { action }, gateway);
}
