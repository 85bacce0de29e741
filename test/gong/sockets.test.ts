// The stand-in over real sockets: the control API and its client, resets, half bodies, streams as they come, and the
// official MCP client in both eras.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { type Gong, gongAt } from "../support/gong.ts";
import { ASK_ACCOUNT, CALLBACK, callbackOf, driver } from "./driver.ts";
import { doubleRedemptions, toolCalls } from "./ledger-questions.ts";
import { type ServedStandIn, serveStandIn } from "./serve.ts";

let served: ServedStandIn;
let gong: Gong;
let client: ReturnType<typeof driver>;

beforeAll(async () => {
  served = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: [CALLBACK],
    knobs: { authorizePage: "approve" },
  });
  gong = gongAt(served.controlOrigin);
  client = driver((request) => fetch(request), served);
});
afterAll(() => served.close());
beforeEach(() => gong.reset());

describe(verifies("stand_in.control", "control"), () => {
  test("knobs, sign-in, ledger, credits and reset", async () => {
    await gong.signIn("grace");
    await gong.knobs({ expiresInSeconds: 5 });
    const { access_token, expires_in } = await client.connect();
    expect(expires_in).toBe(5);
    expect(await (await client.post(ASK_ACCOUNT, access_token)).text()).toContain("CANARY-grace");
    expect(await gong.credits()).toBe(1);
    expect((await gong.requests()).map(({ path }) => path)).toEqual([
      "/oauth2/authorize",
      "/oauth2/generate-mcp-token",
      "/mcp",
    ]);
    const ledger = await gong.ledger();
    expect(ledger.some((entry) => entry.kind === "tokens_issued" && entry.accessToken === access_token)).toBe(
      true,
    );
    expect(doubleRedemptions(ledger)).toEqual([]);
    await gong.reset();
    expect(await gong.ledger()).toEqual([]);
    expect((await gong.knobs()).signedInAs).toBe("ada");
  });

  test("people, tokens and integrations", async () => {
    const { access_token, refresh_token } = await client.connect();
    expect(await gong.killTokens({ kind: "all" })).toBe(2);
    expect((await client.post(ASK_ACCOUNT, access_token)).status).toBe(401);
    expect((await client.refresh(refresh_token)).status).toBe(400);
    expect(await gong.changePerson("ada", { active: false })).toMatchObject({ active: false });
    const { clientId } = await gong.createIntegration({ redirectUris: ["http://localhost:1/cb"] });
    await gong.editIntegration(clientId, { name: "Renamed" });
    await gong.deleteIntegration(clientId);
    expect((await gong.integrations()).at(-1)).toMatchObject({ name: "Renamed", deleted: true });
    expect((await client.post(ASK_ACCOUNT, await gong.restToken("grace"))).status).toBe(401);
  });

  test("what it does not know is refused, and so is a browser", async () => {
    await expect(gong.knobs(JSON.parse('{"nope":1}'))).rejects.toThrow("400");
    await expect(gong.fault(JSON.parse('{"endpoint":"mcp"}'))).rejects.toThrow("400");
    await expect(gong.editIntegration("gong-client-personal", { access: "shared" })).rejects.toThrow(
      "is fixed",
    );
    const init = { method: "POST", headers: { origin: "https://evil.test" } };
    expect((await fetch(`${served.controlOrigin}/reset`, init)).status).toBe(403);
  });
});

describe(verifies("stand_in.everywhere", "sockets"), () => {
  test.each(["drop_before", "accept_then_drop"] as const)("%s resets the connection", async (kind) => {
    const { refresh_token } = await client.connect();
    await gong.fault({ endpoint: "token", fault: { kind } });
    const error: unknown = await client.refresh(refresh_token).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) } });
    expect((await client.refresh(refresh_token)).status).toBe(kind === "drop_before" ? 200 : 400);
  });

  test.each(["half_body", "wrong_content_length"] as const)(
    "%s: headers and bytes come, then a reset",
    async (kind) => {
      const { refresh_token } = await client.connect();
      await gong.fault({ endpoint: "token", fault: { kind } });
      const response = await client.refresh(refresh_token);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow("terminated");
    },
  );

  test("a stream comes as it is written, and the stand-in sees its client leave", async () => {
    const { access_token } = await client.connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 5 } });
    const leaving = new AbortController();
    const response = await client.post(ASK_ACCOUNT, access_token, {}, leaving.signal);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toMatch(/^: still here/);
    leaving.abort();
    await expect
      .poll(async () => (await gong.ledger()).findLast((entry) => entry.kind === "answer"))
      .toMatchObject({ outcome: "client_gone", fault: "endless_stream" });
  });

  test("K10: a call goes on when its client leaves, and is charged", async () => {
    await gong.knobs({ toolLatencyMs: 150 });
    const { access_token } = await client.connect();
    const call = client.post(ASK_ACCOUNT, access_token, {}, AbortSignal.timeout(40));
    await expect(call).rejects.toThrow("timeout");
    await expect
      .poll(async () => toolCalls(await gong.ledger())[0]?.events)
      .toEqual(["started", "charged", "answered"]);
  });

  test("a gzip bomb is unpacked by the client", async () => {
    const { refresh_token } = await client.connect();
    await gong.fault({ endpoint: "token", fault: { kind: "gzip_bomb", megabytes: 3 } });
    expect(await (await client.refresh(refresh_token)).text()).toHaveLength(3_145_728);
  });

  test("the page is shown by default, for browsers", async () => {
    const own = await serveStandIn({ mcpPort: 0, appPort: 0, controlPort: 0, redirectUris: [CALLBACK] });
    try {
      const page = await driver((request) => fetch(request), own).authorize();
      expect(await page.text()).toContain(">Allow</button>");
    } finally {
      await own.close();
    }
  });

  test("a taken port is an error, and the others are freed", async () => {
    const taken = Number(new URL(served.mcpOrigin).port);
    const attempt = serveStandIn({ mcpPort: 0, appPort: 0, controlPort: taken });
    await expect(attempt).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe(verifies("stand_in.mcp", "the official MCP client"), () => {
  test.each([
    ["legacy", false, "json"],
    ["legacy", true, "sse"],
    ["modern", false, "json"],
    ["both", false, "sse"],
  ] as const)("lists and calls tools (era %s, sessions %s, %s)", async (era, sessions, answerAs) => {
    await gong.knobs({ era, sessions, answerAs, getStream: true, deleteEndsSession: true });
    const { access_token } = await client.connect();
    const mcp = new Client(
      { name: "test", version: "1" },
      era === "legacy" ? {} : { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    const requestInit = { headers: { authorization: `Bearer ${access_token}` } };
    await mcp.connect(new StreamableHTTPClientTransport(new URL(`${served.mcpOrigin}/mcp`), { requestInit }));
    expect((await mcp.listTools()).tools).toHaveLength(3);
    const result = await mcp.callTool({
      name: "ask_account",
      arguments: { crmAccount: "Acme", question: "?" },
    });
    expect(JSON.stringify(result.content)).toContain("CANARY-ada");
    await mcp.close();
  });

  test("D1, D3, C1: discovery leads from the challenge to the authorize page", async () => {
    const refused = await client.post(ASK_ACCOUNT, undefined);
    const url = /resource_metadata=(\S+)$/.exec(refused.headers.get("www-authenticate") ?? "")?.[1] ?? "";
    const resource = (await (await fetch(url)).json()) as { authorization_servers: string[] };
    const metadataUrl = `${resource.authorization_servers[0]}/.well-known/oauth-authorization-server`;
    const metadata = (await (await fetch(metadataUrl)).json()) as { authorization_endpoint: string };
    expect(metadata.authorization_endpoint).toBe(`${served.appOrigin}/oauth2/authorize`);
    expect(callbackOf(await client.authorize()).searchParams.get("code")).toMatch(/^gong_code_/);
  });
});
