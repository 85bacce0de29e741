// How these tests state a refusal, and the client most of them start from.
import { expect } from "vitest";
import { OAuthError, type OAuthErrorCode } from "../../../src/errors.ts";
import type { Client } from "../../../src/oauth/client.ts";

/** Expects `attempt` to be refused with an OAuthError of this code and, when given, this reason. */
export function expectRefused(attempt: () => unknown, code: OAuthErrorCode, reason?: string): void {
  const error = refusalOf(attempt);
  expect(error).toMatchObject(reason === undefined ? { code } : { code, reason });
}

/** The OAuthError that `attempt` throws; undefined when it succeeds. Any other error is rethrown. */
export function refusalOf(attempt: () => unknown): OAuthError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
}

/** A public client with one https redirect URI. */
export function aClient(differences: Partial<Client> = {}): Client {
  return {
    clientId: "client-1",
    registration: "dynamic",
    clientName: "An agent",
    redirectUris: ["https://client.test/callback"],
    tokenEndpointAuthMethod: "none",
    clientSecretHash: undefined,
    grantTypes: ["authorization_code", "refresh_token"],
    ...differences,
  };
}

/** The seed of every generated test, so that a failure repeats. */
export const SEED = 20_261_122;
