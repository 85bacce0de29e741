// How long a client's metadata document is kept, how often its host is asked, and what goes on while the host is down.
// Client ID Metadata Document draft §4.2 and §8; RFC 9111 §4.2.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { aDocument, clientSites, newDocumentUrl, WEB_REDIRECT } from "../support/client-site.ts";
import { ask, askToken, authorizationQuery } from "../support/flow.ts";
import { expectOAuthError } from "../support/refusals.ts";

beforeEach(() => clientSites.reset());

afterEach(() => {
  vi.useRealTimers();
});

/** The clock stands still at `start` plus these seconds. */
function clockAt(start: number, seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: start + seconds * 1000 });
}

async function statusOf(clientId: string, address?: string): Promise<number> {
  const query = authorizationQuery(clientId, { redirect_uri: WEB_REDIRECT });
  const headers: Record<string, string> = address === undefined ? {} : { "cf-connecting-ip": address };
  const response = await ask(`/authorize?${query}`, { headers });
  await response.body?.cancel();
  return response.status;
}

describe(verifies("client_document.cache", "what is kept"), () => {
  async function fetchesOf(url: string): Promise<number> {
    return (await clientSites.asked(url)).length;
  }

  it.each([
    ["no header", 300, {}],
    ["max-age=600", 600, { "cache-control": "max-age=600" }],
    ["max-age=600 that is 500 s old", 100, { "cache-control": "max-age=600", age: "500" }],
    ["max-age=5", 60, { "cache-control": "max-age=5" }],
    ["no-store", 60, { "cache-control": "no-store" }],
    ["no-cache beside max-age", 60, { "cache-control": "no-cache, max-age=900" }],
    ["a year", 3_600, { "cache-control": "public, max-age=31536000" }],
    ["Expires that can't be read", 60, { expires: "0" }],
  ])("RFC 9111 §4.2, draft §4.2: with %s it is kept for %i seconds", async (_what, seconds, headers) => {
    const url = newDocumentUrl();
    const start = Date.now();
    clockAt(start, 0);
    await clientSites.serve(url, aDocument(url), headers);
    expect(await statusOf(url)).toBe(200);
    clockAt(start, seconds - 1);
    expect(await statusOf(url)).toBe(200);
    expect(await fetchesOf(url)).toBe(1);
    clockAt(start, seconds + 1);
    expect(await statusOf(url)).toBe(200);
    expect(await fetchesOf(url)).toBe(2);
  });

  it("draft §4.2: an error is not kept: the document works as soon as it is mended", async () => {
    const url = newDocumentUrl();
    const start = Date.now();
    clockAt(start, 0);
    await clientSites.answer(url, { status: 503 });
    expect(await statusOf(url)).toBe(400);
    await clientSites.serve(url, aDocument(url));
    clockAt(start, 4);
    expect(await statusOf(url)).toBe(200);
  });

  it("draft §8: a URL that failed is left alone for seconds, however often it is named", async () => {
    const url = newDocumentUrl();
    clockAt(Date.now(), 0);
    await clientSites.answer(url, { status: 503 });
    const statuses = await Promise.all(Array.from({ length: 50 }, () => statusOf(url)));
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(await statusOf(url)).toBe(400);
    expect(await fetchesOf(url)).toBe(1);
  });

  it("draft §8: 200 requests at once make one fetch", async () => {
    const url = newDocumentUrl();
    await clientSites.serve(url, aDocument(url));
    const statuses = await Promise.all(Array.from({ length: 200 }, () => statusOf(url)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await fetchesOf(url)).toBe(1);
  }, 120_000);

  it("draft §4: another path is another document", async () => {
    const url = newDocumentUrl();
    const other = url.replace("/oauth/", "/OAuth/");
    await clientSites.serve(url, aDocument(url));
    expect(await statusOf(url)).toBe(200);
    expect(await statusOf(other)).toBe(400);
  });

  it("draft §8: a host is asked for at most 30 documents in a minute; another host is not held up", async () => {
    const start = Math.ceil(Date.now() / 60_000) * 60_000;
    clockAt(start, 0);
    const { origin } = new URL(newDocumentUrl());
    for (let at = 0; at < 40; at += 1) expect(await statusOf(`${origin}/clients/${at}.json`)).toBe(400);
    expect((await clientSites.asked()).length).toBe(30);
    const other = newDocumentUrl();
    await clientSites.serve(other, aDocument(other));
    expect(await statusOf(other)).toBe(200);
    const mended = `${origin}/clients/late.json`;
    await clientSites.serve(mended, aDocument(mended));
    expect(await statusOf(mended)).toBe(400);
    clockAt(start, 60);
    expect(await statusOf(mended)).toBe(200);
  });

  it("draft §8: a document that was good can't be crowded out by others of its host", async () => {
    const start = Math.ceil(Date.now() / 60_000) * 60_000 + 600_000;
    clockAt(start, 0);
    const url = newDocumentUrl();
    const { origin } = new URL(url);
    await clientSites.serve(url, aDocument(url));
    expect(await statusOf(url)).toBe(200);
    clockAt(start, 301);
    for (let at = 0; at < 31; at += 1) expect(await statusOf(`${origin}/clients/${at}.json`)).toBe(400);
    expect(await statusOf(url)).toBe(200);
    expect(await fetchesOf(url)).toBe(2);
  });

  it("draft §8: many hosts of one domain are asked 120 times in a minute", async () => {
    const start = Math.ceil(Date.now() / 60_000) * 60_000 + 1_200_000;
    clockAt(start, 0);
    const urls = Array.from({ length: 130 }, (_, at) => `https://host-${at}.many-client.test/client.json`);
    for (const url of urls) expect(await statusOf(url)).toBe(400);
    expect((await clientSites.asked()).length).toBe(120);
  }, 120_000);

  it("draft §8: made-up documents from a few networks leave turns at the host to everybody else", async () => {
    clockAt(Math.ceil(Date.now() / 60_000) * 60_000 + 1_800_000, 0);
    const { origin } = new URL(newDocumentUrl());
    let asked = 0;
    for (const network of ["192.0.2", "198.51.100", "203.0.113", "2001:db8:7:"]) {
      for (let at = 0; at < 12; at += 1) {
        asked += 1;
        const address = `${network}${network.includes(":") ? `${at}::1` : `.${at}`}`;
        expect(await statusOf(`${origin}/clients/${asked}.json`, address)).toBe(400);
      }
    }
    const fetched = (await clientSites.asked()).length;
    // Of each network the more turns it had, the fewer it gets while others have had theirs.
    expect(fetched).toBeLessThan(15);
    const real = `${origin}/clients/real.json`;
    await clientSites.serve(real, aDocument(real));
    expect(await statusOf(real, "192.0.2.200")).toBe(400);
    expect(await statusOf(real, "100.64.0.1")).toBe(200);
    // The bound of the host stays what it was.
    for (let at = 0; at < 40; at += 1) await statusOf(`${origin}/more/${at}.json`, `10.${at}.0.1`);
    expect((await clientSites.asked()).length).toBe(30);
  }, 120_000);

  it("RFC 9111 §4.2.4: while the host is down, for a day, a client keeps its tokens but nobody signs in", async () => {
    const url = newDocumentUrl();
    const start = Date.now();
    clockAt(start, 0);
    await clientSites.serve(url, aDocument(url));
    expect(await statusOf(url)).toBe(200);
    await clientSites.answer(url, { status: 503 });
    const refresh = () => askToken({ grant_type: "refresh_token", refresh_token: "grt_x", client_id: url });
    clockAt(start, 86_000);
    expect(await statusOf(url)).toBe(400);
    await expectOAuthError(await refresh(), "invalid_grant");
    clockAt(start, 86_500);
    await expectOAuthError(await refresh(), "temporarily_unavailable", 503);
  });

  it("gateway: a document that was taken down ends the client, however fresh the old copy", async () => {
    const url = newDocumentUrl();
    const start = Date.now();
    clockAt(start, 0);
    await clientSites.serve(url, aDocument(url));
    expect(await statusOf(url)).toBe(200);
    await clientSites.answer(url, { status: 410 });
    clockAt(start, 301);
    const fields = { grant_type: "refresh_token", refresh_token: "grt_x", client_id: url };
    await expectOAuthError(await askToken(fields), "invalid_client", 401);
    await clientSites.answer(url, { status: 503 });
    clockAt(start, 310);
    await expectOAuthError(await askToken(fields), "temporarily_unavailable", 503);
  });
});
