// Everything one stand-in knows: no state lives in a module. Created by stand-in.ts, read and changed by every part.
import type { FaultScript } from "./faults.ts";
import { InMemoryServerEventBus, type ServerEventBus } from "@modelcontextprotocol/server";
import { createFaultScript } from "./faults.ts";
import { createGrantBook, type Grant, type GrantBook } from "./grants.ts";
import { defaultIntegrations, type Integration } from "./integrations.ts";
import { changeKnobs, defaultKnobs, type KnobChanges, type Knobs } from "./knobs.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import type { McpSession } from "./mcp-sessions.ts";
import { defaultPeople, type Person } from "./people.ts";

export interface WorldOptions {
  /** D6. Issuer and resource live here, e.g. `https://mcp.gong.test`. */
  mcpOrigin: string;
  /** D6. Authorize and token endpoints live here, e.g. `https://app.gong.test`. */
  appOrigin: string;
  /** Redirect URIs of both integrations; `https://gateway.test/callback` when absent. */
  redirectUris?: string[];
  /** The knobs that `reset` goes back to, over the defaults. */
  knobs?: KnobChanges;
  /** Epoch milliseconds; for tests that own the clock. */
  now?: () => number;
  /** What an earlier stand-in knew, to begin with; `reset` forgets it. */
  memory?: Memory;
}

/** What outlives a restart of the stand-in, where somebody keeps it. One object graph: tokens point to their people. */
export type Memory = Pick<World, "book" | "people" | "consents">;

/** An authorize page that was shown and not yet answered. */
export interface Ticket {
  query: string;
  person: string;
}

export interface World {
  readonly mcpOrigin: string;
  readonly appOrigin: string;
  knobs: Knobs;
  people: Map<string, Person>;
  integrations: Map<string, Integration>;
  book: GrantBook;
  ledger: Ledger;
  faults: FaultScript;
  tickets: Map<string, Ticket>;
  /** `<person> <client id>` of people who allowed an integration before. */
  consents: Set<string>;
  /** M2, M3. Live MCP sessions by id, and open GET streams without one. */
  sessions: Map<string, McpSession>;
  /** M3. What 2026-07-28 subscriptions listen to. */
  changes: ServerEventBus;
  /** Aborts when the stand-in is reset or closed: ends hanging answers and endless streams. */
  ended: AbortController;
  /** Gong's clock, epoch milliseconds: ours plus the knob `clockOffsetSeconds`. */
  nowMs(): number;
}

/** The URL of the MCP endpoint, which is also the RFC 8707 resource. */
export function mcpUrl(world: World): string {
  return `${world.mcpOrigin}/mcp`;
}

/** A fresh world: two integrations, an empty ledger, and the default people unless the options bring a memory. */
export function createWorld(options: WorldOptions): World {
  const clock = options.now ?? Date.now;
  const world: World = {
    mcpOrigin: options.mcpOrigin,
    appOrigin: options.appOrigin,
    ...freshState(options, () => world.nowMs()),
    ...options.memory,
    nowMs: () => clock() + world.knobs.clockOffsetSeconds * 1000,
  };
  return world;
}

/**
 * Puts `world` back to how `createWorld` makes it without a memory, and ends every answer that still hangs or streams.
 */
export function resetWorld(world: World, options: WorldOptions): void {
  world.ended.abort();
  for (const session of world.sessions.values()) void session.close();
  Object.assign(
    world,
    freshState(options, () => world.nowMs()),
  );
}

function freshState(
  options: WorldOptions,
  nowMs: () => number,
): Omit<World, "mcpOrigin" | "appOrigin" | "nowMs"> {
  const knobs = changeKnobs(defaultKnobs(), options.knobs ?? {});
  return {
    knobs,
    people: defaultPeople(),
    integrations: defaultIntegrations(knobs, options.redirectUris ?? ["https://gateway.test/callback"]),
    book: createGrantBook(),
    ledger: createLedger(nowMs),
    faults: createFaultScript(),
    tickets: new Map(),
    consents: new Set(),
    sessions: new Map(),
    changes: new InMemoryServerEventBus(),
    ended: new AbortController(),
  };
}

/** I5. Whether the integration was deleted or the person deactivated. */
export function isRemoved(world: World, grant: Grant): boolean {
  const integration = world.integrations.get(grant.clientId);
  const person = world.people.get(grant.person.id);
  return integration === undefined || integration.deleted || person === undefined || !person.active;
}
