// The real Worker on raw sockets: spellings of its paths that a client library would tidy up, and hosts and headers
// with ambitions. RFC 3986 §6.2.2, RFC 9112 §3.2.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import { startWorld, type World } from "./gateway.ts";
import { debugPaths, spellings } from "./odd-paths.ts";
import { signIn } from "./raw-call.ts";
import { oneAnswerEach, written } from "./raw-socket.ts";

let world: World;
let port: number;
let host: string;
let accessToken: string;

const BODY = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const JSON_BODY = ["Content-Type: application/json", `Content-Length: ${BODY.length}`];
const ACCEPT = "Accept: application/json, text/event-stream";

beforeAll(async () => {
  world = await startWorld();
  port = world.gateway.port;
  host = `Host: localhost:${port}`;
  ({ accessToken } = await signIn(world.mcpUrl));
});
afterAll(() => world.stop());

const answersTo = (requests: readonly string[]) => oneAnswerEach(port, requests);

function toMcp(target: string, headers: readonly string[], token = accessToken): string {
  return written(
    `POST ${target} HTTP/1.1`,
    [...headers, `Authorization: Bearer ${token}`, ACCEPT, ...JSON_BODY],
    BODY,
  );
}

const mcpRequests = () => requestsTo(world.gong.ledger(), "/mcp");

describe(verifies("resource.path_exact", "every spelling of a path"), () => {
  const ENDPOINTS = ["/mcp", "/shared/mcp", "/admin", "/authorize", "/callback", "/token", "/register"];
  const paths = ENDPOINTS.flatMap(spellings);

  it.each(["GET", "HEAD", "POST", "PUT", "OPTIONS"])(
    "OWASP ASVS 5.0 8.3.1: %s with none of them gets anything without credentials, and pages keep their headers",
    async (method) => {
      expect(paths.length).toBeGreaterThan(250);
      const requests = paths.map((path) =>
        written(`${method} ${path} HTTP/1.1`, [host, "X-HTTP-Method-Override: GET", "Content-Length: 0"]),
      );
      const answers = await answersTo(requests);
      let pages = 0;
      for (const [at, answer] of answers.entries()) {
        const what = `${method} ${paths[at]}`;
        const status = answer?.status ?? 0;
        const isPreflight = method === "OPTIONS" && status === 204;
        expect(isPreflight || (status >= 400 && status < 500), `${what}: ${status}`).toBe(true);
        expect(answer?.headers, `for ${what}`).not.toHaveProperty("location");
        if (!(answer?.headers["content-type"] ?? "").startsWith("text/html")) continue;
        pages += 1;
        expect(answer?.headers, `for ${what}`).toMatchObject({
          "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
          "cache-control": "no-store",
          "referrer-policy": expect.stringMatching(/^(same-origin|no-referrer)$/),
        });
      }
      expect(pages).toBeGreaterThan(0);
    },
  );

  it("RFC 8707 §2: a token opens its own resource only, whatever way round the path goes there", async () => {
    const before = mcpRequests().length;
    const own = spellings("/mcp").filter((path) => !/^\/mcp([?#]|$)/.test(path));
    const others = spellings("/shared/mcp");
    const between = ["/shared/../mcp", "/shared/%2e%2e/mcp", "/mcp/../shared/mcp", "/shared/mcp/../../mcp"];
    const targets = [...own, ...others, ...between];
    const answers = await answersTo(targets.map((target) => toMcp(target, [host])));
    for (const [at, answer] of answers.entries()) {
      expect([400, 401, 404, 405], `${targets[at]}`).toContain(answer?.status);
    }
    expect(mcpRequests().length).toBe(before);
  });

  it("RFC 9110 §7.1: nothing of a query, fragment or absolute form gets into the request to Gong", async () => {
    const targets = ["/mcp?x=/../oauth2", "/mcp?", "/mcp#/x", "http://evil.test/mcp?token=1"];
    const before = mcpRequests().length;
    const answers = await answersTo(targets.map((target) => toMcp(target, [host])));
    expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
    const arrived = mcpRequests().slice(before);
    expect(arrived.length).toBe(targets.length);
    for (const { method, query, host: at, body } of arrived) {
      expect([method, query, at, body]).toEqual(["POST", "", new URL(world.gong.mcpOrigin).host, BODY]);
    }
  });

  it("OWASP ASVS 5.0 13.4.1: 300 paths that scanners try are not there", async () => {
    const scanned = debugPaths();
    expect(new Set(scanned).size).toBeGreaterThanOrEqual(300);
    const answers = await answersTo(scanned.map((path) => written(`GET ${path} HTTP/1.1`, [host])));
    for (const [at, answer] of answers.entries()) expect(answer?.status, `${scanned[at]}`).toBe(404);
  });
});

describe(verifies("resource.names_have_no_power", "hosts and headers with ambitions"), () => {
  const PUBLISHED = ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"];
  const published = (headers: readonly string[]) =>
    answersTo(PUBLISHED.map((path) => written(`GET ${path} HTTP/1.1`, headers)));
  const challenge = async (headers: readonly string[]) =>
    (await answersTo([written("POST /mcp HTTP/1.1", headers)]))[0]?.headers["www-authenticate"];

  it("RFC 8414 §6, RFC 9112 §3.2.2: neither Host nor an absolute request line changes what is published", async () => {
    const usual = (await published([host])).map((answer) => answer?.body);
    expect(usual[0]).toContain(`"issuer":"http://localhost:${port}"`);
    const hosts = ["evil.test", `evil.test@localhost:${port}`, "evil@good", "[::1", "a b", "localhost:99999"];
    for (const other of hosts) {
      expect(
        (await published([`Host: ${other}`])).map((answer) => answer?.body),
        `for ${other}`,
      ).toEqual(usual);
    }
    for (const scheme of ["http", "https", "ftp"]) {
      const lines = PUBLISHED.map((path) => written(`GET ${scheme}://evil.test${path} HTTP/1.1`, [host]));
      expect((await answersTo(lines)).map((answer) => answer?.body)).toEqual(usual);
    }
  });

  it("MCP 2025-11-25 Security: a loopback gateway refuses every other Host with an answer, also ones no URL can hold", async () => {
    const odd = [
      "evil.test",
      `evil.test@localhost:${port}`,
      "evil@good",
      "[::1",
      "a b",
      "%",
      "localhost:99x",
    ];
    const before = mcpRequests().length;
    const answers = await answersTo(odd.map((other) => toMcp("/mcp", [`Host: ${other}`])));
    expect(answers.map((answer) => answer?.status)).toEqual(odd.map(() => 403));
    expect((await answersTo([toMcp("/mcp", [host, host])]))[0]?.status).toBe(403);
    expect(mcpRequests().length).toBe(before);
    expect((await answersTo([toMcp("/mcp", [`Host: LOCALHOST:${port}`])]))[0]?.status).toBe(200);

    const pages = ["/callback?code=a&state=b", "/admin", "/authorize?client_id=x"].flatMap((path) =>
      odd.map((other) => written(`GET ${path} HTTP/1.1`, [`Host: ${other}`])),
    );
    for (const answer of await answersTo(pages)) expect([400, 401]).toContain(answer?.status);
    expect(world.gateway.logs().filter((line) => /uncaught|request\.failed/i.test(line))).toEqual([]);
  });

  it("RFC 9110 §11.6.2: two Authorization headers are none, in either order", async () => {
    const [good, bad] = [`Authorization: Bearer ${accessToken}`, "Authorization: Bearer x"];
    const headers = [good, bad].map((extra) => toMcp("/mcp", [host, extra]));
    expect((await answersTo(headers)).map((answer) => answer?.status)).toEqual([401, 401]);
    expect((await answersTo([toMcp("/mcp", [host])]))[0]?.status).toBe(200);
  });

  it("OWASP ASVS 5.0 4.1.3: forwarding and identity headers change nothing, and none reaches Gong", async () => {
    const magic = [
      "X-Forwarded-Host: evil.test",
      "X-Forwarded-Proto: https",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Prefix: /evil",
      "X-Forwarded-User: admin",
      "Forwarded: host=evil.test;proto=https",
      "X-Original-URL: /admin",
      "X-Rewrite-URL: /admin",
      "X-Host: evil.test",
      "X-User-Id: grace",
      "X-HTTP-Method-Override: GET",
      "X-Middleware-Subrequest: 1",
      "Cf-Access-Jwt-Assertion: a.b.c",
      "Cf-Access-Authenticated-User-Email: a@b.c",
      "Mcp-Init-Host: evil.test",
      "Router-Key: k",
      "Range: bytes=0-1",
      'If-None-Match: "x"',
      "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    ];
    const bodies = async (headers: readonly string[]) =>
      (await published(headers)).map((answer) => answer?.body);
    expect(await bodies([host, ...magic])).toEqual(await bodies([host]));
    expect(await challenge([host, ...magic])).toBe(await challenge([host]));
    expect(await challenge([host])).toContain(`http://localhost:${port}/.well-known/`);
    const before = mcpRequests().length;
    const [usual, answer] = await answersTo([toMcp("/mcp", [host]), toMcp("/mcp", [host, ...magic])]);
    expect([answer?.status, answer?.body]).toEqual([200, usual?.body]);
    const sent = Object.keys(mcpRequests().at(-1)?.headers ?? {});
    expect(mcpRequests().length).toBe(before + 2);
    const names = magic.map((header) => header.slice(0, header.indexOf(":")).toLowerCase());
    expect(sent.filter((name) => names.includes(name))).toEqual([]);
  });

  it("RFC 6585 §5: 32 KB of headers, a thousand of them and 200 cookies are answered, and none reaches Gong", async () => {
    const cookies = Array.from({ length: 200 }, (_, at) => `__Host-txn-${at}=${"x".repeat(100)}`).join("; ");
    const loads = [
      [`X-Big: ${"a".repeat(32_768)}`],
      Array.from({ length: 1000 }, (_, at) => `X-${at}: y`),
      [`Cookie: ${cookies}`],
    ];
    for (const load of loads) {
      const before = mcpRequests().length;
      const [mcp, page] = await answersTo([
        toMcp("/mcp", [host, ...load]),
        written("GET /admin HTTP/1.1", [host, ...load]),
      ]);
      expect([mcp?.status, page?.status]).toEqual([200, 401]);
      const [arrived] = mcpRequests().slice(before);
      expect(JSON.stringify(arrived?.headers).length).toBeLessThan(4096);
    }
  });

  it("OWASP ASVS 5.0 15.2.2: long values made to slow a parser down are answered at once", async () => {
    const long = 60_000;
    const slow = [
      `Content-Type: application/json${" ".repeat(long)}x`,
      `Content-Type: application/json${"; charset ".repeat(long / 10)}`,
      `Cookie: ${"; =".repeat(long / 3)}`,
      `Cookie: __Host-txn-${"a".repeat(long)}`,
      `Authorization: Bearer ${"a".repeat(long)}!`,
      `Authorization: Basic ${"a:".repeat(long / 2)}`,
      `Origin: http://${"localhost:".repeat(long / 10)}`,
      `Access-Control-Request-Headers: ${"mcp-param-,".repeat(long / 11)}`,
      `MCP-Session-Id: ${"_-".repeat(long / 2)}`,
      `Mcp-Name: =?base64?${"=".repeat(long)}?=`,
    ];
    for (const header of slow) {
      const lines = [
        "POST /mcp",
        "OPTIONS /mcp",
        "POST /token",
        "GET /admin",
        `GET /callback?${"a=&".repeat(9999)}`,
      ];
      const began = Date.now();
      const requests = lines.map((line) =>
        written(`${line} HTTP/1.1`, [host, ...(line === "POST /mcp" ? [ACCEPT] : []), header]),
      );
      const [signedIn, ...answers] = await answersTo([toMcp("/mcp", [host, header]), ...requests]);
      expect(Date.now() - began, `for ${header.slice(0, 40)}`).toBeLessThan(1500);
      for (const answer of [signedIn, ...answers])
        expect(answer?.status, `for ${header.slice(0, 40)}`).toBeLessThan(500);
    }
  });
});
