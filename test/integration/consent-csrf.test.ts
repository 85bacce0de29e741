// POST /authorize from anywhere but our own page in the same browser: nothing happens. RFC 9700 §4.7.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ask,
  authorizationQuery,
  leadsTo,
  ORIGIN,
  register,
  sealedRequest,
  TestBrowser,
} from "../support/flow.ts";
import { objectIds } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectRefusalPage } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

/** A browser on a consent page, with the form's hidden field. */
async function onConsentPage(
  changes: Record<string, string | undefined> = {},
  browser = new TestBrowser(),
): Promise<{ browser: TestBrowser; request: string }> {
  const page = await browser.open(`/authorize?${authorizationQuery(clientId, changes)}`);
  return { browser, request: sealedRequest(await page.text()) };
}

/** A post with these headers and nothing that a browser would add. */
const post = (fields: Record<string, string>, headers: Record<string, string>): Promise<Response> =>
  ask("/authorize", { method: "POST", body: new URLSearchParams(fields), headers });

const cookieOf = (browser: TestBrowser): string => `__Host-consent=${browser.cookies.get("__Host-consent")}`;

async function expectNoTransaction(response: Response, status: number): Promise<void> {
  await expectRefusalPage(response, status);
  expect((await objectIds()).TRANSACTIONS).toEqual(before);
  expect(await gong.requests()).toEqual([]);
}

let before: readonly string[] = [];
beforeEach(async () => {
  before = (await objectIds()).TRANSACTIONS;
});

describe(verifies("consent.own_page_only", "a decision from another site"), () => {
  it.each([
    ["Origin alone", { origin: ORIGIN }],
    ["Sec-Fetch-Site alone", { "sec-fetch-site": "same-origin" }],
    ["both", { origin: ORIGIN, "sec-fetch-site": "same-origin" }],
    ["an Origin that was hidden, and Sec-Fetch-Site", { origin: "null", "sec-fetch-site": "same-origin" }],
  ])("RFC 9700 §4.7: a decision from our page is taken, as told by %s", async (_, headers) => {
    const { browser, request } = await onConsentPage();
    const answer = await post({ request, decision: "approve" }, { cookie: cookieOf(browser), ...headers });
    expect(leadsTo(await answer.text()).host).toBe("app.gong.test");
  });

  it.each<[string, Record<string, string>]>([
    ["another Origin", { origin: "https://evil.test" }],
    [
      "another Origin with a good Sec-Fetch-Site",
      { origin: "https://evil.test", "sec-fetch-site": "same-origin" },
    ],
    ["our Origin with a cross-site Sec-Fetch-Site", { origin: ORIGIN, "sec-fetch-site": "cross-site" }],
    ["a same-site page", { origin: ORIGIN, "sec-fetch-site": "same-site" }],
    ["nobody's navigation", { "sec-fetch-site": "none" }],
    ["an opaque Origin and no Sec-Fetch-Site", { origin: "null" }],
    ["neither header", {}],
    ["our host on another port", { origin: `${ORIGIN}:8443` }],
    ["our host over http", { origin: "http://gateway.test" }],
    ["a host that begins like ours", { origin: `${ORIGIN}.evil.test` }],
    ["only a Referer of ours", { referer: `${ORIGIN}/authorize` }],
  ])("RFC 9700 §4.7: %s is refused with a genuine form and cookie", async (_, headers) => {
    const { browser, request } = await onConsentPage();
    const answer = await post({ request, decision: "approve" }, { cookie: cookieOf(browser), ...headers });
    await expectNoTransaction(answer, 403);
  });

  it.each(["text/plain", "multipart/form-data; boundary=x", "application/json", ""])(
    "RFC 6749 §3.2: the form as %j is refused",
    async (type) => {
      const { browser, request } = await onConsentPage();
      const answer = await ask("/authorize", {
        method: "POST",
        body: new TextEncoder().encode(new URLSearchParams({ request, decision: "approve" }).toString()),
        headers: {
          origin: ORIGIN,
          cookie: cookieOf(browser),
          ...(type === "" ? {} : { "content-type": type }),
        },
      });
      await expectNoTransaction(answer, 415);
    },
  );
});

describe(
  verifies("consent.form_bound_to_browser", "the consent form belongs to one browser and one request"),
  () => {
    const decide = (browser: TestBrowser, request: string): Promise<Response> =>
      browser.post("/authorize", { request, decision: "approve" });

    it("RFC 9700 §4.7: without the cookie the form is refused", async () => {
      const { request } = await onConsentPage();
      await expectNoTransaction(await decide(new TestBrowser(), request), 403);
    });

    it("RFC 9700 §4.7: with another browser's cookie the form is refused", async () => {
      const { request } = await onConsentPage();
      const { browser } = await onConsentPage();
      await expectNoTransaction(await decide(browser, request), 403);
    });

    it("RFC 6265bis §5.8.3: with two cookies of the name, one of them planted, the form is refused", async () => {
      const { browser, request } = await onConsentPage();
      const cookie = `__Host-consent=${"A".repeat(43)}; ${cookieOf(browser)}`;
      const answer = await post({ request, decision: "approve" }, { origin: ORIGIN, cookie });
      await expectNoTransaction(answer, 403);
    });

    it("gateway: without the form's request there is nothing to approve", async () => {
      const { browser } = await onConsentPage();
      await expectNoTransaction(await browser.post("/authorize", { decision: "approve" }), 400);
    });

    it.each(["", "APPROVE", "approve ", "yes", "approve,deny"])(
      "gateway: %j is no decision",
      async (decision) => {
        const { browser, request } = await onConsentPage();
        await expectNoTransaction(await browser.post("/authorize", { request, decision }), 400);
      },
    );

    it("RFC 6749 §3.1: approve and deny together are no decision", async () => {
      const { browser, request } = await onConsentPage();
      const body = `${new URLSearchParams({ request, decision: "deny" })}&decision=approve`;
      const answer = await ask("/authorize", {
        method: "POST",
        body,
        headers: {
          origin: ORIGIN,
          cookie: cookieOf(browser),
          "content-type": "application/x-www-form-urlencoded",
        },
      });
      await expectNoTransaction(answer, 400);
    });

    it("gateway: the form with one bit flipped, anywhere, is refused", async () => {
      const { browser, request } = await onConsentPage();
      for (let at = 0; at < request.length; at += Math.ceil(request.length / 60)) {
        const other = request[at] === "A" ? "B" : "A";
        const spoiled = request.slice(0, at) + other + request.slice(at + 1);
        await expectRefusalPage(await decide(browser, spoiled));
      }
      for (const spoiled of [
        request.slice(1),
        request.slice(0, -1),
        `${request}A`,
        request + request,
        "x",
        ".",
      ]) {
        await expectRefusalPage(await decide(browser, spoiled));
      }
      expect((await objectIds()).TRANSACTIONS).toEqual(before);
    });

    it("gateway: two tabs of one browser each lead on with their own request", async () => {
      const first = await onConsentPage({ state: "first" });
      const second = await onConsentPage({ state: "second" }, first.browser);
      const states = new Set<string | null>();
      for (const { request } of [second, first]) {
        const answer = await decide(first.browser, request);
        states.add(leadsTo(await answer.text()).searchParams.get("state"));
      }
      expect(states.size).toBe(2);
      expect([...first.browser.cookies.keys()].filter((name) => name.startsWith("__Host-txn-"))).toHaveLength(
        2,
      );
    });
  },
);
