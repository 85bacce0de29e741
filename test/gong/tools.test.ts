// The stand-in's contract: the tools, whose data they answer from, and what they cost (K).
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, driver, readJson, SHARED, toolCall, toolResult, TOOLS_LIST } from "./driver.ts";
import { creditsCharged, toolCalls } from "./ledger-questions.ts";
import { createStandIn } from "./stand-in.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);
const BRIEF = { briefName: "Account overview", entityType: "ACCOUNT", entity: "Acme" };
let token = "";

beforeEach(async () => {
  gong.reset();
  token = (await client.connect()).access_token;
});

async function toolNames(accessToken: string): Promise<string[]> {
  const response = await client.post(TOOLS_LIST, accessToken);
  const { result } = await readJson<{ result: { tools: Array<{ name: string }> } }>(response);
  return result.tools.map(({ name }) => name);
}

describe(verifies("stand_in.tools", "tools"), () => {
  test("K1: ask_account, ask_deal and generate_brief, all read-only", async () => {
    expect(await toolNames(token)).toEqual(["ask_account", "ask_deal", "generate_brief"]);
    expect((await (await client.post(TOOLS_LIST, token)).text()).match(/"readOnlyHint":true/g)).toHaveLength(
      3,
    );
  });

  test.each([
    ["mcp:ai-ask:read", "ask_account"],
    ["mcp:ai-assistant:read", "ask_deal"],
    ["mcp:ai-briefer:read", "generate_brief"],
  ])("K2: %s opens %s alone; a closed tool cannot be called", async (scope, tool) => {
    const { access_token } = await client.connect({ scope });
    expect(await toolNames(access_token)).toEqual([tool]);
    const closed = tool === "generate_brief" ? ASK_ACCOUNT : toolCall("generate_brief", BRIEF);
    expect(await (await client.post(closed, access_token)).text()).toContain("not found");
    expect(toolCalls(gong.ledger())).toEqual([]);
  });

  test("K2: the mapping is a knob", async () => {
    gong.setKnobs({ scopeTools: { "mcp:ai-ask:read": ["ask_account", "ask_deal"] } });
    expect(await toolNames(token)).toEqual(["ask_account", "ask_deal"]);
  });

  test("K3: with several workspaces a call must name one", async () => {
    gong.setKnobs({ workspaces: ["East", "West"] });
    const failed = await toolResult(await client.post(ASK_ACCOUNT, token));
    expect(failed).toMatchObject({
      isError: true,
      text: "WORKSPACE_NOT_FOUND. Valid workspaces: East, West",
    });
    const named = toolCall("ask_account", { crmAccount: "Acme", question: "?", workspace: "West" });
    expect((await toolResult(await client.post(named, token))).isError).toBe(false);
  });

  test("K4: one text item with JSON; structuredContent by knob; no token in it", async () => {
    const { text, structuredContent } = await toolResult(await client.post(ASK_ACCOUNT, token));
    expect(JSON.parse(text)).toMatchObject({ numOfCallsSearched: 1, answer: [{ callFindings: [] }] });
    expect(text).not.toContain(token);
    expect(structuredContent).toBeUndefined();
    gong.setKnobs({ structuredContent: true });
    const structured = await toolResult(await client.post(ASK_ACCOUNT, token));
    expect(structured.structuredContent).toEqual(JSON.parse(structured.text));
  });

  test("K5: a call takes as long as the knob says", async () => {
    gong.setKnobs({ toolLatencyMs: 120 });
    const started = performance.now();
    await client.post(ASK_ACCOUNT, token);
    expect(performance.now() - started).toBeGreaterThan(100);
  });

  test("K5: keep-alive comments while an SSE answer is awaited", async () => {
    gong.setKnobs({ toolLatencyMs: 120, keepAliveMs: 20, answerAs: "sse" });
    expect(await (await client.post(ASK_ACCOUNT, token)).text()).toMatch(/^:/);
  });

  test("K6: every call is charged, repeats too, and a brief costs more", async () => {
    await client.post(ASK_ACCOUNT, token);
    await client.post(ASK_ACCOUNT, token);
    expect(creditsCharged(gong.ledger())).toBe(2);
    await client.post(toolCall("generate_brief", BRIEF), token);
    expect(creditsCharged(gong.ledger())).toBe(6);
    await client.post(TOOLS_LIST, token);
    expect(creditsCharged(gong.ledger())).toBe(6);
  });

  test("K7: used-up credits are a tool error, or HTTP 402 by knob, and cost nothing", async () => {
    gong.setKnobs({ creditBalance: 1 });
    await client.post(ASK_ACCOUNT, token);
    const refused = await toolResult(await client.post(ASK_ACCOUNT, token));
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("credits") });
    gong.setKnobs({ creditsUsedUpAs: "http_402" });
    expect((await client.post(ASK_ACCOUNT, token)).status).toBe(402);
    expect(creditsCharged(gong.ledger())).toBe(1);
  });

  test("K8: an unknown brief is a tool error that says it may not be published", async () => {
    const call = toolCall("generate_brief", { ...BRIEF, briefName: "Draft" });
    const refused = await toolResult(await client.post(call, token));
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining("published") });
  });

  test("K9: personal access answers from the person's data, shared access from the company's", async () => {
    const textFor = async (accessToken: string): Promise<string> =>
      (await toolResult(await client.post(ASK_ACCOUNT, accessToken))).text;
    const shared = await client.connect({}, SHARED);
    gong.setKnobs({ signedInAs: "grace" });
    const grace = await client.connect();
    const texts = [
      await textFor(token),
      await textFor(grace.access_token),
      await textFor(shared.access_token),
    ];
    const canaries = texts.map((text) => text.match(/CANARY-\w+/g));
    expect(canaries).toEqual([["CANARY-ada"], ["CANARY-grace"], ["CANARY-company"]]);
  });

  test.each([
    [false, "start", ["started", "charged", "answered"], 1],
    [true, "start", ["started", "charged", "cancelled"], 1],
    [true, "answer", ["started", "cancelled"], 0],
  ] as const)(
    "K10: a client leaves (ends the call: %s, charged at %s): recorded as %j",
    async (disconnectCancels, chargedAt, events, credits) => {
      gong.setKnobs({ disconnectCancels, chargedAt, toolLatencyMs: 80, answerAs: "sse" });
      const leaving = new AbortController();
      const response = await client.post(ASK_ACCOUNT, token, {}, leaving.signal);
      leaving.abort();
      await response.body?.cancel();
      await expect.poll(() => toolCalls(gong.ledger())[0]?.events).toEqual(events);
      expect(creditsCharged(gong.ledger())).toBe(credits);
      const answer = gong.ledger().findLast((entry) => entry.kind === "answer");
      expect(answer).toMatchObject({ outcome: "client_gone" });
    },
  );
});
