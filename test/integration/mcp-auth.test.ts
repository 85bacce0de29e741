// Who may call /mcp: the challenge before anything else, where a token is looked for, and what a token is good for.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ask,
  ASK_ACCOUNT,
  askToken,
  call,
  connect,
  ORIGIN,
  signIn,
  register,
  TOOLS_LIST,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { recordLogs, secretsIn } from "../support/evidence.ts";
import { atGong, connectAs, request } from "../support/mcp.ts";

beforeEach(() => gong.reset());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const METADATA = `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`;

const CONTENT_TYPES = [
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "text/html",
  "application/xml",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/octet-stream",
  "text/event-stream",
  "",
];

describe(verifies("resource.challenge_first", "without a token every request is challenged"), () => {
  it.each(["POST", "GET", "DELETE", "HEAD", "PUT", "PATCH", "PROPFIND"])(
    "RFC 6750 §3: %s is answered 401 with where to sign in, and without an error code",
    async (method) => {
      const response = await ask("/mcp", { method });
      expect(response.status).toBe(401);
      const challenge = response.headers.get("www-authenticate") ?? "";
      expect(challenge).toMatch(/^Bearer /);
      expect(challenge).toContain(METADATA);
      expect(challenge).not.toContain("error");
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await gong.ledger()).toEqual([]);
    },
  );

  it.each(CONTENT_TYPES)("RFC 6750 §3: content type %j is not judged before the token", async (type) => {
    const response = await ask("/mcp", {
      method: "POST",
      body: "no json",
      headers: { "content-type": type },
    });
    expect(response.status).toBe(401);
  });

  it.each([
    ["an Accept that Gong refuses", { accept: "image/png" }],
    ["the revision that Codex probes with", { "mcp-protocol-version": "2024-11-05" }],
    ["a revision nobody knows", { "mcp-protocol-version": "9999-99-99" }],
    ["a session id", { "mcp-session-id": "somebody-elses" }],
    ["an encoded body", { "content-encoding": "gzip" }],
    ["a body that is too long", { "content-length": "99999999" }],
  ])("MCP authorization: %s does not hide the challenge", async (_, headers) => {
    const response = await ask("/mcp", { method: "POST", body: "{}", headers });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain(METADATA);
  });

  it("gateway: the body of a stranger is not read", async () => {
    let read = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        read += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const response = await ask("/mcp", { method: "POST", body });
    expect(response.status).toBe(401);
    // A stream fills a few chunks ahead of its reader; a megabyte would have been refused as too long.
    expect(read).toBeLessThan(8);
  });

  it("RFC 9728 §5.1: the challenge of /shared/mcp names its own metadata", async () => {
    const response = await ask("/shared/mcp", { method: "POST" });
    expect(response.headers.get("www-authenticate")).toContain(
      `${ORIGIN}/.well-known/oauth-protected-resource/shared/mcp"`,
    );
  });

  it("RFC 9110 §11.2: nothing of the request enters the challenge", async () => {
    const response = await ask('/mcp?x="evil"%0d%0aX-Evil:1', {
      headers: { "x-forwarded-host": "evil.test" },
    });
    expect(response.headers.get("www-authenticate")).not.toContain("evil");
    expect(response.headers.get("x-evil")).toBeNull();
  });
});

describe(
  verifies("resource.token_in_header_only", "a token counts in the Authorization header alone"),
  () => {
    it.each([
      ["the query", (token: string) => ask(`/mcp?access_token=${token}`, { method: "POST", body: "{}" })],
      [
        "a form body",
        (token: string) =>
          ask("/mcp", { method: "POST", body: new URLSearchParams({ access_token: token }) }),
      ],
      [
        "a JSON body",
        (token: string) => ask("/mcp", { method: "POST", body: JSON.stringify({ access_token: token }) }),
      ],
      [
        "a cookie",
        (token: string) => ask("/mcp", { method: "POST", headers: { cookie: `access_token=${token}` } }),
      ],
      ["another header", (token: string) => ask("/mcp", { headers: { "x-access-token": token } })],
      [
        "a proxy's header",
        (token: string) => ask("/mcp", { headers: { "proxy-authorization": `Bearer ${token}` } }),
      ],
    ])("OAuth 2.1 §5.1.1: in %s it is not seen, and not logged", async (_, send) => {
      const { tokens } = await connect();
      const logs = recordLogs();
      const response = await send(tokens.access_token);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).not.toContain("error");
      expect(secretsIn(logs.join("\n"), { token: tokens.access_token })).toEqual([]);
      expect(await atGong()).toEqual([]);
    });
  },
);

const GOOD_SPELLINGS = [
  ["bearer", (token: string) => `bearer ${token}`],
  ["BEARER", (token: string) => `BEARER ${token}`],
  ["Bearer", (token: string) => `Bearer ${token}`],
] as const;

const BAD_SPELLINGS = [
  ["two spaces", (token: string) => `Bearer  ${token}`],
  ["a tab", (token: string) => `Bearer\t${token}`],
  ["no scheme", (token: string) => token],
  ["no token", () => "Bearer"],
  ["another scheme", (token: string) => `Token ${token}`],
  ["Basic", (token: string) => `Basic ${btoa(`x:${token}`)}`],
  ["something after it", (token: string) => `Bearer ${token} x`],
  ["a list", (token: string) => `Bearer ${token}, Bearer ${token}`],
  ["two schemes", (token: string) => `Bearer Bearer ${token}`],
  ["quotes", (token: string) => `Bearer "${token}"`],
  ["a character more", (token: string) => `Bearer ${token}A`],
  ["a character less", (token: string) => `Bearer ${token.slice(0, -1)}`],
  ["padding", (token: string) => `Bearer ${token}=`],
  ["text that is not ASCII", (token: string) => `Bearer ${token}é`],
  ["one hundred thousand characters", (token: string) => `Bearer ${token.padEnd(100_000, "A")}`],
] as const;

describe(verifies("resource.authorization_grammar", "the Authorization header is read strictly"), () => {
  it.each(GOOD_SPELLINGS)("RFC 9110 §11.1: the scheme may be spelt %s", async (_, spell) => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, TOOLS_LIST, {
      headers: { authorization: spell(tokens.access_token) },
    });
    expect(response.status).toBe(200);
  });

  it.each(BAD_SPELLINGS)("RFC 6750 §2.1: %s is refused, and nothing reaches Gong", async (_, spell) => {
    const { tokens } = await connect();
    const response = await call(tokens.access_token, TOOLS_LIST, {
      headers: { authorization: spell(tokens.access_token) },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await atGong()).toEqual([]);
  });

  it("RFC 9110 §5.3: two Authorization headers are refused, though each is good", async () => {
    const { tokens } = await connect();
    const headers = new Headers({ authorization: `Bearer ${tokens.access_token}` });
    headers.append("authorization", `Bearer ${tokens.access_token}`);
    expect((await ask("/mcp", { method: "POST", headers, body: "{}" })).status).toBe(401);
  });
});

describe(
  verifies("resource.audience", "a token is good for its own kind of use and its own resource"),
  () => {
    it("RFC 8707 §2: a token for /mcp is refused at /shared/mcp, and at /mcp only it is good", async () => {
      const { tokens } = await connect();
      expect((await call(tokens.access_token, TOOLS_LIST, { path: "/shared/mcp" })).status).toBe(401);
      expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    });

    it("ASVS 9.2.2: Gong's tokens, our refresh token, a code and a client id open nothing", async () => {
      const { clientId, tokens } = await connect();
      const { client_id: other } = await register();
      const code = (await signIn(other)).searchParams.get("code") ?? "";
      const issued = (await gong.ledger()).filter((entry) => entry.kind === "tokens_issued");
      const [atGongNow] = issued;
      const foreign = [
        tokens.refresh_token,
        code,
        clientId,
        atGongNow?.accessToken ?? "",
        atGongNow?.refreshToken ?? "",
      ];
      expect(foreign.filter((value) => value.length < 10)).toEqual([]);
      const answers = await Promise.all(foreign.map((value) => call(value, TOOLS_LIST)));
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
      expect(await atGong()).toEqual([]);
    });

    it("gateway: the tag covers every character of a token", async () => {
      const { tokens } = await connect();
      const token = tokens.access_token;
      for (let at = 0; at < token.length; at += 7) {
        const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
        expect((await request(changed, "GET")).status, `character ${at}`).toBe(401);
      }
      expect(await atGong()).toEqual([]);
    });
  },
);

describe(verifies("resource.revocation_at_once", "a revoked token stops working"), () => {
  const revoke = (clientId: string, token: string): Promise<Response> =>
    ask("/revoke", { method: "POST", body: new URLSearchParams({ client_id: clientId, token }) });

  it.each(["access_token", "refresh_token"] as const)(
    "RFC 7009 §2.1: after its %s is revoked, no paid call of twenty at once reaches Gong",
    async (kind) => {
      const { clientId, tokens } = await connect();
      expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
      expect((await revoke(clientId, tokens[kind])).status).toBe(200);
      const calls = Array.from({ length: 20 }, () => call(tokens.access_token, ASK_ACCOUNT));
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([401]));
      expect(await gong.credits()).toBe(1);
    },
  );

  it.each([
    "resources/read",
    "prompts/get",
    "tasks/get",
    "subscriptions/listen",
    "unknown/method",
    undefined,
  ])("gateway: %s, which could reach data, is refused at once too", async (method) => {
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    await revoke(clientId, tokens.refresh_token);
    const answered = method === undefined ? { result: {} } : { method };
    expect((await call(tokens.access_token, { jsonrpc: "2.0", id: 9, ...answered })).status).toBe(401);
  });

  it("gateway: a call that costs nothing may go on for ACCESS_CACHE_SECONDS, and not longer", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { clientId, tokens } = await connect();
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    await revoke(clientId, tokens.refresh_token);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    vi.setSystemTime(Date.now() + 10_000);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
  });

  it("RFC 6750 §3.1: an access token ends when it says, however lately it was used", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { tokens } = await connect();
    vi.setSystemTime(Date.now() + (tokens.expires_in - 1) * 1000);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    vi.setSystemTime(Date.now() + 1000);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
  });

  it("RFC 6749 §6: revoking one client leaves the same person's other client alone", async () => {
    const first = await connectAs("ada");
    const second = await connectAs("ada");
    await revoke(first.clientId, first.tokens.refresh_token);
    expect((await call(first.tokens.access_token, ASK_ACCOUNT)).status).toBe(401);
    expect((await call(second.tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: first.clientId,
      refresh_token: first.tokens.refresh_token,
    });
    expect(refreshed.status).toBe(400);
  });
});
