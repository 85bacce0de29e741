// What becomes of Gong's status codes and bodies: the answers that clients tell protocol revisions apart by pass as
// they are; what would mislead a client or run in a browser becomes an error of ours. Nothing is ever sent twice.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { toolCalls } from "../gong/ledger-questions.ts";
import { ASK_ACCOUNT, call, connect, ORIGIN, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, request } from "../support/mcp.ts";

beforeEach(() => gong.reset());

const JSON_TYPE = { "content-type": "application/json" };

/** JSON that no serialiser would write so: it shows whether bytes were touched. */
const ODD_JSON =
  '{ "jsonrpc":"2.0",\t"id" : 1,"error":{"code":-32022,"message":"\\u00e9 9007199254740993"}, "n":1.0 }\n';

/** Scripts Gong's next answer at /mcp, and asks for it. */
async function answered(
  fault: Parameters<typeof gong.fault>[0]["fault"],
  message: unknown = TOOLS_LIST,
): Promise<Response> {
  const { tokens } = await connect();
  await gong.fault({ endpoint: "mcp", fault });
  const response = await call(tokens.access_token, message);
  expect(await gong.pendingFaults()).toEqual([]);
  return response;
}

async function expectOwnError(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toContain("application/json");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("location")).toBeNull();
  const body: { id?: unknown; error?: { code?: unknown; message?: unknown } } = await response.json();
  expect(body).toMatchObject({ jsonrpc: "2.0", id: 1 });
  expect(typeof body.error?.code).toBe("number");
  expect(String(body.error?.message)).toMatch(/^Gong /);
}

describe(verifies("proxy.client_errors", "Gong's 4xx pass byte for byte"), () => {
  it.each([400, 402, 403, 404, 405, 406, 409, 410, 415, 422, 429, 451])(
    "MCP 2026-07-28, Era Detection: %i with JSON passes as it is",
    async (status) => {
      const response = await answered({ kind: "status", status, headers: JSON_TYPE, body: ODD_JSON });
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.text()).toBe(ODD_JSON);
    },
  );

  it.each([404, 405])("MCP 2025-11-25: %i without a body stays without one", async (status) => {
    const response = await answered({ kind: "empty", status });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe("");
  });

  it("RFC 9110 §15.5.6: Gong's 405 keeps its Allow", async () => {
    const { tokens } = await connect();
    for (const method of ["GET", "DELETE"]) {
      const response = await request(tokens.access_token, method);
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    }
  });

  it("gateway: a page with status 403 becomes JSON of ours", async () => {
    await expectOwnError(await answered({ kind: "html", status: 403 }), 403);
  });

  it.each([400, 404, 422])("gateway: %i that echoes Gong's access token is replaced", async (status) => {
    const response = await answered({ kind: "echo_request", status });
    const [issued] = (await gong.ledger()).filter((entry) => entry.kind === "tokens_issued");
    const copy = response.clone();
    expect(await copy.text()).not.toContain(issued?.accessToken);
    await expectOwnError(response, status);
  });
});

describe(verifies("proxy.server_errors", "Gong's failures become ours, and change no sign-in"), () => {
  it.each([
    [500, 502],
    [501, 502],
    [502, 502],
    [503, 503],
    [504, 504],
    [599, 502],
  ])("RFC 9110 §15.6: %i is answered as %i without Gong's words", async (status, ours) => {
    const { tokens } = await connect();
    await gong.fault({
      endpoint: "mcp",
      fault: { kind: "status", status, headers: JSON_TYPE, body: ODD_JSON },
    });
    const response = await call(tokens.access_token, TOOLS_LIST);
    expect(await response.clone().text()).not.toContain("32022");
    await expectOwnError(response, ours);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
  });

  it("gateway: 500 that echoes Gong's access token shows nothing of it", async () => {
    const response = await answered({ kind: "echo_request", status: 500 });
    const [issued] = (await gong.ledger()).filter((entry) => entry.kind === "tokens_issued");
    expect(await response.text()).not.toContain(issued?.accessToken);
  });

  const inTenMinutes = new Date(Date.now() + 600_000).toUTCString();
  it.each([
    ["12", /^12$/],
    ["0", /^0$/],
    ["999999", /^3600$/],
    [inTenMinutes, /^(5\d\d|60[01])$/],
    ["Thu, 01 Jan 1970 00:00:00 GMT", /^0$/],
    ["-5", /^none$/],
    ["1.5", /^none$/],
    ["1e3", /^none$/],
    ["soon", /^none$/],
    [undefined, /^none$/],
  ])(
    "RFC 9110 §10.2.3: Retry-After %j of a 429 is passed on bounded, or not at all",
    async (value, passed) => {
      const response = await answered({
        kind: "rate_limited",
        ...(value === undefined ? {} : { retryAfter: value }),
      });
      expect(response.status).toBe(429);
      expect(response.headers.get("retry-after") ?? "none").toMatch(passed);
    },
  );

  it("RFC 9110 §10.2.3: Retry-After of a 503 is passed on too", async () => {
    const response = await answered({ kind: "status", status: 503, headers: { "retry-after": "30" } });
    expect(response.headers.get("retry-after")).toBe("30");
  });
});

describe(verifies("proxy.redirects", "a redirect of Gong is not followed and not passed on"), () => {
  it.each([301, 302, 303, 307, 308])("OWASP ASVS 15.3.2: %i becomes 502", async (status) => {
    const { tokens } = await connect();
    const before = (await gong.ledger()).length;
    await gong.fault({
      endpoint: "mcp",
      fault: { kind: "redirect", status, location: "https://elsewhere.test/x" },
    });
    await expectOwnError(await call(tokens.access_token, TOOLS_LIST), 502);
    const requests = (await gong.ledger(before)).filter((entry) => entry.kind === "request");
    expect(requests.map(({ side, path }) => [side, path])).toEqual([["mcp", "/mcp"]]);
  });
});

describe(verifies("proxy.content_types", "only JSON and event streams pass"), () => {
  it("OWASP ASVS 4.1.1: a page with status 200 becomes 502 without a word of it", async () => {
    const response = await answered({ kind: "html" });
    expect(await response.clone().text()).not.toContain("<html>");
    await expectOwnError(response, 502);
  });

  it.each([
    "text/plain",
    "text/javascript",
    "application/xml",
    "image/svg+xml",
    "application/xhtml+xml",
    "application/json, text/html",
    "text/html; application/json",
    "application/jsonp",
  ])("OWASP ASVS 4.1.1: %s becomes 502", async (type) => {
    await expectOwnError(
      await answered({ kind: "status", status: 200, headers: { "content-type": type }, body: "{}" }),
      502,
    );
  });

  it.each(["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])(
    "RFC 9110 §8.3.1: %s passes",
    async (type) => {
      const response = await answered({
        kind: "status",
        status: 200,
        headers: { "content-type": type },
        body: ODD_JSON,
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(ODD_JSON);
    },
  );

  it("MCP Streamable HTTP: a notification gets 202 and no body", async () => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, { jsonrpc: "2.0", method: "notifications/initialized" });
    expect(response.status).toBe(202);
    expect(await response.text()).toBe("");
    expect(response.headers.get("content-type")).toBeNull();
  });

  it("MCP Streamable HTTP: an answer of 202 keeps no body, whatever Gong puts into it", async () => {
    const response = await answered({ kind: "status", status: 202, headers: JSON_TYPE, body: ODD_JSON });
    expect(response.status).toBe(202);
    expect(await response.text()).toBe("");
  });
});

describe(verifies("proxy.scope_refused", "Gong's word that a scope is missing becomes our challenge"), () => {
  it("RFC 6750 §3.1: 403 insufficient_scope names our metadata and our scopes", async () => {
    const response = await answered({ kind: "insufficient_scope", scope: "gong:secret" });
    expect(response.status).toBe(403);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`);
    expect(challenge).toContain('scope="mcp:');
    expect(challenge).not.toContain("gong.test");
    expect(challenge).not.toContain("gong:secret");
  });

  it("RFC 9700 §4.4: a 403 for another reason passes, and its challenge does not", async () => {
    const { tokens } = await connect();
    await gong.fault({
      endpoint: "mcp",
      fault: {
        kind: "status",
        status: 403,
        headers: { ...JSON_TYPE, "www-authenticate": 'Bearer resource_metadata="https://evil.test/"' },
        body: ODD_JSON,
      },
    });
    const response = await call(tokens.access_token, TOOLS_LIST);
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toBeNull();
    expect(await response.text()).toBe(ODD_JSON);
  });
});

describe(verifies("proxy.sent_once", "a call that Gong may have run is never sent again"), () => {
  it.each([
    ["502 after it ran", { kind: "status", status: 502, processed: true }, 502],
    ["a page after it ran", { kind: "html", processed: true }, 502],
    ["a connection that breaks after it ran", { kind: "accept_then_drop" }, 502],
    ["a redirect after it ran", { kind: "redirect", status: 307, processed: true }, 502],
    ["429 after it ran", { kind: "rate_limited", retryAfter: "0", processed: true }, 429],
  ] as const)("RFC 9110 §9.2.2: %s", async (_, fault, status) => {
    const response = await answered(fault, ASK_ACCOUNT);
    expect(response.status).toBe(status);
    await response.text();
    expect(await atGong()).toHaveLength(1);
    expect(toolCalls(await gong.ledger())).toHaveLength(1);
    expect(await gong.credits()).toBe(1);
  });

  it("RFC 9110 §9.2.2: a connection that breaks at once is not tried again either", async () => {
    await expectOwnError(await answered({ kind: "drop_before" }), 502);
    expect(await atGong()).toHaveLength(1);
  });
});
