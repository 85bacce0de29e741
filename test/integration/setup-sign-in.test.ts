// The sign-in at Gong from /admin/setup: what it proves, how each of Gong's refusals is explained, and that it ends
// nobody's tokens. RFC 6749 §4.1.2.1.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { PERSONAL_CLIENT_ID } from "../gong/integrations.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import { everythingStored, rowsOf, secretsIn } from "../support/evidence.ts";
import { ASK_ACCOUNT, call, leadsTo, ORIGIN } from "../support/flow.ts";
import { gong, type KnobChanges } from "../support/gong.ts";
import { connectAs } from "../support/mcp.ts";
import { SetupAdmin } from "../support/setup.ts";

const SIGN_IN = "Gong accepts the redirect URI";
const SCOPES = "Gong grants every scope";
const TOOLS = "Gong lists its tools";
/** The shared integration is not part of these stories, but for one. */
const ONE = {
  GONG_SHARED_CLIENT_ID: "",
  GONG_SHARED_CLIENT_SECRET: "",
  SEALING_KEYS: env.SEALING_KEYS,
};

beforeEach(() => gong.reset());

const verdicts = async (admin: SetupAdmin): Promise<readonly string[]> =>
  Promise.all(
    [SIGN_IN, SCOPES, TOOLS].map(async (title) => (await admin.shown(title))[0]?.verdict ?? "none"),
  );

interface Refused {
  readonly knobs?: KnobChanges;
  readonly person?: string;
  readonly arrange?: () => Promise<unknown>;
  /** Of the sign-in, the scopes and the tools. */
  readonly verdicts: readonly [string, string, string];
  /** Which of the three says it, and what. */
  readonly where: string;
  readonly says: string;
}

const NOT_AFTER = ["Problem", "Could not check", "Could not check"] as const;

const REFUSED: ReadonlyArray<readonly [name: string, refused: Refused]> = [
  [
    "Deny was pressed",
    { knobs: { authorizePage: "deny" }, verdicts: NOT_AFTER, where: SIGN_IN, says: "Deny was pressed" },
  ],
  [
    "the person has no paid seat, said at once",
    {
      person: "collaborator",
      knobs: { seatRefusedAt: "authorize" },
      verdicts: NOT_AFTER,
      where: SIGN_IN,
      says: "needs a paid seat",
    },
  ],
  [
    "the person has no paid seat, said at the token endpoint",
    {
      person: "collaborator",
      knobs: { seatRefusedAt: "token" },
      verdicts: NOT_AFTER,
      where: SIGN_IN,
      says: "people without a paid seat",
    },
  ],
  [
    "the person has no paid seat, said at the MCP server",
    {
      person: "collaborator",
      knobs: { seatRefusedAt: "call" },
      verdicts: ["OK", "OK", "Problem"],
      where: TOOLS,
      says: "needs a paid seat",
    },
  ],
  [
    "the integration lacks a scope, and Gong refuses",
    {
      arrange: () => gong.editIntegration(PERSONAL_CLIENT_ID, { scopes: ["mcp:ai-ask:read"] }),
      verdicts: NOT_AFTER,
      where: SIGN_IN,
      says: "choose all three scopes",
    },
  ],
  [
    "the integration lacks a scope, and Gong leaves it out",
    {
      knobs: { scopeNotOnIntegration: "left_out" },
      arrange: () => gong.editIntegration(PERSONAL_CLIENT_ID, { scopes: ["mcp:ai-ask:read"] }),
      verdicts: ["OK", "Problem", "OK"],
      where: SCOPES,
      says: "mcp:ai-briefer:read mcp:ai-assistant:read",
    },
  ],
  [
    "the scopes open no tool",
    { knobs: { scopeTools: {} }, verdicts: ["OK", "OK", "Problem"], where: TOOLS, says: "no tool" },
  ],
  [
    "an IP restriction stops the token request",
    {
      knobs: { refusedAddressAt: "token" },
      verdicts: NOT_AFTER,
      where: SIGN_IN,
      says: "turn off the IP restriction",
    },
  ],
  [
    "an IP restriction stops the MCP server",
    {
      knobs: { refusedAddressAt: "mcp" },
      verdicts: ["OK", "OK", "Problem"],
      where: TOOLS,
      says: "turn off the IP restriction",
    },
  ],
  [
    "the company has no credits left",
    {
      knobs: { creditBalance: 0, creditsRefusedAt: "every_request" },
      verdicts: ["OK", "OK", "Problem"],
      where: TOOLS,
      says: "no Gong credits left",
    },
  ],
  [
    "the MCP server takes no token of this kind",
    {
      arrange: () => gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" }, times: 5 }),
      verdicts: ["OK", "OK", "Problem"],
      where: TOOLS,
      says: "its MCP server does not accept them",
    },
  ],
  [
    "the MCP server fails",
    {
      arrange: () => gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 503 }, times: 5 }),
      verdicts: ["OK", "OK", "Could not check"],
      where: TOOLS,
      says: "did not answer as it should",
    },
  ],
  [
    "the MCP server says something else",
    {
      arrange: () => gong.fault({ endpoint: "mcp", fault: { kind: "html" }, times: 5 }),
      verdicts: ["OK", "OK", "Could not check"],
      where: TOOLS,
      says: "did not answer as it should",
    },
  ],
  [
    "the token endpoint gives no tokens",
    {
      knobs: { tokenAnswer: "html" },
      verdicts: ["Could not check", "Could not check", "Could not check"],
      where: SIGN_IN,
      says: "did not answer as it should",
    },
  ],
  [
    "the callback carries another issuer",
    {
      knobs: { callbackIss: "foreign" },
      verdicts: ["Could not check", "Could not check", "Could not check"],
      where: SIGN_IN,
      says: "did not answer as it should",
    },
  ],
];

describe(verifies("setup.sign_in", "a sign-in at Gong from the set-up"), () => {
  it.each([
    ["as Gong is", {}],
    ["with event streams", { answerAs: "sse" }],
    ["with sessions", { sessions: true }],
    ["of 2026-07-28", { era: "modern" }],
    ["of 2026-07-28 with event streams", { era: "modern", answerAs: "sse" }],
    ["of both eras", { era: "both" }],
  ] as const)("MCP Tools: a server %s lists its tools", async (_, knobs) => {
    await gong.knobs(knobs);
    const admin = await new SetupAdmin(ONE).signIn();
    await admin.signInAtGong("main");
    expect(await verdicts(admin)).toEqual(["OK", "OK", "OK"]);
    expect((await admin.shown(TOOLS))[0]?.text).toContain("ask_account, ask_deal, generate_brief");
  });

  it.each(REFUSED)("gateway: when %s, the page says so and what to do", async (_, refused) => {
    if (refused.knobs !== undefined) await gong.knobs(refused.knobs);
    if (refused.person !== undefined) await gong.signIn(refused.person);
    await refused.arrange?.();
    const admin = await new SetupAdmin(ONE).signIn();
    await admin.signInAtGong("main");
    expect(await verdicts(admin)).toEqual(refused.verdicts);
    const [shown] = await admin.shown(refused.where);
    expect(shown?.text).toContain(refused.says);
  });

  it("gateway: when the redirect URI is not saved at Gong, nobody comes back, and the page says how that looks", async () => {
    await gong.editIntegration(PERSONAL_CLIENT_ID, { redirectUris: [`${ORIGIN}/callback/`] });
    const admin = await new SetupAdmin(ONE).signIn();
    expect(await admin.signInAtGong("main")).toBeUndefined();
    const [shown] = await admin.shown(SIGN_IN);
    expect(shown).toMatchObject({ verdict: "Could not check" });
    expect(shown?.text).toContain("not exactly the one above");
  });

  it("RFC 6749 §4.1.2.1: text of Gong's that comes with a refusal is shown nowhere", async () => {
    const admin = await new SetupAdmin(ONE).signIn();
    const url = await admin.leave("main");
    const state = url.searchParams.get("state") ?? "";
    const description = "CANARY <b>call 555-0100 for a paid seat</b>";
    const query = new URLSearchParams({ error: "access_denied", error_description: description, state });
    await admin.browser.open(`/callback?${query}`);
    expect(await admin.page()).not.toContain("CANARY");
    expect(await everythingStored()).not.toContain("CANARY");
    expect((await admin.shown(SIGN_IN))[0]?.text).toContain("needs a paid seat");
  });

  it("gateway: a reload of the callback leads to the page again and asks Gong nothing", async () => {
    const admin = await new SetupAdmin(ONE).signIn();
    const callback = (await admin.signInAtGong("main")) ?? "";
    const before = (await gong.ledger()).length;
    const again = await admin.browser.open(callback);
    expect(leadsTo(await again.text()).href).toBe(`${ORIGIN}/admin/setup`);
    expect((await gong.ledger()).length).toBe(before);
  });

  it("RFC 9700 §4.7: another browser can't finish the sign-in", async () => {
    const admin = await new SetupAdmin(ONE).signIn();
    const url = await admin.leave("main");
    const state = url.searchParams.get("state") ?? "";
    const other = await new SetupAdmin(ONE).signIn();
    const answer = await other.browser.open(`/callback?${new URLSearchParams({ code: "c", state })}`);
    expect(answer.status).toBe(400);
    expect((await admin.shown(SIGN_IN))[0]?.text).toContain("have not come back");
  });

  it("gateway: for shared access it is the connection itself, checked the same way", async () => {
    const admin = await new SetupAdmin({ SEALING_KEYS: env.SEALING_KEYS }).signIn();
    await admin.signInAtGong("shared");
    const shared = (await rowsOf("CONNECTIONS", "connection")).filter(({ access }) => access === "shared");
    expect(shared).toMatchObject([{ state: "connected" }]);
    const [, ofShared] = await admin.shown(SIGN_IN);
    expect(ofShared).toMatchObject({ verdict: "OK" });
    expect((await rowsOf("ADMIN", "audit")).at(-1)).toMatchObject({ action: "shared.connected" });
  });
});

describe(verifies("setup.harmless", "what a test sign-in leaves behind"), () => {
  it("gateway: a person who has no connection has none afterwards; no tool was called, no token is stored", async () => {
    await gong.signIn("grace");
    const connections = await rowsOf("CONNECTIONS", "connection");
    const admin = await new SetupAdmin(ONE).signIn();
    await admin.signInAtGong("main");
    expect(await rowsOf("CONNECTIONS", "connection")).toEqual(connections);
    const ledger = await gong.ledger();
    const methods = requestsTo(ledger, "/mcp").map(({ body }) => /"method":"([^"]+)"/.exec(body)?.[1]);
    expect(methods).toEqual(["initialize", "notifications/initialized", "tools/list"]);
    expect(await gong.credits()).toBe(0);
    const issued = ledger.findLast((entry) => entry.kind === "tokens_issued");
    const secrets = {
      "the access token": issued?.accessToken ?? "",
      "the refresh token": issued?.refreshToken ?? "",
    };
    expect(secretsIn(await everythingStored(), secrets)).toEqual([]);
    expect(secretsIn(await admin.page(), secrets)).toEqual([]);
  });

  it("gateway: where Gong ends a person's earlier tokens, the agents of an admin who tests go on working", async () => {
    await gong.knobs({ secondAuthorization: "first_dies" });
    const { tokens } = await connectAs("ada");
    const admin = await new SetupAdmin(ONE).signIn();
    await admin.signInAtGong("main");
    const answer = await call(tokens.access_token, ASK_ACCOUNT);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("CANARY-ada");
  });
});
