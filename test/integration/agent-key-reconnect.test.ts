// What the holder of an agent key is told while its connection needs a person: never to sign in itself, always where a
// person can, in the form that its client's revision of MCP knows.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { makeKey, personWithKey } from "../support/agent-key.ts";
import { tamper } from "../support/connection.ts";
import { ASK_ACCOUNT, call, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, connectAs, INITIALIZE, PING, request } from "../support/mcp.ts";

beforeEach(() => gong.reset());

const ACCOUNT = `${ORIGIN}/account`;
const URL_MODE = { elicitation: { url: {} } };
const MODERN = { "mcp-protocol-version": "2026-07-28" };

/** The connection's own end, without anybody having been asked. */
const end = (connectionId: string): Promise<void> =>
  tamper(
    env.CONNECTIONS.getByName(connectionId),
    "UPDATE connection SET state = 'needs_reconnect', reason = 'ended_by_gong', gong_expires_at = 0",
  );

async function endedKey() {
  const made = await personWithKey("ada");
  await end(made.connectionId);
  return made;
}

/** `message` as a client of 2026-07-28 sends it, with these capabilities. */
function modern(
  message: { readonly method: string; readonly params?: Record<string, unknown> },
  capabilities: unknown,
  more: Record<string, unknown> = {},
) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
  const { name } = message.params ?? {};
  return {
    body: { ...message, params: { ...message.params, ...more, _meta: meta } },
    init: {
      headers: {
        ...MODERN,
        "mcp-method": message.method,
        ...(typeof name === "string" ? { "mcp-name": name } : {}),
      },
    },
  };
}

async function answerTo(key: string, message: unknown, init = {}): Promise<Record<string, unknown>> {
  const response = await call(key, message, init);
  expect([response.status, response.headers.get("www-authenticate")]).toEqual([200, null]);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return response.json();
}

describe(verifies("keys.reconnect", "a key whose connection needs a person"), () => {
  it("MCP 2025-11-25, Tools, Error Handling: a tool call fails with the link in its text", async () => {
    const { key } = await endedKey();
    const answer = await answerTo(key, ASK_ACCOUNT);
    expect(answer).toEqual({
      jsonrpc: "2.0",
      id: ASK_ACCOUNT.id,
      result: {
        isError: true,
        content: [{ type: "text", text: expect.stringContaining(ACCOUNT) as string }],
      },
    });
    expect(await atGong()).toEqual([]);
  });

  it.each([INITIALIZE, TOOLS_LIST, PING, { jsonrpc: "2.0", id: "x", method: "unknown/method" }])(
    "JSON-RPC 2.0 §5.1: $method is an error whose message has the link",
    async (message) => {
      const { key } = await endedKey();
      const answer = await answerTo(key, message);
      expect(answer).toMatchObject({ id: message.id, error: { code: -32_004 } });
      expect(JSON.stringify(answer)).toContain(ACCOUNT);
    },
  );

  it("MCP 2025-11-25, Sending Messages: what has no answer is refused by its status", async () => {
    const { key } = await endedKey();
    const refused = [
      await call(key, { jsonrpc: "2.0", method: "notifications/initialized" }),
      await call(key, { jsonrpc: "2.0", id: 5, result: {} }),
      await request(key, "GET"),
      await request(key, "DELETE"),
    ];
    for (const response of refused) {
      expect(response.status).toBe(403);
      expect(await response.text()).toContain(ACCOUNT);
    }
  });

  it("MCP 2025-11-25, URL Mode: a client that said it opens URLs is asked to open the link", async () => {
    await gong.knobs({ sessions: true });
    const { key, connectionId } = await personWithKey("ada");
    const begin = async (capabilities: unknown): Promise<string> => {
      const params = { ...INITIALIZE.params, protocolVersion: "2025-11-25", capabilities };
      const response = await call(key, { ...INITIALIZE, params });
      await response.text();
      return response.headers.get("mcp-session-id") ?? "";
    };
    const sessions = [
      await begin(URL_MODE),
      await begin({ elicitation: {} }),
      await begin({ elicitation: { form: {} } }),
    ];
    await end(connectionId);
    const answers = await Promise.all(
      sessions.map((id) => answerTo(key, ASK_ACCOUNT, { headers: { "mcp-session-id": id } })),
    );
    expect(answers[0]).toMatchObject({
      id: ASK_ACCOUNT.id,
      error: {
        code: -32_042,
        message: expect.stringContaining(ACCOUNT) as string,
        data: {
          elicitations: [
            { mode: "url", url: ACCOUNT, elicitationId: expect.stringMatching(/^\S{22}$/) as string },
          ],
        },
      },
    });
    expect(answers.slice(1).map((answer) => answer["result"])).toMatchObject([
      { isError: true },
      { isError: true },
    ]);
  });

  it("MCP 2026-07-28, SEP-2322: a tool call asks for input when this very request says it can", async () => {
    const { key } = await endedKey();
    const { body, init } = modern(ASK_ACCOUNT, URL_MODE);
    const answer = await answerTo(key, body, init);
    expect(answer).toMatchObject({
      id: ASK_ACCOUNT.id,
      result: {
        resultType: "input_required",
        inputRequests: {
          reconnect: {
            method: "elicitation/create",
            params: {
              mode: "url",
              url: ACCOUNT,
              message: expect.stringContaining("connect again") as string,
            },
          },
        },
      },
    });
  });

  it.each([
    ["without the capability", {}, {}],
    ["with form mode alone", { elicitation: { form: {} } }, {}],
    [
      "that brings answers and finds nothing mended",
      URL_MODE,
      { inputResponses: { reconnect: { action: "accept" } } },
    ],
  ])("MCP 2026-07-28: a client %s gets a failed call with the link", async (_, capabilities, more) => {
    const { key } = await endedKey();
    const { body, init } = modern(ASK_ACCOUNT, capabilities, more);
    const answer = await answerTo(key, body, init);
    expect(answer["result"]).toMatchObject({ resultType: "complete", isError: true });
    expect(JSON.stringify(answer)).toContain(ACCOUNT);
  });

  it("MCP 2026-07-28: tools/list is an error with the link, whatever the client can", async () => {
    const { key } = await endedKey();
    const { body, init } = modern(TOOLS_LIST, URL_MODE);
    expect(await answerTo(key, body, init)).toMatchObject({ error: { code: -32_004 } });
  });

  it("gateway: once its person has connected again, the same key works", async () => {
    const { key } = await endedKey();
    await connectAs("ada");
    const answer = await call(key, ASK_ACCOUNT);
    expect(await answer.text()).toContain("CANARY-ada-7f3a90");
  });

  it("gateway: Gong's own 401 that no refresh mends is told in the same way", async () => {
    const { key } = await personWithKey("ada");
    await gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" }, times: "always" });
    expect(JSON.stringify(await answerTo(key, ASK_ACCOUNT))).toContain(ACCOUNT);
  });

  it("gateway: for shared access the link leads to the admins", async () => {
    await connectSharedAs(await adminBrowser());
    const entries = await env.ADMIN.getByName("admin").listConnections(100);
    const shared = entries.find(({ integration }) => integration === "shared")?.id ?? "";
    const { key } = await makeKey(shared);
    await end(shared);
    const answer = await answerTo(key, ASK_ACCOUNT, { path: "/shared/mcp" });
    expect(JSON.stringify(answer)).toContain(`${ORIGIN}/admin/setup`);
    expect(JSON.stringify(answer)).not.toContain("/account");
  });

  it("gateway: an outage of Gong is no reason to send anybody anywhere", async () => {
    const { key, connectionId } = await personWithKey("ada");
    await tamper(env.CONNECTIONS.getByName(connectionId), "UPDATE connection SET gong_expires_at = 0");
    await gong.fault({ endpoint: "token", fault: { kind: "status", status: 503 }, times: "always" });
    const response = await call(key, ASK_ACCOUNT);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain(ACCOUNT);
  });

  it("RFC 6750 §3.1: a made-up or revoked key learns nothing of the connection", async () => {
    const { key, connectionId, id } = await endedKey();
    await env.CONNECTIONS.getByName(connectionId).revokeAgentKey(id, "ada");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(401);
  });
});
