// The stand-in's contract: the MCP endpoint (M).
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, driver, INITIALIZE, readJson, toolCall, TOOLS_LIST } from "./driver.ts";
import { HOSTILE_HEADERS } from "./knobs.ts";
import { creditsCharged, toolCalls } from "./ledger-questions.ts";
import { createStandIn } from "./stand-in.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);
let token = "";

beforeEach(async () => {
  gong.reset();
  token = (await client.connect()).access_token;
});

function request(method: "GET" | "DELETE", headers: Record<string, string> = {}): Promise<Response> {
  const init = {
    method,
    headers: { authorization: `Bearer ${token}`, accept: "text/event-stream", ...headers },
  };
  return gong.fetch(new Request("https://mcp.gong.test/mcp", init));
}

describe(verifies("stand_in.mcp", "transport"), () => {
  test("M1: JSON by default, SSE by knob, 202 without a body for a notification", async () => {
    expect((await client.post(ASK_ACCOUNT, token)).headers.get("content-type")).toBe("application/json");
    const notification = await client.post({ jsonrpc: "2.0", method: "notifications/initialized" }, token);
    expect([notification.status, await notification.text()]).toEqual([202, ""]);
    gong.setKnobs({ answerAs: "sse" });
    const streamed = await client.post(ASK_ACCOUNT, token);
    expect(streamed.headers.get("content-type")).toBe("text/event-stream");
    expect(await streamed.text()).toMatch(/^event: message\ndata: \{/);
  });

  test("M1: progress is streamed when it was asked for", async () => {
    gong.setKnobs({ answerAs: "sse" });
    const asked = toolCall("ask_account", { crmAccount: "Acme", question: "?" }, { progressToken: "p" });
    const events = (await (await client.post(asked, token)).text()).split("\n\n");
    expect(events.filter((event) => event.includes("notifications/progress"))).toHaveLength(2);
  });

  test("M2: no session by default; by knob an id at initialize, needed later, 404 when unknown", async () => {
    expect((await client.post(INITIALIZE, token)).headers.has("mcp-session-id")).toBe(false);
    gong.setKnobs({ sessions: true });
    const id = (await client.post(INITIALIZE, token)).headers.get("mcp-session-id") ?? "";
    expect((await client.post(TOOLS_LIST, token)).status).toBe(400);
    expect((await client.post(TOOLS_LIST, token, { "mcp-session-id": id })).status).toBe(200);
    expect((await client.post(TOOLS_LIST, token, { "mcp-session-id": "made-up" })).status).toBe(404);
  });

  test("M2: a session is no good with another person's token", async () => {
    gong.setKnobs({ sessions: true });
    const id = (await client.post(INITIALIZE, token)).headers.get("mcp-session-id") ?? "";
    gong.setKnobs({ signedInAs: "grace" });
    const other = await client.connect();
    expect((await client.post(TOOLS_LIST, other.access_token, { "mcp-session-id": id })).status).toBe(404);
  });

  test("M3: GET and DELETE answer 405", async () => {
    expect((await request("GET")).status).toBe(405);
    expect((await request("DELETE")).status).toBe(405);
  });

  test("M3: by knob GET streams what the server announces", async () => {
    gong.setKnobs({ getStream: true });
    const stream = await request("GET");
    expect(stream.headers.get("content-type")).toBe("text/event-stream");
    const reader = stream.body?.getReader();
    gong.notifyToolsChanged();
    const chunk = await reader?.read();
    expect(Buffer.from(chunk?.value ?? []).toString()).toContain("notifications/tools/list_changed");
    await reader?.cancel();
  });

  test("M3: by knob DELETE ends the session", async () => {
    gong.setKnobs({ sessions: true, deleteEndsSession: true });
    const id = (await client.post(INITIALIZE, token)).headers.get("mcp-session-id") ?? "";
    expect((await request("DELETE", { "mcp-session-id": id })).status).toBe(200);
    expect((await client.post(TOOLS_LIST, token, { "mcp-session-id": id })).status).toBe(404);
  });

  test.each([
    ["2025-03-26", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-06-18"],
    ["1999-01-01", "2025-06-18"],
  ])("M4: asked for %s it answers %s", async (protocolVersion, answer) => {
    const message = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion } };
    const { result } = await readJson<{ result: unknown }>(await client.post(message, token));
    expect(result).toMatchObject({ protocolVersion: answer });
  });

  test("M4: newer ones by knob; an unknown version header is 400", async () => {
    gong.setKnobs({ protocolVersions: ["2025-11-25", "2025-06-18"] });
    const message = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: "2025-11-25" } };
    expect(await (await client.post(message, token)).text()).toContain('"protocolVersion":"2025-11-25"');
    expect((await client.post(TOOLS_LIST, token, { "mcp-protocol-version": "1999-01-01" })).status).toBe(400);
  });

  test("M5: Accept without event-stream is taken, and 406 by knob", async () => {
    const headers = { accept: "application/json" };
    expect((await client.post(TOOLS_LIST, token, headers)).status).toBe(200);
    gong.setKnobs({ strictAccept: true });
    expect((await client.post(TOOLS_LIST, token, headers)).status).toBe(406);
  });

  test("M6: a token killed between two calls gets 401, runs and charges nothing; a refresh mends it", async () => {
    gong.reset();
    const tokens = await client.connect();
    expect(gong.killTokens({ kind: "access", person: "ada" })).toBe(1);
    expect((await client.post(ASK_ACCOUNT, tokens.access_token)).status).toBe(401);
    expect(toolCalls(gong.ledger())).toEqual([]);
    const renewed = await readJson<{ access_token: string }>(await client.refresh(tokens.refresh_token));
    expect((await client.post(ASK_ACCOUNT, renewed.access_token)).status).toBe(200);
  });

  const META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "driver", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const modern = (method: string, params: Record<string, unknown>, headers = {}): Promise<Response> =>
    client.post({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } }, token, {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...headers,
    });

  test("M7: 2026-07-28 by knob: server/discover and tools/call, without initialize", async () => {
    expect((await modern("server/discover", {})).status).toBe(400);
    gong.setKnobs({ era: "modern" });
    expect(await (await modern("server/discover", {})).text()).toContain("2026-07-28");
    const args = { name: "ask_account", arguments: { crmAccount: "Acme", question: "?" } };
    expect(await (await modern("tools/call", args, { "mcp-name": "ask_account" })).text()).toContain(
      "CANARY-ada",
    );
    expect((await client.post(INITIALIZE, token)).status).toBe(400);
  });

  test("M7: both eras by knob", async () => {
    gong.setKnobs({ era: "both" });
    expect((await modern("server/discover", {})).status).toBe(200);
    expect((await client.post(INITIALIZE, token)).status).toBe(200);
  });

  test("M8: hostile headers by knob, also on a 401, which keeps its challenge", async () => {
    gong.setKnobs({ extraHeaders: HOSTILE_HEADERS });
    const { headers } = await client.post(ASK_ACCOUNT, token);
    for (const [name, value] of HOSTILE_HEADERS) expect(headers.get(name)).toBe(value);
    const refused = await client.post(ASK_ACCOUNT, undefined);
    expect(refused.headers.get("set-cookie")).toContain("stolen");
    expect(refused.headers.get("www-authenticate")).toContain("mcp.gong.test");
  });

  test("M8: the server asks the client first by knob (elicitation on the call's own stream)", async () => {
    gong.setKnobs({ sessions: true, answerAs: "sse", asksBeforeAnswer: true });
    const asked = { ...INITIALIZE.params, capabilities: { elicitation: {} } };
    const opened = await client.post({ ...INITIALIZE, params: asked }, token);
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    await opened.text();
    const reader = (await client.post(ASK_ACCOUNT, token, headers)).body?.getReader();
    const question = Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(question).toContain("elicitation/create");
    const { id } = JSON.parse(question.slice(question.indexOf("{"))) as { id: number };
    const reply = { jsonrpc: "2.0", id, result: { action: "accept", content: { sure: true } } };
    expect((await client.post(reply, token, headers)).status).toBe(202);
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain("CANARY-ada");
    expect(creditsCharged(gong.ledger())).toBe(1);
  });
});
