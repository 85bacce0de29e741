// The one refusal of client authentication. Called by
// client-authentication.ts, client-assertion.ts and domain/. RFC 6749 §5.2.
import { OAuthError } from "../errors.ts";

/** One sentence for every reason, so that a stranger learns nothing from it. `reason` is for logs. */
export function invalidClient(reason: string): OAuthError {
  return new OAuthError(
    "invalid_client",
    "Check the client id, the client secret and the registered authentication method.",
    { reason },
  );
}
