// What a person sees and does at /account: their connection, the agents that use it, and its record. Everything is asked
// of the one connection that the account session names; an id from a form only chooses among what that connection has.

import type { Client } from "../oauth/client.ts";
import { isDocumentClientId } from "../oauth/client-id-url.ts";
import { log } from "../log.ts";
import type { EventRow } from "../storage/connection-audit.ts";
import type { ConnectionDescription, GrantDescription } from "../storage/connection-rpc.ts";
import type { AccountSession } from "./account-session.ts";
import type { Gateway } from "./gateway.ts";

/** Rows of the record that a person can download: all that are kept. */
const MOST_EVENTS = 1000;

export interface AccountAgent extends GrantDescription {
  readonly registration: Client["registration"];
}

export interface Account extends Omit<ConnectionDescription, "grants"> {
  readonly connectionId: string;
  readonly agents: readonly AccountAgent[];
}

/** Everything the account page shows; no token and no secret in it. */
export async function describeAccount(
  gateway: Gateway,
  session: AccountSession,
): Promise<Account | undefined> {
  const description = await gateway.objects.connection(session.connectionId).describe();
  if (description === undefined) return undefined;
  const { grants, ...connection } = description;
  return {
    ...connection,
    connectionId: session.connectionId,
    agents: grants.map((grant) => ({ ...grant, registration: registrationOf(gateway, grant.clientId) })),
  };
}

/** How a client came to be known, from its id alone: the client itself may be gone by now. */
function registrationOf(gateway: Gateway, clientId: string): Client["registration"] {
  if (gateway.config.preregisteredClients.has(clientId)) return "preregistered";
  return isDocumentClientId(clientId) ? "metadata_document" : "dynamic";
}

/** Ends one agent at once. False for an id that this connection does not have. */
export async function endAgent(gateway: Gateway, session: AccountSession, grantId: string): Promise<boolean> {
  const ended = await gateway.objects.connection(session.connectionId).endGrant(grantId, ENDED_BY_PERSON);
  if (ended) log("info", "account.acted", { action: "agent.ended", connection: session.connectionId });
  return ended;
}

/** Ends every agent at once. Returns how many there were. */
export async function endAllAgents(gateway: Gateway, session: AccountSession): Promise<number> {
  const ended = await gateway.objects.connection(session.connectionId).endAllGrants(ENDED_BY_PERSON);
  log("info", "account.acted", { action: "agents.ended", connection: session.connectionId, ended });
  return ended;
}

/** Ends the connection: every agent on it, and our copies of Gong's tokens. */
export async function disconnectAccount(gateway: Gateway, session: AccountSession): Promise<void> {
  await gateway.objects.connection(session.connectionId).disconnect(ENDED_BY_PERSON);
  log("info", "account.acted", { action: "connection.ended", connection: session.connectionId });
}

/** What happened to the connection, the newest first. */
export function accountEvents(gateway: Gateway, session: AccountSession): Promise<readonly EventRow[]> {
  return gateway.objects.connection(session.connectionId).events(MOST_EVENTS);
}

const ENDED_BY_PERSON = "ended_by_person";
