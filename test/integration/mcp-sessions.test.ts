// MCP sessions of the revisions that have them: Gong's id stays here, ours is good on one connection only, and a modern
// request has none.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, ASK_ACCOUNT, call, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, beginSession, connectAs, errorCode, PING, request } from "../support/mcp.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ sessions: true, getStream: true, deleteEndsSession: true });
});

const idsAtGong = async (): Promise<Array<string | undefined>> =>
  (await atGong()).map(({ headers }) => headers["mcp-session-id"]);

describe(verifies("session.opaque", "a session id of ours stands for Gong's"), () => {
  it("MCP 2025-11-25, Session Management: the client gets an id of ours, Gong gets its own back", async () => {
    const { tokens } = await connectAs("ada");
    const id = await beginSession(tokens.access_token);
    expect(id).toMatch(/^[\x21-\x7e]+$/);
    const response = await call(tokens.access_token, PING, { headers: { "mcp-session-id": id } });
    expect(response.status).toBe(200);
    const [, upstream] = await idsAtGong();
    expect(upstream).toMatch(/\S/);
    expect(id).not.toContain(upstream);
    expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain(upstream);
  });

  it("MCP 2025-11-25: the id stays the same through the whole session", async () => {
    const { tokens } = await connectAs("ada");
    const id = await beginSession(tokens.access_token);
    for (const message of [PING, TOOLS_LIST, ASK_ACCOUNT]) {
      const response = await call(tokens.access_token, message, { headers: { "mcp-session-id": id } });
      await response.text();
      expect(response.headers.get("mcp-session-id") ?? id).toBe(id);
    }
    expect(new Set((await idsAtGong()).slice(1)).size).toBe(1);
  });

  it("MCP 2025-11-25: two sessions of one client do not mix", async () => {
    const { tokens } = await connectAs("ada");
    const ids = [await beginSession(tokens.access_token), await beginSession(tokens.access_token)];
    for (const id of ids) {
      expect((await call(tokens.access_token, PING, { headers: { "mcp-session-id": id } })).status).toBe(200);
    }
    const [, , first, second] = await idsAtGong();
    expect(first).not.toBe(second);
  });

  it("MCP 2025-11-25: a session that ended at Gong is Gong's 404, which starts a new one", async () => {
    const { tokens } = await connectAs("ada");
    const headers = { "mcp-session-id": await beginSession(tokens.access_token) };
    expect((await request(tokens.access_token, "DELETE", headers)).status).toBe(200);
    const response = await call(tokens.access_token, PING, { headers });
    expect(response.status).toBe(404);
    expect(await errorCode(response)).toBe(-32_001);
    expect(await atGong()).toHaveLength(3);
  });
});

describe(verifies("session.bound", "a session is good on the connection it was begun on"), () => {
  it.each(["POST", "GET", "DELETE"])(
    "MCP Security Best Practices, Session Hijacking: %s with another person's session gets 404, and Gong is not asked",
    async (method) => {
      const ada = await connectAs("ada");
      const grace = await connectAs("grace");
      const id = await beginSession(ada.tokens.access_token);
      const before = (await atGong()).length;
      const response = await ask("/mcp", {
        method,
        headers: { authorization: `Bearer ${grace.tokens.access_token}`, "mcp-session-id": id },
        ...(method === "POST" ? { body: JSON.stringify(PING) } : {}),
      });
      expect(response.status).toBe(404);
      expect(await errorCode(response)).toBe(-32_001);
      expect(await atGong()).toHaveLength(before);
      const own = await call(ada.tokens.access_token, PING, { headers: { "mcp-session-id": id } });
      expect(own.status).toBe(200);
    },
  );

  it("MCP Security Best Practices: a session is not a credential", async () => {
    const { tokens } = await connectAs("ada");
    const id = await beginSession(tokens.access_token);
    expect((await ask("/mcp", { method: "POST", headers: { "mcp-session-id": id } })).status).toBe(401);
  });

  it("gateway: unknown, changed and Gong's own ids all get the same 404, and Gong is not asked", async () => {
    const { tokens } = await connectAs("ada");
    const id = await beginSession(tokens.access_token);
    await call(tokens.access_token, PING, { headers: { "mcp-session-id": id } });
    const upstream = (await idsAtGong())[1] ?? "";
    const before = (await atGong()).length;
    const last = id.endsWith("A") ? "B" : "A";
    const others = [
      "unknown",
      upstream,
      `${id.slice(0, -1)}${last}`,
      id.slice(0, -1),
      `${id}A`,
      `A${id}`,
      id.toUpperCase(),
      `${id}, ${id}`,
      "x".repeat(20_000),
    ];
    const answers = new Set<string>();
    for (const other of others) {
      const response = await call(tokens.access_token, PING, { headers: { "mcp-session-id": other } });
      expect(response.status).toBe(404);
      expect(response.headers.get("mcp-session-id")).toBeNull();
      answers.add(await response.text());
    }
    expect(answers.size).toBe(1);
    expect(await atGong()).toHaveLength(before);
  });

  it("gateway: initialize with an id of the client's own choice does not adopt it", async () => {
    const { tokens } = await connectAs("ada");
    const response = await call(
      tokens.access_token,
      { ...PING, method: "initialize" },
      { headers: { "mcp-session-id": "fixed-by-an-attacker" } },
    );
    expect(response.status).toBe(404);
    expect(await atGong()).toEqual([]);
  });
});

describe(verifies("session.modern", "MCP 2026-07-28 has no sessions"), () => {
  it.each(["an-unknown-id", "", undefined])(
    "MCP 2026-07-28, Streamable HTTP: session id %j on a modern request is ignored and not sent on",
    async (id) => {
      await gong.knobs({ era: "modern", extraHeaders: [["mcp-session-id", "of-gong"]] });
      const { tokens } = await connectAs("ada");
      const meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
      };
      const response = await call(
        tokens.access_token,
        { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } },
        {
          headers: {
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": "tools/list",
            ...(id === undefined ? {} : { "mcp-session-id": id }),
          },
        },
      );
      expect(response.status).toBe(200);
      expect(response.headers.get("mcp-session-id")).toBeNull();
      expect(await idsAtGong()).toEqual([undefined]);
    },
  );
});
