// A new grant and the authorization code that redeems it: minted in the Worker, stored as hashes by the connection.

import { mintCredential } from "../crypto/credential.ts";
import { sha256 } from "../crypto/encoding.ts";
import type { AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { formatScope } from "../oauth/scope.ts";
import { CODE_MEMORY_SECONDS } from "../storage/grant-upkeep.ts";
import type { NewCode, NewGrant } from "../storage/grant-opening.ts";
import { byAccess } from "../storage/paid-schema.ts";
import type { PersonRow } from "../storage/people.ts";
import type { Gateway } from "./gateway.ts";

/** A device polls every few seconds, unless it was told to slow down or its computer sleeps. */
const DEVICE_REDEMPTION_SECONDS = 300;

/** What a device code redeems on one grant: a second approval of the same device is another grant, not a clash. */
export const deviceRedemptionHash = (deviceCodeHash: string, grantId: string): Promise<string> =>
  sha256(`${deviceCodeHash} ${grantId}`);

interface OpenedGrant {
  readonly grant: NewGrant;
  readonly code: NewCode;
  /** The code itself, for the client's redirect and nothing else. */
  readonly codeValue: string;
}

/**
 * Prepares the grant `id` on `connectionId` for an approved request. The id is the transaction's, so that a sign-in
 * that is finished twice opens one grant. The code's own expiry is that of our memory of it: the shorter time in which
 * it can be redeemed is the connection's to judge, so that a late replay is recognised.
 */
export async function openGrantFor(
  gateway: Gateway,
  connectionId: string,
  id: string,
  request: AuthorizationRequestParts,
  clientName: string | undefined,
  person: PersonRow | undefined,
): Promise<OpenedGrant> {
  const { config, keyring } = gateway;
  const now = gateway.now();
  const code = await mintCredential(keyring, "code", {
    connectionId,
    grantId: id,
    generation: 0,
    expiresAt: now + CODE_MEMORY_SECONDS,
    resource: request.resource,
  });
  return {
    grant: {
      id,
      clientId: request.clientId,
      clientName,
      resource: request.resource,
      scope: formatScope(request.scope),
      expiresAt: now + config.grantSeconds,
      person: person === undefined ? undefined : byAccess(person.email_hash),
    },
    code: {
      redirectUri: request.redirectUri,
      codeChallenge: request.codeChallenge,
      // A device redeems its own code, when it polls next.
      ...(request.device === undefined
        ? { hash: code.hash }
        : {
            hash: await deviceRedemptionHash(request.device.deviceCodeHash, id),
            ttlSeconds: DEVICE_REDEMPTION_SECONDS,
          }),
    },
    codeValue: code.value,
  };
}
