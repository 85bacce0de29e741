// Which client is calling the token or revocation endpoint: proven in the Worker, before any connection is asked.
// RFC 6749 §2.3 and §3.2.1, RFC 7521 §4.2.

import { ClientDocumentError, OAuthError } from "../errors.ts";
import type { Client, TokenEndpointAuthMethod } from "../oauth/client.ts";
import {
  assertClientAuthenticated,
  hashClientSecret,
  presentedCredentials,
  type PresentedSecret,
} from "../oauth/client-authentication.ts";
import type { FormParameters } from "../oauth/form.ts";
import { invalidClient } from "../oauth/invalid-client.ts";
import { findClient } from "./clients.ts";
import type { Gateway } from "./gateway.ts";
import { authenticateByAssertion } from "./verify-assertion.ts";

/** A client, and how it proved in this request who it is; `none` is no proof. */
export type ProvenClient = Client & { readonly provenBy: TokenEndpointAuthMethod };

/**
 * The authenticated client. Throws OAuthError `invalid_client`, in the same words whatever was wrong, or
 * `temporarily_unavailable` while the client's metadata document or keys can't be fetched.
 */
export async function authenticateClient(
  gateway: Gateway,
  authorization: string | undefined,
  form: FormParameters,
): Promise<ProvenClient> {
  const presented = presentedCredentials(authorization, form);
  try {
    const client =
      presented.method === "private_key_jwt"
        ? await authenticateByAssertion(gateway, presented)
        : await authenticateBySecret(gateway, presented);
    return { ...client, provenBy: presented.method };
  } catch (error) {
    throw error instanceof ClientDocumentError ? asOAuthError(error) : error;
  }
}

async function authenticateBySecret(gateway: Gateway, presented: PresentedSecret): Promise<Client> {
  const client = await findClient(gateway, presented.clientId, "token");
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

/** A client drops its tokens over `invalid_client`, so a host that is down for a moment must not look like one. */
function asOAuthError(error: ClientDocumentError): OAuthError {
  const reason = `document_${error.problem}`;
  if (!error.isTemporary) return invalidClient(reason);
  return new OAuthError(
    "temporarily_unavailable",
    "The client's metadata document or key set could not be fetched. Try again in a few seconds.",
    { reason, retryAfterSeconds: 5 },
  );
}
