// `private_key_jwt`: a client proves itself with a JWT it signed. Called by authenticate-client.ts for the token and
// revocation endpoints. RFC 7523 §2.2 and §3, RFC 7521 §4.2.

import { verifyAssertion } from "../crypto/client-assertion.ts";
import { sha256 } from "../crypto/encoding.ts";
import { readClientAssertion, type ClientAssertion } from "../oauth/client-assertion.ts";
import type { PresentedAssertion } from "../oauth/client-authentication.ts";
import type { ClientKeys } from "../oauth/client-keys.ts";
import { mayAuthenticateBy, type Client } from "../oauth/client.ts";
import { invalidClient } from "../oauth/invalid-client.ts";
import { ENDPOINTS } from "../oauth/metadata.ts";
import { findClient } from "./clients.ts";
import type { Gateway } from "./gateway.ts";
import { verifyWithKeys } from "./published-key-sets.ts";

/**
 * The client that signed the presented assertion. Checks what the assertion says, then who may say it, then the
 * signature, and only then spends its `jti`, so that nobody can spend another's. Throws `invalid_client`, and
 * ClientDocumentError when the client's documents can't be had.
 */
export async function authenticateByAssertion(
  gateway: Gateway,
  presented: PresentedAssertion,
): Promise<Client> {
  const { publicUrl } = gateway.config;
  const assertion = readClientAssertion(presented.assertion, {
    audiences: [publicUrl, publicUrl + ENDPOINTS.token],
    now: gateway.now(),
  });
  if ((presented.clientId ?? assertion.clientId) !== assertion.clientId)
    throw invalidClient("wrong_client_id");
  const client = await findClient(gateway, assertion.clientId, "token");
  if (client === undefined) throw invalidClient("client_unknown");
  if (!mayAuthenticateBy(client, "private_key_jwt")) throw invalidClient("wrong_method");
  if ((client.signingAlgorithm ?? assertion.algorithm) !== assertion.algorithm) {
    throw invalidClient("assertion_algorithm");
  }
  await assertSigned(gateway, client, assertion);
  const isFirstUse = await gateway.objects.registry(client.clientId).useAssertion({
    client: await sha256(client.clientId),
    tokenId: await sha256(assertion.tokenId),
    usableUntil: assertion.usableUntil,
  });
  if (!isFirstUse) throw invalidClient("assertion_replayed");
  return client;
}

async function assertSigned(
  gateway: Gateway,
  { keys }: Client,
  { jwt, algorithm }: ClientAssertion,
): Promise<void> {
  const none: ClientKeys = { kind: "inline", keys: [] };
  const verdict = await verifyWithKeys(gateway, keys ?? none, (known) =>
    verifyAssertion(jwt, algorithm, known),
  );
  if (verdict !== "verified") throw invalidClient(`assertion_${verdict}`);
}
