// How the gateway fetches a client's metadata document: what it sends, what it takes for an answer, and what a person
// is told when it can't be used. Client ID Metadata Document draft §4 and §8.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { aDocument, clientSites, newDocumentUrl, WEB_REDIRECT } from "../support/client-site.ts";
import { ask, askToken, authorizationQuery } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError, expectRefusalPage } from "../support/refusals.ts";
import { readText } from "../support/html.ts";

const JSON_TYPE = { "content-type": "application/json" };
const NOT_FETCHED = "The gateway could not get this document.";

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
});

function authorize(clientId: string): Promise<Response> {
  return ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: WEB_REDIRECT })}`);
}

async function statusOf(clientId: string): Promise<number> {
  const response = await authorize(clientId);
  await response.body?.cancel();
  return response.status;
}

/** The refusal page for what `url` answers. */
async function refusalFor(answer: Parameters<typeof clientSites.answer>[1]): Promise<string> {
  const url = newDocumentUrl();
  await clientSites.answer(url, answer);
  const text = await expectRefusalPage(await authorize(url));
  expect(text).toContain(url);
  return text;
}

/** A good document of exactly `bytes` bytes. */
function documentOf(url: string, bytes: number): string {
  const bare = JSON.stringify(aDocument(url, { filler: "" }));
  return JSON.stringify(aDocument(url, { filler: "x".repeat(bytes - bare.length) }));
}

describe(verifies("client_document.fetch", "the fetch"), () => {
  it("draft §8: is a GET made of constants, without cookies, credentials, referer or forwarded headers", async () => {
    const url = newDocumentUrl();
    await clientSites.serve(url, aDocument(url));
    const query = authorizationQuery(url, { redirect_uri: WEB_REDIRECT });
    const headers = {
      cookie: "a=b",
      authorization: "Bearer canary",
      referer: "https://evil.test/",
      "x-forwarded-for": "192.0.2.1",
      "user-agent": "Canary/1",
    };
    expect((await ask(`/authorize?${query}`, { headers })).status).toBe(200);
    const [request, ...more] = await clientSites.asked();
    expect(more).toEqual([]);
    expect(request).toMatchObject({ method: "GET", url, body: "" });
    expect(request?.headers).toMatchObject({
      accept: "application/json",
      "user-agent": "gong-mcp-gateway",
    });
    const names = Object.keys(request?.headers ?? {}).sort();
    // What the platform and the test's own network add.
    const transport = /^(?:accept-encoding|connection|host|transfer-encoding|cf-worker|mf-.*)$/;
    expect(names.filter((name) => !transport.test(name))).toEqual(["accept", "user-agent"]);
  });

  it.each([301, 302, 303, 307, 308])(
    "draft §4: a %i is refused and its target is not asked",
    async (status) => {
      const target = newDocumentUrl();
      await clientSites.serve(target, aDocument(target));
      expect(await refusalFor({ status, headers: { location: target, ...JSON_TYPE } })).toContain(
        NOT_FETCHED,
      );
      expect(await clientSites.asked(target)).toEqual([]);
    },
  );

  it("draft §4: Location and Refresh beside a 200 lead nowhere", async () => {
    const url = newDocumentUrl();
    const target = newDocumentUrl();
    await clientSites.serve(url, aDocument(url), { location: target, refresh: `0;url=${target}` });
    expect(await statusOf(url)).toBe(200);
    expect(await clientSites.asked(target)).toEqual([]);
  });

  it.each([201, 203, 206, 400, 401, 403, 404, 410, 429, 500, 503])(
    "draft §4: a good document with status %i is none",
    async (status) => {
      const url = newDocumentUrl();
      await clientSites.answer(url, { status, headers: JSON_TYPE, body: JSON.stringify(aDocument(url)) });
      expect(await expectRefusalPage(await authorize(url))).toContain(NOT_FETCHED);
    },
  );

  it.each([
    ["application/json; charset=utf-8", 200],
    ["application/json;charset=UTF-8", 200],
    ["application/client-metadata+json", 200],
    ["text/html", 400],
    ["text/json", 400],
    ["text/plain", 400],
    ["application/javascript", 400],
    ["application/json-patch", 400],
    ["application/json; charset=latin1", 400],
    ["", 400],
  ])("draft §4: content type %j gives %i", async (type, status) => {
    const url = newDocumentUrl();
    await clientSites.serve(url, aDocument(url), { "content-type": type });
    expect(await statusOf(url)).toBe(status);
  });

  it("draft §8: 5,120 bytes are read, 5,121 are not", async () => {
    const url = newDocumentUrl();
    await clientSites.answer(url, { headers: JSON_TYPE, body: documentOf(url, 5_120) });
    expect(await statusOf(url)).toBe(200);
    const longer = newDocumentUrl();
    await clientSites.answer(longer, { headers: JSON_TYPE, body: documentOf(longer, 5_121) });
    expect(await expectRefusalPage(await authorize(longer))).toContain("longer than it may be");
  });

  it("draft §8: what is counted is the bytes after decompression", async () => {
    const started = performance.now();
    const text = await refusalFor({ headers: JSON_TYPE, body: " ".repeat(1_000), times: 50_000, gzip: true });
    expect(text).toContain("longer than it may be");
    expect(performance.now() - started).toBeLessThan(4_000);
    const url = newDocumentUrl();
    const body = JSON.stringify(aDocument(url));
    await clientSites.answer(url, { headers: JSON_TYPE, body, gzip: true });
    expect(await statusOf(url)).toBe(200);
  });

  it("draft §8: a document that comes too slowly, or not at all, is given up after five seconds", async () => {
    const started = performance.now();
    const [slow, silent] = await Promise.all([
      refusalFor({ headers: JSON_TYPE, body: "{".repeat(100), byteMs: 400 }),
      refusalFor({ headers: JSON_TYPE, body: "{}", delayMs: 20_000 }),
    ]);
    expect(slow).toContain(NOT_FETCHED);
    expect(silent).toContain(NOT_FETCHED);
    expect(performance.now() - started).toBeLessThan(8_000);
  }, 120_000);

  it.each([
    ["an array", "[]"],
    ["a string", '"text"'],
    ["two members of one name", '{"client_id":"a","client_id":"b"}'],
    ["cut off", '{"client_id":'],
    ["JSONP", "callback({})"],
    ["empty", ""],
  ])("draft §4: a body that is %s is not a document", async (_what, body) => {
    expect(await refusalFor({ headers: JSON_TYPE, body })).toContain("not one JSON object");
  });
});

describe(verifies("client_document.problem_page", "the page about a document that can't be used"), () => {
  it("gateway: names the document and its host, as text", async () => {
    const url = `${newDocumentUrl()}?a='(b)`.replace("'", "");
    const page = await authorize(url);
    const text = await expectRefusalPage(page);
    expect(text).toContain(url);
    expect(text).toContain(`Its host ${new URL(url).host}`);
  });

  it("draft §8: no connection, a reset and a status read the same, so that nobody can scan with it", async () => {
    const closed = "https://nobody.client-of-nobody.test/oauth/client.json";
    const texts = [
      (await expectRefusalPage(await authorize(closed))).replaceAll(closed, "URL"),
      await refusalFor({ drop: true }),
      await refusalFor({ status: 404 }),
      await refusalFor({ status: 500 }),
      await refusalFor({ status: 302, headers: { location: "https://other.client.test/" } }),
    ];
    const alike = texts.map((text) =>
      text.replace(/https:\S+|\S+\.test|URL/g, "…").replace(/Request ID \S+/, ""),
    );
    // 404 and 410 are final, the others may pass; both are the same words to a stranger.
    expect(new Set(alike).size).toBe(1);
  });

  it("gateway: a hostile address is shown as text and fetched by nobody", async () => {
    const url = "https://user:pass@site.client.test/<script>alert(1)</script>";
    const response = await authorize(url);
    const html = await response.text();
    expect(response.status).toBe(400);
    expect(html).not.toContain("<script>alert");
    expect(readText(html)).toContain("The gateway does not fetch this address");
    expect(await clientSites.asked()).toEqual([]);
  });

  it("RFC 6749 §5.2: the token endpoint says invalid_client for a bad document and 503 for one out of reach", async () => {
    const bad = newDocumentUrl();
    await clientSites.serve(bad, aDocument(bad, { client_secret: "s" }));
    const fields = { grant_type: "refresh_token", refresh_token: "grt_x" };
    await expectOAuthError(await askToken({ ...fields, client_id: bad }), "invalid_client", 401);
    const gone = newDocumentUrl();
    await clientSites.answer(gone, { status: 503 });
    const response = await askToken({ ...fields, client_id: gone });
    expect(response.headers.get("retry-after")).toBe("5");
    await expectOAuthError(response, "temporarily_unavailable", 503);
  });
});
