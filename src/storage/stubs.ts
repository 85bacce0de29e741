// From an id to a typed stub, and the one retry rule. The only user of the object bindings. Ids reach this file only
// after the tag of the credential that carries them was checked, so a made-up id never creates an object. Client ids
// and user codes carry no tag: a made-up one wakes one of a fixed number of shards, no more.

import type { AdminObject } from "./admin-object.ts";
import type { ConnectionObject } from "./connection-object.ts";
import type { EscrowObject } from "./escrow-object.ts";
import type { RegistryObject } from "./registry-object.ts";
import type { TransactionObject } from "./transaction-object.ts";

const REGISTRY_SHARDS = 16;
const TRIES = 3;
const FIRST_PAUSE_MS = 50;

export interface Objects {
  connection(id: string): DurableObjectStub<ConnectionObject>;
  transaction(id: string): DurableObjectStub<TransactionObject>;
  /** The second failure domain of a connection. */
  escrow(connectionId: string): DurableObjectStub<EscrowObject>;
  /** The shard that holds `clientId`. */
  registry(clientId: string): DurableObjectStub<RegistryObject>;
  /** One shard by its number, from 0. */
  registryShard(shard: number): DurableObjectStub<RegistryObject>;
  readonly registryShards: number;
  /** Every shard, for the list of all registrations. */
  registries(): readonly DurableObjectStub<RegistryObject>[];
  admin(): DurableObjectStub<AdminObject>;
}

/** The objects of this deployment. */
export function objectsOf(env: Env): Objects {
  return {
    connection: (id) => env.CONNECTIONS.getByName(id),
    transaction: (id) => env.TRANSACTIONS.getByName(id),
    escrow: (connectionId) => env.ESCROWS.getByName(connectionId),
    registry: (clientId) => env.REGISTRY.getByName(`shard-${shardOf(clientId)}`),
    registryShard: (shard) => env.REGISTRY.getByName(`shard-${shard}`),
    registryShards: REGISTRY_SHARDS,
    registries: () =>
      Array.from({ length: REGISTRY_SHARDS }, (_, shard) => env.REGISTRY.getByName(`shard-${shard}`)),
    admin: () => env.ADMIN.getByName("admin"),
  };
}

/**
 * Runs an idempotent call, again after a failure that the platform marks retryable, with jitter and a fresh stub each
 * time (`call` makes the stub). An overloaded object is never asked again.
 */
export async function retrying<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === TRIES || !isRetryable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * attempt * (1 + Math.random())));
    }
  }
}

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error) || !("retryable" in error)) return false;
  return error.retryable === true && !("overloaded" in error && error.overloaded === true);
}

function shardOf(clientId: string): number {
  let sum = 0;
  for (const character of clientId) sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
  return sum % REGISTRY_SHARDS;
}
