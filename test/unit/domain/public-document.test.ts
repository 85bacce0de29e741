// Subject: src/domain/public-document.ts and freshness.ts, with a fetcher of our own. Client ID Metadata Document draft
// §4 and §8; RFC 9111 §4.2.
import { describe, expect, it } from "vitest";
import { freshSeconds } from "../../../src/domain/freshness.ts";
import { PublicDocuments, type DocumentReader } from "../../../src/domain/public-document.ts";
import { verifies } from "../../conformance/verifies.ts";

const NOW = 1_800_000_000;

function aReader(fetcher: (url: string, init?: RequestInit) => Promise<Response>, now = NOW): DocumentReader {
  return {
    fetcher: fetcher as typeof fetch,
    now: () => now,
    waitUntil: () => undefined,
    network: undefined,
    staleSeconds: 0,
  };
}

const good = (url: string) => Promise.resolve(Response.json({ url }));
const urlOf = (document: Readonly<Record<string, unknown>>) => document["url"];
let domains = 0;

/** A URL in a domain of its own. */
function newUrl(): string {
  domains += 1;
  return `https://site.domain-${domains}.example/c`;
}

describe(verifies("client_document.fetch", "the request for a document"), () => {
  it("draft §8: is made of constants: no body, no redirect, a time limit, two headers", async () => {
    const made: Array<readonly [url: string, init: RequestInit | undefined]> = [];
    const url = newUrl();
    const reader = aReader((asked, init) => {
      made.push([asked, init]);
      return good(asked);
    });
    expect(await new PublicDocuments(100).read(url, urlOf, reader)).toBe(url);
    const [[asked, init] = []] = made;
    expect(asked).toBe(url);
    expect(Object.keys(init ?? {}).sort()).toEqual(["headers", "redirect", "signal"]);
    expect(init).toMatchObject({
      headers: { accept: "application/json", "user-agent": "gong-mcp-gateway" },
      redirect: "manual",
    });
    expect(init?.signal?.aborted).toBe(false);
  });

  it("gateway: what a network reports does not show", async () => {
    const reports = ["getaddrinfo ENOTFOUND", "ECONNREFUSED 10.0.0.1:443", "certificate has expired"];
    for (const report of reports) {
      const reading = new PublicDocuments(100).read(
        newUrl(),
        urlOf,
        aReader(() => Promise.reject(new TypeError(report))),
      );
      await expect(reading).rejects.toMatchObject({
        problem: "unreachable",
        message: "Client document: unreachable",
      });
    }
  });
});

describe(verifies("client_document.cache", "documents in one isolate"), () => {
  it("gateway: a fetch that was lost with its request is done again by another, after six seconds", async () => {
    const documents = new PublicDocuments<unknown>(100);
    const url = newUrl();
    void documents.read(
      url,
      urlOf,
      aReader(() => new Promise(() => undefined)),
    );
    const late = aReader(good, NOW + 7);
    expect(await documents.read(url, urlOf, late)).toBe(url);
  });

  it("gateway: of many documents the oldest makes room", async () => {
    const documents = new PublicDocuments<unknown>(100);
    const asked: string[] = [];
    const reader = aReader((url) => {
      asked.push(url);
      return good(url);
    });
    const urls = Array.from({ length: 257 }, newUrl);
    for (const url of urls) await documents.read(url, urlOf, reader);
    await documents.read(urls.at(-1) ?? "", urlOf, reader);
    expect(asked).toHaveLength(257);
    await documents.read(urls[0] ?? "", urlOf, reader);
    expect(asked).toHaveLength(258);
  });

  it("gateway: a mistake of our own is thrown as it is, and not remembered", async () => {
    const documents = new PublicDocuments<unknown>(100);
    const url = newUrl();
    const broken = () => {
      throw new RangeError("ours");
    };
    await expect(documents.read(url, broken, aReader(good))).rejects.toThrow(RangeError);
    expect(await documents.read(url, urlOf, aReader(good))).toBe(url);
  });

  it.each([
    [300, {}],
    [600, { "cache-control": "max-age=600" }],
    [600, { "cache-control": 'public, MAX-AGE="600"' }],
    [120, { "cache-control": "max-age=600, s-maxage=120" }],
    [100, { "cache-control": "max-age=600", age: "500" }],
    [60, { "cache-control": "max-age=600", age: "900" }],
    [60, { "cache-control": "max-age=0" }],
    [60, { "cache-control": "no-store" }],
    [60, { "cache-control": "max-age=600, no-cache" }],
    [3_600, { "cache-control": "max-age=3601" }],
    [3_600, { "cache-control": "max-age=9999999999" }],
    [300, { "cache-control": "max-age=-1" }],
    [300, { "cache-control": "max-age=99999999999999999999" }],
    [600, { "cache-control": "max-age=600", expires: "0" }],
    [900, { expires: new Date((NOW + 900) * 1000).toUTCString() }],
    [60, { expires: new Date((NOW - 900) * 1000).toUTCString() }],
    [60, { expires: "0" }],
    [60, { expires: "2099-01-01" }],
  ])("RFC 9111 §4.2.1: fresh for %i seconds with %o", (seconds, headers) => {
    expect(freshSeconds(new Headers(headers as HeadersInit), NOW)).toBe(seconds);
  });
});
