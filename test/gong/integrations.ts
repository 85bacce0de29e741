// MCP integrations as a tech admin registers them at Gong: what is fixed for good, what can be edited, which redirect
// URIs the form takes. Called by oauth.ts (client authentication), authorize.ts, registration.ts and control.ts.
import { SCOPES, type Knobs } from "./knobs.ts";
import { randomText } from "./random.ts";

/** I1. Fields of the form: documented by Gong. */
export interface Integration {
  clientId: string;
  clientSecret: string;
  name: string;
  /** Manual: an admin typed it in. Automatic: a client registered itself (I7). */
  registration: "manual" | "automatic";
  /** Personal: the authorizing person's data. Shared: all data of the company. */
  access: "personal" | "shared";
  redirectUris: string[];
  scopes: string[];
  deleted: boolean;
}

/** The form said no. `message` is what it shows. */
export class IntegrationRefused extends Error {}

export type IntegrationDraft = Partial<Omit<Integration, "deleted">>;

const FIXED_FOR_GOOD = ["clientId", "registration", "access"] as const;

/** Makes a record out of `draft`, with a fresh id and secret where none is given. Throws IntegrationRefused (I4). */
export function newIntegration(knobs: Knobs, draft: IntegrationDraft): Integration {
  const redirectUris = draft.redirectUris ?? [];
  if (redirectUris.length === 0) throw new IntegrationRefused("A redirect URI is required.");
  assertRedirectUris(knobs, redirectUris);
  return {
    clientId: draft.clientId ?? randomText("gong-client"),
    // T4. The characters that percent-encoding must carry through HTTP Basic.
    clientSecret: draft.clientSecret ?? `${randomText("secret")}:+%/`,
    name: draft.name ?? "Integration",
    registration: draft.registration ?? "manual",
    access: draft.access ?? "personal",
    redirectUris,
    scopes: draft.scopes ?? [...SCOPES],
    deleted: false,
  };
}

/**
 * `integration` with `changes`. Name, redirect URIs, scopes and (when a test regenerates it) the secret can change;
 * throws IntegrationRefused for what Gong fixes for good (I2, documented) and for redirect URIs it does not take (I4).
 */
export function editIntegration(
  knobs: Knobs,
  integration: Integration,
  changes: IntegrationDraft,
): Integration {
  for (const field of FIXED_FOR_GOOD) {
    if (changes[field] !== undefined && changes[field] !== integration[field]) {
      throw new IntegrationRefused(
        `${field} is fixed when the integration is created. Create a new one instead.`,
      );
    }
  }
  if (changes.redirectUris !== undefined) assertRedirectUris(knobs, changes.redirectUris);
  return { ...integration, ...changes };
}

/** I4. Third party, contested: the form takes public https URLs only. */
function assertRedirectUris(knobs: Knobs, redirectUris: readonly string[]): void {
  for (const redirectUri of redirectUris) {
    if (!URL.canParse(redirectUri)) throw new IntegrationRefused("A redirect URI must be a URL.");
    const { protocol, hostname } = new URL(redirectUri);
    const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (!knobs.httpRedirectsTaken && (protocol !== "https:" || isLoopback)) {
      throw new IntegrationRefused("A redirect URI must be a public https URL.");
    }
  }
}

export const PERSONAL_CLIENT_ID = "gong-client-personal";
export const SHARED_CLIENT_ID = "gong-client-shared";

/** The two integrations of a fresh instance. Their secrets hold `:`, `+`, `%` and `/` on purpose (T4). */
export function defaultIntegrations(knobs: Knobs, redirectUris: string[]): Map<string, Integration> {
  const personal = newIntegration(knobs, {
    clientId: PERSONAL_CLIENT_ID,
    clientSecret: "per:sonal+secret%/1",
    name: "Gateway",
    access: "personal",
    redirectUris,
  });
  const shared = newIntegration(knobs, {
    clientId: SHARED_CLIENT_ID,
    clientSecret: "sha:red+secret%/1",
    name: "Gateway, shared",
    access: "shared",
    redirectUris,
  });
  return new Map([personal, shared].map((each) => [each.clientId, each]));
}
