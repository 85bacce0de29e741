// What a person's decision does: approve once, deny, nothing but what the page showed.

import { env } from "cloudflare:workers";
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  agreeAtGong,
  approve,
  ask,
  askToken,
  authorizationQuery,
  CLIENT_REDIRECT,
  leadsTo,
  ORIGIN,
  PKCE,
  redeem,
  register,
  RESOURCE,
  sealedRequest,
  TestBrowser,
} from "../support/flow.ts";
import { objectIds, rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError, expectRefusalPage } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

async function onConsentPage(
  changes: Record<string, string | undefined> = {},
  id = clientId,
): Promise<{ browser: TestBrowser; request: string }> {
  const browser = new TestBrowser();
  const page = await browser.open(`/authorize?${authorizationQuery(id, changes)}`);
  return { browser, request: sealedRequest(await page.text()) };
}

describe(verifies("consent.once", "one approval begins one sign-in"), () => {
  it(
    "RFC 9700 §4.7: the same form fifty times in parallel leads to one state at Gong",
    { timeout: 120_000 },
    async () => {
      const { browser, request } = await onConsentPage();
      const before = (await objectIds()).TRANSACTIONS.length;
      const cookie = `__Host-consent=${browser.cookies.get("__Host-consent")}`;
      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          ask("/authorize", {
            method: "POST",
            body: new URLSearchParams({ request, decision: "approve" }),
            headers: { origin: ORIGIN, cookie },
          }),
        ),
      );
      const urls = await Promise.all(answers.map(async (answer) => leadsTo(await answer.text()).href));
      expect(new Set(urls).size).toBe(1);
      const cookies = answers.map((answer) => answer.headers.getSetCookie().join());
      expect(new Set(cookies).size).toBe(1);
      expect((await objectIds()).TRANSACTIONS.length - before).toBe(1);
    },
  );

  it("gateway: the form of a sign-in that is finished can't begin another", async () => {
    const { browser, request } = await onConsentPage();
    const first = leadsTo(await (await browser.post("/authorize", { request, decision: "approve" })).text());
    await browser.open(await agreeAtGong(first));
    const again = leadsTo(await (await browser.post("/authorize", { request, decision: "approve" })).text());
    expect(again.searchParams.get("state")).toBe(first.searchParams.get("state"));
    const reload = await browser.open(await agreeAtGong(again));
    const code = new URL(reload.headers.get("location") ?? "").searchParams.get("code") ?? "";
    await redeem(clientId, code);
    expect(await rowsOf("CONNECTIONS", "grants")).toHaveLength(1);
  });
});

describe(verifies("consent.shown_is_granted", "a form can't ask for more than its page showed"), () => {
  it.each([
    ["redirect_uri", "https://evil.test/cb"],
    ["client_id", "gcl_AAAAAAAAAAAAAAAAAAAAAA"],
    ["scope", "mcp:ai-ask:read mcp:ai-briefer:read mcp:ai-assistant:read"],
    ["approved_scopes", "admin"],
    ["resource", "https://gateway.test/shared/mcp"],
    ["state", "planted"],
    ["user", "grace"],
    ["code_challenge", "A".repeat(43)],
    ["transaction", "AAAAAAAAAAAAAAAAAAAAAA"],
    ["__proto__", "x"],
  ])("OWASP ASVS 15.3.3: %s in the form changes nothing", async (name, value) => {
    const { browser, request } = await onConsentPage({ scope: "mcp:ai-ask:read" });
    const answer = await browser.post("/authorize", { request, decision: "approve", [name]: value });
    const end = await browser.open(await agreeAtGong(leadsTo(await answer.text())));
    const location = new URL(end.headers.get("location") ?? "");
    expect(location.origin + location.pathname).toBe(CLIENT_REDIRECT);
    expect(location.searchParams.get("state")).toBe("client-state");
    const tokens = await redeem(clientId, location.searchParams.get("code") ?? "");
    expect(tokens.scope).toBe("mcp:ai-ask:read");
  });

  it("RFC 6749 §3.1: what stands in the URL of the post is not read", async () => {
    const { browser, request } = await onConsentPage();
    const answer = await browser.post(`/authorize?request=${request}&decision=approve`, { decision: "deny" });
    await expectRefusalPage(answer);
  });
});

describe(verifies("consent.deny", "denying"), () => {
  it("RFC 6749 §4.1.2.1, RFC 9207 §2: the client is told, with state and iss, and Gong hears nothing", async () => {
    const { browser, request } = await onConsentPage({ state: "my state+%" });
    const answer = await browser.post("/authorize", { request, decision: "deny" });
    expect(answer.status).toBe(200);
    const url = leadsTo(await answer.text());
    expect(url.origin + url.pathname).toBe(CLIENT_REDIRECT);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      error: "access_denied",
      error_description: "The person denied the request.",
      state: "my state+%",
      iss: ORIGIN,
    });
    expect(await gong.requests()).toEqual([]);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it("RFC 6749 §4.1.2: any state comes back as it was sent", { timeout: 120_000 }, async () => {
    const states = [
      "",
      " ",
      "+",
      "%",
      "%25",
      "%0d%0aSet-Cookie: x=1",
      "\r\nSet-Cookie: x=1",
      "\u0000",
      '"><script>xss(1)</script>',
      "a&code=evil&iss=https://evil.test",
      "#fragment",
      "\u{1F600} \u202E é e\u0301",
      "\\u0022",
      "x".repeat(2000),
      ...Array.from({ length: 60 }, (_, seed) => stateFrom(seed)),
    ];
    for (const state of states) {
      const { browser, request } = await onConsentPage({ state });
      const answer = await browser.post("/authorize", { request, decision: "deny" });
      const url = leadsTo(await answer.text());
      expect(url.searchParams.get("state")).toBe(state === "" ? null : state);
      expect(url.searchParams.getAll("iss")).toEqual([ORIGIN]);
      expect(url.searchParams.has("code")).toBe(false);
    }
  });
});

/** Forty characters out of the whole of Unicode, the same for the same seed. */
function stateFrom(seed: number): string {
  let at = seed + 1;
  return Array.from({ length: 40 }, () => {
    at = (at * 48_271) % 2_147_483_647;
    const point = at % (at % 3 === 0 ? 0x110000 : 0x80);
    return String.fromCodePoint(point >= 0xd800 && point <= 0xdfff ? 0x20 : point);
  }).join("");
}

describe(verifies("consent.client_still_there", "a client that is removed during the sign-in"), () => {
  const remove = async (id: string): Promise<void> => {
    for (const shard of await listDurableObjectIds(env.REGISTRY)) {
      await runInDurableObject(env.REGISTRY.get(shard), (_object, { storage }) => {
        storage.sql.exec("DELETE FROM clients WHERE id = ?", id);
      });
    }
  };

  it("RFC 7592 §2.3: before the decision, nothing is approved", async () => {
    const { client_id: id } = await register();
    const { browser, request } = await onConsentPage({}, id);
    await remove(id);
    await expectRefusalPage(await browser.post("/authorize", { request, decision: "approve" }));
    expect(await gong.requests()).toEqual([]);
  });

  it("RFC 7592 §2.3: while the person is at Gong, no code is given", async () => {
    const { client_id: id } = await register();
    const browser = new TestBrowser();
    const callback = await agreeAtGong(await approve(browser, authorizationQuery(id)));
    await remove(id);
    const answer = await browser.open(callback);
    const { searchParams } = new URL(answer.headers.get("location") ?? "");
    expect(searchParams.get("error")).toBe("unauthorized_client");
    expect(searchParams.has("code")).toBe(false);
  });

  it("RFC 7592 §2.3: before the code is redeemed, no token is given", async () => {
    const { client_id: id } = await register();
    const browser = new TestBrowser();
    const answer = await browser.open(await agreeAtGong(await approve(browser, authorizationQuery(id))));
    await remove(id);
    const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const refused = await askToken({
      grant_type: "authorization_code",
      client_id: id,
      code,
      code_verifier: PKCE.verifier,
      resource: RESOURCE,
    });
    await expectOAuthError(refused, "invalid_client", 401);
  });
});
