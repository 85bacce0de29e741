// The policy on the whole way of a tool call: from an agent's message to what Gong charges, in both eras, as JSON and
// as events, for clients, agent keys and shared access.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import { forgetRules } from "../../src/domain/list-tools.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { gatewayHere, makeKey, personWithKey } from "../support/agent-key.ts";
import { call, connect, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, post } from "../support/mcp.ts";

beforeEach(async () => {
  await gong.reset();
  await putPolicy({});
});

async function putPolicy(policy: Partial<Policy>): Promise<void> {
  const admin = env.ADMIN.getByName("admin");
  const { version } = await admin.policy();
  const change = await admin.setPolicy(actorNamed("admin"), version, { ...DEFAULT_POLICY, ...policy });
  expect(change).toMatchObject({ ok: true });
  forgetRules(gatewayHere());
}

let questions = 0;

/** One question that nobody has asked before. */
function ask(
  tool: string,
  changes: Record<string, unknown> = {},
): Readonly<Record<string, unknown>> & { readonly params: object } {
  questions += 1;
  const entity = tool === "ask_deal" ? { crmDeal: "006GLOBEX" } : { crmAccount: "Globex" };
  const asked = { ...entity, question: `What is new? ${questions}`, ...changes };
  return { jsonrpc: "2.0", id: questions, method: "tools/call", params: { name: tool, arguments: asked } };
}

/** What the agent reads: the text of the result, and whether it is a tool error. */
async function answer(
  credential: string,
  message: object,
  init: Parameters<typeof call>[2] = {},
): Promise<{ readonly isError: boolean; readonly text: string }> {
  const response = await call(credential, message, init);
  const body = await response.text();
  const data = body.startsWith("{") ? body : (/^data: (.*result.*)$/m.exec(body)?.[1] ?? "{}");
  const { result } = JSON.parse(data) as {
    result?: { isError?: boolean; content?: readonly { text: string }[] };
  };
  if (result === undefined) throw new Error(`${response.status} ${body.slice(0, 300)}`);
  return { isError: result.isError === true, text: result.content?.[0]?.text ?? "" };
}

const callsAtGong = async (): Promise<number> =>
  (await atGong()).filter(({ rpcMethod }) => rpcMethod === "tools/call").length;

const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe(verifies("policy.calls", "a call and the policy"), () => {
  it("Gong credits: of ten calls at once against a budget of three, Gong gets three; the others are told why", async () => {
    const { tokens } = await connect();
    await putPolicy({
      budgets: { ...DEFAULT_POLICY.budgets, connection: { each: { perDay: 3 }, byId: {} } },
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => answer(tokens.access_token, ask("ask_account"))),
    );
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(3);
    expect(await callsAtGong()).toBe(3);
    for (const { text } of answers.filter(({ isError }) => isError)) {
      expect(text).toMatch(
        /^This connection's budget of 3 calls a day is used up\. It starts anew on .* UTC;/,
      );
    }
  });

  it.each([
    ["legacy", "json"],
    ["legacy", "sse"],
    ["modern", "json"],
    ["modern", "sse"],
  ] as const)(
    "MCP Tools, Error Handling: in the %s era, as %s, a refused call is a tool error that says what is allowed",
    async (era, answerAs) => {
      await gong.knobs({ era, answerAs });
      const { tokens } = await connect();
      await putPolicy({ guards: { ...DEFAULT_POLICY.guards, longestRangeDays: 31 } });
      const range = { fromDateTime: "2026-01-01T00:00:00Z", toDateTime: "2026-04-01T00:00:00Z" };
      const message = ask("ask_account", range);
      const sent = era === "modern" ? { ...message, params: { ...message.params, _meta: MODERN } } : message;
      const headers: Record<string, string> =
        era === "modern"
          ? { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "ask_account" }
          : {};
      const refused = await answer(tokens.access_token, sent, { headers });
      expect(refused.isError).toBe(true);
      expect(refused.text).toContain("at most 31 days. This call asked for 90.");
      expect(await callsAtGong()).toBe(0);
      expect(await gong.credits()).toBe(0);
    },
  );

  it("MCP Tools: a tool that is not listed can't be called, and one that is listed can", async () => {
    const { tokens, clientId } = await connect();
    await putPolicy({ clients: { [clientId]: { allow: ["ask_deal"], deny: [] } } });
    const listed = await (await call(tokens.access_token, TOOLS_LIST)).text();
    expect([listed.includes('"ask_deal"'), listed.includes('"ask_account"')]).toEqual([true, false]);
    expect(await answer(tokens.access_token, ask("ask_account"))).toMatchObject({ isError: true });
    expect(await callsAtGong()).toBe(0);
    expect(await answer(tokens.access_token, ask("ask_deal"))).toMatchObject({ isError: false });
    expect(await callsAtGong()).toBe(1);
  });

  it("MCP Tools: a tool that Gong never listed waits for an admin, and the agent is told", async () => {
    const { tokens } = await connect();
    const refused = await answer(tokens.access_token, ask("a_tool_of_tomorrow"));
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringContaining("An admin must approve it"),
    });
    expect(await callsAtGong()).toBe(0);
  });

  it("gateway: a change of the policy counts for the very next call", async () => {
    const { tokens } = await connect();
    expect(await answer(tokens.access_token, ask("ask_account"))).toMatchObject({ isError: false });
    await putPolicy({ access: { ...DEFAULT_POLICY.access, personal: { deny: ["ask_account"] } } });
    expect(await answer(tokens.access_token, ask("ask_account"))).toMatchObject({ isError: true });
    expect(await callsAtGong()).toBe(1);
  });

  it("gateway: an agent key is held to its own budget and rule, its person's clients are not", async () => {
    const { key, id, client } = await personWithKey("ada");
    const budgets = { ...DEFAULT_POLICY.budgets, key: { each: {}, byId: { [id]: { perDay: 1 } } } };
    await putPolicy({ budgets, keys: { [id]: { deny: ["ask_deal"] } } });
    expect(await answer(key, ask("ask_deal"))).toMatchObject({ isError: true });
    expect(await answer(key, ask("ask_account"))).toMatchObject({ isError: false });
    expect(await answer(key, ask("ask_account"))).toMatchObject({
      isError: true,
      text: expect.stringContaining("This agent key's budget of 1 calls a day"),
    });
    expect(await answer(client.tokens.access_token, ask("ask_deal"))).toMatchObject({ isError: false });
    const list = await (await call(key, TOOLS_LIST)).text();
    expect([list.includes('"ask_account"'), list.includes('"ask_deal"')]).toEqual([true, false]);
  });

  it("gateway: a rule for shared access holds there, and not for personal access", async () => {
    await connectSharedAs(await adminBrowser());
    const entries = await env.ADMIN.getByName("admin").listConnections(100);
    const shared = await makeKey(entries.find(({ integration }) => integration === "shared")?.id ?? "");
    const { tokens } = await connect();
    await putPolicy({ access: { ...DEFAULT_POLICY.access, shared: { deny: ["ask_account"] } } });
    const path = { path: "/shared/mcp" };
    expect(await answer(shared.key, ask("ask_account"), path)).toMatchObject({ isError: true });
    expect(await (await call(shared.key, TOOLS_LIST, path)).text()).not.toContain('"ask_account"');
    expect(await answer(tokens.access_token, ask("ask_account"))).toMatchObject({ isError: false });
  });

  it("Gong credits: numbers that JavaScript can't hold pass the guards and reach Gong as they were spelt", async () => {
    const { tokens } = await connect();
    const message = JSON.stringify(ask("ask_account", { extra: "N" })).replace(
      '"N"',
      "12345678901234567890.50",
    );
    const response = await post(tokens.access_token, message, {
      accept: "application/json, text/event-stream",
    });
    expect(response.status).toBe(200);
    expect(await callsAtGong()).toBe(1);
  });
});
