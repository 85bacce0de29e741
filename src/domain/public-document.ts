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
const FETCHES_PER_HOST_AND_MINUTE = 30;
const FETCHES_PER_MINUTE = 300;
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
    this.#fetching.set(url, reader.now());
    const work = this.#fetchAndKeep(url, parse, reader);
    // The others wait for it even when the client that asked first goes away.
    reader.waitUntil(work.catch(() => undefined));
    return work;
  }

  /** Whether another request is fetching it; one that began too long ago was lost with its request. */
  #isFetching(url: string, now: number): boolean {
    const startedAt = this.#fetching.get(url);
    return startedAt !== undefined && now - startedAt <= LONGEST_WAIT_MS / 1000;
  }

  async #fetchAndKeep(
    url: string,
    parse: (document: JsonObject) => Content,
    reader: DocumentReader,
  ): Promise<Content> {
    try {
      takeTurn(url, reader.now());
      const { document, headers } = await fetchDocument(url, this.#longestBody, reader.fetcher);
      const content = parse(document);
      const fetchedAt = reader.now();
      this.#failures.delete(url);
      this.#kept.delete(url);
      makeRoom(this.#kept, MOST_DOCUMENTS);
      this.#kept.set(url, { content, fetchedAt, expiresAt: fetchedAt + freshSeconds(headers, fetchedAt) });
      return content;
    } catch (error) {
      if (error instanceof ClientDocumentError && error.problem !== "too_many_fetches") {
        makeRoom(this.#failures, MOST_FAILURES);
        this.#failures.set(url, { problem: error.problem, until: reader.now() + FAILURE_SECONDS });
      }
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
const turns = { minute: 0, total: 0, byHost: new Map<string, number>() };

function takeTurn(url: string, now: number): void {
  const minute = Math.floor(now / 60);
  if (turns.minute !== minute) {
    turns.minute = minute;
    turns.total = 0;
    turns.byHost.clear();
  }
  const { host } = new URL(url);
  const taken = turns.byHost.get(host) ?? 0;
  if (taken >= FETCHES_PER_HOST_AND_MINUTE || turns.total >= FETCHES_PER_MINUTE) {
    throw new ClientDocumentError("too_many_fetches", url);
  }
  turns.total += 1;
  turns.byHost.set(host, taken + 1);
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
