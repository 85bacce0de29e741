// An unmodified TypeScript SDK 2 client that speaks 2026-07-28: it probes first (`auto`), or takes nothing else
// (`pin`).

import { UnauthorizedError } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import type { Gateway } from "../support/workerd.ts";
import { type World, startWorld } from "./gateway.ts";
import { ASK, asksGong, atGong, PAST_SHORT_LIFE_MS, revoke, SHORT_LIFE } from "./story.ts";

const MODERN = "2026-07-28";

let world: World;
let shortLived: Gateway;

beforeAll(async () => {
  world = await startWorld();
  shortLived = await world.another(SHORT_LIFE);
});
beforeEach(() => void world.gong.setKnobs({ era: "modern" }));
afterAll(() => world.stop());

/** The revisions that the calls at Gong named, and whether anything sent `initialize`. */
function revisions(since: number): {
  readonly versions: ReadonlySet<string | undefined>;
  readonly initialized: boolean;
} {
  const seen = requestsTo(world.gong.ledger(), "/mcp").filter(({ seq }) => seq > since);
  return {
    versions: new Set(
      seen
        .filter(({ rpcMethod }) => rpcMethod === "tools/call")
        .map(({ headers }) => headers["mcp-protocol-version"]),
    ),
    initialized: seen.some(({ rpcMethod }) => rpcMethod === "initialize"),
  };
}

const now = (): number => world.gong.ledger().at(-1)?.seq ?? 0;

describe(verifies("clients.sdk_v2_modern", "the TypeScript SDK 2 with 2026-07-28"), () => {
  it.each([
    ["auto, and Gong speaks nothing else", "auto", "modern"],
    ["auto, and Gong speaks both", "auto", "both"],
    ["pinned, and Gong speaks nothing else", { pin: MODERN }, "modern"],
    ["pinned, and Gong speaks both", { pin: MODERN }, "both"],
  ] as const)(
    "MCP 2026-07-28, %s: from a URL alone to Gong's answer without initialize",
    async (_, era, gongEra) => {
      world.gong.setKnobs({ era: gongEra });
      const since = now();
      const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), era });
      const client = await agent.connect();
      await asksGong(client);
      await client.close();
      expect(revisions(since)).toEqual({ versions: new Set([MODERN]), initialized: false });
    },
  );

  it("MCP 2026-07-28, Versioning: auto falls back to initialize when Gong knows no newer revision", async () => {
    world.gong.setKnobs({ era: "legacy" });
    const since = now();
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), era: "auto" });
    const client = await agent.connect();
    await asksGong(client);
    await client.close();
    expect(revisions(since).initialized).toBe(true);
    expect(revisions(since).versions).not.toContain(MODERN);
  });

  it("MCP 2026-07-28, Versioning: pinned, it does not pretend that an older Gong will do", async () => {
    world.gong.setKnobs({ era: "legacy" });
    const { calls } = atGong(world);
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), era: { pin: MODERN } });
    await expect(agent.connect()).rejects.toThrow(/version/i);
    expect(atGong(world).calls).toBe(calls);
  });

  it("RFC 6749 §6: it refreshes by itself when its access token has run out", async () => {
    const agent = createAgent({ mcpUrl: `${shortLived.origin}/mcp`, person: createPerson(), era: "auto" });
    const client = await agent.connect();
    await asksGong(client);
    const first = agent.tokens?.access_token;
    const { signIns } = atGong(world);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    await asksGong(client);
    await client.close();
    expect(agent.tokens?.access_token).not.toBe(first);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("RFC 7009 §2.1: after revocation no call reaches Gong, and the same agent signs in anew", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson(), era: { pin: MODERN } });
    const client = await agent.connect();
    await asksGong(client);
    const clientId = agent.registration?.client_id ?? "";
    const { calls } = atGong(world);
    await revoke(world.gateway, clientId, agent.tokens?.refresh_token ?? "");

    await expect(client.callTool(ASK)).rejects.toThrow(UnauthorizedError);
    expect(atGong(world).calls).toBe(calls);
    await client.close();
    const again = await agent.connect();
    await asksGong(again);
    await again.close();
    expect(agent.registration?.client_id).toBe(clientId);
  });
});
