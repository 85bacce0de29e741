// The fault script's contract: when a fault is due, and what each one does. In one process; sockets.test.ts shows the
// faults that only a socket can show.
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, basic, driver, PERSONAL, readJson, TOOLS_LIST } from "./driver.ts";
import type { FaultLine } from "./faults.ts";
import { refusedReuses } from "./ledger-questions.ts";
import { createStandIn } from "./stand-in.ts";
import { ConnectionDropped } from "./streams.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);
let refreshToken = "";
let accessToken = "";

beforeEach(async () => {
  gong.reset();
  const tokens = await client.connect();
  refreshToken = tokens.refresh_token;
  accessToken = tokens.access_token;
});

/** A refresh under `fault`. */
function refreshUnder(fault: FaultLine["fault"]): Promise<Response> {
  gong.fault({ endpoint: "token", fault });
  return client.refresh(refreshToken);
}

/** A tool call under `fault`, over SSE. */
function callUnder(fault: FaultLine["fault"], signal?: AbortSignal): Promise<Response> {
  gong.setKnobs({ answerAs: "sse" });
  gong.fault({ endpoint: "mcp", fault });
  return client.post(ASK_ACCOUNT, accessToken, {}, signal);
}

describe(verifies("stand_in.faults", "the script"), () => {
  test("hits the n-th matching call, so many times", async () => {
    gong.fault({ endpoint: "mcp", fault: { kind: "status", status: 503 }, onCall: 2, times: 2 });
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1) statuses.push((await client.post(TOOLS_LIST, accessToken)).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect(gong.pendingFaults()).toEqual([]);
  });

  test("always means always, until it is cleared", async () => {
    gong.fault({ endpoint: "mcp", fault: { kind: "unauthorized" }, times: "always" });
    expect((await client.post(TOOLS_LIST, accessToken)).status).toBe(401);
    expect((await client.post(TOOLS_LIST, accessToken)).headers.get("www-authenticate")).toContain("realm");
    gong.clearFaults();
    expect((await client.post(TOOLS_LIST, accessToken)).status).toBe(200);
  });

  test("counts only what `where` names", async () => {
    const fault = { kind: "status", status: 500 } as const;
    gong.fault({ endpoint: "mcp", fault, where: { rpcMethod: "tools/call", tool: "ask_account" } });
    gong.fault({ endpoint: "token", fault, where: { grantType: "refresh_token" } });
    expect((await client.post(TOOLS_LIST, accessToken)).status).toBe(200);
    expect((await client.post(ASK_ACCOUNT, accessToken)).status).toBe(500);
    expect((await client.redeem(await client.code())).status).toBe(200);
    expect((await client.refresh(refreshToken)).status).toBe(500);
  });

  test.each(["as_metadata", "resource_metadata", "authorize"] as const)("reaches %s", async (endpoint) => {
    gong.fault({
      endpoint,
      fault: { kind: "status", status: 503, headers: { "x-by": "fault" }, body: "down" },
    });
    const paths = {
      as_metadata: "https://mcp.gong.test/.well-known/oauth-authorization-server",
      resource_metadata: "https://mcp.gong.test/.well-known/oauth-protected-resource/mcp",
      authorize: "https://app.gong.test/oauth2/authorize",
    };
    const response = await gong.fetch(new Request(paths[endpoint]));
    expect([response.status, response.headers.get("x-by"), await response.text()]).toEqual([
      503,
      "fault",
      "down",
    ]);
  });

  test("a malformed line is refused", () => {
    expect(() => gong.fault(JSON.parse('{"endpoint":"mcp","fault":{"kind":"gremlins"}}'))).toThrow("kind");
    expect(() => gong.fault(JSON.parse('{"endpoint":"moon","fault":{"kind":"hang"}}'))).toThrow("endpoint");
  });
});

describe(verifies("stand_in.faults", "instead of the answer"), () => {
  test("drop_before does nothing; accept_then_drop spends the refresh token (R4)", async () => {
    await expect(refreshUnder({ kind: "drop_before" })).rejects.toThrow(ConnectionDropped);
    await expect(refreshUnder({ kind: "accept_then_drop" })).rejects.toThrow(ConnectionDropped);
    expect(refusedReuses(gong.ledger())).toEqual([]);
    expect((await client.refresh(refreshToken)).status).toBe(400);
  });

  test.each([false, true])(
    "processed: %s decides whether a replaced answer has spent the token",
    async (processed) => {
      expect((await refreshUnder({ kind: "html", processed })).headers.get("content-type")).toBe("text/html");
      expect((await client.refresh(refreshToken)).status).toBe(processed ? 400 : 200);
    },
  );

  test("hang answers nothing until the client leaves", async () => {
    const leaving = new AbortController();
    const call = callUnder({ kind: "hang" }, leaving.signal);
    const first = await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 50, "nothing"))]);
    expect(first).toBe("nothing");
    leaving.abort();
    await expect(call).rejects.toThrow(ConnectionDropped);
    expect(gong.ledger().at(-1)).toMatchObject({ outcome: "client_gone", fault: "hang" });
  });

  test("hang ends with a reset of the stand-in", async () => {
    const call = callUnder({ kind: "hang" });
    setTimeout(() => gong.reset(), 20);
    await expect(call).rejects.toThrow(ConnectionDropped);
  });

  test.each(["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"])(
    "oauth_error %s",
    async (error) => {
      const response = await refreshUnder({ kind: "oauth_error", error, description: "why" });
      expect(await readJson(response)).toEqual({ error, error_description: "why" });
    },
  );

  test.each([undefined, "120", "-5", "99999999999", "Wed, 21 Oct 2026 07:28:00 GMT"])(
    "rate_limited with Retry-After %s",
    async (retryAfter) => {
      const fault = retryAfter === undefined ? {} : { retryAfter };
      const response = await refreshUnder({ kind: "rate_limited", ...fault });
      expect([response.status, response.headers.get("retry-after")]).toEqual([429, retryAfter ?? null]);
    },
  );

  test.each([301, 302, 303, 307, 308])("redirect %i to another origin", async (status) => {
    const response = await refreshUnder({ kind: "redirect", status });
    expect([response.status, response.headers.get("location")]).toEqual([status, "https://elsewhere.test/"]);
  });

  test.each([
    ["empty", ""],
    ["invalid_json", '{"access_token":"'],
    ["json_array", '[{"access_token":"gong_access_in_an_array"}]'],
    ["json_null", "null"],
  ] as const)("%s with status 200", async (kind, body) => {
    const response = await refreshUnder({ kind });
    expect([response.status, await response.text()]).toEqual([200, body]);
  });

  test("insufficient_scope: 403 with a challenge of Gong's own", async () => {
    const response = await callUnder({ kind: "insufficient_scope" });
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
  });

  test("echo_request writes the caller's secrets into the error body", async () => {
    const body = await (await refreshUnder({ kind: "echo_request" })).text();
    expect(body).toContain(refreshToken);
    expect(body).toContain(basic(PERSONAL));
  });

  test("gzip_bomb and huge_body are as large as they say", async () => {
    const bomb = await refreshUnder({ kind: "gzip_bomb", megabytes: 4 });
    expect(bomb.headers.get("content-encoding")).toBe("gzip");
    const packed = Buffer.from(await bomb.arrayBuffer());
    expect(packed.length).toBeLessThan(10_000);
    expect(gunzipSync(packed)).toHaveLength(4_194_304);
    const huge = await refreshUnder({ kind: "huge_body", bytes: 1_000_000 });
    expect((await huge.text()).length).toBeGreaterThan(1_000_000);
  });

  test("endless_stream goes on until it is left; huge_event is one event", async () => {
    const reader = (await callUnder({ kind: "endless_stream", everyMs: 1 })).body?.getReader();
    for (let at = 0; at < 5; at += 1) {
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(": still here\n\n");
    }
    await reader?.cancel();
    expect(gong.ledger().at(-1)).toMatchObject({ outcome: "client_gone" });
    const event = await (await callUnder({ kind: "huge_event", bytes: 500_000 })).text();
    expect(event.length).toBeGreaterThan(500_000);
    expect(event.match(/\n\n/g)).toHaveLength(1);
  });
});

test(
  verifies(
    "stand_in.faults",
    "a request that waits at the token endpoint is no part of the world after a reset",
  ),
  async () => {
    gong.setKnobs({ tokenDelayMs: 10_000 });
    const waiting = client.refresh(refreshToken);
    setTimeout(() => gong.reset(), 20);
    await expect(waiting).rejects.toThrow(ConnectionDropped);
    expect(gong.ledger()).toEqual([]);
  },
);

describe(verifies("stand_in.faults", "the answer, altered"), () => {
  test("delay and trickle give the whole answer, later", async () => {
    const started = performance.now();
    const delayed = await readJson<{ refresh_token: string }>(await refreshUnder({ kind: "delay", ms: 60 }));
    expect(performance.now() - started).toBeGreaterThan(50);
    refreshToken = delayed.refresh_token;
    const trickled = await refreshUnder({ kind: "trickle", bytes: 40, everyMs: 1 });
    expect(await readJson(trickled)).toHaveProperty("access_token");
  });

  test.each(["half_body", "wrong_content_length"] as const)("%s ends before Content-Length", async (kind) => {
    const response = await refreshUnder({ kind });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeLessThan(Number(response.headers.get("content-length")));
    await expect(reader?.read()).rejects.toThrow(ConnectionDropped);
    expect(gong.ledger().at(-1)).toMatchObject({ outcome: "dropped", fault: kind });
  });

  test("cut_stream passes so many events, then drops", async () => {
    const reader = (await callUnder({ kind: "cut_stream", afterEvents: 1 })).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain("CANARY-ada");
    await expect(reader?.read()).rejects.toThrow(ConnectionDropped);
  });

  test("cr_only_events has no line feed", async () => {
    const text = await (await callUnder({ kind: "cr_only_events" })).text();
    expect(text).toContain("CANARY-ada");
    expect(text).toMatch(/^event: message\rdata: /);
    expect(text).not.toContain("\n");
  });

  test.each([
    [{ set: { token_type: "mac" } }, '"token_type":"mac"'],
    [{ set: { expires_in: -1 } }, '"expires_in":-1'],
    [{ set: { expires_in: 0 } }, '"expires_in":0'],
    [{ set: { expires_in: 3599.5 } }, '"expires_in":3599.5'],
    [{ set: { expires_in: 1e12 } }, '"expires_in":1000000000000'],
    [{ set: { expires_in: "3600" } }, '"expires_in":"3600"'],
  ])("fields: %j", async (changes, expected) => {
    expect(await (await refreshUnder({ kind: "fields", ...changes })).text()).toContain(expected);
  });

  test("fields can be removed", async () => {
    const response = await refreshUnder({ kind: "fields", remove: ["expires_in", "refresh_token"] });
    expect(Object.keys(await readJson(response))).toEqual(["access_token", "token_type", "scope"]);
  });

  test("duplicate_keys, crlf_values, byte_order_mark and wrong_charset spoil the JSON", async () => {
    const spoiled = async (kind: "duplicate_keys" | "crlf_values" | "byte_order_mark" | "wrong_charset") => {
      const tokens = await client.connect();
      gong.fault({ endpoint: "token", fault: { kind } });
      return Buffer.from(await (await client.refresh(tokens.refresh_token)).arrayBuffer());
    };
    expect((await spoiled("duplicate_keys")).toString().match(/"access_token":/g)).toHaveLength(2);
    expect((await spoiled("crlf_values")).toString()).toContain(String.raw`\r\nset-cookie: injected=1`);
    expect([...(await spoiled("byte_order_mark")).subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x7b]);
    expect((await spoiled("wrong_charset")).toString("utf16le")).toContain('"access_token"');
  });
});
