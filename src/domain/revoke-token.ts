// POST /revoke: a client gives a token back. RFC 7009 §2. Unknown tokens and other clients' tokens get the same 200.

import { readCredential } from "../crypto/credential.ts";
import { OAuthError } from "../errors.ts";
import type { FormParameters } from "../oauth/form.ts";
import { authenticateClient } from "./authenticate-client.ts";
import { resourcesOf, type Gateway } from "./gateway.ts";

/** Revokes the presented token if it is the authenticated client's. The hint only decides what is tried first. */
export async function revokeToken(
  gateway: Gateway,
  authorization: string | undefined,
  form: FormParameters,
): Promise<void> {
  const client = await authenticateClient(gateway, authorization, form);
  const token = form.get("token");
  if (token === undefined) throw new OAuthError("invalid_request", "Send the token to revoke as `token`.");
  for (const kind of ["refresh", "access"] as const) {
    const claims = await readCredential(
      gateway.keyring,
      kind,
      token,
      resourcesOf(gateway.config),
      gateway.now(),
    );
    if (claims === undefined) continue;
    const { hash, grantId } = claims;
    await gateway.objects
      .connection(claims.connectionId)
      .revokeToken({ kind, hash, grantId, clientId: client.clientId });
  }
}
