// The set-up that proves itself: which checks there are, what each came to and when, and the checks that the gateway
// can run by itself. The sign-in at Gong that proves the rest is in finish-setup.ts.

import type { IntegrationConfig, IntegrationName } from "../config.ts";
import { randomId } from "../crypto/credential.ts";
import { encodeBase64Url, randomBytes, sha256 } from "../crypto/encoding.ts";
import { GongError } from "../errors.ts";
import { cachedDiscovery, discoverGong, haveMoved } from "../gong/discovery.ts";
import { probeClient } from "../gong/probe.ts";
import { isLoopbackHttp } from "../oauth/loopback.ts";
import type { CheckResult, CheckVerdict, Finding } from "../storage/setup-checks.ts";
import { goToGong, type DecidedConsent } from "./decide-consent.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { weakKeys, weakSettings } from "./weak-secrets.ts";

/** Checks of the deployment, and checks of each integration, in the order in which they build on each other. */
const GENERAL = ["settings", "keys", "address", "discovery"] as const;
const OF_INTEGRATION = ["client", "sign_in", "scopes", "tools"] as const;

export type CheckName = (typeof GENERAL)[number] | (typeof OF_INTEGRATION)[number];

export interface SetupCheck {
  readonly name: CheckName;
  /** Undefined for the checks of the whole deployment. */
  readonly integration: IntegrationName | undefined;
  readonly verdict: CheckVerdict | "not_run";
  readonly reason: string;
  readonly detail: string | undefined;
  /** Epoch seconds. */
  readonly checkedAt: number | undefined;
  readonly hasPassed: boolean;
}

export interface SetupState {
  readonly checks: readonly SetupCheck[];
  /** Every check was well at least once, with the settings of today. */
  readonly complete: boolean;
  /** Every check was well the last time. */
  readonly well: boolean;
  /** Epoch seconds of the oldest of the last checks; undefined while one was never run. */
  readonly asOf: number | undefined;
}

/** The checks with their last results. A result for other addresses or another client id counts for nothing. */
export async function describeSetup(gateway: Gateway): Promise<SetupState> {
  const rows = new Map((await gateway.objects.admin().listChecks()).map((row) => [row.id, row]));
  const checks: SetupCheck[] = [];
  for (const { name, integration } of allChecks(gateway)) {
    const row = rows.get(idOf(name, integration?.name));
    const isCurrent = row?.subject_hash === (await subjectOf(gateway, integration));
    checks.push({
      name,
      integration: integration?.name,
      verdict: isCurrent ? row.verdict : "not_run",
      reason: isCurrent ? row.reason : "not_run",
      detail: isCurrent ? (row.detail ?? undefined) : undefined,
      checkedAt: isCurrent ? row.checked_at : undefined,
      hasPassed: isCurrent && row.passed_at !== null,
    });
  }
  const times = checks.map(({ checkedAt }) => checkedAt).filter((at) => at !== undefined);
  return {
    checks,
    complete: checks.every(({ hasPassed }) => hasPassed),
    well: checks.every(({ verdict }) => verdict === "ok"),
    asOf: times.length === checks.length ? Math.min(...times) : undefined,
  };
}

/** Whether an admin should see the set-up first: a check has never passed, and nobody has connected yet. */
export async function needsSetup(gateway: Gateway): Promise<boolean> {
  if ((await gateway.objects.admin().listConnections(1)).length > 0) return false;
  return !(await describeSetup(gateway)).complete;
}

/** Runs what needs nobody at Gong, and keeps the results. `origin` is where the admin's browser sees this page. */
export async function runChecks(gateway: Gateway, origin: string, by: Actor): Promise<void> {
  const { config } = gateway;
  const [discovery, ...clients] = await Promise.all([
    checkDiscovery(config.integrations[0]),
    ...config.integrations.map(checkClient),
  ]);
  await recordFindings(gateway, undefined, {
    settings: await weakSettings(config),
    keys: await weakKeys(config),
    address: checkAddress(config.publicUrl, origin),
    discovery,
  });
  for (const [at, integration] of config.integrations.entries()) {
    const client = clients[at];
    if (client !== undefined) await recordFindings(gateway, integration, { client });
  }
  await gateway.objects.admin().recordAct(by, "setup.checked");
}

/**
 * Begins the sign-in at Gong that proves the redirect URI, the scopes and the tools of an integration; for shared
 * access it is the connection itself. Undefined for an integration that is not configured.
 */
export async function beginSetupSignIn(
  gateway: Gateway,
  name: string | undefined,
  actor: string,
): Promise<Extract<DecidedConsent, { kind: "gong" }> | undefined> {
  const integration = gateway.config.integrations.find((candidate) => candidate.name === name);
  if (integration === undefined) return undefined;
  const content = { request: undefined, clientName: undefined, actor };
  const begun = await goToGong(gateway, integration, randomId(), content);
  await recordFindings(gateway, integration, { sign_in: { verdict: "unknown", reason: "at_gong" } });
  return begun;
}

/** Keeps what checks of the deployment, or of one integration, came to. */
export async function recordFindings(
  gateway: Gateway,
  integration: IntegrationConfig | undefined,
  findings: Partial<Record<CheckName, Finding>>,
): Promise<void> {
  const subject = await subjectOf(gateway, integration);
  const results: CheckResult[] = allChecks(gateway).flatMap((check) => {
    const found = findings[check.name];
    if (found === undefined || check.integration !== integration) return [];
    const { verdict, reason, detail } = found;
    return [
      {
        id: idOf(check.name, integration?.name),
        subject_hash: subject,
        verdict,
        reason,
        detail: detail ?? null,
      },
    ];
  });
  await gateway.objects.admin().recordChecks(results);
}

function allChecks({ config }: Gateway) {
  return [
    ...GENERAL.map((name) => ({ name, integration: undefined })),
    ...config.integrations.flatMap((integration) => OF_INTEGRATION.map((name) => ({ name, integration }))),
  ];
}

const idOf = (name: CheckName, integration: IntegrationName | undefined): string =>
  integration === undefined ? name : `${name}_${integration}`;

function subjectOf({ config }: Gateway, integration: IntegrationConfig | undefined): Promise<string> {
  const { mcpUrl } = config.integrations[0];
  const parts = [config.publicUrl, mcpUrl.href, integration?.clientId ?? "", integration?.access ?? ""];
  return sha256(JSON.stringify(parts));
}

function checkAddress(publicUrl: string, origin: string): Finding {
  if (origin !== publicUrl) return { verdict: "problem", reason: "elsewhere" };
  return { verdict: "ok", reason: isLoopbackHttp(new URL(publicUrl)) ? "loopback" : "well" };
}

async function checkDiscovery({ mcpUrl }: IntegrationConfig): Promise<Finding> {
  try {
    const endpoints = await discoverGong(mcpUrl);
    if (endpoints.source === "published") return { verdict: "unknown", reason: "published_used" };
    const { authorizationEndpoint, tokenEndpoint } = endpoints;
    const detail = [...new Set([authorizationEndpoint.host, tokenEndpoint.host])].join(", ");
    return { verdict: "ok", reason: haveMoved(mcpUrl, endpoints) ? "moved" : "well", detail };
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    if (error.status === 403) return { verdict: "problem", reason: "address_refused" };
    return error.kind === "unavailable"
      ? { verdict: "unknown", reason: "unavailable" }
      : { verdict: "problem", reason: "not_understood" };
  }
}

/** Obstacles that an admin can do something about; the others say nothing about the set-up. */
const PASSING = new Set(["rate_limited", "unavailable", "not_understood"]);

async function checkClient(integration: IntegrationConfig): Promise<Finding> {
  try {
    const endpoints = await cachedDiscovery(integration.mcpUrl);
    const answer = await probeClient(endpoints, integration, {
      code: `setup-check-${randomId()}`,
      state: randomId(),
      codeVerifier: encodeBase64Url(randomBytes(32)),
    });
    if (answer === "accepted") return { verdict: "ok", reason: "well" };
    return findingOf(answer);
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    return { verdict: "unknown", reason: "no_discovery" };
  }
}

/** What an obstacle at Gong means for a check. */
export function findingOf(reason: string): Finding {
  return { verdict: PASSING.has(reason) ? "unknown" : "problem", reason };
}
