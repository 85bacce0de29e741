// One person never sees another's data, one client never more than it was granted, and one URL is never another: under
// load, with odd method names and with every spelling of the path.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { mcpEndpoint } from "../../src/routes/mcp.ts";
import { ask, ASK_ACCOUNT, call, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { gatewayWith } from "../support/settings.ts";
import { atGong, connectAs, type Connected, ledgerWhen } from "../support/mcp.ts";

beforeEach(() => gong.reset());

const CANARIES: Readonly<Record<string, string>> = {
  ada: "CANARY-ada-7f3a90",
  grace: "CANARY-grace-c14e57",
  collaborator: "CANARY-collaborator-90aa13",
};
const PEOPLE = Object.keys(CANARIES);

interface User extends Connected {
  readonly person: string;
  readonly mark: string;
}

async function connectMany(count: number): Promise<readonly User[]> {
  const users: User[] = [];
  for (let at = 0; at < count; at += 1) {
    const person = PEOPLE[at % PEOPLE.length] ?? "";
    users.push({ ...(await connectAs(person)), person, mark: `MARK-${at}-${crypto.randomUUID()}` });
  }
  return users;
}

/** Everybody asks `times` times at once, all with JSON-RPC id 1. */
function askAll(users: readonly User[], times: number): Promise<readonly { user: User; answer: string }[]> {
  const calls = Array.from({ length: times }, () => users)
    .flat()
    .map(async (user) => {
      // Each one a question of its own: the same one asked twice at once would be one call.
      const args = { crmAccount: "Globex", question: `${user.mark} ${crypto.randomUUID()}` };
      const message = { ...ASK_ACCOUNT, id: 1, params: { name: "ask_account", arguments: args } };
      const response = await call(user.tokens.access_token, message);
      return { user, answer: await response.text() };
    });
  return Promise.all(calls);
}

describe(verifies("proxy.isolation", "under load each answer is the caller's own"), () => {
  it.each(["jwt", "opaque"] as const)(
    "gateway: 432 calls of 18 clients at once, JSON and event streams mixed, all with id 1; Gong's tokens %s",
    async (accessTokenForm) => {
      await gong.changePerson("collaborator", { seat: "paid" });
      await gong.knobs({ accessTokenForm, toolLatencyMs: 300 });
      const users = await connectMany(18);
      const asJson = askAll(users, 12);
      await ledgerWhen((entries) => entries.filter(({ kind }) => kind === "tool_call").length > 100);
      await gong.knobs({ answerAs: "sse", toolLatencyMs: 5 });
      const answers = [...(await asJson), ...(await askAll(users, 12))];
      expect(answers).toHaveLength(432);
      const streams = answers.filter(({ answer }) => answer.includes("data:")).length;
      expect(streams).toBeGreaterThan(100);
      expect(streams).toBeLessThan(432);
      for (const { user, answer } of answers) {
        expect(answer).toContain(user.mark);
        expect(answer.match(/MARK-\d+-/g)).toHaveLength(1);
        expect([...new Set(answer.match(/CANARY-[a-z]+-[0-9a-f]+/g))]).toEqual([CANARIES[user.person]]);
        expect(answer).toContain('"id":1');
      }
      expect(await gong.credits()).toBe(432);
    },
    60_000,
  );
});

const BRIEF = {
  ...ASK_ACCOUNT,
  params: {
    name: "generate_brief",
    arguments: { briefName: "Account overview", entityType: "ACCOUNT", entity: "Globex" },
  },
};
const ASK_DEAL = { ...ASK_ACCOUNT, params: { name: "ask_deal", arguments: { crmDeal: "1", question: "?" } } };

describe(verifies("proxy.scope_of_tool", "a client calls the tools of its own scopes only"), () => {
  const tools: Readonly<Record<string, unknown>> = {
    ask_account: ASK_ACCOUNT,
    ask_deal: ASK_DEAL,
    generate_brief: BRIEF,
  };

  it.each([
    ["mcp:ai-ask:read", "ask_account"],
    ["mcp:ai-ask:read", "ask_deal"],
    ["mcp:ai-assistant:read", "ask_deal"],
    ["mcp:ai-briefer:read", "generate_brief"],
  ])("MCP authorization: scope %s allows %s", async (scope, tool) => {
    const { tokens } = await connectAs("ada", { scope });
    const response = await call(tokens.access_token, tools[tool]);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(CANARIES["ada"]);
  });

  it.each([
    ["mcp:ai-ask:read", "generate_brief"],
    ["mcp:ai-assistant:read", "ask_account"],
    ["mcp:ai-assistant:read", "generate_brief"],
    ["mcp:ai-briefer:read", "ask_account"],
    ["mcp:ai-briefer:read", "ask_deal"],
  ])("RFC 6750 §3.1: scope %s does not allow %s: 403 before Gong is asked", async (scope, tool) => {
    const { tokens } = await connectAs("ada", { scope });
    const response = await call(tokens.access_token, tools[tool]);
    expect(response.status).toBe(403);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain(`resource_metadata="${ORIGIN}/`);
    const asked = /scope="([^"]*)"/.exec(challenge)?.[1]?.split(" ") ?? [];
    // All that the operation needs in one go, and what was granted before.
    expect(asked).toContain(scope);
    expect(asked.length).toBeGreaterThan(1);
    expect(await atGong()).toEqual([]);
  });

  it("gateway: a tool nobody knows needs every scope", async () => {
    const { tokens } = await connectAs("ada", { scope: "mcp:ai-ask:read mcp:ai-assistant:read" });
    const unknown = { ...ASK_ACCOUNT, params: { name: "delete_everything", arguments: {} } };
    expect((await call(tokens.access_token, unknown)).status).toBe(403);
    expect(await atGong()).toEqual([]);
    const all = await connectAs("grace");
    expect((await call(all.tokens.access_token, unknown)).status).toBe(200);
  });

  it("gateway: no other spelling of tools/call or of a tool runs the tool at Gong", async () => {
    const { tokens } = await connectAs("ada", { scope: "mcp:ai-ask:read" });
    const methods = [
      "Tools/Call",
      "TOOLS/CALL",
      " tools/call",
      "tools/call ",
      "tools//call",
      "tools/call/",
      "tools\\call",
    ];
    const lookalikes = [
      "tools/\u0441all",
      "tool\u017f/call",
      "tools\u2215call",
      "tools/call\u0000",
      "tools/call\u200b",
    ];
    const names = [
      "Generate_Brief",
      "generate_brief ",
      " generate_brief",
      "generate_brief\u0000",
      "generate\uff3fbrief",
    ];
    const variants = [
      ...[...methods, ...lookalikes].map((method) => ({ ...BRIEF, method })),
      ...names.map((name) => ({ ...BRIEF, params: { ...BRIEF.params, name } })),
      { ...BRIEF, params: { ...BRIEF.params, name: ["generate_brief"] } },
      { jsonrpc: "2.0", method: "tools/call", params: BRIEF.params },
    ];
    for (const message of variants) await (await call(tokens.access_token, message)).text();
    expect((await gong.ledger()).filter(({ kind }) => kind === "tool_call")).toEqual([]);
  });
});

/** Spellings of the path that some router, proxy or file system takes for /mcp. */
const OTHER_PATHS = [
  "/mcp/",
  "//mcp",
  "/./mcp",
  "/mcp/.",
  "/x/../mcp",
  "/x/%2e%2e/mcp",
  "/%2e/mcp",
  "/%6dcp",
  "/mc%70",
  "/%6Dcp",
  "/MCP",
  "/Mcp",
  "/mcp%2f",
  "/mcp%20",
  "/mcp%00",
  "/mcp;x=1",
  "/mcp.",
  "/mcp.json",
  "/mcp/x.css",
  "/mcp/../mcp",
  "/mcp\\",
  "\\mcp",
  "/mcp-v2",
  "/mcpx",
  "/sse",
  "/message",
  "/messages",
  "/shared//mcp",
  "/Shared/mcp",
  "/shared/mcp/",
  "/shared/../shared/mcp/x",
  "/shared%2fmcp",
  "/personal/mcp",
];

describe(verifies("resource.path_exact", "an endpoint has one spelling"), () => {
  it.each(OTHER_PATHS)(
    "gateway: %s answers nothing without credentials, and reaches no one with them",
    async (path) => {
      const { tokens } = await connectAs("ada");
      const url = `${ORIGIN}${path}`;
      for (const method of ["POST", "GET", "DELETE", "HEAD", "PUT"]) {
        const response = await ask(url, { method });
        expect([401, 404]).toContain(response.status);
      }
      expect(mcpEndpoint(url)).toBeUndefined();
      // The URL parser of a client resolves some of these before they are sent: that asks the endpoint itself.
      const resolved = new URL(url).pathname === "/mcp";
      expect((await call(tokens.access_token, TOOLS_LIST, { path: url })).status).toBe(resolved ? 200 : 404);
      expect(await atGong()).toHaveLength(resolved ? 1 : 0);
    },
  );

  it("RFC 8414 §3.3: under another host name the challenge still names our own metadata", async () => {
    const response = await ask("https://evil.test/mcp", {
      method: "POST",
      headers: { "x-forwarded-host": "evil.test" },
    });
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`);
    expect(challenge).not.toContain("evil");
  });

  it("RFC 8707 §2: a token of one deployment is refused by another with the same keys", async () => {
    const { tokens } = await connectAs("ada");
    const staging = gatewayWith({ PUBLIC_URL: "https://staging.test" });
    const init = {
      method: "POST",
      headers: { authorization: `Bearer ${tokens.access_token}`, "content-type": "application/json" },
      body: JSON.stringify(TOOLS_LIST),
    };
    expect((await staging("https://staging.test/mcp", init)).status).toBe(401);
    expect((await ask("/mcp", init)).status).toBe(200);
  });

  it.each([
    ["/mcp", "main"],
    ["/mcp?x=/../y", "main"],
    ["/shared/mcp", "shared"],
  ])("gateway: %s is the endpoint %s", (path, name) => {
    expect(mcpEndpoint(`${ORIGIN}${path}`)).toBe(name);
  });

  it.each([
    "/debug",
    "/__debug",
    "/metrics",
    "/env",
    "/.env",
    "/.git/config",
    "/.dev.vars",
    "/index.js.map",
    "/wrangler.toml",
  ])("OWASP ASVS 13.4.1: %s does not exist", async (path) => {
    expect((await ask(path)).status).toBe(404);
  });
});
