// Which client is calling the token or revocation endpoint: proven in the Worker, before any connection is asked.
// RFC 6749 §2.3 and §3.2.1.

import { OAuthError } from "../errors.ts";
import type { Client } from "../oauth/client.ts";
import {
  assertClientAuthenticated,
  hashClientSecret,
  presentedCredentials,
} from "../oauth/client-authentication.ts";
import type { FormParameters } from "../oauth/form.ts";
import { findClient } from "./clients.ts";
import type { Gateway } from "./gateway.ts";

/** The authenticated client. Throws OAuthError `invalid_client`, in the same words whatever was wrong. */
export async function authenticateClient(
  gateway: Gateway,
  authorization: string | undefined,
  form: FormParameters,
): Promise<Client> {
  const presented = presentedCredentials(authorization, form);
  const client = await findClient(gateway, presented.clientId);
  if (client === undefined) {
    throw new OAuthError("invalid_client", "Register the client again, or check its id and secret.", {
      reason: "client_unknown",
    });
  }
  const secret = presented.clientSecret;
  assertClientAuthenticated(
    client,
    presented,
    secret === undefined ? undefined : await hashClientSecret(secret),
  );
  return client;
}
