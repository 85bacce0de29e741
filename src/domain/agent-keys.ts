// Agent keys: made by a person for their own connection or by an admin for shared access, shown once, listed, revoked.
// The connection decides about a key; the admin's index only knows where it is. Every act is in the audit.

import { mintCredential, randomId } from "../crypto/credential.ts";
import { log } from "../log.ts";
import type { ListPage, ListQuery } from "../listing.ts";
import { scopesOfTools } from "../mcp/tool-policy.ts";
import { displayName } from "../oauth/client-metadata.ts";
import { formatScope } from "../oauth/scope.ts";
import type { AgentKeyDescription } from "../storage/agent-keys.ts";
import { retrying } from "../storage/stubs.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import type { Actor, Gateway } from "./gateway.ts";

/** The days that people choose from. */
export const KEY_LIFETIMES_DAYS: readonly number[] = [7, 30, 90, 365];

const LONGEST_DAYS = 730;
const DAY = 86_400;
const MOST_TOOLS = 50;
/** MCP 2025-11-25, Tools, Tool Names. */
const TOOL_NAME = /^[A-Za-z0-9_.\-/]{1,128}$/;

export interface AgentKeyWish {
  /** What people will know the key by; shown on pages, and of no meaning to anything else. */
  readonly name: string;
  /** The tools it may call; undefined for every tool that the policy allows. */
  readonly tools: readonly string[] | undefined;
  readonly expiresInDays: number;
  readonly createdBy: Actor;
}

export type AgentKeyMade =
  /** `key` is for its holder: it is shown once and kept nowhere. */
  | {
      readonly ok: true;
      readonly id: string;
      readonly key: string;
      /** As it is kept: cleaned. */
      readonly name: string;
      readonly expiresAt: number;
    }
  | {
      readonly ok: false;
      readonly reason: "name" | "tools" | "expiry" | "not_connected" | "too_many" | "name_taken";
    };

/**
 * Makes a key for a connection, good at the one endpoint of its integration. Refuses a name without a visible
 * character, a list of no tools or of names that no tool has, other lifetimes than 1 to 730 days, a connection that is
 * not connected, the name of a live key of it, and more than fifty live keys on one connection.
 */
export async function createAgentKey(
  gateway: Gateway,
  connectionId: string,
  wish: AgentKeyWish,
): Promise<AgentKeyMade> {
  const { objects, keyring, config } = gateway;
  const name = displayName(wish.name);
  if (name === undefined) return { ok: false, reason: "name" };
  if (!areTools(wish.tools)) return { ok: false, reason: "tools" };
  if (!isLifetime(wish.expiresInDays)) return { ok: false, reason: "expiry" };
  const described = await objects.connection(connectionId).describe();
  const integration = config.integrations.find((candidate) => candidate.name === described?.integration);
  if (integration === undefined) return { ok: false, reason: "not_connected" };
  const expiresAt = gateway.now() + wish.expiresInDays * DAY;
  const id = randomId();
  const { value, hash } = await mintCredential(keyring, "agent_key", {
    connectionId,
    grantId: id,
    generation: 0,
    expiresAt,
    resource: integration.resource,
  });
  const { tools, createdBy } = wish;
  // Indexed first, so that no key exists that an admin can't find.
  await objects
    .admin()
    .recordAgentKey(
      { id, connection_id: connectionId, integration: integration.name, name, expires_at: expiresAt },
      createdBy,
    );
  const outcome = await objects.connection(connectionId).createAgentKey({
    id,
    hash,
    kid: keyring.sealingKid,
    name,
    scope: formatScope(scopesOfTools(tools)),
    tools,
    createdBy: createdBy.actor,
    expiresAt,
  });
  if (outcome !== "created") {
    await objects.admin().dropAgentKey(id, createdBy);
    return { ok: false, reason: outcome };
  }
  log("info", "agent_key.created", { connection: connectionId, key: id }, gateway);
  return { ok: true, id, key: value, name, expiresAt };
}

/** The MCP endpoints with shared access whose connection is there to make keys for. */
export async function sharedEndpoints(
  gateway: Gateway,
): Promise<readonly { readonly resource: string; readonly connectionId: string }[]> {
  const shared = gateway.config.integrations.filter(({ access }) => access === "shared");
  const found = await Promise.all(
    shared.map(async (integration) => {
      const connectionId = await sharedConnectionId(integration);
      const described = await gateway.objects.connection(connectionId).describe();
      const usable = described?.state === "connected" || described?.state === "refreshing";
      return usable ? [{ resource: integration.resource, connectionId }] : [];
    }),
  );
  return found.flat();
}

/** The keys of one connection, also those that ended in the last thirty days; the newest first. No key is in it. */
export function listAgentKeys(
  gateway: Gateway,
  connectionId: string,
): Promise<readonly AgentKeyDescription[]> {
  return retrying(async (): Promise<readonly AgentKeyDescription[]> =>
    gateway.objects.connection(connectionId).listAgentKeys(),
  );
}

/** Ends a key of this connection at once. False when the connection has no such key, or it has been revoked before. */
export async function revokeAgentKey(
  gateway: Gateway,
  connectionId: string,
  id: string,
  by: Actor,
): Promise<boolean> {
  const { objects } = gateway;
  if (!(await objects.connection(connectionId).revokeAgentKey(id, by.actor))) return false;
  await objects.admin().recordAgentKeyEnd(id, by);
  log("info", "agent_key.revoked", { connection: connectionId, key: id }, gateway);
  return true;
}

/** Ends a key wherever it is, for an admin. False when there is none, or it has been revoked before. */
export async function revokeAnyAgentKey(gateway: Gateway, id: string, by: Actor): Promise<boolean> {
  const entry = await gateway.objects.admin().findAgentKey(id);
  return entry !== undefined && revokeAgentKey(gateway, entry.connection_id, id, by);
}

export interface ListedAgentKey extends AgentKeyDescription {
  readonly connectionId: string;
  readonly access: "personal" | "shared";
}

/** One page of the keys of all connections for an admin. State and last use are what the connections say right now. */
export async function pageOfAgentKeys(gateway: Gateway, query: ListQuery): Promise<ListPage<ListedAgentKey>> {
  const page = await gateway.objects.admin().listAgentKeys(query);
  const connections = [...new Set(page.rows.map((row) => row.connection_id))];
  const known = new Map(
    (await Promise.all(connections.map((id) => listAgentKeys(gateway, id))))
      .flat()
      .map((key) => [key.id, key]),
  );
  const now = gateway.now();
  const rows = page.rows.map((row): ListedAgentKey => {
    const { integrations } = gateway.config;
    const access = integrations.find(({ name }) => name === row.integration)?.access ?? "personal";
    const key = known.get(row.id);
    if (key !== undefined) return { ...key, connectionId: row.connection_id, access };
    // Its connection does not know it: forgotten since it was over, or restored to a time before it was made.
    return {
      id: row.id,
      name: row.name,
      tools: undefined,
      state: row.revoked_at === null && row.expires_at <= now ? "expired" : "revoked",
      createdAt: row.created_at,
      createdBy: row.created_by,
      expiresAt: row.expires_at,
      lastUsedAt: undefined,
      revokedAt: row.revoked_at ?? undefined,
      revokedBy: undefined,
      connectionId: row.connection_id,
      access,
    };
  });
  return { ...page, rows };
}

function areTools(tools: readonly string[] | undefined): boolean {
  if (tools === undefined) return true;
  return tools.length > 0 && tools.length <= MOST_TOOLS && tools.every((tool) => TOOL_NAME.test(tool));
}

function isLifetime(days: number): boolean {
  return Number.isInteger(days) && days >= 1 && days <= LONGEST_DAYS;
}
