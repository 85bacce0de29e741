// Clients whose client id is the URL of their metadata document. Called by clients.ts. MCP authorization, Client ID
// Metadata Documents.

import { ClientDocumentError } from "../errors.ts";
import { parseClientDocument } from "../oauth/client-document.ts";
import { documentUrlHost } from "../oauth/client-id-url.ts";
import type { Client } from "../oauth/client.ts";
import { KNOWN_DOCUMENTS } from "../oauth/known-documents.ts";
import type { Gateway } from "./gateway.ts";
import { PublicDocuments, type DocumentReader } from "./public-document.ts";

/** Client ID Metadata Document draft §8: 5 kilobytes. */
const LONGEST_DOCUMENT = 5_120;
/** A client that signed in before goes on while its site is down; nobody new signs in with an old copy. */
const STALE_SECONDS = 86_400;

/** What the client is wanted for: a new sign-in asks for its document as it is now. */
export type Purpose = "sign-in" | "token";

const documents = new PublicDocuments<Client>(LONGEST_DOCUMENT);

/**
 * The client that the document at `url` describes, fetched when no fresh copy is kept. For a client that is known to
 * publish its document where servers can't fetch it, a failed fetch gives the copy in this program. For tokens, a copy
 * of up to a day ago serves while the document can't be fetched. Throws ClientDocumentError.
 */
export async function findDocumentClient(gateway: Gateway, url: string, purpose: Purpose): Promise<Client> {
  const { publicUrl, clientPolicy, allowedRedirectHosts } = gateway.config;
  const host = documentUrlHost(url, publicUrl);
  if (host === undefined) throw new ClientDocumentError("address_refused", url);
  if (clientPolicy === "listed" && !allowedRedirectHosts.has(host)) {
    throw new ClientDocumentError("host_not_allowed", url);
  }
  try {
    return await documents.read(
      url,
      (document) => parseClientDocument(url, document, publicUrl),
      readerOf(gateway, purpose === "token" ? STALE_SECONDS : 0),
    );
  } catch (error) {
    const known = KNOWN_DOCUMENTS.get(url);
    if (known === undefined || !isFailedFetch(error)) throw error;
    return parseClientDocument(url, known, publicUrl);
  }
}

/** A challenge for browsers comes as 403 or as a page; what a document says is never replaced. */
function isFailedFetch(error: unknown): boolean {
  return (
    error instanceof ClientDocumentError &&
    ["unreachable", "absent", "not_json", "too_many_fetches"].includes(error.problem)
  );
}

/** How what strangers publish is read for this request; a copy serves for `staleSeconds` while its site is down. */
export function readerOf(gateway: Gateway, staleSeconds: number): DocumentReader {
  const { now, network } = gateway;
  return { fetcher: fetch, now, network, waitUntil: (work) => gateway.waitUntil(work), staleSeconds };
}
