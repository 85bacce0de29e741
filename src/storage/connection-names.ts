// The names of connections. A personal connection is named after the Gong user, so that a person who connects again
// heals the same connection and every agent on it; a shared one after its integration.

import { decodeBase64Url, encodeBase64Url, randomBytes, type Bytes } from "../crypto/encoding.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { open, seal, Unsealable, type SealContext } from "../crypto/seal.ts";
import type { IntegrationConfig } from "../config.ts";
import { log } from "../log.ts";
import type { Objects } from "./stubs.ts";

/** What names are made with. */
export interface Naming {
  readonly keyring: Keyring;
  readonly objects: Objects;
}

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
 * The id of the connection that is named after a person; undefined without a user id from Gong, and without the key.
 */
export async function namedConnectionId(
  naming: Naming,
  integration: IntegrationConfig,
  gongUserId: string | undefined,
): Promise<string | undefined> {
  if (gongUserId === undefined) return undefined;
  return identityHash(naming, `${integration.clientId}\n${gongUserId}`);
}

/** HMAC of `name` under the identity key, which never rotates. Undefined while that key does not open. */
export async function identityHash(naming: Naming, name: string): Promise<string | undefined> {
  const candidate = await seal(naming.keyring, IDENTITY_PLACE, encodeBase64Url(randomBytes(32)));
  const sealed = await naming.objects.admin().identityKey(candidate);
  const secret = await identitySecret(naming, sealed);
  if (secret === undefined) return undefined;
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const hash = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(name));
  return encodeBase64Url(new Uint8Array(hash, 0, ID_LENGTH));
}

/** Undefined while its sealing key is missing: people can still sign in, they only start a connection of their own. */
async function identitySecret(naming: Naming, sealed: string): Promise<Bytes | undefined> {
  try {
    return decodeBase64Url(await open(naming.keyring, IDENTITY_PLACE, sealed));
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
