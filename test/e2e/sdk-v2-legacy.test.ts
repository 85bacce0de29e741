// An unmodified TypeScript SDK 2 client in the era of `initialize`, from nothing to Gong's answer and through the rest
// of its life. Dynamic registration, pre-registered public and confidential clients.

import { UnauthorizedError } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { type Agent, type AgentOptions, createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import type { Gateway } from "../support/workerd.ts";
import { CONFIDENTIAL_CLIENT, PUBLIC_CLIENT, startWorld, type World } from "./gateway.ts";
import { ASK, asksGong, atGong, PAST_SHORT_LIFE_MS, revoke, SHORT_LIFE } from "./story.ts";

let world: World;
let shortLived: Gateway;

beforeAll(async () => {
  world = await startWorld();
  shortLived = await world.another(SHORT_LIFE);
});
afterAll(() => world.stop());

/** Every exchange of the agent, as `POST /token 200`. */
let exchanges: string[] = [];
beforeEach(() => {
  exchanges = [];
});

function agentAt(mcpUrl: string, options: Partial<AgentOptions> = {}): Agent {
  return createAgent({
    mcpUrl,
    person: createPerson(),
    observe: ({ method, url }, { status }) => exchanges.push(`${method} ${url.pathname} ${status}`),
    ...options,
  });
}

describe(verifies("clients.sdk_v2_legacy", "the TypeScript SDK 2 with initialize"), () => {
  it("MCP 2025-11-25, authorization flow: from a URL alone to Gong's answer, in the order of the specification", async () => {
    const agent = agentAt(world.mcpUrl);
    const client = await agent.connect();
    await asksGong(client);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["ask_account", "ask_deal", "generate_brief"]);
    await client.close();

    const steps = [
      "POST /mcp 401",
      "GET /.well-known/oauth-protected-resource/mcp 200",
      "GET /.well-known/oauth-authorization-server 200",
      "POST /register 201",
      "POST /token 200",
    ];
    expect(exchanges.slice(0, steps.length)).toEqual(steps);
    expect(exchanges.filter((exchange) => exchange.includes("/token"))).toHaveLength(1);
    expect(agent.callback?.searchParams.get("iss")).toBe(world.gateway.origin);
    expect(agent.tokens?.access_token).toMatch(/^gat_/);
  });

  it("RFC 6749 §6: when its access token has run out it refreshes by itself, and nobody signs in again", async () => {
    const agent = agentAt(`${shortLived.origin}/mcp`);
    const client = await agent.connect();
    await asksGong(client);
    const first = agent.tokens;
    const { signIns } = atGong(world);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));

    await asksGong(client);
    await client.close();
    expect(agent.tokens?.access_token).not.toBe(first?.access_token);
    expect(agent.tokens?.refresh_token).not.toBe(first?.refresh_token);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("RFC 7009 §2.1: after revocation no call reaches Gong, and the same agent signs in anew", async () => {
    const agent = agentAt(world.mcpUrl);
    const client = await agent.connect();
    await asksGong(client);
    const clientId = agent.registration?.client_id ?? "";
    const { calls } = atGong(world);
    await revoke(world.gateway, clientId, agent.tokens?.refresh_token ?? "");
    exchanges = [];

    // Refused, refused to refresh, and so it asks its person again (RFC 6749 §5.2).
    await expect(client.callTool(ASK)).rejects.toThrow(UnauthorizedError);
    expect(exchanges).toEqual(expect.arrayContaining(["POST /mcp 401", "POST /token 400"]));
    expect(atGong(world).calls).toBe(calls);
    await client.close();
    const again = await agent.connect();
    await asksGong(again);
    await again.close();
    expect(agent.registration?.client_id).toBe(clientId);
  });

  it.each([
    ["RFC 6749 §2.1: a pre-registered public client", PUBLIC_CLIENT],
    ["RFC 6749 §2.3.1: a pre-registered confidential client", CONFIDENTIAL_CLIENT],
  ])("%s signs in without registering", async (_, preregistered) => {
    const agent = agentAt(world.mcpUrl, { preregistered });
    const client = await agent.connect();
    await asksGong(client);
    await client.close();
    expect(exchanges).not.toContain("POST /register 201");
    expect(agent.registration?.client_id).toBe(preregistered.clientId);
  });

  it("RFC 6749 §5.2: a confidential client with a wrong secret gets no token", async () => {
    const preregistered = { ...CONFIDENTIAL_CLIENT, clientSecret: `${CONFIDENTIAL_CLIENT.clientSecret}x` };
    const agent = agentAt(world.mcpUrl, { preregistered });
    await expect(agent.connect()).rejects.toThrow(/client/i);
    expect(exchanges).toContain("POST /token 401");
    expect(agent.tokens).toBeUndefined();
  });
});
