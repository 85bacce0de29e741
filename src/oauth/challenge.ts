// The Bearer scheme: reading the credential an agent sends, and the challenge it gets when that is refused. Called by
// routes/mcp. RFC 6750 §2.1 and §3, RFC 9728 §5.1.
import type { BearerErrorCode } from "../errors.ts";

const LONGEST_TOKEN = 2_048;
const BEARER = /^bearer ([a-z0-9\-._~+/]+=*)$/i;

/**
 * The token of an `Authorization` header: the scheme in any case, one space, one b64token of at most 2048 characters
 * (RFC 6750 §2.1). Anything else is undefined, as if nothing had been sent.
 */
export function parseBearer(authorization: string | null): string | undefined {
  const token = BEARER.exec(authorization ?? "")?.[1];
  return token === undefined || token.length > LONGEST_TOKEN ? undefined : token;
}

/**
 * The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1). `error` is given only when a token was sent: RFC 6750
 * §3.1 wants none in the answer to a request without one.
 */
export function bearerChallenge(challenge: {
  /** Where to sign in; undefined for a holder that can't. */
  readonly resourceMetadataUrl?: string | undefined;
  readonly scope?: string | undefined;
  readonly error?: BearerErrorCode | undefined;
  readonly description?: string | undefined;
}): string {
  const parameters: ReadonlyArray<readonly [name: string, value: string | undefined]> = [
    ["error", challenge.error],
    ["error_description", challenge.description],
    ["resource_metadata", challenge.resourceMetadataUrl],
    ["scope", challenge.scope],
  ];
  const written = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return `Bearer ${written.join(", ")}`;
}

/** RFC 6750 §3: these values hold no quote, no backslash and nothing outside printable ASCII; such are left out. */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "")}"`;
}
