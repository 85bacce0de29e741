// `private_key_jwt`: a client proves itself with a JWT it signed. Called by authenticate-client.ts for the token and
// revocation endpoints. RFC 7523 §2.2 and §3, RFC 7521 §4.2.

import { verifyAssertion } from "../crypto/client-assertion.ts";
import { sha256 } from "../crypto/encoding.ts";
import { readClientAssertion, type ClientAssertion } from "../oauth/client-assertion.ts";
import type { PresentedAssertion } from "../oauth/client-authentication.ts";
import { mayAuthenticateBy, type Client } from "../oauth/client.ts";
import { invalidClient } from "../oauth/invalid-client.ts";
import { ENDPOINTS } from "../oauth/metadata.ts";
import { findClient } from "./clients.ts";
import { keysOf } from "./document-clients.ts";
import type { Gateway } from "./gateway.ts";

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

/** A key that is not in the kept key set may be new: it is looked for once more (RFC 7517 §4.5, key rollover). */
async function assertSigned(gateway: Gateway, client: Client, assertion: ClientAssertion): Promise<void> {
  const { jwt, algorithm } = assertion;
  let verdict = await verifyAssertion(jwt, algorithm, await keysOf(gateway, client, { renewed: false }));
  if (verdict === "no_such_key" && client.keys?.kind === "uri") {
    verdict = await verifyAssertion(jwt, algorithm, await keysOf(gateway, client, { renewed: true }));
  }
  if (verdict !== "verified") throw invalidClient(`assertion_${verdict}`);
}
