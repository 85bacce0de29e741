// Agents that start while Gong is down: the opening is answered from what Gong last said, calls say what is wrong, and
// a session that began so ends as soon as Gong is back. MCP 2025-11-25, Lifecycle and Session Management.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { rowsOf } from "../support/evidence.ts";
import { ASK_ACCOUNT, ask, askToken, call, connect, TOOLS_LIST, type Tokens } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { INITIALIZE, PING } from "../support/mcp.ts";

const INITIALIZED = { jsonrpc: "2.0", method: "notifications/initialized" };
const MODERN = { "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover" };
const DISCOVER = {
  jsonrpc: "2.0",
  id: 7,
  method: "server/discover",
  params: {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "client", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

const DISCOVERED = {
  resultType: "complete",
  supportedVersions: ["2026-07-28"],
  capabilities: { tools: {} },
  ttlMs: 0,
};

let clientId: string;
let tokens: Tokens;

beforeAll(async () => {
  await gong.reset();
  ({ clientId, tokens } = await connect());
});
beforeEach(() => gong.clearFaults());
afterEach(() => {
  vi.useRealTimers();
});

/** Gong is down in this way until `gong.clearFaults()`. */
const OUTAGES = [
  ["drops every connection", { kind: "drop_before" }],
  ["answers 503", { kind: "status", status: 503 }],
  [
    "answers 502 with HTML",
    { kind: "status", status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad</h1>" },
  ],
] as const;

async function goDown(fault: (typeof OUTAGES)[number][1]): Promise<void> {
  await gong.fault({ endpoint: "mcp", fault, times: "always" });
}

const resultOf = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  const json = text.startsWith("{") ? text : (/^data: ?(\{.*)$/m.exec(text)?.[1] ?? "");
  return (JSON.parse(json) as { result: unknown }).result;
};

/** Opens with Gong up, and waits until its answer is kept. */
async function openOnce(message: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const result = await resultOf(await call(tokens.access_token, message, { headers }));
  await expect.poll(async () => (await rowsOf("ADMIN", "handshakes")).length).toBeGreaterThan(0);
  return result;
}

describe(verifies("outage.handshake", "an agent that starts while Gong is down"), () => {
  it.each(OUTAGES)(
    "gateway: Gong %s, and initialize is answered what Gong last answered",
    async (_, fault) => {
      const before = await openOnce(INITIALIZE);
      await goDown(fault);
      const answer = await call(tokens.access_token, { ...INITIALIZE, id: "mine" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json\b/);
      const body = await answer.clone().json();
      expect(body).toMatchObject({ jsonrpc: "2.0", id: "mine" });
      expect(await resultOf(answer)).toEqual(before);
    },
  );

  /** Opens as Ada with Gong up, and again once it is down; the answer to that. */
  async function discoverTwice(
    cacheScope: "public" | "private",
  ): Promise<{ before: unknown; later: Response }> {
    const result = { ...DISCOVERED, cacheScope };
    const discover = {
      fault: { kind: "fields", set: { result } },
      where: { rpcMethod: "server/discover" },
    } as const;
    await gong.fault({ endpoint: "mcp", ...discover, times: 1 });
    const before = await resultOf(await call(tokens.access_token, DISCOVER, { headers: MODERN }));
    await goDown({ kind: "drop_before" });
    // What Gong said is kept after its answer has gone on.
    const again = (): Promise<Response> =>
      call(tokens.access_token, { ...DISCOVER, id: 8 }, { headers: MODERN });
    await expect.poll(async () => resultOf(await again())).toEqual(before);
    return { before, later: await again() };
  }

  /** Another person, who opens while Gong is down. */
  async function openAsAnother(): Promise<number> {
    await gong.clearFaults();
    await gong.signIn("grace");
    const { tokens: others } = await connect();
    await gong.signIn("ada");
    await goDown({ kind: "drop_before" });
    return (await call(others.access_token, DISCOVER, { headers: MODERN })).status;
  }

  it("MCP 2026-07-28, Caching: a private server/discover is answered to the same person, and to nobody else", async () => {
    await gong.knobs({ era: "modern" });
    const { before, later } = await discoverTwice("private");
    expect(later.headers.get("mcp-session-id")).toBeNull();
    expect(await resultOf(later)).toEqual(before);
    expect(await rowsOf("ADMIN", "handshakes")).not.toContainEqual(
      expect.objectContaining({ opening: expect.stringContaining("server/discover") }),
    );
    expect(await openAsAnother()).toBe(502);
    await gong.knobs({ era: "legacy" });
  });

  it("MCP 2026-07-28, Caching: a public one is answered to everybody", async () => {
    await gong.knobs({ era: "modern" });
    const { before, later } = await discoverTwice("public");
    expect(await resultOf(later)).toEqual(before);
    expect(await openAsAnother()).toBe(200);
    await gong.knobs({ era: "legacy" });
  });

  it("gateway: also when the Gong access token has run out and Gong can't give a new one", async () => {
    await openOnce(INITIALIZE);
    await goDown({ kind: "status", status: 503 });
    await gong.fault({ endpoint: "token", fault: { kind: "status", status: 503 }, times: "always" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 86_400_000 });
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: clientId,
      refresh_token: tokens.refresh_token,
    });
    tokens = await refreshed.json();
    expect((await call(tokens.access_token, INITIALIZE)).status).toBe(200);
    const paid = await call(tokens.access_token, ASK_ACCOUNT);
    expect(paid.headers.get("www-authenticate")).toBeNull();
    expect(await paid.text()).toContain("Gong is not available");
  });

  it("gateway: words that Gong may have written for one person are kept for nobody else", async () => {
    const said = {
      protocolVersion: "2024-11-05",
      capabilities: {},
      serverInfo: { name: "Gong", version: "1" },
    };
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      result: { ...said, instructions: "You act for Ada.", _meta: { person: "ada" } },
    });
    const headers = { "content-type": "application/json" };
    await gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 200, headers, body } });
    const answer = await openOnce({
      ...INITIALIZE,
      params: { ...INITIALIZE.params, protocolVersion: "2024-11-05" },
    });
    expect(answer).toMatchObject({ instructions: "You act for Ada." });
    const kept = async (): Promise<unknown> =>
      (await rowsOf("ADMIN", "handshakes")).find(({ opening }) => opening === "initialize 2024-11-05")?.[
        "result"
      ];
    await expect.poll(kept).toBeDefined();
    expect(JSON.parse(String(await kept()))).toEqual(said);
  });

  it("MCP 2025-11-25, Version Negotiation: revisions that Gong does not speak fill no memory", async () => {
    await openOnce(INITIALIZE);
    const before = (await rowsOf("ADMIN", "handshakes")).length;
    for (const protocolVersion of ["1999-01-01", "1999-01-02"]) {
      await openOnce({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion } });
    }
    const openings = (await rowsOf("ADMIN", "handshakes")).map(({ opening }) => opening);
    expect(JSON.stringify(openings)).not.toContain("1999");
    expect(openings.length - before).toBeLessThanOrEqual(1);
  });

  it("RFC 6750 §3.1: nobody without a good token is answered from what is kept", async () => {
    await openOnce(INITIALIZE);
    await goDown({ kind: "drop_before" });
    expect((await call(`${tokens.access_token}x`, INITIALIZE)).status).toBe(401);
    expect((await ask("/mcp", { method: "POST", body: JSON.stringify(INITIALIZE) })).status).toBe(401);
  });

  it("gateway: an opening that Gong never answered is refused with 502, not made up", async () => {
    await gong.knobs({ era: "modern" });
    const other = { ...DISCOVER, method: "initialize", params: { protocolVersion: "2025-11-25" } };
    await goDown({ kind: "drop_before" });
    const shared = await call(tokens.access_token, other, { path: "/shared/mcp" });
    expect(shared.status).toBe(401);
    await gong.knobs({ era: "legacy" });
  });

  it("gateway: calls say clearly that Gong is unavailable", async () => {
    await goDown({ kind: "drop_before" });
    for (const message of [TOOLS_LIST, ASK_ACCOUNT]) {
      const answer = await call(tokens.access_token, message);
      expect(answer.headers.get("www-authenticate")).toBeNull();
      expect(await answer.text()).toMatch(/Gong (is not available|did not answer)/);
    }
  });
});

describe(verifies("outage.session", "a session that began while Gong was down"), () => {
  /** Begins one at a Gong that has sessions; returns its id. */
  async function begin(): Promise<string> {
    await gong.knobs({ sessions: true });
    await openOnce(INITIALIZE);
    // What was kept before may have had no session.
    await expect
      .poll(async () => (await rowsOf("ADMIN", "handshakes")).some((row) => row["has_session"] === 1))
      .toBe(true);
    await goDown({ kind: "drop_before" });
    const answer = await call(tokens.access_token, INITIALIZE);
    expect(answer.status).toBe(200);
    const id = answer.headers.get("mcp-session-id");
    if (id === null) throw new Error("No session was begun");
    return id;
  }

  it("MCP 2025-11-25: takes notifications and pings, says what is wrong with the rest, and can be ended", async () => {
    const headers = { "mcp-session-id": await begin() };
    expect((await call(tokens.access_token, INITIALIZED, { headers })).status).toBe(202);
    const ping = await call(tokens.access_token, PING, { headers });
    expect(await ping.json()).toEqual({ jsonrpc: "2.0", id: PING.id, result: {} });
    const list = await call(tokens.access_token, TOOLS_LIST, { headers });
    expect(list.status).toBe(503);
    expect(await list.text()).toContain("Gong is not available");
    const ended = await ask("/mcp", {
      method: "DELETE",
      headers: { ...headers, authorization: `Bearer ${tokens.access_token}` },
    });
    expect(ended.status).toBe(200);
    await gong.knobs({ sessions: false });
  });

  it("MCP 2025-11-25: once Gong is back it is a session that there is not, so that the client starts anew, and nothing was paid", async () => {
    const headers = { "mcp-session-id": await begin() };
    await gong.clearFaults();
    const credits = await gong.credits();
    const paid = await call(tokens.access_token, ASK_ACCOUNT, { headers });
    expect(paid.status).toBe(404);
    expect(await gong.credits()).toBe(credits);
    const again = await call(tokens.access_token, INITIALIZE);
    const session = again.headers.get("mcp-session-id") ?? "";
    const answered = await call(tokens.access_token, ASK_ACCOUNT, { headers: { "mcp-session-id": session } });
    expect(answered.status).toBe(200);
    expect(await answered.text()).toContain("CANARY-ada");
    await gong.knobs({ sessions: false });
  });
});
