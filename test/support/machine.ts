// Machines without a browser: clients of the CLIENTS setting that ask by their own credentials, and how they ask.

import { hashClientSecret } from "../../src/oauth/client-authentication.ts";
import { ASSERTION_TYPE, assertionOf, type Signer } from "./assertions.ts";
import { SHARED_RESOURCE } from "./flow.ts";
import { gatewayWith, type Ask } from "./settings.ts";

export const MACHINE_ID = "nightly-report";
export const MACHINE_SECRET = "machine-secret-CANARY-7f1d0c55aa";

/** Metadata of a client that proves itself by `MACHINE_SECRET` and does nothing but client credentials. */
export async function machineWithSecret(
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  return {
    client_id: MACHINE_ID,
    client_name: "Nightly report",
    grant_types: ["client_credentials"],
    token_endpoint_auth_method: "client_secret_basic",
    client_secret_sha256: await hashClientSecret(MACHINE_SECRET),
    ...changes,
  };
}

/** A gateway whose CLIENTS setting holds these. */
export const gatewayWithClients = (...clients: readonly Record<string, unknown>[]): Ask =>
  gatewayWith({ CLIENTS: JSON.stringify(clients) });

/** RFC 6749 §2.3.1. */
export const basic = (clientId = MACHINE_ID, secret = MACHINE_SECRET): Record<string, string> => ({
  authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`)}`,
});

/** The fields of a good request: RFC 6749 §4.4.2, RFC 8707 §2. */
export const CREDENTIALS_FORM = { grant_type: "client_credentials", resource: SHARED_RESOURCE };

/** One request to the token endpoint of `gateway`. An empty value leaves a field out. */
export function post(
  gateway: Ask,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  return gateway("/token", { method: "POST", body: new URLSearchParams(given), headers });
}

/** Asks by secret. */
export const askAsMachine = (
  gateway: Ask,
  changes: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = basic(),
): Promise<Response> => post(gateway, { ...CREDENTIALS_FORM, ...changes }, headers);

/** Asks by an assertion of `clientId`. */
export async function askBySignature(
  gateway: Ask,
  signer: Signer,
  clientId: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return post(gateway, {
    ...CREDENTIALS_FORM,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await assertionOf(signer, clientId),
    ...changes,
  });
}

/** The access token of an answer that must be good. */
export async function accessTokenOf(response: Response): Promise<string> {
  const body: { access_token?: string; error?: string } = await response.json();
  if (body.access_token === undefined) throw new Error(`No token but ${response.status} ${body.error}`);
  return body.access_token;
}
