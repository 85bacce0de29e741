// An unmodified TypeScript SDK 1 client: the library of most MCP clients in use.

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createPerson } from "../support/person.ts";
import { type World, startWorld } from "./gateway.ts";
import { connect, createMemory } from "./sdk-v1-agent.ts";
import { ASK, asksGong, atGong, PAST_SHORT_LIFE_MS, revoke, SHORT_LIFE } from "./story.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe(verifies("clients.sdk_v1", "the TypeScript SDK 1"), () => {
  it("MCP 2025-06-18, authorization flow: from a URL alone to Gong's answer", async () => {
    const memory = createMemory(createPerson());
    const client = await connect(world.mcpUrl, memory);
    await asksGong(client);
    await client.close();
    expect(memory.held.registration?.client_id).toMatch(/^gcl_/);
    expect(memory.held.tokens?.access_token).toMatch(/^gat_/);
  });

  it("RFC 6749 §6: when its access token has run out it refreshes by itself, and nobody signs in again", async () => {
    const shortLived = await world.another(SHORT_LIFE);
    const memory = createMemory(createPerson());
    const client = await connect(`${shortLived.origin}/mcp`, memory);
    await asksGong(client);
    const first = memory.held.tokens;
    const { signIns } = atGong(world);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));

    await asksGong(client);
    await client.close();
    expect(memory.held.tokens?.access_token).not.toBe(first?.access_token);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("RFC 7009 §2.1: after revocation no call reaches Gong, and the same agent signs in anew", async () => {
    const memory = createMemory(createPerson());
    const client = await connect(world.mcpUrl, memory);
    await asksGong(client);
    const { calls } = atGong(world);
    const { registration, tokens } = memory.held;
    await revoke(world.gateway, registration?.client_id ?? "", tokens?.refresh_token ?? "");

    await expect(client.callTool(ASK)).rejects.toThrow(UnauthorizedError);
    expect(atGong(world).calls).toBe(calls);
    await client.close();
    await asksGong(await connect(world.mcpUrl, memory));
    expect(memory.held.registration?.client_id).toBe(registration?.client_id);
  });
});
