// What a person sees and does at /account: their connection, the agents that use
// it, and its record. Everything is asked of the one connection that the account
// session names; an id from a form only chooses among what that connection has.

import type { Client } from "../oauth/client.ts";
import { isDocumentClientId } from "../oauth/client-id-url.ts";
import { integrationNamed } from "../config.ts";
import { log } from "../log.ts";
import type { AgentKeyDescription } from "../storage/agent-keys.ts";
import type { AgentCalls } from "../storage/call-counts.ts";
import type { EventRow } from "../storage/connection-audit.ts";
import type { ConnectionDescription, GrantDescription } from "../storage/connection-rpc.ts";
import type { AccountSession } from "./account-session.ts";
import {
  createAgentKey,
  listAgentKeys,
  revokeAgentKey,
  type AgentKeyMade,
  type AgentKeyWish,
} from "./agent-keys.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { eraseCalls } from "./spend.ts";

/** Rows of the record that a person can download: all that are kept. */
const MOST_EVENTS = 1000;

/** Whose account is looked at, and who acts there. */
export interface Visitor {
  readonly session: AccountSession;
  readonly by: Actor;
}

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
export async function endAgent(gateway: Gateway, visitor: Visitor, grantId: string): Promise<boolean> {
  const { connectionId } = visitor.session;
  const ended = await gateway.objects.connection(connectionId).endGrant(grantId, ENDED_BY_PERSON);
  if (ended) await noteAct(gateway, visitor, "agent.ended");
  return ended;
}

/** Ends every agent at once; agent keys go on. */
export async function endAllAgents(gateway: Gateway, visitor: Visitor): Promise<void> {
  const { connectionId } = visitor.session;
  await gateway.objects.connection(connectionId).endAllGrants(ENDED_BY_PERSON);
  await noteAct(gateway, visitor, "agents.ended");
}

/** Ends every account session of the person, the visitor's own too. Agents and keys go on. ASVS 7.4.5. */
export async function signOutEverywhere(gateway: Gateway, visitor: Visitor): Promise<void> {
  await gateway.objects.connection(visitor.session.connectionId).signOutEverywhere();
  await noteAct(gateway, visitor, "account.sessions_ended");
}

/** Ends the connection: every agent and agent key on it, and our copies of Gong's tokens. */
export async function disconnectAccount(gateway: Gateway, visitor: Visitor): Promise<void> {
  await gateway.objects.connection(visitor.session.connectionId).disconnect(ENDED_BY_PERSON);
  await noteAct(gateway, visitor, "connection.ended");
}

/** Admins see what people do, too. */
async function noteAct(gateway: Gateway, { by, session }: Visitor, action: string): Promise<void> {
  await gateway.objects.admin().recordAct(by, action, session.connectionId);
  log("info", "account.acted", { action, connection: session.connectionId }, gateway);
}

/** What a person may do with agent keys now. */
export interface AccountKeys {
  readonly keys: readonly AgentKeyDescription[];
  /** Whether one can be made: Gong must be connected. */
  readonly connected: boolean;
  /** The one MCP URL that keys of this connection are for. */
  readonly resource: string;
}

/** The agent keys of the connection, and whether one can be made. */
export async function accountKeys(gateway: Gateway, account: Account): Promise<AccountKeys> {
  return {
    keys: await listAgentKeys(gateway, account.connectionId),
    connected: account.state === "connected" || account.state === "refreshing",
    resource: integrationNamed(gateway.config, account.integration).resource,
  };
}

/** Makes an agent key for the visitor's own connection. */
export function createOwnKey(
  gateway: Gateway,
  { session, by }: Visitor,
  wish: Omit<AgentKeyWish, "createdBy">,
): Promise<AgentKeyMade> {
  return createAgentKey(gateway, session.connectionId, { ...wish, createdBy: by });
}

/** Ends an agent key of the visitor's own connection at once. False for an id that it does not have. */
export function revokeOwnKey(gateway: Gateway, { session, by }: Visitor, id: string): Promise<boolean> {
  return revokeAgentKey(gateway, session.connectionId, id, by);
}

/** The calls of the last thirty days, by agent. */
export function accountCalls(gateway: Gateway, session: AccountSession): Promise<readonly AgentCalls[]> {
  return gateway.objects.connection(session.connectionId).countCalls();
}

/** Erases the record of the visitor's own calls. */
export async function eraseOwnCalls(gateway: Gateway, { session, by }: Visitor): Promise<void> {
  await eraseCalls(gateway, session.connectionId, by);
  log("info", "account.acted", { action: "ledger.erased", connection: session.connectionId }, gateway);
}

/** What happened to the connection, the newest first. */
export function accountEvents(gateway: Gateway, session: AccountSession): Promise<readonly EventRow[]> {
  return gateway.objects.connection(session.connectionId).events(MOST_EVENTS);
}

const ENDED_BY_PERSON = "ended_by_person";
