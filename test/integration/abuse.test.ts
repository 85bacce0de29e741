// What nobody does by accident: other hosts, odd paths, prefetches, cookies without end, markup in every field.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { tokenRequests } from "../gong/ledger-questions.ts";
import {
  agreeAtGong,
  approve,
  ask,
  authorizationQuery,
  CLIENT_REDIRECT,
  leadsTo,
  ORIGIN,
  register,
  sealedRequest,
  TestBrowser,
} from "../support/flow.ts";
import { objectIds } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { elementsOf, readHtml } from "../support/read-html.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";

beforeEach(() => gong.reset());

const EVIL_HEADERS = {
  host: "evil.test",
  "x-forwarded-host": "evil.test",
  "x-forwarded-proto": "http",
  "x-original-url": "/admin",
  "x-rewrite-url": "/admin",
  forwarded: "host=evil.test;proto=http",
};

describe(verifies("urls.from_settings", "requests that name another host"), () => {
  it.each([
    "/",
    "/authorize",
    "/token",
    "/register",
    "/health",
    "/admin",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-protected-resource/shared/mcp",
  ])("RFC 9700 §4.10: %s says nothing of it", async (path) => {
    for (const url of [path, `https://evil.test${path}`, `http://evil.test:8080${path}`]) {
      const answer = await ask(url, { headers: EVIL_HEADERS });
      expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain("evil.test");
    }
  });

  it("RFC 9700 §4.10: a whole sign-in asked for at another host leads to Gong and back with our own URLs", async () => {
    const { client_id: clientId } = await register();
    const atEvilHost = new TestBrowser((path, init) => ask(`https://evil.test${path}`, init));
    const page = await atEvilHost.open(`/authorize?${authorizationQuery(clientId)}`, EVIL_HEADERS);
    const request = sealedRequest(await page.text());
    const answer = await atEvilHost.post("/authorize", { request, decision: "approve" });
    const url = leadsTo(await answer.text());
    expect(url.searchParams.get("redirect_uri")).toBe(`${ORIGIN}/callback`);
    const end = await atEvilHost.open(await agreeAtGong(url), EVIL_HEADERS);
    const location = new URL(end.headers.get("location") ?? "");
    expect(location.origin + location.pathname).toBe(CLIENT_REDIRECT);
    expect(location.searchParams.get("iss")).toBe(ORIGIN);
  });
});

describe(verifies("callback.method", "requests for the callback that are not the person's own"), () => {
  it("RFC 9110 §9.3: HEAD, OPTIONS, POST and their like leave the sign-in usable", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const answer = await ask(callback, { method, headers: { cookie } });
      expect([method, answer.status]).toEqual([method, 405]);
      expect(answer.headers.get("location")).toBeNull();
    }
    expect(tokenRequests(await gong.ledger(), "authorization_code")).toBe(0);
    expect((await browser.open(callback)).status).toBe(303);
  });

  it("gateway: a prefetch in the person's browser leads to the same place as the click after it", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const prefetch = await browser.open(callback, { "sec-purpose": "prefetch" });
    const click = await browser.open(callback);
    expect(click.headers.get("location")).toBe(prefetch.headers.get("location"));
    expect(tokenRequests(await gong.ledger(), "authorization_code")).toBe(1);
  });
});

describe(verifies("consent.cookies_bounded", "a browser that begins sign-ins without end"), () => {
  it(
    "RFC 6265bis §5.6: at most ten are remembered, the Cookie header stays small, and the last one works",
    { timeout: 120_000 },
    async () => {
      const { client_id: clientId } = await register();
      const browser = new TestBrowser();
      let last = "";
      for (let round = 0; round < 30; round += 1) {
        last = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
        const names = [...browser.cookies.keys()].filter((name) => name.startsWith("__Host-txn-"));
        expect(names.length).toBeLessThanOrEqual(10);
      }
      const header = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      expect(header.length).toBeLessThan(4096);
      expect((await browser.open(last)).status).toBe(303);
    },
  );

  it("RFC 6265 §4.2.1: names that are no cookie's of ours are left alone", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    const odd = Array.from({ length: 12 }, (_, n) => `__Host-txn-a b${n}"(=x`).join("; ");
    const answer = await ask("/authorize", {
      method: "POST",
      body: new URLSearchParams({ request: sealedRequest(await page.text()), decision: "approve" }),
      headers: { origin: ORIGIN, cookie: `${odd}; __Host-consent=${browser.cookies.get("__Host-consent")}` },
    });
    expect(leadsTo(await answer.text()).host).toBe("app.gong.test");
    expect(answer.headers.getSetCookie()).toHaveLength(1);
  });

  it("RFC 6265bis §4.1.3: the cookie of a sign-in is for this host, this transaction, and no script", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    const request = sealedRequest(await page.text());
    const answer = await browser.post("/authorize", { request, decision: "approve" });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-txn-[\w-]{22}=gbc_[\w-]{124}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
  });
});

describe(verifies("http.paths", "other spellings of our paths"), () => {
  const PATHS = ["/authorize", "/callback", "/token", "/register", "/revoke", "/admin"];
  const VARIANTS = PATHS.flatMap((path) => [
    `${path}/`,
    `/${path}`,
    `/x/..;${path}`,
    `${path};x`,
    `${path}%20`,
    `${path}%00`,
    `${path}.json`,
    path.toUpperCase(),
    `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}x`,
    `${path}%2f`,
    `/.${path.slice(1)}`,
  ]);

  it.each(VARIANTS)("RFC 3986 §6.2.2: %s is no page without a policy, and changes nothing", async (path) => {
    const before = await objectIds();
    const answer = await ask(path, { method: "GET" });
    expect([308, 307, 302, 301, 500]).not.toContain(answer.status);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const isPage = answer.headers.get("content-type")?.includes("html") === true;
    const isGuarded =
      answer.headers.get("content-security-policy")?.includes("frame-ancestors 'none'") === true;
    expect(isPage ? isGuarded : answer.status !== 200).toBe(true);
    expect((await objectIds()).TRANSACTIONS).toEqual(before.TRANSACTIONS);
  });
});

describe(verifies("authorize.markup", "markup in what a client says"), () => {
  it(
    "OWASP ASVS 1.2.1: no payload in name, state, scope or redirect URI changes the consent page or an error page",
    { timeout: 120_000 },
    async () => {
      const plain = await register({ client_name: "Plain" });
      const shapeOf = async (path: string): Promise<string> =>
        (await readHtml(await (await ask(path)).text())).structure;
      const consent = await shapeOf(`/authorize?${authorizationQuery(plain.client_id)}`);
      const refusal = await shapeOf(`/authorize?${authorizationQuery(plain.client_id, { scope: "bogus" })}`);
      for (const payload of XSS_CORPUS) {
        const { client_id: clientId } = await register({ client_name: payload });
        const asked = `/authorize?${authorizationQuery(clientId, { state: payload, nonce: payload })}`;
        expect(await shapeOf(asked)).toBe(consent);
        const page = await readHtml(await (await ask(asked)).text());
        expect(
          elementsOf(page, "script").filter(({ attributes }) => attributes["nonce"] === undefined),
        ).toEqual([]);
        const refused = `/authorize?${authorizationQuery(plain.client_id, { scope: payload })}`;
        expect(await shapeOf(refused)).toBe(refusal);
        const mismatch = `/authorize?${authorizationQuery(plain.client_id, { redirect_uri: payload })}`;
        expect(await (await ask(mismatch)).text()).not.toContain("xss(1)");
      }
    },
  );
});
