// Which URLs may be a client id, and so be fetched: checked as written, before any fetch. Called by domain/ for client
// ids and by client-document.ts for `jwks_uri`. Client ID Metadata Document draft §3, RFC 3986 §3.

const LONGEST_URL = 2_048;
const LONGEST_HOST = 253;

// Lower case only, and a last label that starts with a letter: no spelling of an IP address is such a name.
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = `(?<host>(?:${LABEL}\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])`;
// Escapes only of characters that can't change where a path leads: no controls, dots, slashes or backslashes.
const CHARACTER = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@/]|%(?!0|1|7[fF]|2[eEfF]|5[cC])[0-9A-Fa-f]{2})";
const FORM = new RegExp(`^https://${HOST}/${CHARACTER}+(?:\\?(?:${CHARACTER}|\\?)+)?$`);

// Names that belong to no host of the public internet: RFC 6761, RFC 6762, RFC 7686, RFC 8375, and what networks use.
const PRIVATE =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|onion|arpa|invalid)$/;

/** Whether a client id is meant as the URL of a document. Whether it may be one is `documentUrlHost`'s to say. */
export function isDocumentClientId(clientId: string): boolean {
  return /^https?:/i.test(clientId);
}

/**
 * The host of `url` when the gateway at `publicUrl` may fetch it as a client's document, else undefined. Takes https
 * URLs with a path (draft §3). Refuses user information, fragments, dot segments, IP addresses, names of one label or
 * of private networks, the gateway's own host and its siblings on workers.dev, and more than 2048 characters. Also
 * refuses what the draft leaves to the server: a port, so that nobody can make the gateway try ports, and every
 * spelling that a URL parser would change, so that the address shown, compared and fetched is one string.
 */
export function documentUrlHost(url: string, publicUrl: string): string | undefined {
  const host = url.length > LONGEST_URL ? undefined : FORM.exec(url)?.groups?.["host"];
  if (host === undefined || host.length > LONGEST_HOST || PRIVATE.test(host)) return undefined;
  if (URL.parse(url)?.href !== url || isOwnHost(host, new URL(publicUrl).hostname)) return undefined;
  return host;
}

function isOwnHost(host: string, own: string): boolean {
  if (host === own) return true;
  // <worker>.<account>.workers.dev: the other Workers of the account are not strangers' sites either.
  const account = own.endsWith(".workers.dev") ? own.slice(own.indexOf(".") + 1) : undefined;
  return account !== undefined && (host === account || host.endsWith(`.${account}`));
}
