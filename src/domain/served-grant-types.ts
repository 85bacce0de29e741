// Which grant types the token endpoint serves with these settings: what the metadata lists and what /token takes are
// one list. Called by exchange-token.ts and routes/well-known. RFC 8414 §2, RFC 6749 §5.2.

import type { Config } from "../config.ts";
import { CLIENT_CREDENTIALS, JWT_BEARER, REGISTRABLE_GRANT_TYPES, type GrantType } from "../oauth/client.ts";

/** A machine acts for nobody, so it needs an integration with shared access; an assertion needs an issuer to trust. */
export function servedGrantTypes(config: Config): readonly GrantType[] {
  const hasShared = config.integrations.some(({ access }) => access === "shared");
  return [
    ...REGISTRABLE_GRANT_TYPES,
    ...(hasShared ? ([CLIENT_CREDENTIALS] as const) : []),
    ...(config.trustedIssuers.size > 0 ? ([JWT_BEARER] as const) : []),
  ];
}
