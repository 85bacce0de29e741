// The headers of everything a browser shows, errors included, and of every redirect.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  agreeAtGong,
  approve,
  ask,
  authorizationQuery,
  leadsTo,
  register,
  sealedRequest,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { elementsOf, readHtml } from "../support/read-html.ts";
import { gatewayWithClient, PREREGISTERED } from "../support/settings.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

/** Every kind of page that the sign-in shows. */
const PAGES: readonly [name: string, show: () => Promise<Response>][] = [
  ["the home page", () => ask("/")],
  ["the consent page", () => ask(`/authorize?${authorizationQuery(clientId)}`)],
  ["a refused request", () => ask("/authorize")],
  ["a refused form", () => new TestBrowser().post("/authorize", { decision: "approve" })],
  ["a form from another site", () => ask("/authorize", { method: "POST" })],
  [
    "a form in the wrong type",
    () => new TestBrowser().post("/authorize", {}, { "content-type": "text/plain" }),
  ],
  ["the page that leads to Gong", () => decided("approve")],
  ["the page that leads back", () => decided("deny")],
  ["a refused callback", () => ask("/callback?state=x")],
  ["a waiting page that is not theirs", () => ask("/authorize/waiting/AAAAAAAAAAAAAAAAAAAAAA")],
  ["the account sign-in", () => ask("/account")],
  ["a refused account form", () => ask("/account/disconnect", { method: "POST" })],
  ["the page that leads to an account's proof", () => new TestBrowser().post("/account/sign-in", {})],
  ["the admin page", () => ask("/admin")],
  ["a refused admin form", () => ask("/admin/sign-in", { method: "POST" })],
];

async function decided(decision: string): Promise<Response> {
  const browser = new TestBrowser();
  const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
  return browser.post("/authorize", { request: sealedRequest(await page.text()), decision });
}

/** A policy as directives, with the nonce left open. */
function policyOf(answer: Response): Record<string, string> {
  const policy = answer.headers.get("content-security-policy") ?? "";
  return Object.fromEntries(
    policy.split(/;\s*/).flatMap((directive) => {
      const [name = "", ...values] = directive.trim().split(" ");
      return name === "" ? [] : [[name, values.join(" ").replace(/'nonce-[^']+'/, "'nonce'")]];
    }),
  );
}

describe(verifies("pages.headers", "the headers of pages"), () => {
  it.each(PAGES)("OWASP ASVS 3.4: %s can't be framed, scripted, cached or guessed", async (_, show) => {
    const page = await show();
    expect(page.headers.get("content-type")).toMatch(/^text\/html; charset=utf-8$/i);
    expect(policyOf(page)).toMatchObject({
      "default-src": "'none'",
      "style-src": "'nonce'",
      "script-src": "'nonce'",
      "base-uri": "'none'",
      "form-action": "'self'",
      "frame-ancestors": "'none'",
    });
    const img = policyOf(page)["img-src"] ?? "'none'";
    expect(["'none'", "'self'"]).toContain(img);
    expect(page.headers.get("content-security-policy")).not.toMatch(/unsafe|\*|https?:/);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(page.headers.get("strict-transport-security")).toMatch(/^max-age=31536000/);
    expect(["same-origin", "no-referrer"]).toContain(page.headers.get("referrer-policy"));
    expect(page.headers.get("permissions-policy")).toContain("camera=()");
  });

  it.each(PAGES)(
    "CSP Level 3 §2.3.1: %s has a nonce of its own and loads nothing from elsewhere",
    async (_, show) => {
      const nonceOf = (page: Response): string =>
        /'nonce-([^']+)'/.exec(page.headers.get("content-security-policy") ?? "")?.[1] ?? "";
      const [first, second] = [await show(), await show()];
      expect(nonceOf(first).length).toBeGreaterThan(15);
      expect(nonceOf(first)).not.toBe(nonceOf(second));
      const page = await readHtml(await first.text());
      const nonce = nonceOf(first);
      for (const { attributes } of [...elementsOf(page, "script"), ...elementsOf(page, "style")]) {
        expect(attributes).toMatchObject({ nonce });
        expect(attributes).not.toHaveProperty("src");
      }
      for (const tag of ["img", "link", "iframe", "object", "embed", "base"]) {
        const outside = elementsOf(page, tag).filter(({ attributes }) =>
          /^(https?:)?\/\//.test(attributes["src"] ?? attributes["href"] ?? ""),
        );
        expect(outside).toEqual([]);
      }
      const inline = page.elements
        .flatMap(({ attributes }) => Object.keys(attributes))
        .filter((name) => /^on|^style$/.test(name));
      expect(inline).toEqual([]);
    },
  );

  it("OWASP ASVS 3.4.8: the admin page cuts its opener; sign-in pages keep theirs, for clients that use pop-ups", async () => {
    expect((await ask("/admin")).headers.get("cross-origin-opener-policy")).toBe("same-origin");
    const page = await ask(`/authorize?${authorizationQuery(clientId)}`);
    expect(page.headers.get("cross-origin-opener-policy")).toBeNull();
  });

  it("RFC 9700 §4.2.4: forms keep their Origin, so the policy of the consent page is same-origin", async () => {
    const page = await ask(`/authorize?${authorizationQuery(clientId)}`);
    expect(page.headers.get("referrer-policy")).toBe("same-origin");
  });
});

describe(verifies("pages.json_headers", "the headers of machine answers"), () => {
  it.each([
    ["/token", "POST"],
    ["/revoke", "POST"],
    ["/register", "POST"],
    ["/token", "GET"],
    ["/.well-known/oauth-authorization-server", "GET"],
    ["/.well-known/oauth-protected-resource/mcp", "GET"],
  ])("RFC 6749 §5.1: %s (%s) is JSON that nobody guesses about or frames", async (path, method) => {
    const answer = await ask(path, { method });
    expect(answer.headers.get("content-type")).toMatch(/^application\/json\b/);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(answer.headers.get("strict-transport-security")).toMatch(/^max-age=31536000/);
    const cached = path.startsWith("/.well-known") ? "public, max-age=300" : "no-store";
    expect(answer.headers.get("cache-control")).toBe(cached);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe(verifies("pages.redirects", "redirects"), () => {
  it("RFC 9700 §4.12: approving and denying answer with a page, which leads where it says", async () => {
    for (const [decision, host] of [
      ["approve", "app.gong.test"],
      ["deny", "127.0.0.1:7777"],
    ] as const) {
      const page = await decided(decision);
      expect([page.status, page.headers.get("location")]).toEqual([200, null]);
      const html = await page.text();
      expect(leadsTo(html).host).toBe(host);
      expect(html).toContain(host);
    }
  });

  it("RFC 9700 §4.12, §4.2.4: the others are 303, uncached, and pass no Referer on", async () => {
    const browser = new TestBrowser();
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
    const query = authorizationQuery(PREREGISTERED.client_id, { scope: "bogus" });
    for (const redirect of [await browser.open(callback), await gatewayWithClient()(`/authorize?${query}`)]) {
      expect(redirect.status).toBe(303);
      expect(redirect.headers.get("cache-control")).toBe("no-store");
      expect(redirect.headers.get("referrer-policy")).toBe("no-referrer");
      expect(await redirect.text()).toBe("");
    }
  });
});
