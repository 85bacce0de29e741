// Documents that strangers let us fetch: bounded in size and time, without redirects, one fetch at a time for a URL, a
// few in a minute for a host, remembered while fresh. Called by document-clients.ts. Client ID Metadata Document draft
// §4 and §8, MCP authorization, Client ID Metadata Document Security; RFC 9110 §15.4.

import { parseJsonObject, readBounded } from "../bounded-body.ts";
import { ClientDocumentError, type ClientDocumentProblem } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { freshSeconds } from "./freshness.ts";

const TIMEOUT_MS = 5_000;
/** A failure is not asked for again at once, whoever asks (amplification). */
const FAILURE_SECONDS = 3;
const MOST_DOCUMENTS = 256;
const MOST_FAILURES = 1_024;
const FETCHES_PER_MINUTE = 1_000;
const FETCHES_PER_DOMAIN_AND_MINUTE = 120;
const FETCHES_PER_HOST_AND_MINUTE = 30;
const WAIT_MS = 20;
const LONGEST_WAIT_MS = TIMEOUT_MS + 1_000;

const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Constants only: nothing of the request that made us fetch reaches the other side (draft §8). */
const REQUEST_HEADERS = { accept: "application/json", "user-agent": "gong-mcp-gateway" };

/** What a document is read with. */
export interface DocumentReader {
  readonly fetcher: typeof fetch;
  /** Epoch seconds. */
  readonly now: () => number;
  waitUntil(work: Promise<unknown>): void;
  /** Where the request comes from that wants it; undefined when nobody knows. */
  readonly network: string | undefined;
  /** How old a copy may be that is used while the document can't be fetched (RFC 9111 §4.2.4); 0 for never. */
  readonly staleSeconds: number;
}

interface Kept<Content> {
  readonly content: Content;
  readonly fetchedAt: number;
  readonly expiresAt: number;
}

/** Documents of one kind. Successes are kept per isolate by their cache headers; errors are not kept as answers. */
export class PublicDocuments<Content> {
  readonly #longestBody: number;
  // Values, never promises: the runtime refuses a promise that belongs to another request.
  readonly #kept = new Map<string, Kept<Content>>();
  readonly #failures = new Map<string, { readonly problem: ClientDocumentProblem; readonly until: number }>();
  readonly #fetching = new Map<string, number>();

  /** `longestBody` is in decoded bytes. */
  constructor(longestBody: number) {
    this.#longestBody = longestBody;
  }

  /**
   * The content of the document at `url`, which has been checked by `documentUrlHost`. Reads it with `parse`, which may
   * throw ClientDocumentError, when none is kept that is fresh and was fetched at `fetchedSince` (epoch seconds) or
   * later. Requests that come meanwhile wait for the same fetch. Throws ClientDocumentError.
   */
  async read(
    url: string,
    parse: (document: JsonObject) => Content,
    reader: DocumentReader,
    fetchedSince = 0,
  ): Promise<Content> {
    try {
      return await this.#readFresh(url, parse, reader, fetchedSince);
    } catch (error) {
      const stale = this.#staleCopy(url, error, reader);
      if (stale === undefined) throw error;
      return stale.content;
    }
  }

  async #readFresh(
    url: string,
    parse: (document: JsonObject) => Content,
    reader: DocumentReader,
    fetchedSince: number,
  ): Promise<Content> {
    for (let waited = 0; ; waited += WAIT_MS) {
      const now = reader.now();
      const kept = this.#kept.get(url);
      if (kept !== undefined && kept.expiresAt > now && kept.fetchedAt >= fetchedSince) return kept.content;
      const failure = this.#failures.get(url);
      if (failure !== undefined && failure.until > now) throw new ClientDocumentError(failure.problem, url);
      if (!this.#isFetching(url, now)) break;
      if (waited >= LONGEST_WAIT_MS) throw new ClientDocumentError("unreachable", url);
      await pause(WAIT_MS);
    }
    makeRoom(this.#fetching, MOST_FAILURES);
    this.#fetching.set(url, reader.now());
    const work = this.#fetchAndKeep(url, parse, reader);
    // The others wait for it even when the client that asked first goes away.
    reader.waitUntil(work.catch(() => undefined));
    return work;
  }

  /** A copy that has expired, for a failure that says nothing about the document. */
  #staleCopy(url: string, error: unknown, reader: DocumentReader): Kept<Content> | undefined {
    const kept = this.#kept.get(url);
    if (!(error instanceof ClientDocumentError && error.isTemporary) || kept === undefined) return undefined;
    return kept.fetchedAt > reader.now() - reader.staleSeconds ? kept : undefined;
  }

  /** Whether another request is fetching it; one that began too long ago was lost with its request. */
  #isFetching(url: string, now: number): boolean {
    const startedAt = this.#fetching.get(url);
    return startedAt !== undefined && now - startedAt <= LONGEST_WAIT_MS / 1000;
  }

  #noteFailure(url: string, { problem, isTemporary }: ClientDocumentError, now: number): void {
    // What was taken down, or is no document any more, must not come back as a copy.
    if (!isTemporary) this.#kept.delete(url);
    if (problem === "too_many_fetches") return;
    makeRoom(this.#failures, MOST_FAILURES);
    this.#failures.set(url, { problem, until: now + FAILURE_SECONDS });
  }

  async #fetchAndKeep(
    url: string,
    parse: (document: JsonObject) => Content,
    reader: DocumentReader,
  ): Promise<Content> {
    try {
      // A document that was good before can't be crowded out by made-up ones of its host.
      if (!this.#kept.has(url)) takeTurn(url, reader);
      const { document, headers } = await fetchDocument(url, this.#longestBody, reader.fetcher);
      const content = parse(document);
      const fetchedAt = reader.now();
      this.#failures.delete(url);
      this.#kept.delete(url);
      makeRoom(this.#kept, MOST_DOCUMENTS);
      this.#kept.set(url, { content, fetchedAt, expiresAt: fetchedAt + freshSeconds(headers, fetchedAt) });
      return content;
    } catch (error) {
      if (error instanceof ClientDocumentError) this.#noteFailure(url, error, reader.now());
      throw error;
    } finally {
      this.#fetching.delete(url);
    }
  }
}

/** Drops the oldest entry of a full map. */
function makeRoom(map: Map<string, unknown>, most: number): void {
  const [oldest] = map.keys();
  if (map.size >= most && oldest !== undefined) map.delete(oldest);
}

// One count for all kinds of documents: a host is asked as often for its clients as for their keys.
const turns = { minute: 0, taken: new Map<string, number>() };

/**
 * Throws when the host, the domain it is in, or everybody together has been asked often enough in this minute. A
 * network that has had one turn, two, three gets another only while less than a half, a third, a quarter are taken:
 * made-up documents from few places leave turns to everybody else.
 */
function takeTurn(url: string, { now, network }: Pick<DocumentReader, "now" | "network">): void {
  const minute = Math.floor(now() / 60);
  if (turns.minute !== minute) {
    turns.minute = minute;
    turns.taken.clear();
  }
  const { host } = new URL(url);
  const bounds: ReadonlyArray<readonly [of: string, most: number]> = [
    ["everybody", FETCHES_PER_MINUTE],
    // Whoever owns a domain can have any number of hosts in it, all leading to one server.
    [`*.${host.split(".").slice(-2).join(".")}`, FETCHES_PER_DOMAIN_AND_MINUTE],
    [host, FETCHES_PER_HOST_AND_MINUTE],
  ];
  const takenBy = (of: string): number => turns.taken.get(of) ?? 0;
  const own = (of: string): string => `${of} ${network ?? ""}`;
  const shareOf = (of: string): number => 1 / ((network === undefined ? 0 : takenBy(own(of))) + 1);
  if (bounds.some(([of, most]) => takenBy(of) >= most * shareOf(of))) {
    throw new ClientDocumentError("too_many_fetches", url);
  }
  for (const [of] of bounds) {
    turns.taken.set(of, takenBy(of) + 1);
    turns.taken.set(own(of), takenBy(own(of)) + 1);
  }
}

/** One GET. Only status 200 with a JSON type and one JSON object within the bounds is an answer. */
async function fetchDocument(
  url: string,
  longest: number,
  fetcher: typeof fetch,
): Promise<{ readonly document: JsonObject; readonly headers: Headers }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const unreachable = (): never => {
    // The network's own words differ for a closed port, an unknown name and a bad certificate: they stay here.
    throw new ClientDocumentError("unreachable", url);
  };
  const response = await fetcher(url, { headers: REQUEST_HEADERS, redirect: "manual", signal }).catch(
    unreachable,
  );
  const problem = problemOfHead(response);
  if (problem !== undefined) {
    await response.body?.cancel().catch(() => undefined);
    throw new ClientDocumentError(problem, url);
  }
  const bytes = await readBounded(response, longest, signal).catch(unreachable);
  if (bytes === undefined) throw new ClientDocumentError("too_long", url);
  const document = parseJsonObject(bytes);
  if (document === undefined) throw new ClientDocumentError("not_json", url);
  return { document, headers: response.headers };
}

function problemOfHead({ status, headers }: Response): ClientDocumentProblem | undefined {
  if (status === 404 || status === 410) return "absent";
  if (status !== 200) return "unreachable";
  return JSON_TYPE.test(headers.get("content-type") ?? "") ? undefined : "not_json";
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
