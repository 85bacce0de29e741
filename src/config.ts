// The settings, parsed once per isolate into typed values. The only reader of vars and secrets. Every problem is
// reported at once, by name and never by value; while there is one, the gateway serves nothing but /health.

import { parseAccess, type AccessConfig } from "./access-settings.ts";
import { ConfigError } from "./errors.ts";
import type { Client } from "./oauth/client.ts";
import { isLoopbackHttp } from "./oauth/loopback.ts";
import { parsePreregisteredClients } from "./oauth/preregistered-clients.ts";
import type { Resources } from "./oauth/resource.ts";
import { parseTrustedIssuers, type TrustedIssuer } from "./oauth/trusted-issuers.ts";
import { parseSealingKeys, type SealingKey } from "./sealing-keys.ts";

/** The integration behind `/mcp`, and the optional second one behind `/shared/mcp`. */
export type IntegrationName = "main" | "shared";

/** One MCP integration registered at Gong. */
export interface IntegrationConfig {
  readonly name: IntegrationName;
  /** Whose data it reaches: the authorizing person's, or all of the company's. Gong fixes it at creation. */
  readonly access: "personal" | "shared";
  readonly clientId: string;
  readonly clientSecret: string;
  readonly mcpUrl: URL;
  /** The one redirect URI registered at Gong. */
  readonly redirectUri: string;
  /** Our protected resource (RFC 8707) that this integration serves. */
  readonly resource: string;
}

export interface Config {
  /** Our origin and issuer, without a trailing slash. Every URL we emit starts with it. */
  readonly publicUrl: string;
  readonly resources: Resources;
  readonly integrations: readonly [IntegrationConfig, ...IntegrationConfig[]];
  /** The first seals, all open. */
  readonly sealingKeys: readonly SealingKey[];
  readonly adminToken: string | undefined;
  /** Undefined while Cloudflare Access is off. */
  readonly access: AccessConfig | undefined;
  readonly clientPolicy: "open" | "listed";
  readonly allowedRedirectHosts: ReadonlySet<string>;
  /** Browser origins that may call `/mcp`, besides our own. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly preregisteredClients: ReadonlyMap<string, Client>;
  /** Issuers whose identity assertions are believed, by `iss`. */
  readonly trustedIssuers: ReadonlyMap<string, TrustedIssuer>;
  readonly accessCacheSeconds: number;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly grantSeconds: number;
  readonly unusedClientSeconds: number;
  readonly registrationLimit: number;
  readonly maxBodyBytes: number;
  readonly ledgerSeconds: number;
}

type Settings = Readonly<Record<string, unknown>>;

const DAY = 86_400;

const parsed = new WeakMap<object, Config>();

/** Returns the frozen Config for `env`, parsed at most once per isolate. Throws ConfigError listing every problem. */
export function parseConfig(env: object): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const config = parseSettings({ ...env });
  parsed.set(env, config);
  return config;
}

/** The integration called `name`. Throws when it is not, or no longer, configured. */
export function integrationNamed(config: Config, name: IntegrationName): IntegrationConfig {
  const integration = config.integrations.find((candidate) => candidate.name === name);
  if (integration === undefined) throw new Error(`The ${name} integration is not configured`);
  return integration;
}

/** Parses plain settings. Throws ConfigError listing every problem. */
export function parseSettings(settings: Settings): Config {
  const problems: string[] = [];
  const read = reader(settings, problems);

  const publicUrl = read.origin("PUBLIC_URL");
  const main = mainIntegration(read, publicUrl);
  const shared = sharedIntegration(read, problems, main);
  const adminToken = read.optional("ADMIN_TOKEN");
  if (adminToken !== undefined && adminToken.length < 24) {
    problems.push("ADMIN_TOKEN must have at least 24 characters");
  }
  const config: Config = {
    publicUrl,
    resources: { origin: publicUrl, main: main.resource, shared: shared?.resource },
    integrations: shared === undefined ? [main] : [main, shared],
    sealingKeys: parseSealingKeys(read.required("SEALING_KEYS"), problems),
    adminToken,
    access: parseAccess(
      {
        teamDomain: read.optional("ACCESS_TEAM_DOMAIN"),
        audiences: read.list("ACCESS_AUD"),
        adminEmails: read.list("ADMIN_EMAILS"),
      },
      problems,
    ),
    clientPolicy: read.oneOf("CLIENT_POLICY", ["open", "listed"], "open"),
    allowedRedirectHosts: new Set(read.list("ALLOWED_REDIRECT_HOSTS")),
    allowedOrigins: new Set(read.list("ALLOWED_ORIGINS")),
    preregisteredClients: preregisteredClients(read.optional("CLIENTS"), problems),
    trustedIssuers: trustedIssuers(read.optional("TRUSTED_ISSUERS"), publicUrl, problems),
    accessCacheSeconds: read.integer("ACCESS_CACHE_SECONDS", 10, 0, 60),
    accessTokenSeconds: read.integer("ACCESS_TOKEN_SECONDS", 3600, 5, DAY),
    refreshTokenSeconds: read.integer("REFRESH_TOKEN_DAYS", 30, 1, 365) * DAY,
    grantSeconds: read.integer("GRANT_DAYS", 180, 1, 730) * DAY,
    unusedClientSeconds: read.integer("UNUSED_CLIENT_HOURS", 24, 1, 720) * 3600,
    registrationLimit: read.integer("REGISTRATION_LIMIT", 10_000, 1, 1_000_000),
    maxBodyBytes: read.integer("MAX_BODY_BYTES", 1_048_576, 65_536, 16_777_216),
    ledgerSeconds: read.integer("LEDGER_DAYS", 400, 30, 1100) * DAY,
  };
  noteAdminProblems(problems, config);
  noteIssuerProblems(problems, config);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

function noteAdminProblems(problems: string[], { integrations, adminToken, access }: Config): void {
  const needsAdmin = integrations.some((integration) => integration.access === "shared");
  if (needsAdmin && adminToken === undefined && (access === undefined || access.adminEmails.size === 0)) {
    problems.push("ADMIN_TOKEN, or Cloudflare Access with ADMIN_EMAILS, is required for shared access");
  }
}

/** An issuer that no person's connection could ever answer to would look configured and never work. */
function noteIssuerProblems(
  problems: string[],
  { integrations, access, trustedIssuers: issuers }: Config,
): void {
  if (issuers.size === 0) return;
  if (!integrations.some((integration) => integration.access === "personal")) {
    problems.push("TRUSTED_ISSUERS needs an integration with personal access");
  }
  if (access === undefined && [...issuers.values()].some(({ person }) => person.kind === "email")) {
    problems.push("TRUSTED_ISSUERS: email_claim needs ACCESS_TEAM_DOMAIN and ACCESS_AUD");
  }
}

function mainIntegration(read: Reader, publicUrl: string): IntegrationConfig {
  return {
    name: "main",
    mcpUrl: read.url("GONG_MCP_URL", "https://mcp.gong.io/mcp"),
    redirectUri: `${publicUrl}/callback`,
    access: read.oneOf("GONG_ACCESS", ["personal", "shared"], "personal"),
    clientId: read.required("GONG_CLIENT_ID"),
    clientSecret: read.required("GONG_CLIENT_SECRET"),
    resource: `${publicUrl}/mcp`,
  };
}

function sharedIntegration(
  read: Reader,
  problems: string[],
  main: IntegrationConfig,
): IntegrationConfig | undefined {
  const clientId = read.optional("GONG_SHARED_CLIENT_ID");
  const clientSecret = read.optional("GONG_SHARED_CLIENT_SECRET");
  if (clientId === undefined && clientSecret === undefined) return undefined;
  if (clientId === undefined || clientSecret === undefined) {
    problems.push("GONG_SHARED_CLIENT_ID and GONG_SHARED_CLIENT_SECRET must be set together");
    return undefined;
  }
  if (clientId === main.clientId) problems.push("GONG_SHARED_CLIENT_ID must differ from GONG_CLIENT_ID");
  const resource = `${main.redirectUri.slice(0, -"/callback".length)}/shared/mcp`;
  return { ...main, name: "shared", access: "shared", clientId, clientSecret, resource };
}

interface Reader {
  optional(name: string): string | undefined;
  required(name: string): string;
  oneOf<const T extends string>(name: string, values: readonly T[], fallback: T): T;
  integer(name: string, fallback: number, least: number, most: number): number;
  list(name: string): readonly string[];
  url(name: string, fallback: string): URL;
  origin(name: string): string;
}

function reader(settings: Settings, problems: string[]): Reader {
  const optional = (name: string): string | undefined => {
    const value = settings[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" || typeof value === "number") {
      const text = String(value).trim();
      return text === "" ? undefined : text;
    }
    problems.push(`${name} must be text`);
    return undefined;
  };
  const required = (name: string): string => {
    const value = optional(name);
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? "";
  };
  return {
    optional,
    required,
    oneOf(name, values, fallback) {
      const value = optional(name);
      const known = values.find((candidate) => candidate === value);
      if (value !== undefined && known === undefined) problems.push(`${name} must be ${values.join(" or ")}`);
      return known ?? fallback;
    },
    integer(name, fallback, least, most) {
      const value = optional(name);
      if (value === undefined) return fallback;
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      problems.push(`${name} must be a whole number from ${least} to ${most}`);
      return fallback;
    },
    list: (name) => (optional(name) ?? "").split(/[\s,]+/).filter((part) => part !== ""),
    url: (name, fallback) => serverUrl(optional(name) ?? fallback, name, problems),
    origin(name) {
      const value = required(name);
      const url = value === "" ? undefined : serverUrl(value, name, problems);
      if (url !== undefined && url.pathname !== "/")
        problems.push(`${name} must be an origin without a path`);
      return url?.origin ?? "";
    },
  };
}

const ANY_URL = new URL("https://unset.invalid");

/** https, or http on the loopback interface for local runs (RFC 8252 §8.3). */
function serverUrl(value: string, name: string, problems: string[]): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !(url.protocol === "https:" || isLoopbackHttp(url))) {
    problems.push(`${name} must be an https URL (http only on localhost)`);
    return ANY_URL;
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    problems.push(`${name} must have no user name, query or fragment`);
  }
  return url;
}

function preregisteredClients(value: string | undefined, problems: string[]): ReadonlyMap<string, Client> {
  if (value === undefined) return new Map();
  const result = parsePreregisteredClients(value);
  problems.push(...result.problems.map((problem) => `CLIENTS: ${problem}`));
  return result.clients;
}

function trustedIssuers(
  value: string | undefined,
  publicUrl: string,
  problems: string[],
): ReadonlyMap<string, TrustedIssuer> {
  if (value === undefined) return new Map();
  // A PUBLIC_URL that is wrong is reported by itself.
  const result = parseTrustedIssuers(value, publicUrl === "" ? ANY_URL.origin : publicUrl);
  problems.push(...result.problems.map((problem) => `TRUSTED_ISSUERS: ${problem}`));
  return result.issuers;
}
