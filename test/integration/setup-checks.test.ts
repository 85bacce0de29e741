// The checks of /admin/setup that need nobody at Gong: one verdict for each thing that can be wrong, and nothing
// changed by looking. The sign-in at Gong is in setup-sign-in.test.ts.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo, tokenRequests } from "../gong/ledger-questions.ts";
import { clientSites } from "../support/client-site.ts";
import { everythingStored, recordLogs, rowsOf, secretsIn } from "../support/evidence.ts";
import { ASK_ACCOUNT, call, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong, type KnobChanges } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { GOOD_SETTINGS, SetupAdmin } from "../support/setup.ts";

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const CLIENT = "Gong accepts the client ID and the secret (Personal access)";

const bytesAsKey = (byteAt: (at: number) => number): string =>
  btoa(String.fromCharCode(...Array.from({ length: 32 }, (_, at) => byteAt(at))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

interface Case {
  readonly settings?: Record<string, string>;
  readonly knobs?: KnobChanges;
  readonly arrange?: () => Promise<unknown>;
  readonly title: string;
  readonly verdict: string;
  readonly says: string;
}

const CASES: ReadonlyArray<readonly [name: string, expected: Case]> = [
  ["settings as they must be", { title: "The settings", verdict: "OK", says: "All is well" }],
  [
    "the example's client secret",
    {
      settings: { GONG_CLIENT_SECRET: "the client secret beside it" },
      title: "The settings",
      verdict: "Problem",
      says: "GONG_CLIENT_SECRET",
    },
  ],
  [
    "an admin token of one letter",
    {
      settings: { ADMIN_TOKEN: "a".repeat(40) },
      title: "The settings",
      verdict: "Problem",
      says: "can be guessed",
    },
  ],
  [
    "an admin token from this project's tests",
    {
      settings: { ADMIN_TOKEN: "admin-token-for-tests-0123456789abcdef" },
      title: "The settings",
      verdict: "Problem",
      says: "can be guessed",
    },
  ],
  ["random keys", { title: "The sealing keys", verdict: "OK", says: "All is well" }],
  [
    "a key from this project's tests",
    {
      settings: {
        SEALING_KEYS: `${GOOD_SETTINGS.SEALING_KEYS},old:SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg`,
      },
      title: "The sealing keys",
      verdict: "Problem",
      says: "everybody can read it: old",
    },
  ],
  [
    "a key that counts",
    {
      settings: { SEALING_KEYS: `${GOOD_SETTINGS.SEALING_KEYS},c:${bytesAsKey((at) => 7 + at * 3)}` },
      title: "The sealing keys",
      verdict: "Problem",
      says: "not random: c",
    },
  ],
  [
    "a key that is text",
    {
      settings: {
        SEALING_KEYS: `${GOOD_SETTINGS.SEALING_KEYS},t:${bytesAsKey((at) => 65 + ((at * 7) % 26))}`,
      },
      title: "The sealing keys",
      verdict: "Problem",
      says: "not random: t",
    },
  ],
  ["Gong as it is", { title: "Gong's sign-in", verdict: "OK", says: "People sign in at: app.gong.test" }],
  [
    "Gong out of reach",
    {
      settings: { GONG_MCP_URL: "https://nowhere-client.test/mcp" },
      title: "Gong's sign-in",
      verdict: "Could not check",
      says: "did not answer as it should",
    },
  ],
  [
    "a server that describes another resource",
    {
      settings: { GONG_MCP_URL: "https://other-client.test/mcp" },
      arrange: () =>
        clientSites.serve("https://other-client.test/.well-known/oauth-protected-resource/mcp", {
          resource: "https://elsewhere.test/mcp",
          authorization_servers: ["https://elsewhere.test"],
        }),
      title: "Gong's sign-in",
      verdict: "Problem",
      says: "does not describe a sign-in",
    },
  ],
  [
    "an IP restriction in front of the metadata",
    {
      settings: { GONG_MCP_URL: "https://walled-client.test/mcp" },
      arrange: () =>
        clientSites.answer("https://walled-client.test/.well-known/oauth-protected-resource/mcp", {
          status: 403,
        }),
      title: "Gong's sign-in",
      verdict: "Problem",
      says: "turn off the IP restriction",
    },
  ],
  ["the right id and secret", { title: CLIENT, verdict: "OK", says: "All is well" }],
  [
    "another secret",
    {
      settings: { GONG_CLIENT_SECRET: "per:sonal+secret%/2" },
      title: CLIENT,
      verdict: "Problem",
      says: "View credentials",
    },
  ],
  [
    "another client id",
    {
      settings: { GONG_CLIENT_ID: "gong-client-unknown" },
      title: CLIENT,
      verdict: "Problem",
      says: "does not know this client ID",
    },
  ],
  [
    "another secret, told in Gong's REST form",
    {
      settings: { GONG_CLIENT_SECRET: "wrong" },
      knobs: { errorBody: "gong_rest" },
      title: CLIENT,
      verdict: "Problem",
      says: "View credentials",
    },
  ],
  [
    "an IP restriction at the token endpoint",
    {
      knobs: { refusedAddressAt: "token" },
      title: CLIENT,
      verdict: "Problem",
      says: "turn off the IP restriction",
    },
  ],
  [
    "an answer in another form",
    {
      knobs: { errorBody: "html" },
      title: CLIENT,
      verdict: "Could not check",
      says: "did not answer as it should",
    },
  ],
  [
    "too many requests",
    {
      arrange: () => gong.fault({ endpoint: "token", fault: { kind: "rate_limited" }, times: 2 }),
      title: CLIENT,
      verdict: "Could not check",
      says: "asks for fewer requests",
    },
  ],
  [
    "a token endpoint that fails",
    {
      arrange: () => gong.fault({ endpoint: "token", fault: { kind: "status", status: 503 }, times: 2 }),
      title: CLIENT,
      verdict: "Could not check",
      says: "did not answer as it should",
    },
  ],
  [
    "a token endpoint that hangs up",
    {
      arrange: () => gong.fault({ endpoint: "token", fault: { kind: "drop_before" }, times: 2 }),
      title: CLIENT,
      verdict: "Could not check",
      says: "did not answer as it should",
    },
  ],
];

describe(verifies("setup.checks", "what each check says"), () => {
  it.each(CASES)("gateway: with %s", async (_, { settings = {}, knobs, arrange, title, verdict, says }) => {
    if (knobs !== undefined) await gong.knobs(knobs);
    await arrange?.();
    const admin = await new SetupAdmin(settings).signIn();
    await admin.check();
    const [shown, ...more] = await admin.shown(title);
    expect(shown).toMatchObject({ verdict, text: expect.stringContaining(says) });
    expect(more).toEqual([]);
    expect(shown?.text.includes("What to do.")).toBe(verdict !== "OK");
  });

  it("gateway: each integration is checked for itself", async () => {
    const admin = await new SetupAdmin({ GONG_SHARED_CLIENT_SECRET: "wrong" }).signIn();
    await admin.check();
    const verdicts = (await admin.shown("Gong accepts the client ID")).map(({ title, verdict }) => [
      title.slice(title.indexOf("(")),
      verdict,
    ]);
    expect(verdicts).toEqual([
      ["(Personal access)", "OK"],
      ["(Shared access)", "Problem"],
    ]);
  });

  it("gateway: a page at another address than PUBLIC_URL is a problem", async () => {
    const admin = await new SetupAdmin().signIn();
    const fields = await admin.fields("/setup/check");
    await admin.browser.post("https://elsewhere.test/admin/setup/check", fields);
    expect(await admin.shown("PUBLIC_URL")).toMatchObject([{ verdict: "Problem" }]);
    await admin.check();
    expect(await admin.shown("PUBLIC_URL")).toMatchObject([{ verdict: "OK" }]);
  });

  it("gateway: a result of other settings counts for nothing, and comes back with them", async () => {
    const admin = await new SetupAdmin().signIn();
    await admin.check();
    const other = await new SetupAdmin({ GONG_CLIENT_ID: "gong-client-new" }).signIn();
    expect(await other.shown(CLIENT)).toMatchObject([{ verdict: "Not checked" }]);
    expect(await other.shown("Gong's sign-in")).toMatchObject([{ verdict: "OK" }]);
    expect(await admin.shown(CLIENT)).toMatchObject([{ verdict: "OK" }]);
  });

  it("gateway: a published or guessable key in this project is known to the check", async () => {
    // Not in a list by accident: the two keys of the unit tests' settings.
    const { KEY, OTHER_KEY } = await import("../unit/settings.ts");
    for (const key of [KEY, OTHER_KEY]) {
      const admin = await new SetupAdmin({ SEALING_KEYS: `${GOOD_SETTINGS.SEALING_KEYS},x:${key}` }).signIn();
      await admin.check();
      expect(await admin.shown("The sealing keys")).toMatchObject([{ verdict: "Problem" }]);
    }
  });
});

describe(verifies("setup.harmless", "what the checks do not do"), () => {
  it("gateway: they spend no credit and no refresh token, and leave connections as they are", async () => {
    const { tokens } = await connectAs("ada");
    const before = (await gong.ledger()).length;
    const connections = await rowsOf("CONNECTIONS", "connection");
    const admin = await new SetupAdmin().signIn();
    await admin.check();
    const since = await gong.ledger(before);
    const redeemed = since.flatMap((entry) =>
      entry.kind === "redemption" ? [[entry.of, entry.result]] : [],
    );
    expect(redeemed).toEqual([
      ["code", "unknown"],
      ["code", "unknown"],
    ]);
    expect(tokenRequests(since, "refresh_token")).toBe(0);
    expect(requestsTo(since, "/mcp")).toEqual([]);
    expect(await gong.credits()).toBe(0);
    expect(await rowsOf("CONNECTIONS", "connection")).toEqual(connections);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("OWASP ASVS 14.2.4: no secret is in the page, in storage or in a log", async () => {
    const logs = recordLogs();
    const admin = await new SetupAdmin({ GONG_CLIENT_SECRET: "canary-client-secret" }).signIn();
    await admin.check();
    const secrets = {
      "the client secret": "canary-client-secret",
      "the shared client secret": "sha:red+secret%/1",
      "the admin token": GOOD_SETTINGS.ADMIN_TOKEN,
      "the sealing key": GOOD_SETTINGS.SEALING_KEYS.slice(3),
      "the session": admin.browser.cookies.get("__Host-admin") ?? "",
    };
    expect(secretsIn(await admin.page(), secrets)).toEqual([]);
    expect(secretsIn(await everythingStored(), secrets)).toEqual([]);
    expect(secretsIn(logs.join("\n"), secrets)).toEqual([]);
  });

  it.each([
    ["/admin/setup/check", {}],
    ["/admin/setup/sign-in", { integration: "main" }],
    ["/admin/setup/sign-in", { integration: "shared" }],
  ])(
    "RFC 6749 §10.12: %s %j from another site, or without the form token, asks Gong nothing",
    async (path, more) => {
      const admin = await new SetupAdmin().signIn();
      const { csrf = "" } = await admin.fields("/setup/check");
      const before = (await gong.ledger()).length;
      const stored = await rowsOf("ADMIN", "setup_checks");
      const evil = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
      const { browser } = admin;
      expect((await browser.post(path, { csrf, ...more }, evil)).status).toBe(403);
      expect((await browser.post(path, { csrf: "A".repeat(43), ...more })).status).toBe(403);
      expect((await browser.post(path, { ...more })).status).toBe(403);
      const stranger = new SetupAdmin().browser;
      expect((await stranger.post(path, { csrf, ...more })).status).toBe(401);
      expect((await stranger.open("/admin/setup")).headers.get("location")).toBe(`${ORIGIN}/admin`);
      expect((await gong.ledger()).length).toBe(before);
      expect(await rowsOf("ADMIN", "setup_checks")).toEqual(stored);
      // The same with nothing wrong does ask.
      expect((await browser.post(path, { csrf, ...more })).status).toBeLessThan(400);
    },
  );

  it("gateway: an integration that is not in the settings is refused in words", async () => {
    const admin = await new SetupAdmin().signIn();
    const { csrf = "" } = await admin.fields("/setup/check");
    for (const integration of ["other", "", "__proto__"]) {
      const answer = await admin.browser.post("/admin/setup/sign-in", { csrf, integration });
      expect(answer.status).toBe(404);
      expect(readText(await answer.text())).toContain("not in the settings");
    }
  });
});
