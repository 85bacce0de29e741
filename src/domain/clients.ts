// Who a client id belongs to: a client from the settings, one that registered itself (RFC 7591), one whose id is the
// URL of its metadata document, or one that an admin made for a machine. A client that is not here does not exist;
// nothing is guessed from a request.

import { hashClientSecret } from "../oauth/client-authentication.ts";
import { isDocumentClientId } from "../oauth/client-id-url.ts";
import { encodeBase64Url, randomBytes } from "../crypto/encoding.ts";
import { randomId } from "../crypto/credential.ts";
import { OAuthError } from "../errors.ts";
import { log } from "../log.ts";
import type { Client } from "../oauth/client.ts";
import {
  parseClientMetadata,
  registrationResponse,
  type RegistrationDocument,
} from "../oauth/client-metadata.ts";
import { redirectUriKind } from "../oauth/redirect-uri.ts";
import { retrying } from "../storage/stubs.ts";
import { findDocumentClient, type Purpose } from "./document-clients.ts";
import type { Gateway } from "./gateway.ts";

/** The client ids of machine clients that an admin made. */
export const MACHINE_ID = /^gmc_[A-Za-z0-9_-]{22}$/;
const DYNAMIC_ID = /^gcl_[A-Za-z0-9_-]{22}$/;

/**
 * The client with this id, if there is one that may be used now. Fetches the metadata document that a client id names,
 * unless a fresh copy is kept, and throws ClientDocumentError when it can't be used.
 */
export async function findClient(
  gateway: Gateway,
  clientId: string,
  purpose: Purpose = "sign-in",
): Promise<Client | undefined> {
  gateway.attempt.clientId = clientId;
  const client = await lookUp(gateway, clientId, purpose);
  gateway.attempt.clientName = client?.clientName;
  return client;
}

async function lookUp(gateway: Gateway, clientId: string, purpose: Purpose): Promise<Client | undefined> {
  const preregistered = gateway.config.preregisteredClients.get(clientId);
  if (preregistered !== undefined) return preregistered;
  if (isDocumentClientId(clientId)) return findDocumentClient(gateway, clientId, purpose);
  if (MACHINE_ID.test(clientId)) return findMachineClient(gateway, clientId);
  if (!DYNAMIC_ID.test(clientId)) return undefined;
  return retrying(() => gateway.objects.registry(clientId).find(clientId));
}

/** Machine clients that this isolate has found. Any other id may be made up, and there is one AdminObject for all. */
const foundMachines = new Set<string>();
const MOST_FOUND = 1_000;
/** How many ids that were not found before one isolate may ask about in a second. */
const MOST_ASKED = 20;
let asked = { at: 0, times: 0 };

async function findMachineClient(gateway: Gateway, clientId: string): Promise<Client | undefined> {
  const at = gateway.now();
  if (!foundMachines.has(clientId)) {
    asked = { at, times: asked.at === at ? asked.times + 1 : 1 };
    if (asked.times > MOST_ASKED) {
      throw new OAuthError(
        "temporarily_unavailable",
        "Too many clients ask at once. Try again in a second.",
        {
          reason: "machine_rate",
          retryAfterSeconds: 1,
        },
      );
    }
  }
  const client = await retrying(async () => gateway.objects.admin().findMachineClient(clientId));
  if (client !== undefined) {
    if (foundMachines.size >= MOST_FOUND) foundMachines.clear();
    foundMachines.add(clientId);
  }
  return client;
}

/**
 * Whether the client that a person has just approved is gone. A metadata document was read for the approval a moment
 * ago, so it is not asked for again: a host that is down now must not cost the person the sign-in at Gong.
 */
export async function isClientGone(gateway: Gateway, clientId: string): Promise<boolean> {
  return !isDocumentClientId(clientId) && (await findClient(gateway, clientId)) === undefined;
}

/** Registers a client from its metadata. RFC 7591 §3. Throws OAuthError for metadata that is refused. */
export async function registerClient(gateway: Gateway, body: unknown): Promise<RegistrationDocument> {
  const { config, objects, now } = gateway;
  const metadata = parseClientMetadata(body);
  for (const uri of metadata.redirectUris) assertHostAllowed(gateway, uri);
  const confidential = metadata.tokenEndpointAuthMethod !== "none";
  const clientSecret = confidential ? `gcs_${encodeBase64Url(randomBytes(32))}` : undefined;
  const client: Client = {
    clientId: `gcl_${randomId()}`,
    registration: "dynamic",
    clientName: metadata.clientName,
    redirectUris: metadata.redirectUris,
    tokenEndpointAuthMethod: metadata.tokenEndpointAuthMethod,
    clientSecretHash: clientSecret === undefined ? undefined : await hashClientSecret(clientSecret),
    grantTypes: metadata.grantTypes,
  };
  const limit = Math.ceil(config.registrationLimit / objects.registryShards);
  const kept = await objects.registry(client.clientId).register(client, config.unusedClientSeconds, limit);
  if (!kept) {
    throw new OAuthError(
      "temporarily_unavailable",
      "Too many clients are registered. Try again in an hour.",
      {
        reason: "registry_full",
        retryAfterSeconds: 3600,
      },
    );
  }
  gateway.attempt.clientId = client.clientId;
  gateway.attempt.clientName = client.clientName;
  log(
    "info",
    "client.registered",
    { client: client.clientId, method: client.tokenEndpointAuthMethod },
    gateway,
  );
  return registrationResponse(client, { clientSecret, issuedAt: now(), clientSecretExpiresAt: 0 }, metadata);
}

/** Refuses a redirect URI whose host the policy `listed` does not allow; loopback hosts are listed by name too. */
export function assertHostAllowed(gateway: Gateway, redirectUri: string): void {
  const { clientPolicy, allowedRedirectHosts } = gateway.config;
  const kind = redirectUriKind(redirectUri);
  if (clientPolicy === "open" || kind === "private-use") return;
  const url = new URL(redirectUri);
  if (allowedRedirectHosts.has(kind === "loopback" ? url.hostname : url.host)) return;
  throw new OAuthError("invalid_redirect_uri", "This gateway does not allow the client's redirect host.", {
    reason: "redirect_host_not_allowed",
  });
}

/** Renews the registration of a client in use, after the answer; of a machine client, notes the use. */
export function renewClient(gateway: Gateway, client: Client): void {
  const { clientId, registration } = client;
  noteClientUse(gateway, client);
  const { objects } = gateway;
  const isMachine = MACHINE_ID.test(clientId);
  if (!isMachine && registration !== "dynamic") return;
  const noted = isMachine
    ? objects.admin().noteMachineUse(clientId)
    : objects.registry(clientId).renew(clientId);
  gateway.waitUntil(noted.catch(() => log("warn", "client.not_renewed", { client: clientId }, gateway)));
}

/** The clients that this isolate has told the index of, by day. */
const toldToday = new Map<string, number>();
const MOST_TOLD = 1_000;

/** Tells the index of clients about one that got a token, once a day and isolate, after the answer. */
function noteClientUse(gateway: Gateway, client: Client): void {
  const today = Math.floor(gateway.now() / 86_400);
  if (toldToday.get(client.clientId) === today) return;
  if (toldToday.size >= MOST_TOLD) toldToday.clear();
  toldToday.set(client.clientId, today);
  const { clientId, registration, clientName: name, redirectUris } = client;
  gateway.waitUntil(
    gateway.objects
      .admin()
      .recordClient({ clientId, registration, name, redirectUri: redirectUris[0] })
      .catch(() => toldToday.delete(clientId)),
  );
}
