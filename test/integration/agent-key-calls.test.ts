// Calls with an agent key: where it counts, what it reaches, and how little anything else does.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256 } from "../../src/crypto/encoding.ts";
import { revokeAgentKey } from "../../src/domain/agent-keys.ts";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { tokenRequests } from "../gong/ledger-questions.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { gatewayHere, makeKey, personWithKey } from "../support/agent-key.ts";
import { tamper } from "../support/connection.ts";
import { everythingStored, objectIds, recordLogs, secretsIn } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, askToken, call, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, ledgerWhen, PING, request } from "../support/mcp.ts";

beforeEach(() => gong.reset());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const DAY = 86_400;
const SHARED = { path: "/shared/mcp" };
const laterBy = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};
const toolCall = (name: string) => ({
  ...ASK_ACCOUNT,
  params: { ...ASK_ACCOUNT.params, name },
});

/** Refused as a credential, and without a way to sign in: RFC 6750 §3.1. */
async function expectKeyRefused(response: Response): Promise<void> {
  expect(response.status).toBe(401);
  const challenge = response.headers.get("www-authenticate") ?? "";
  expect(challenge).toMatch(/^Bearer error="invalid_token", error_description="[^"]+"$/);
  expect(await response.json()).toMatchObject({ error: "invalid_token" });
}

describe(verifies("keys.call", "a call with an agent key"), () => {
  it("RFC 6750 §2.1: it reaches its person's data, and Gong never sees the key", async () => {
    const { key } = await personWithKey("ada");
    const answer = await call(key, ASK_ACCOUNT);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("CANARY-ada-7f3a90");
    const [seen] = await atGong();
    expect(seen?.method).toBe("POST");
    expect(secretsIn(JSON.stringify(await gong.ledger()), { key })).toEqual([]);
  });

  it("gateway: two people's keys reach their own data, and neither the other's", async () => {
    const ada = await personWithKey("ada");
    const grace = await personWithKey("grace");
    const answers = await Promise.all(
      [ada, grace].map(async ({ key }) => (await call(key, ASK_ACCOUNT)).text()),
    );
    expect(answers.map((text) => [text.includes("CANARY-ada"), text.includes("CANARY-grace")])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it("RFC 8707 §2: a key of shared access works at its own endpoint only, and a personal one at its own", async () => {
    const admin = await adminBrowser();
    await connectSharedAs(admin);
    const entries = await env.ADMIN.getByName("admin").listConnections(100);
    const shared = await makeKey(entries.find(({ integration }) => integration === "shared")?.id ?? "");
    const { key } = await personWithKey("ada");
    const before = (await atGong()).length;
    await expectKeyRefused(await call(shared.key, ASK_ACCOUNT));
    await expectKeyRefused(await call(key, ASK_ACCOUNT, SHARED));
    expect(await atGong()).toHaveLength(before);
    expect(await (await call(shared.key, ASK_ACCOUNT, SHARED)).text()).toContain("CANARY-company-2b9d41");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
  });
});

describe(verifies("keys.refused", "what is no live agent key"), () => {
  it("RFC 6750 §5.2: a key with any character changed, cut or added wakes no object", async () => {
    const { key } = await personWithKey("ada");
    const before = await objectIds();
    const places = [4, 9, 20, 40, 60, 90, 110, key.length - 1];
    const changed = places.map((at) => key.slice(0, at) + (key[at] === "A" ? "B" : "A") + key.slice(at + 1));
    const wrong = [
      ...changed,
      key.slice(0, -1),
      `${key}A`,
      key.toUpperCase(),
      "gak_",
      `gak_${"A".repeat(124)}`,
    ];
    for (const made of wrong) expect([made, (await call(made, ASK_ACCOUNT)).status]).toEqual([made, 401]);
    expect(await objectIds()).toEqual(before);
    expect(await atGong()).toEqual([]);
  });

  it("RFC 8725 §3.11: a key under another prefix is nothing, and another credential is no key", async () => {
    const { key, client } = await personWithKey("ada");
    const body = key.slice(4);
    for (const prefix of ["gat_", "grt_", "gac_"]) {
      expect((await call(prefix + body, ASK_ACCOUNT)).status).toBe(401);
    }
    const { access_token: access, refresh_token: refresh } = client.tokens;
    for (const token of [access, refresh]) await expectKeyRefused(await call(`gak_${token.slice(4)}`, PING));
    expect(await atGong()).toEqual([]);
  });

  it("gateway: it ends at its expiry, to the second", async () => {
    const { key, connectionId } = await personWithKey("ada", { expiresInDays: 1 });
    laterBy(DAY - 5);
    expect((await call(key, PING)).status).not.toBe(401);
    laterBy(10);
    await expectKeyRefused(await call(key, PING));
    expect(connectionId).not.toBe("");
  });

  it.each([
    ["the query", (key: string) => ask(`/mcp?access_token=${key}`, { method: "POST", body: "{}" })],
    ["a query of its own name", (key: string) => ask(`/mcp?key=${key}`, { method: "POST", body: "{}" })],
    ["a cookie", (key: string) => ask("/mcp", { method: "POST", headers: { cookie: `key=${key}` } })],
    ["another header", (key: string) => ask("/mcp", { headers: { "x-api-key": key } })],
    ["HTTP Basic", (key: string) => ask("/mcp", { headers: { authorization: `Basic ${btoa(`${key}:`)}` } })],
    ["no scheme", (key: string) => ask("/mcp", { headers: { authorization: key } })],
  ])("OAuth 2.1 §5.1.1: in %s it does not count, and is not logged", async (_, send) => {
    const { key } = await personWithKey("ada");
    const logs = recordLogs();
    const response = await send(key);
    expect(response.status).toBe(401);
    expect(
      secretsIn(logs.join("\n") + JSON.stringify([...response.headers]) + (await response.text()), { key }),
    ).toEqual([]);
    expect(await atGong()).toEqual([]);
  });

  it("RFC 7009 §2.2: at /revoke and /token a key is no token, and goes on working", async () => {
    const { key, client } = await personWithKey("ada");
    const form = { client_id: client.clientId };
    const revoked = await ask("/revoke", {
      method: "POST",
      body: new URLSearchParams({ ...form, token: key, token_type_hint: "access_token" }),
    });
    expect([revoked.status, await revoked.text()]).toEqual([200, ""]);
    const refresh = await askToken({ ...form, grant_type: "refresh_token", refresh_token: key });
    const code = await askToken({
      ...form,
      grant_type: "authorization_code",
      code: key,
      code_verifier: "v".repeat(43),
    });
    expect([await errorOf(refresh), await errorOf(code)]).toEqual(["invalid_grant", "invalid_grant"]);
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
  });

  it.each(["/admin", "/admin/agent-keys", "/authorize", "/register", "/health", "/"])(
    "ASVS 8.2.1: at %s a key opens nothing",
    async (path) => {
      const { key } = await personWithKey("ada");
      const plain = await ask(path);
      const withKey = await ask(path, {
        headers: { authorization: `Bearer ${key}`, cookie: `__Host-admin=${key}` },
      });
      expect(withKey.status).toBe(plain.status);
      expect(await withKey.text()).not.toContain(key);
    },
  );
});

describe(verifies("keys.tools", "a key that is made for some tools"), () => {
  it("MCP, Tool Execution Errors: calls of others are tool errors that say so, and cost nothing", async () => {
    const { key } = await personWithKey("ada", { tools: ["ask_account"] });
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const spent = await gong.credits();
    const unnamed = { ...ASK_ACCOUNT, params: { arguments: {} } };
    const names = ["ask_deal", "generate_brief", "ASK_ACCOUNT", "ask_account ", "no_such_tool", ""];
    for (const message of [...names.map(toolCall), unnamed]) {
      const answer = await call(key, message);
      const text = await answer.text();
      expect([answer.status, text]).toEqual([200, expect.stringContaining('"isError":true')]);
      expect(text).toContain("List the tools to see which ones are allowed");
    }
    const { id: _, ...notification } = toolCall("ask_deal");
    expect((await call(key, notification)).status).toBe(400);
    expect(await gong.credits()).toBe(spent);
  });

  it("RFC 6749 §3.3: a key reaches the scopes of its own tools, and no further", async () => {
    const { connectionId, key } = await personWithKey("ada", { tools: ["generate_brief"] });
    const hash = await sha256(key);
    const held = await env.CONNECTIONS.getByName(connectionId).authorize({ kind: "agent_key", hash });
    expect(held).toMatchObject({ scope: "mcp:ai-briefer:read", tools: ["generate_brief"] });
    const everything = await makeKey(connectionId);
    for (const name of ["ask_account", "ask_deal", "generate_brief"]) {
      expect((await call(everything.key, toolCall(name))).status).toBe(200);
    }
  });

  it("MCP 2026-07-28, Tools, Security Considerations: a list shows it those tools and no other", async () => {
    const { key, connectionId } = await personWithKey("ada", { tools: ["ask_deal"] });
    const everything = await makeKey(connectionId);
    expect(await toolNames(key)).toEqual(["ask_deal"]);
    expect(await toolNames(everything.key)).toEqual(["ask_account", "ask_deal", "generate_brief"]);
  });

  it("gateway: all else of MCP is open to it", async () => {
    const { key } = await personWithKey("ada", { tools: ["ask_account"] });
    expect((await call(key, TOOLS_LIST)).status).toBe(200);
    expect((await call(key, PING)).status).toBe(200);
  });
});

describe(verifies("keys.revoked_at_once", "a key that is revoked"), () => {
  it("ASVS 7.4.1: no call of twenty at once reaches Gong any more, also when it was seen a moment ago", async () => {
    const { key, connectionId, id } = await personWithKey("ada");
    expect((await call(key, ASK_ACCOUNT)).status).toBe(200);
    const before = (await atGong()).length;
    expect(await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"))).toBe(true);
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(key, ASK_ACCOUNT)));
    for (const answer of answers) await expectKeyRefused(answer);
    expect(await atGong()).toHaveLength(before);
  });

  it("gateway: what reaches no data ends within ACCESS_CACHE_SECONDS", async () => {
    const { key, connectionId, id } = await personWithKey("ada");
    await call(key, PING);
    await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"));
    laterBy(gatewayHere().config.accessCacheSeconds + 1);
    await expectKeyRefused(await call(key, PING));
  });

  it("gateway: a call that waits for new Gong tokens while its key is revoked does not go on", async () => {
    const { key, connectionId, id, client } = await personWithKey("ada");
    await tamper(env.CONNECTIONS.getByName(connectionId), "UPDATE connection SET gong_expires_at = 0");
    await gong.fault({ endpoint: "token", fault: { kind: "delay", ms: 1000 } });
    const waiting = call(key, ASK_ACCOUNT);
    await ledgerWhen((entries) => tokenRequests(entries, "refresh_token") === 1);
    expect(await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"))).toBe(true);
    await expectKeyRefused(await waiting);
    expect(await atGong()).toEqual([]);
    expect((await call(client.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: the person's clients and other keys go on", async () => {
    const { connectionId, id, client } = await personWithKey("ada");
    const other = await makeKey(connectionId);
    await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"));
    expect((await call(other.key, ASK_ACCOUNT)).status).toBe(200);
    expect((await call(client.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: the end of its connection ends it, and a new sign-in does not bring it back", async () => {
    const { key, connectionId } = await personWithKey("ada");
    await env.CONNECTIONS.getByName(connectionId).disconnect("ended_by_admin");
    await expectKeyRefused(await call(key, ASK_ACCOUNT));
    await personWithKey("ada");
    await expectKeyRefused(await call(key, ASK_ACCOUNT));
  });
});

describe(verifies("keys.secret", "where a key is"), () => {
  it("ASVS 14.2.4: no log, no answer and no stored byte holds a key", async () => {
    const logs = recordLogs();
    const { key, connectionId, id } = await personWithKey("ada");
    const answers = [
      await call(key, ASK_ACCOUNT),
      await call(key, toolCall("no_such_tool")),
      await request(key, "GET"),
      await request(key, "PATCH"),
    ];
    await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"));
    answers.push(await call(key, ASK_ACCOUNT), await call(`${key.slice(0, -1)}_`, ASK_ACCOUNT));
    const seen = await Promise.all(
      answers.map(async (answer) => JSON.stringify([...answer.headers]) + (await answer.text())),
    );
    const everything = [...seen, ...logs, await everythingStored()].join("\n");
    expect(secretsIn(everything, { key, body: key.slice(4), secret: key.slice(60, 110) })).toEqual([]);
    expect(everything).toContain(id);
  });

  it("RFC 6750 §3.1: the answer does not tell a revoked key from a made-up or an expired one", async () => {
    const { key, connectionId, id } = await personWithKey("ada", { expiresInDays: 1 });
    const made = await call(`gak_${"A".repeat(124)}`, ASK_ACCOUNT);
    await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"));
    const revoked = await call(key, ASK_ACCOUNT);
    laterBy(DAY + 1);
    const expired = await call(key, ASK_ACCOUNT);
    const texts = await Promise.all(
      [made, revoked, expired].map(async (answer) => [
        answer.status,
        answer.headers.get("www-authenticate"),
        await answer.text(),
      ]),
    );
    expect(new Set(texts.map((text) => JSON.stringify(text))).size).toBe(1);
    expect(JSON.stringify(texts)).not.toContain(ORIGIN);
  });
});

async function errorOf(response: Response): Promise<unknown> {
  const body: { error?: unknown } = await response.json();
  return body.error;
}

async function toolNames(key: string): Promise<readonly string[]> {
  const text = await (await call(key, TOOLS_LIST)).text();
  const message = JSON.parse(text.replace(/^[\s\S]*?data: /, "")) as {
    result: { tools: { name: string }[] };
  };
  return message.result.tools.map(({ name }) => name);
}
