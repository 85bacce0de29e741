// /admin/doctor: what clients tried and where they failed, kept within bounds and without a secret.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs, decide, waitForShared } from "../support/admin.ts";
import { approveDevice, beginDevice, decideDevice, enterCode, poll } from "../support/device.ts";
import { everythingStored, rowsOf, secretsIn } from "../support/evidence.ts";
import {
  ask,
  ASK_ACCOUNT,
  askToken,
  authorizationQuery,
  call,
  connect,
  PKCE,
  redeem,
  register,
  sealedRequest,
  signIn,
  TestBrowser,
  TOOLS_LIST,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.useRealTimers());

const pageOf = (clientId: string) => `/admin/client?${new URLSearchParams({ id: clientId })}`;

async function traceOf(clientId: string): Promise<string> {
  const answer = await (await adminBrowser()).open(pageOf(clientId));
  expect(answer.status).toBe(200);
  return readText(await answer.text());
}

describe(verifies("doctor.trace", "the trace of a client"), () => {
  it("gateway: a sign-in that works is there step by step, to the first call", async () => {
    const { clientId, tokens } = await connect();
    await call(tokens.access_token, TOOLS_LIST);
    await expect.poll(async () => traceOf(clientId)).toContain("First call Worked");
    const text = await traceOf(clientId);
    for (const step of [
      "Registration",
      "Consent page asked for",
      "Person's decision",
      "Sign-in at Gong",
      "Token",
    ])
      expect(text).toContain(`${step} Worked`);
    expect(text).not.toContain("It stopped at");
    const doctor = readText(await (await (await adminBrowser()).open(`/admin/doctor?q=${clientId}`)).text());
    expect(doctor).toContain("1 matches");
  });

  it("gateway: a client is found by its name when its last step was a call that tells no name", async () => {
    const admin = env.ADMIN.getByName("admin");
    const step = { at: 1_800_000_000, clientId: "gcl_named", requestId: undefined };
    await admin.recordAttempts([
      { ...step, step: "token", name: "Named agent", reason: undefined },
      { ...step, step: "refused", name: undefined, reason: "token_revoked" },
    ]);
    const doctor = readText(await (await (await adminBrowser()).open("/admin/doctor?q=named+agent")).text());
    expect(doctor).toContain("1 matches");
    expect(doctor).toContain("Named agent gcl_named");
  });

  it("gateway: discovery is the step of the client that goes on from the same address, once and of nobody else", async () => {
    const from = (address: string) => ({ headers: { "cf-connecting-ip": address } });
    const registerFrom = async (address: string): Promise<string> => {
      const answer = await ask("/register", {
        method: "POST",
        headers: { "content-type": "application/json", "cf-connecting-ip": address },
        body: JSON.stringify({ redirect_uris: ["http://127.0.0.1:7777/callback"] }),
      });
      const { client_id: id }: { client_id: string } = await answer.json();
      return id;
    };
    await ask("/.well-known/oauth-authorization-server", from("198.51.100.77"));
    const elsewhere = await registerFrom("198.51.100.78");
    const own = await registerFrom("198.51.100.77");
    const later = await registerFrom("198.51.100.77");
    expect(await traceOf(own)).toContain("Discovery Worked");
    expect(await traceOf(elsewhere)).not.toContain("Discovery Worked");
    expect(await traceOf(later)).not.toContain("Discovery Worked");
  });

  it("gateway: a wrong redirect URI is named with its step, what to do, and the quirk of VS Code", async () => {
    const { client_id: id } = await register({
      client_name: "Visual Studio Code",
      redirect_uris: ["http://127.0.0.1:33418/"],
    });
    const answer = await ask(
      `/authorize?${authorizationQuery(id, { redirect_uri: "http://127.0.0.1:33418" })}`,
    );
    expect(answer.status).toBe(400);
    const reference = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/.exec(readText(await answer.text()))?.[0] ?? "?";
    const text = await traceOf(id);
    expect(text).toContain(
      "It stopped at: Consent page asked for. It asked for the answer at an address that",
    );
    expect(text).toContain("Known: VS Code answers at http://127.0.0.1:33418/ with a slash at the end");
    expect(text).toContain(`Reference ${reference}`);
    const found = await (await adminBrowser()).open(`/admin/doctor?q=${reference}`);
    expect(readText(await found.text())).toContain("Visual Studio Code");
  });

  it("gateway: Cursor's own scheme is named as what it is", async () => {
    const cursor = "cursor://anysphere.cursor-mcp/oauth/callback";
    const { client_id: id } = await register({
      client_name: "Cursor",
      redirect_uris: [
        cursor,
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
      ],
    });
    await ask(`/authorize?${authorizationQuery(id, { redirect_uri: cursor })}`);
    expect(await traceOf(id)).toContain("Known: Cursor registers three redirect URIs");
  });

  it("gateway: an old refresh token under a new client id is named, for the new client", async () => {
    const { tokens } = await connect();
    const { client_id: id } = await register({ client_name: "mcporter" });
    const answer = await askToken({
      grant_type: "refresh_token",
      client_id: id,
      refresh_token: tokens.refresh_token,
    });
    expect(answer.status).toBe(400);
    const text = await traceOf(id);
    expect(text).toContain("It stopped at: Token. It used a code or refresh token under another client id");
    expect(text).toContain("Known: Some clients, mcporter among them, register anew");
  });

  it.each([
    ["the person says no", "denied_by_person", "Person's decision"],
    ["Gong says no", "gong_denied", "Sign-in at Gong"],
    ["the verifier is wrong", "wrong_verifier", "Token"],
  ])("gateway: when %s, the trace says %s at %s", async (what, reason, step) => {
    const { client_id: id } = await register();
    if (what === "the person says no") {
      const browser = new TestBrowser();
      const page = await browser.open(`/authorize?${authorizationQuery(id)}`);
      await browser.post("/authorize", { request: sealedRequest(await page.text()), decision: "deny" });
    } else if (what === "Gong says no") {
      await gong.knobs({ authorizePage: "deny" });
      await signIn(id);
    } else {
      const { searchParams } = await signIn(id);
      await askToken({
        grant_type: "authorization_code",
        client_id: id,
        code: searchParams.get("code") ?? "",
        code_verifier: "A".repeat(43),
        redirect_uri: "http://127.0.0.1:7777/callback",
      });
    }
    const text = await traceOf(id);
    expect(text).toContain(`It stopped at: ${step}.`);
    expect(text).toContain(`Reason ${reason}`);
  });

  it("RFC 8628 §3: a device is there step by step, from its code to its token", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const device = await beginDevice();
    await approveDevice(device);
    expect((await poll(device)).status).toBe(200);
    const text = await traceOf(device.clientId);
    for (const step of ["Device code asked for", "Device code entered", "Person's decision", "Token"])
      expect(text).toContain(`${step} Worked`);
    expect(text).not.toContain("It stopped at");
  });

  it("RFC 8628 §3.5: a device that waits leaves no step, and one that its person refused stops at its token", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const device = await beginDevice();
    expect((await poll(device)).status).toBe(400);
    expect(await traceOf(device.clientId)).not.toContain("Token");
    const browser = new TestBrowser();
    const page = await enterCode(browser, device.userCode);
    await decideDevice(browser, await page.text(), { decision: "deny" });
    vi.setSystemTime(Date.now() + 11_000);
    expect((await poll(device)).status).toBe(403);
    const text = await traceOf(device.clientId);
    expect(text).toContain("It stopped at: Token. The person, or an admin, said no.");
  });

  it.each([
    ["approve", "Admin's decision Worked"],
    ["deny", "It stopped at: Admin's decision. The person, or an admin, said no."],
  ] as const)(
    "gateway: an admin's %s is a step, and the page that waits is none",
    async (decision, expected) => {
      const admin = await adminBrowser();
      if (decision === "approve") await connectSharedAs(admin);
      const waiting = await waitForShared();
      expect((await waiting.browser.open(waiting.path)).status).toBe(200);
      expect(await traceOf(waiting.clientId)).not.toContain("Admin's decision");
      await decide(admin, waiting, decision);
      expect((await waiting.browser.open(waiting.path)).status).toBe(303);
      expect(await traceOf(waiting.clientId)).toContain(expected);
    },
  );

  it("MCP 2026-07-28: a call whose header contradicts its message is named, for its client", async () => {
    const { clientId, tokens } = await connect();
    await call(tokens.access_token, TOOLS_LIST);
    expect(await traceOf(clientId)).not.toContain("mcp_headers");
    const headers = { "mcp-method": "tools/call" };
    expect((await call(tokens.access_token, TOOLS_LIST, { headers })).status).toBe(400);
    const text = await traceOf(clientId);
    expect(text).toContain("It stopped at: Call. MCP-Protocol-Version, Mcp-Method or Mcp-Name is");
    expect(text).toContain("Reason mcp_headers");
  });

  it("RFC 6750 §3.1: a call that Gong refuses for its scope is named, for its client", async () => {
    const { clientId, tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "insufficient_scope", scope: "gong:secret" } });
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(403);
    expect(await traceOf(clientId)).toContain(
      "It stopped at: Call. It needs a scope that Gong does not have or did not give.",
    );
  });

  it.each([
    ["a key of another service", "a-key-of-some-other-service"],
    ["a made-up token of ours", `gat_${"A".repeat(124)}`],
  ])("RFC 6750 §3.1: %s is named, and not kept", async (_, theirs) => {
    expect((await call(theirs, TOOLS_LIST)).status).toBe(401);
    const text = await traceOf("");
    expect(text).toContain("It stopped at: Call. Its key or token is not this gateway's.");
    expect(JSON.stringify(await rowsOf("ADMIN", "traces"))).not.toContain(theirs);
  });

  it("RFC 6750 §3.1: an access token that ran out is no news the first time; used on, it is, for its client", async () => {
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + tokens.expires_in * 1000 });
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    expect(await traceOf(clientId)).not.toContain("token_expired");
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    const text = await traceOf(clientId);
    expect(text).toContain("It stopped at: Call. It goes on with an access token or agent key that ran out");
    expect(text).toContain("Reason token_expired");
    expect(JSON.stringify(await rowsOf("ADMIN", "traces"))).not.toContain(tokens.access_token);
  });

  it("RFC 7009 §2.1: a call with a revoked access token is named, for its client", async () => {
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    const body = new URLSearchParams({ client_id: clientId, token: tokens.refresh_token });
    expect((await ask("/revoke", { method: "POST", body })).status).toBe(200);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect(await traceOf(clientId)).toContain("It stopped at: Call. It goes on with an access token");
  });

  it("RFC 8707 §2: a token of the other endpoint is named, for its client", async () => {
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    expect((await call(tokens.access_token, TOOLS_LIST, { path: "/shared/mcp" })).status).toBe(401);
    expect(await traceOf(clientId)).toContain("Reason wrong_resource");
  });

  it.each([
    [
      "an Authorization header that is not one token",
      { authorization: "Bearer  two-spaces" },
      "bearer_malformed",
      "Some settings add the word Bearer",
    ],
    [
      "a page of an origin that may not call",
      { origin: "https://page.example" },
      "origin_refused",
      "Only clients in a browser",
    ],
  ])("RFC 6750 §2.1, Fetch: %s is named with its quirk, and not kept", async (_, headers, reason, quirk) => {
    const answer = await ask("/mcp", { method: "POST", headers, body: "{}" });
    expect([401, 403]).toContain(answer.status);
    const text = await traceOf("");
    expect(text).toContain(`Reason ${reason}`);
    expect(text).toContain(`Known: ${quirk}`);
    for (const value of Object.values(headers))
      expect(JSON.stringify(await rowsOf("ADMIN", "traces"))).not.toContain(value);
  });

  it("RFC 7591 §2: a registration for no grant type is named, with the client that is known for it", async () => {
    const answer = await ask("/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ client_name: "Gemini CLI (Stored OAuth)", redirect_uris: [], grant_types: [] }),
    });
    expect(answer.status).toBe(400);
    const text = await traceOf("");
    expect(text).toContain("It stopped at: Registration. What it registers can't be used");
    expect(text).toContain("Known: Gemini CLI registers for nothing once");
  });

  it("MCP Streamable HTTP: an Accept header that Gong refuses is named, for its client", async () => {
    const { clientId, tokens } = await connect();
    await gong.knobs({ strictAccept: true });
    const headers = { accept: "application/json" };
    expect((await call(tokens.access_token, TOOLS_LIST, { headers })).status).toBe(406);
    expect(await traceOf(clientId)).toContain("It stopped at: Call. Its Accept header must name");
  });

  it("RFC 8628 §3.3: a code that nothing waits under is named, and not kept", async () => {
    expect((await enterCode(new TestBrowser(), "BBBB-BBBB")).status).toBe(400);
    const text = await traceOf("");
    expect(text).toContain("It stopped at: Device code entered. No device waits with the code");
    expect(JSON.stringify(await rowsOf("ADMIN", "traces"))).not.toMatch(/BBBB-?BBBB/);
  });

  it("ASVS 16.3.1: what people decide is in the audit, as what anybody can cause", async () => {
    const { client_id: id } = await register();
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(id)}`);
    await browser.post("/authorize", { request: sealedRequest(await page.text()), decision: "deny" });
    await signIn(id);
    const rows = (await rowsOf("ADMIN", "audit")).filter((row) => row["target"] === id);
    expect(rows.map(({ actor, action, cause }) => [actor, action, cause])).toEqual([
      ["person", "consent.denied", "stranger"],
      ["person", "consent.approved", "stranger"],
    ]);
  });

  it("ASVS 14.2.1: no code, token, verifier, state or cookie of a sign-in is in it", async () => {
    const browser = new TestBrowser();
    const { client_id: id } = await register();
    const { searchParams } = await signIn(id, { state: "the-client's-own-state" }, browser);
    const code = searchParams.get("code") ?? "";
    const tokens = await redeem(id, code);
    await adminBrowser().then((admin) => admin.open("/admin/doctor"));
    const rows = await rowsOf("ADMIN", "traces");
    expect(rows.length).toBeGreaterThan(2);
    const cookies = Object.fromEntries(browser.cookies);
    const secrets = { code, state: "the-client's-own-state", verifier: PKCE.verifier, ...cookies };
    expect(
      secretsIn(JSON.stringify(rows), { ...secrets, a: tokens.access_token, r: tokens.refresh_token }),
    ).toEqual([]);
  });
});

describe(verifies("doctor.bounded", "what traces cost"), () => {
  it("gateway: a hundred refused requests write nothing until somebody's sign-in, or an admin, takes them along", async () => {
    const { client_id: id } = await register();
    await (await adminBrowser()).open("/admin/doctor");
    const before = await everythingStored();
    for (let round = 0; round < 100; round += 1)
      await ask(`/authorize?${authorizationQuery(id, { scope: "bogus" })}`);
    expect(await everythingStored()).toBe(before);
    await connect();
    const rows = await rowsOf("ADMIN", "traces");
    const refused = rows.filter((row) => row["client_id"] === id && row["reason"] === "invalid_scope");
    expect(refused).toHaveLength(8);
  });

  it("gateway: ten thousand made-up clients push out no client that got a token", async () => {
    const { clientId } = await connect();
    const admin = env.ADMIN.getByName("admin");
    const attempt = (client: string) => ({
      at: 1,
      clientId: client,
      name: undefined,
      step: "authorize",
      reason: "redirect_uri_mismatch",
      requestId: undefined,
    });
    await expect.poll(async () => (await admin.traceOf(clientId)).length).toBeGreaterThan(0);
    const kept = (await admin.traceOf(clientId)).length;
    for (let batch = 0; batch < 100; batch += 1)
      await admin.recordAttempts(Array.from({ length: 100 }, (_, at) => attempt(`made-up-${batch}-${at}`)));
    const rows = await rowsOf("ADMIN", "traces");
    expect(rows.length).toBeLessThanOrEqual(4_000);
    expect(rows.filter((row) => row["proven"] === 0)).toHaveLength(1_000);
    expect((await admin.traceOf(clientId)).length).toBe(kept);
    const page = await (await adminBrowser()).open("/admin/doctor");
    expect((await page.text()).length).toBeLessThan(120_000);
  }, 60_000);

  it("gateway: requests that name no client that is known push out no other step, waiting or written", async () => {
    const { client_id: id } = await register();
    await ask(`/authorize?${authorizationQuery(id, { scope: "bogus" })}`);
    await enterCode(new TestBrowser(), "BBBB-BBBB");
    for (let round = 0; round < 300; round += 1) {
      await ask(`/authorize?${authorizationQuery(`gcl_${String(round).padStart(22, "0")}`)}`);
      await call("a-key-of-some-other-service", TOOLS_LIST);
    }
    expect(await traceOf(id)).toContain("Reason invalid_scope");
    expect(await traceOf("")).toContain("Reason user_code_unknown");
    const admin = env.ADMIN.getByName("nobody");
    const attempt = { at: 1, name: undefined, step: "authorize", requestId: undefined };
    for (let at = 0; at < 200; at += 1)
      await admin.recordAttempts([{ ...attempt, clientId: `made-up-${at}`, reason: "client_unknown" }]);
    for (const reason of ["bearer_foreign", "user_code_unknown"])
      await admin.recordAttempts(Array.from({ length: 20 }, () => ({ ...attempt, clientId: "", reason })));
    const { rows } = await admin.pageTraces({ search: "", filters: {}, cursor: undefined });
    expect(rows.filter(({ reason }) => reason === "client_unknown")).toHaveLength(12);
    expect(await admin.traceOf("")).toHaveLength(24);
  });

  it("gateway: one client has twelve new rows a minute and forty in all", async () => {
    const admin = env.ADMIN.getByName("bounds");
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    for (let minute = 0; minute < 6; minute += 1) {
      vi.setSystemTime(now + minute * 61_000);
      await admin.recordAttempts(
        Array.from({ length: 50 }, (_, at) => ({
          at: minute * 100 + at,
          clientId: "one",
          name: undefined,
          step: "token",
          reason: "wrong_secret",
          requestId: undefined,
        })),
      );
      expect((await admin.traceOf("one")).length).toBe(Math.min((minute + 1) * 12, 40));
    }
  });
});
