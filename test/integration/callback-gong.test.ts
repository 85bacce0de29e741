// GET /callback and what Gong sends: errors, other issuers, other people's codes, and every kind of token answer.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo, tokenRequests } from "../gong/ledger-questions.ts";
import {
  agreeAtGong,
  approve,
  ASK_ACCOUNT,
  authorizationQuery,
  call,
  CLIENT_REDIRECT,
  ORIGIN,
  redeem,
  register,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { rowsOf } from "../support/evidence.ts";
import { type FaultLine, gong } from "../support/gong.ts";
import { expectRefusalPage } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

const exchanges = async (): Promise<number> => tokenRequests(await gong.ledger(), "authorization_code");

async function atCallback(): Promise<{ browser: TestBrowser; callback: URL }> {
  const browser = new TestBrowser();
  const callback = await agreeAtGong(await approve(browser, authorizationQuery(clientId)));
  return { browser, callback: new URL(callback, ORIGIN) };
}

/** What the client is told at its redirect URI. */
async function toldClient(browser: TestBrowser, callback: URL): Promise<Record<string, string>> {
  const answer = await browser.open(callback.pathname + callback.search);
  expect(answer.status).toBe(303);
  const location = new URL(answer.headers.get("location") ?? "");
  expect(location.origin + location.pathname).toBe(CLIENT_REDIRECT);
  return Object.fromEntries(location.searchParams);
}

describe(verifies("callback.parameters", "a callback with abnormal parameters"), () => {
  it.each<[string, (query: URLSearchParams) => void]>([
    ["code twice", (query) => query.append("code", "b")],
    ["state twice", (query) => query.append("state", query.get("state") ?? "")],
    ["iss twice", (query) => ["a", "b"].forEach((iss) => query.append("iss", iss))],
    ["error twice", (query) => ["a", "b"].forEach((error) => query.append("error", error))],
    ["a code of 5,000 characters", (query) => query.set("code", "x".repeat(5000))],
    ["a code with line ends", (query) => query.set("code", "x\r\ny: z")],
    ["a code beyond ASCII", (query) => query.set("code", "é\u{1F600}")],
    ["an empty code", (query) => query.set("code", "")],
  ])("RFC 6749 §3.1: %s is refused before Gong is asked, and the sign-in can go on", async (_, spoil) => {
    const { browser, callback } = await atCallback();
    const spoiled = new URL(callback);
    spoil(spoiled.searchParams);
    await expectRefusalPage(await browser.open(spoiled.pathname + spoiled.search));
    expect(await exchanges()).toBe(0);
    expect(await toldClient(browser, callback)).toHaveProperty("code");
  });

  it.each(["next", "return_to", "redirect_uri", "client_id", "url"])(
    "RFC 9700 §4.11: a parameter %s is not read",
    async (name) => {
      const { browser, callback } = await atCallback();
      callback.searchParams.set(name, "https://evil.test/");
      expect(await toldClient(browser, callback)).toHaveProperty("code");
    },
  );

  it.each(["code_twice", "state_twice"] as const)(
    "RFC 6749 §3.1: Gong itself sending %s is refused",
    async (extra) => {
      await gong.knobs({ callbackExtra: extra });
      const { browser, callback } = await atCallback();
      await expectRefusalPage(await browser.open(callback.pathname + callback.search));
      expect(await exchanges()).toBe(0);
    },
  );

  it.each(["wrong", "missing"] as const)(
    "RFC 6749 §4.1.2: Gong sending a %s state is refused",
    async (state) => {
      await gong.knobs({ callbackState: state });
      const { browser, callback } = await atCallback();
      await expectRefusalPage(await browser.open(callback.pathname + callback.search));
      expect(await exchanges()).toBe(0);
    },
  );
});

describe(verifies("callback.issuer", "the issuer of a callback"), () => {
  it.each([
    ["absent", "code", 1],
    ["own", "code", 1],
    ["foreign", "error", 0],
  ] as const)("RFC 9207 §2.4: an iss that is %s leads to %s", async (callbackIss, member, count) => {
    await gong.knobs({ callbackIss });
    const { browser, callback } = await atCallback();
    expect(await toldClient(browser, callback)).toHaveProperty(member);
    expect(await exchanges()).toBe(count);
  });
});

describe(verifies("callback.gong_error", "Gong's own error"), () => {
  it.each([
    ["access_denied", "access_denied"],
    ["server_error", "temporarily_unavailable"],
    ["temporarily_unavailable", "temporarily_unavailable"],
    ["invalid_scope", "server_error"],
    ["unauthorized_client", "server_error"],
    ["<script>xss(1)</script>", "access_denied"],
  ])(
    "RFC 6749 §4.1.2.1: %s becomes %s, without Gong's words, and a code beside it is not exchanged",
    async (error, told) => {
      const { browser, callback } = await atCallback();
      callback.searchParams.set("error", error);
      callback.searchParams.set("error_description", "CANARY-from-gong");
      const answer = await toldClient(browser, callback);
      expect(answer).toMatchObject({ error: told, state: "client-state", iss: ORIGIN });
      expect(JSON.stringify(answer)).not.toMatch(/CANARY|<script/);
      expect(answer).not.toHaveProperty("code");
      expect(await exchanges()).toBe(0);
    },
  );

  it("RFC 6749 §4.1.2.1: a person who denies at Gong is a denial for the client", async () => {
    await gong.knobs({ authorizePage: "deny" });
    const { browser, callback } = await atCallback();
    expect(await toldClient(browser, callback)).toMatchObject({ error: "access_denied" });
  });
});

describe(verifies("callback.code_injection", "a Gong code in another sign-in"), () => {
  it("RFC 9700 §4.5: two codes swapped between two sign-ins give neither a token", async () => {
    const grants = (await rowsOf("CONNECTIONS", "grants")).length;
    const mine = await atCallback();
    await gong.signIn("grace");
    const theirs = await atCallback();
    const code = mine.callback.searchParams.get("code") ?? "";
    mine.callback.searchParams.set("code", theirs.callback.searchParams.get("code") ?? "");
    theirs.callback.searchParams.set("code", code);
    for (const { browser, callback } of [mine, theirs]) {
      const told = await toldClient(browser, callback);
      expect(told).toMatchObject({ error: "server_error" });
      expect(told).not.toHaveProperty("code");
    }
    expect(await rowsOf("CONNECTIONS", "grants")).toHaveLength(grants);
  });

  it("RFC 7636 §4.5: each exchange carries a verifier of its own, which was in no URL", async () => {
    for (let round = 0; round < 5; round += 1) await signIn(clientId);
    const entries = await gong.ledger();
    const forms = requestsTo(entries, "/oauth2/generate-mcp-token").map(
      ({ body }) => new URLSearchParams(body),
    );
    const verifiers = forms.map((form) => form.get("code_verifier") ?? "");
    expect(new Set(verifiers.filter((verifier) => /^[\w-]{43}$/.test(verifier))).size).toBe(5);
    const urls = JSON.stringify(requestsTo(entries, "/oauth2/authorize"));
    for (const verifier of verifiers) expect(urls).not.toContain(verifier);
  });
});

const FAULTS: readonly [told: string, fault: FaultLine["fault"]][] = [
  ["temporarily_unavailable", { kind: "drop_before" }],
  ["temporarily_unavailable", { kind: "accept_then_drop" }],
  ["temporarily_unavailable", { kind: "half_body" }],
  ["temporarily_unavailable", { kind: "status", status: 500, body: "CANARY" }],
  ["temporarily_unavailable", { kind: "status", status: 503, headers: { "retry-after": "30" } }],
  ["temporarily_unavailable", { kind: "rate_limited", retryAfter: "999999999" }],
  ["temporarily_unavailable", { kind: "rate_limited", retryAfter: "-1" }],
  ["temporarily_unavailable", { kind: "redirect" }],
  ["temporarily_unavailable", { kind: "redirect", status: 307, location: "https://evil.test/token" }],
  ["server_error", { kind: "status", status: 204 }],
  ["server_error", { kind: "status", status: 403, body: "<h1>CANARY firewall</h1>" }],
  ["server_error", { kind: "html" }],
  ["server_error", { kind: "empty" }],
  ["server_error", { kind: "invalid_json" }],
  ["server_error", { kind: "json_array" }],
  ["server_error", { kind: "json_null" }],
  ["server_error", { kind: "gzip_bomb", megabytes: 8 }],
  ["server_error", { kind: "huge_body", bytes: 1_000_000 }],
  ["server_error", { kind: "echo_request" }],
  ["server_error", { kind: "oauth_error", error: "invalid_grant", description: "CANARY" }],
  ["server_error", { kind: "oauth_error", error: "invalid_client", status: 401 }],
  ["server_error", { kind: "oauth_error", error: "unheard_of" }],
  ["access_denied", { kind: "oauth_error", error: "access_denied" }],
  ["server_error", { kind: "duplicate_keys" }],
  ["server_error", { kind: "crlf_values" }],
  ["server_error", { kind: "wrong_charset" }],
  ["server_error", { kind: "fields", remove: ["access_token"] }],
  ["server_error", { kind: "fields", set: { access_token: "" } }],
  ["server_error", { kind: "fields", set: { access_token: 7 } }],
  ["server_error", { kind: "fields", set: { token_type: "dpop" } }],
  ["server_error", { kind: "fields", remove: ["token_type"] }],
  ["server_error", { kind: "fields", set: { refresh_token: "with space" } }],
  ["temporarily_unavailable", { kind: "unauthorized" }],
];

describe(verifies("callback.exchange_failed", "Gong's token endpoint in trouble"), () => {
  it.each(FAULTS)(
    "RFC 6749 §4.1.2.1: the client is told %s for %o, and nothing is kept",
    async (told, fault) => {
      const grants = await rowsOf("CONNECTIONS", "grants");
      const { browser, callback } = await atCallback();
      await gong.fault({ endpoint: "token", fault });
      const answer = await toldClient(browser, callback);
      expect(answer).toMatchObject({ state: "client-state", iss: ORIGIN });
      expect(answer["error"]).toBe(fault.kind === "unauthorized" ? "server_error" : told);
      expect(JSON.stringify(answer)).not.toContain("CANARY");
      expect(answer).not.toHaveProperty("code");
      expect(await rowsOf("CONNECTIONS", "grants")).toEqual(grants);
      expect((await gong.requests()).filter(({ side }) => side === "elsewhere")).toEqual([]);

      await gong.clearFaults();
      expect((await signIn(clientId)).searchParams.get("code")).toMatch(/^gac_/);
    },
  );

  it("gateway: Gong that never answers is given up after twelve seconds", { timeout: 120_000 }, async () => {
    const { browser, callback } = await atCallback();
    await gong.fault({ endpoint: "token", fault: { kind: "hang" } });
    expect(await toldClient(browser, callback)).toMatchObject({ error: "temporarily_unavailable" });
  });
});

describe(verifies("connections.separate", "one person, one connection"), () => {
  it("RFC 9700 §4.7: signing in as another person at Gong leaves the first person's agent with their own data", async () => {
    const browser = new TestBrowser();
    const ada = await redeem(clientId, (await signIn(clientId, {}, browser)).searchParams.get("code") ?? "");
    await gong.signIn("grace");
    const grace = await redeem(
      clientId,
      (await signIn(clientId, {}, browser)).searchParams.get("code") ?? "",
    );
    const answers = await Promise.all(
      [ada, grace].map(({ access_token }) => call(access_token, ASK_ACCOUNT)),
    );
    const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
    expect(first).toContain("CANARY-ada");
    expect(first).not.toContain("CANARY-grace");
    expect(second).toContain("CANARY-grace");
    expect(second).not.toContain("CANARY-ada");
  });

  it("RFC 6749 §5.1: our token says no more scope than Gong gave", async () => {
    const { browser, callback } = await atCallback();
    await gong.fault({ endpoint: "token", fault: { kind: "fields", set: { scope: "mcp:ai-ask:read" } } });
    const { code = "" } = await toldClient(browser, callback);
    expect((await redeem(clientId, code)).scope).toBe("mcp:ai-ask:read");
  });
});
