// GET /authorize can be repeated, prefetched and flooded: it stores nothing, calls nobody, and redirects nobody.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  approve,
  ask,
  authorizationQuery,
  CLIENT_REDIRECT,
  leadsTo,
  register,
  sealedRequest,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { everythingStored, objectIds } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

describe(verifies("authorize.get_changes_nothing", "GET /authorize has no effect"), () => {
  it(
    "MCP Security Best Practices, Confused Deputy: hundreds of GETs leave storage and Gong as they were",
    { timeout: 120_000 },
    async () => {
      const { client_id: clientId } = await register();
      const before = await everythingStored();
      for (let round = 0; round < 100; round += 1) {
        const pages = await Promise.all([
          ask(`/authorize?${authorizationQuery(clientId, { state: `s${round}` })}`),
          ask(`/authorize?${authorizationQuery(clientId, { scope: "bogus" })}`),
          ask(`/authorize?${authorizationQuery(`gcl_${"A".repeat(20)}${String(round).padStart(2, "0")}`)}`),
          ask(`/authorize?${authorizationQuery(clientId)}`, { method: "HEAD" }),
        ]);
        expect(pages.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
        for (const page of pages) await page.body?.cancel();
      }
      expect(await everythingStored()).toBe(before);
      // A made-up client id is looked up in one of the fixed shards, and the policy in the one AdminObject, which then
      // exist, empty.
      const { REGISTRY: shards, ADMIN: admins, ...others } = await objectIds();
      expect(shards.length).toBeLessThanOrEqual(16);
      expect(admins.length).toBeLessThanOrEqual(1);
      expect(others).toEqual({ CONNECTIONS: [], ESCROWS: [], TRANSACTIONS: [] });
      expect(await gong.requests()).toEqual([]);
    },
  );

  it("MCP Security Best Practices: before approval the only cookie is the form's, and no state for Gong exists", async () => {
    const { client_id: clientId } = await register();
    const page = await ask(`/authorize?${authorizationQuery(clientId)}`);
    const cookies = page.headers.getSetCookie();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(
      /^__Host-consent=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(await page.text()).not.toContain("gst_");
  });
});

describe(verifies("consent.every_client", "every client gets a consent page of its own"), () => {
  it("MCP Security Best Practices, Confused Deputy: a person who approved one client is asked about the next", async () => {
    await gong.knobs({ skipConsentForReturningPerson: true });
    const browser = new TestBrowser();
    const first = await register({ client_name: "Claude" });
    await signIn(first.client_id, {}, browser);
    const since = (await gong.ledger()).length;

    const stranger = await register({ client_name: "Claude", redirect_uris: ["https://evil.test/cb"] });
    const page = await browser.open(
      `/authorize?${authorizationQuery(stranger.client_id, { redirect_uri: "https://evil.test/cb" })}`,
    );
    expect(page.status).toBe(200);
    expect(page.headers.get("location")).toBeNull();
    const text = readText(await page.text());
    expect(text).toContain("Full address https://evil.test/cb");
    expect(text).toContain("Not verified");
    expect(await gong.ledger(since)).toEqual([]);
  });

  it("gateway: a registration with the same name and redirect URI is asked about too, and the same client again", async () => {
    const browser = new TestBrowser();
    const first = await register({ client_name: "Twin" });
    const clone = await register({ client_name: "Twin" });
    await signIn(first.client_id, {}, browser);
    for (const id of [clone.client_id, first.client_id]) {
      const page = await browser.open(`/authorize?${authorizationQuery(id)}`);
      expect(readText(await page.text())).toContain("Let this client use Gong?");
    }
  });
});

describe(verifies("consent.form_lives_ten_minutes", "how long a consent form works"), () => {
  const begin = async (): Promise<{ browser: TestBrowser; request: string }> => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    return { browser, request: sealedRequest(await page.text()) };
  };

  it("gateway: a reload keeps the first page's form good", async () => {
    const { client_id: clientId } = await register();
    const browser = new TestBrowser();
    const first = sealedRequest(
      await (await browser.open(`/authorize?${authorizationQuery(clientId)}`)).text(),
    );
    await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    const answer = await browser.post("/authorize", { request: first, decision: "approve" });
    expect(leadsTo(await answer.text()).host).toBe("app.gong.test");
  });

  it.each([
    [599, 200],
    [601, 400],
  ])("gateway: %d seconds after the page was made, approving answers %d", async (seconds, status) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const { browser, request } = await begin();
    const before = (await objectIds()).TRANSACTIONS;
    vi.setSystemTime(now + seconds * 1000);
    const answer = await browser.post("/authorize", { request, decision: "approve" });
    expect(answer.status).toBe(status);
    expect((await objectIds()).TRANSACTIONS.length - before.length).toBe(status === 200 ? 1 : 0);
  });
});

describe(verifies("authorize.upstream_request", "what Gong is asked"), () => {
  it(
    "RFC 9700 §2.1, RFC 7636 §7.1: state and challenge are fresh for each approval and never the client's",
    { timeout: 120_000 },
    async () => {
      const { client_id: clientId } = await register();
      const states = new Set<string>();
      const challenges = new Set<string>();
      const rounds = 60;
      for (let round = 0; round < rounds; round += 1) {
        const { searchParams } = await approve(new TestBrowser(), authorizationQuery(clientId));
        const [state, challenge] = [
          searchParams.get("state") ?? "",
          searchParams.get("code_challenge") ?? "",
        ];
        expect(state).toMatch(/^gst_[\w-]{124}$/);
        expect(challenge).toMatch(/^[\w-]{43}$/);
        expect(state).not.toContain("client-state");
        expect(searchParams.get("redirect_uri")).toBe("https://gateway.test/callback");
        expect(searchParams.get("code_challenge_method")).toBe("S256");
        expect(searchParams.toString()).not.toContain(
          new URLSearchParams({ x: CLIENT_REDIRECT }).toString().slice(2),
        );
        states.add(state);
        challenges.add(challenge);
      }
      expect([states.size, challenges.size]).toEqual([rounds, rounds]);
    },
  );
});
