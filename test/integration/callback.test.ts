// GET /callback under attack: states that are not ours, browsers that are not the one, and the same callback again.

import { beforeAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { redemptionsOf, tokenRequests } from "../gong/ledger-questions.ts";
import {
  agreeAtGong,
  approve,
  ask,
  authorizationQuery,
  connect,
  redeem,
  register,
  sealedRequest,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { everythingStored, objectIds, rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectRefusalPage } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const exchanges = async (): Promise<number> => tokenRequests(await gong.ledger(), "authorization_code");
const grants = async (): Promise<number> => (await rowsOf("CONNECTIONS", "grants")).length;

/** A browser that was at Gong, and the callback it was sent to but has not opened. */
async function atCallback(): Promise<{ browser: TestBrowser; callback: string }> {
  const browser = new TestBrowser();
  return { browser, callback: await agreeAtGong(await approve(browser, authorizationQuery(clientId))) };
}

/** The browser's cookie of its one transaction. */
function binding(browser: TestBrowser): [name: string, value: string] {
  const found = [...browser.cookies].find(([name]) => name.startsWith("__Host-txn-"));
  if (found === undefined) throw new Error("The browser has no transaction");
  return found;
}

describe(verifies("callback.state", "the state of a callback"), () => {
  it.each([
    "/callback",
    "/callback?code=x",
    "/callback?code=x&state=",
    "/callback?state=x",
    "/callback?error=access_denied",
  ])("RFC 6749 §10.12: %s is refused, and nothing happens", async (path) => {
    const { browser } = await atCallback();
    const before = await everythingStored();
    await expectRefusalPage(await browser.open(path));
    expect(await exchanges()).toBe(0);
    expect(await everythingStored()).toBe(before);
  });

  it("RFC 9700 §4.7: five hundred made-up states wake no object", { timeout: 120_000 }, async () => {
    const before = await objectIds();
    for (let round = 0; round < 500; round += 1) {
      const bytes = crypto.getRandomValues(new Uint8Array(93));
      const made = btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_");
      const answer = await ask(`/callback?code=x&state=gst_${made}`, {
        headers: { cookie: `__Host-txn-${made.slice(0, 21)}A=${made.slice(0, 43)}` },
      });
      expect(answer.status).toBe(400);
      await answer.body?.cancel();
    }
    expect(await objectIds()).toEqual(before);
    expect(await gong.requests()).toEqual([]);
  });

  it(
    "gateway: one character of a good state changed, anywhere, is refused and leaves the sign-in usable",
    { timeout: 120_000 },
    async () => {
      const { browser, callback } = await atCallback();
      const url = new URL(callback, "https://gateway.test");
      const state = url.searchParams.get("state") ?? "";
      for (let at = 0; at < state.length; at += 3) {
        const spoiled = state.slice(0, at) + (state[at] === "A" ? "B" : "A") + state.slice(at + 1);
        url.searchParams.set("state", spoiled);
        await expectRefusalPage(await browser.open(url.pathname + url.search));
      }
      expect(await exchanges()).toBe(0);
      expect((await browser.open(callback)).status).toBe(303);
    },
  );

  it("OWASP ASVS 9.2.2: nothing else that the gateway makes is a state", { timeout: 120_000 }, async () => {
    const { tokens } = await connect();
    const code = (await signIn(clientId)).searchParams.get("code") ?? "";
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(clientId)}`);
    const [name, value] = binding((await atCallback()).browser);
    const before = await exchanges();
    const others = [
      sealedRequest(await page.text()),
      browser.cookies.get("__Host-consent") ?? "",
      name.slice("__Host-txn-".length),
      value,
      code,
      tokens.access_token,
      tokens.refresh_token,
      `gst_${code.slice(4)}`,
      `gst_${tokens.refresh_token.slice(4)}`,
    ];
    for (const state of others) {
      const query = new URLSearchParams({ code: "x", state });
      const answer = await ask(`/callback?${query}`, { headers: { cookie: `${name}=${value}` } });
      await expectRefusalPage(answer);
    }
    expect(await exchanges()).toBe(before);
  });
});

describe(verifies("callback.state", "a transaction that was made up"), { timeout: 120_000 }, () => {
  it("gateway: a hundred of them, each with a cookie to match, wake no object on the waiting page", async () => {
    const [, value] = binding((await atCallback()).browser);
    const before = await objectIds();
    for (let round = 0; round < 100; round += 1) {
      const id = `${String(round).padStart(3, "0")}${"A".repeat(19)}`;
      for (const cookie of ["x".repeat(43), value]) {
        const headers = { cookie: `__Host-txn-${id}=${cookie}` };
        await expectRefusalPage(await ask(`/authorize/waiting/${id}`, { headers }));
      }
    }
    expect(await objectIds()).toEqual(before);
  });
});

describe(verifies("callback.browser_bound", "a callback in another browser"), () => {
  it.each<[string, (own: [string, string], other: [string, string]) => string]>([
    ["no cookie", () => ""],
    ["another sign-in's cookie", (_, [name, value]) => `${name}=${value}`],
    ["the right name with another sign-in's value", ([name], [, value]) => `${name}=${value}`],
    ["the right name with one character changed", ([name, value]) => `${name}=${value.slice(0, -1)}!`],
    ["the right name without a value", ([name]) => `${name}=`],
    ["the right cookie twice", ([name, value]) => `${name}=${value}; ${name}=${value}`],
    ["the right value under a plain name", ([name, value]) => `${name.slice("__Host-".length)}=${value}`],
  ])(
    "MCP Security Best Practices: %s is refused, Gong is not asked, and the person can go on",
    async (_, cookie) => {
      const { browser, callback } = await atCallback();
      const stranger = await atCallback();
      const headers = { cookie: cookie(binding(browser), binding(stranger.browser)) };
      await expectRefusalPage(await ask(callback, { headers }));
      expect(await exchanges()).toBe(0);
      expect((await browser.open(callback)).status).toBe(303);
    },
  );

  it("RFC 9700 §4.7: a person who is sent a stranger's approval URL signs nobody in", async () => {
    const attacker = new TestBrowser();
    const gongUrl = await approve(attacker, authorizationQuery(clientId));
    const victim = new TestBrowser();
    await victim.open(`/authorize?${authorizationQuery(clientId)}`);
    await gong.signIn("grace");
    await expectRefusalPage(await victim.open(await agreeAtGong(gongUrl)));
    expect(await exchanges()).toBe(0);
  });

  it("RFC 9700 §4.7: a person who is sent a stranger's finished callback is attached to nothing", async () => {
    const { callback } = await atCallback();
    const before = await grants();
    await expectRefusalPage(await new TestBrowser().open(callback));
    expect(await grants()).toBe(before);
    expect(await exchanges()).toBe(0);
  });
});

describe(verifies("callback.once", "the same callback many times"), () => {
  it(
    "RFC 9700 §4.5: fifty at once mean one exchange at Gong, one grant, one code, and no failure",
    { timeout: 120_000 },
    async () => {
      await gong.knobs({ tokenDelayMs: 50 });
      const { browser, callback } = await atCallback();
      const before = await grants();
      const cookie = binding(browser).join("=");
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => ask(callback, { headers: { cookie } })),
      );
      const locations = answers.flatMap((answer) => answer.headers.get("location") ?? []);
      expect(new Set(locations).size).toBe(1);
      expect(answers.filter(({ status }) => status !== 303 && status !== 409)).toEqual([]);
      for (const busy of answers.filter(({ status }) => status === 409)) {
        expect(busy.headers.get("retry-after")).toBe("2");
        expect(await busy.text()).toContain("being finished");
      }
      expect(await exchanges()).toBe(1);
      const code = new URLSearchParams(callback.slice(callback.indexOf("?"))).get("code") ?? "";
      expect(redemptionsOf(await gong.ledger(), code)).toHaveLength(1);
      expect((await grants()) - before).toBe(1);
    },
  );

  it("RFC 9700 §4.5: another browser that has the URL gets nothing, before and after", async () => {
    const { browser, callback } = await atCallback();
    await expectRefusalPage(await new TestBrowser().open(callback));
    expect((await browser.open(callback)).status).toBe(303);
    await expectRefusalPage(await new TestBrowser().open(callback));
    expect(await exchanges()).toBe(1);
  });
});

describe(verifies("callback.reload", "an innocent reload"), () => {
  it("gateway: within a minute it leads to the same place; the code in it still works once", async () => {
    const { browser, callback } = await atCallback();
    const first = await browser.open(callback);
    const again = await browser.open(callback);
    expect([again.status, again.headers.get("location")]).toEqual([303, first.headers.get("location")]);
    expect(await exchanges()).toBe(1);
    const code = new URL(first.headers.get("location") ?? "").searchParams.get("code") ?? "";
    await redeem(clientId, code);
    await expect(redeem(clientId, code)).rejects.toThrow("400");
  });

  it("gateway: after a minute the page says that the sign-in is finished", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const { browser, callback } = await atCallback();
    await browser.open(callback);
    vi.setSystemTime(now + 61_000);
    expect(await expectRefusalPage(await browser.open(callback))).toContain("already finished");
    expect(await exchanges()).toBe(1);
  });
});

describe(verifies("callback.expires", "how long a person has at Gong"), () => {
  it.each([
    [599, 303],
    [600, 400],
    [3600, 400],
  ])("gateway: %d seconds after the approval the callback answers %d", async (seconds, status) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const { browser, callback } = await atCallback();
    vi.setSystemTime(now + seconds * 1000);
    expect((await browser.open(callback)).status).toBe(status);
    expect(await exchanges()).toBe(status === 303 ? 1 : 0);
  });
});
