// The public keys of whoever signs something for us: clients, issuers that vouch for people, and Cloudflare Access.
// Called by verify-assertion.ts, identity-assertion.ts and access-identity.ts. RFC 7517 §5, RFC 7591 §2 for jwks_uri.

import { ClientDocumentError } from "../errors.ts";
import { parseClientKeys, type ClientKey, type ClientKeys } from "../oauth/client-keys.ts";
import { readerOf } from "./document-clients.ts";
import type { Gateway } from "./gateway.ts";
import { PublicDocuments } from "./public-document.ts";

const LONGEST_KEY_SET = 32_768;
/** A signature by an unknown key makes us look for new keys, but not sooner than this after the last look. */
const REST_SECONDS = 30;
/** Whoever signed in before goes on for this long with the last keys while their site is down. */
const STALE_SECONDS = 86_400;

const keySets = new PublicDocuments<readonly ClientKey[]>(LONGEST_KEY_SET);

/**
 * What `verify` says of a signature with these keys. When none of them fits, a key set at a URL is fetched once more,
 * since the key may be new (RFC 7517 §4.5, key rollover). Throws ClientDocumentError when the key set can't be had.
 */
export async function verifyWithKeys<Verdict>(
  gateway: Gateway,
  keys: ClientKeys,
  verify: (keys: readonly ClientKey[]) => Promise<Verdict | "no_such_key">,
): Promise<Verdict | "no_such_key"> {
  if (keys.kind === "inline") return verify(keys.keys);
  const verdict = await verify(await fetched(gateway, keys.uri, 0, STALE_SECONDS));
  if (verdict !== "no_such_key") return verdict;
  return verify(await fetched(gateway, keys.uri, gateway.now() - REST_SECONDS, 0));
}

/** The key set at `uri`, fetched at `since` or later. */
function fetched(
  gateway: Gateway,
  uri: string,
  since: number,
  staleSeconds: number,
): Promise<readonly ClientKey[]> {
  const parse = (document: Parameters<typeof parseClientKeys>[0]): readonly ClientKey[] => {
    const keys = parseClientKeys(document);
    if (keys === undefined) throw new ClientDocumentError("keys_refused", uri);
    return keys;
  };
  return keySets.read(uri, parse, readerOf(gateway, staleSeconds), since);
}
