// The names of connections. A personal connection is named after the Gong user, so that a person who connects again
// heals the same connection and every agent on it; a shared one after its integration.

import { randomId } from "../crypto/credential.ts";
import { decodeBase64Url, encodeBase64Url, randomBytes, type Bytes } from "../crypto/encoding.ts";
import { open, seal, Unsealable, type SealContext } from "../crypto/seal.ts";
import type { IntegrationConfig } from "../config.ts";
import { log } from "../log.ts";
import type { Gateway } from "./gateway.ts";

// The key that names connections never changes: a new one would give every person a second connection. It is not bound
// to the public URL either, which may change.
export const IDENTITY_PLACE: SealContext = {
  purpose: "connection-identity",
  environment: "every",
  object: "admin",
  field: "identity",
  generation: 1,
};
const ID_LENGTH = 16;

/**
 * The id of a person's connection: the one that is named after them, else a random one, and then connecting again makes
 * a second connection.
 */
export async function personalConnectionId(
  gateway: Gateway,
  integration: IntegrationConfig,
  gongUserId: string | undefined,
): Promise<string> {
  return (await namedConnectionId(gateway, integration, gongUserId)) ?? randomId();
}

/** The id of the connection that is named after a person; undefined without a user id from Gong, and without the key. */
export async function namedConnectionId(
  gateway: Gateway,
  integration: IntegrationConfig,
  gongUserId: string | undefined,
): Promise<string | undefined> {
  if (gongUserId === undefined) return undefined;
  return identityHash(gateway, `${integration.clientId}\n${gongUserId}`);
}

/** HMAC of `name` under the identity key, which never rotates. Undefined while that key does not open. */
export async function identityHash(gateway: Gateway, name: string): Promise<string | undefined> {
  const candidate = await seal(gateway.keyring, IDENTITY_PLACE, encodeBase64Url(randomBytes(32)));
  const sealed = await gateway.objects.admin().identityKey(candidate);
  const secret = await identitySecret(gateway, sealed);
  if (secret === undefined) return undefined;
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const hash = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(name));
  return encodeBase64Url(new Uint8Array(hash, 0, ID_LENGTH));
}

/** Undefined while its sealing key is missing: people can still sign in, they only start a connection of their own. */
async function identitySecret(gateway: Gateway, sealed: string): Promise<Bytes | undefined> {
  try {
    return decodeBase64Url(await open(gateway.keyring, IDENTITY_PLACE, sealed));
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    log("error", "record.unreadable", { object: "admin", missingKid: error.missingKid });
    return undefined;
  }
}

/** The one connection of a shared integration. Its id is no secret: credentials carry a tag of their own. */
export async function sharedConnectionId(integration: IntegrationConfig): Promise<string> {
  const name = new TextEncoder().encode(`shared connection\n${integration.clientId}`);
  return encodeBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", name), 0, ID_LENGTH));
}
