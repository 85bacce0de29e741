// What every story of the gateway needs: settings, keys, objects, the clock, and work that outlives the request.

import { nowSeconds } from "../clock.ts";
import { parseConfig, type Config, type IntegrationConfig } from "../config.ts";
import { createKeyring, type Keyring } from "../crypto/keyring.ts";
import { ConfigError } from "../errors.ts";
import type { Actor } from "../storage/audit.ts";
import { objectsOf, type Objects } from "../storage/stubs.ts";
import type { AttemptInHand } from "./attempts.ts";

export type { Actor };

export interface Gateway {
  readonly config: Config;
  readonly keyring: Keyring;
  readonly objects: Objects;
  readonly now: () => number;
  /** Shown on error pages and in the audit, so that a person can quote it. */
  readonly requestId: string;
  /** The network it came from; undefined at the MCP endpoints, and when it did not come through Cloudflare. */
  readonly network: string | undefined;
  /** What the stories learn about this request, for the client doctor. */
  readonly attempt: AttemptInHand;
  /** Keeps the Worker alive for `work` after the client has gone. Failures are the caller's to handle. */
  waitUntil(work: Promise<unknown>): void;
}

type Deployment = Omit<Gateway, "waitUntil" | "attempt" | "requestId" | "network">;

/** What is the same for every request of a deployment, by its bindings. */
const deployments = new WeakMap<Env, Deployment>();

/** The gateway for one request. Throws ConfigError while a setting is wrong. */
export function openGateway(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  requestId: string = crypto.randomUUID(),
  network?: string,
): Gateway {
  const { config, keyring, objects, now } = deploymentOf(env);
  return {
    config,
    keyring,
    objects,
    now,
    // Also for a call that needs none: a name costs less than a getter that makes one when asked.
    requestId,
    network,
    attempt: {},
    waitUntil: (work) => context.waitUntil(work),
  };
}

/** `actor` as the audit names them, in the request of `gateway`. */
export function actorIn({ requestId }: Gateway, actor: string, cause: Actor["cause"] = "admin"): Actor {
  return { actor, cause, requestId };
}

/** What every request may need of wrangler.toml; a copy of it that an upgrade left behind lacks what is new. */
const BINDINGS = ["CONNECTIONS", "TRANSACTIONS", "ESCROWS", "REGISTRY", "ADMIN"] as const;

function deploymentOf(env: Env): Deployment {
  const known = deployments.get(env);
  if (known !== undefined) return known;
  const unbound = BINDINGS.filter((name) => !(name in env));
  if (unbound.length > 0)
    throw new ConfigError(unbound.map((name) => `${name} is not bound in wrangler.toml`));
  const config = parseConfig(env);
  const deployment = {
    config,
    keyring: createKeyring(config.sealingKeys),
    objects: objectsOf(env),
    now: nowSeconds,
  };
  deployments.set(env, deployment);
  return deployment;
}

/** The integration that serves `resource`. The resource was validated before it came here. */
export function integrationFor(config: Config, resource: string): IntegrationConfig {
  const integration = config.integrations.find((candidate) => candidate.resource === resource);
  if (integration === undefined) throw new Error("No integration serves this resource");
  return integration;
}

/** Every resource tokens can be for. */
export const resourcesOf = (config: Config): readonly string[] =>
  config.integrations.map((integration) => integration.resource);

/** The access of a connection's integration; that of one that is no longer configured is called personal. */
export function accessOf(
  { config }: Gateway,
  { integration }: { readonly integration: IntegrationConfig["name"] },
): "personal" | "shared" {
  return config.integrations.find(({ name }) => name === integration)?.access ?? "personal";
}
