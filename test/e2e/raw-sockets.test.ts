// The real Worker on raw sockets: framing that two parsers read differently, hosts and headers with ambitions, bodies
// that lie about their length or never end, and clients that leave with a reset. RFC 9112, RFC 9110.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import type { RequestEntry } from "../gong/ledger.ts";
import { startWorld, type World } from "./gateway.ts";
import { signIn } from "./raw-call.ts";
import { connected, raw, written, type RawOptions } from "./raw-socket.ts";
import { filesAround } from "./state-files.ts";
import { ASK } from "./story.ts";

let world: World;
let port: number;
let host: string;
let bearer: string;
/** Everything a good request has but its length. */
let good: readonly string[];

const BODY = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const HEX = BODY.length.toString(16);
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = "Transfer-Encoding: chunked";
const IN_CHUNKS = `${HEX}\r\n${BODY}\r\n0\r\n\r\n`;

beforeAll(async () => {
  world = await startWorld();
  port = world.gateway.port;
  host = `Host: localhost:${port}`;
  bearer = `Authorization: Bearer ${(await signIn(world.mcpUrl)).accessToken}`;
  good = [host, bearer, "Content-Type: application/json", "Accept: application/json, text/event-stream"];
  // The first use of a token is noted in its grant; later ones of the same minute are not.
  await raw(port, written("POST /mcp HTTP/1.1", [...good, LENGTH], BODY));
});
afterAll(() => world.stop());
beforeEach(() => {
  world.gong.clearFaults();
  world.gong.setKnobs({ toolLatencyMs: 0, disconnectCancels: false });
});

/** What reached Gong's MCP server while `act` ran. */
async function reachedGong(act: () => Promise<unknown>): Promise<RequestEntry[]> {
  const before = world.gong.ledger().length;
  await act();
  return requestsTo(world.gong.ledger().slice(before), "/mcp");
}

/** Sends one message, and says how the answers and what Gong got go together. */
async function exchange(headers: readonly string[], body: string, options: RawOptions = {}) {
  let statuses: readonly number[] = [];
  let closed = false;
  const got = await reachedGong(async () => {
    const result = await raw(port, written("POST /mcp HTTP/1.1", [...good, ...headers], body), options);
    statuses = result.answers.map(({ status }) => status);
    ({ closed } = result);
    expect(result.rest).toBe("");
  });
  return { statuses, closed, bodies: got.map((request) => request.body) };
}

const smuggled = (): string => written("POST /mcp HTTP/1.1", [...good, LENGTH], BODY.replace("1,", "666,"));

describe(verifies("resource.framing", "one message, one reading"), () => {
  it("RFC 9112 §6.3, §7.1: a message framed in one of the allowed ways reaches Gong once, as it is", async () => {
    const allowed: ReadonlyArray<readonly [headers: readonly string[], body: string]> = [
      [[LENGTH], BODY],
      [[LENGTH, LENGTH], BODY],
      [[`Content-Length:   ${BODY.length}  `], BODY],
      [[CHUNKED], IN_CHUNKS],
      [["Transfer-Encoding: Chunked "], IN_CHUNKS],
      [[CHUNKED], `00${HEX}\r\n${BODY}\r\n0\r\n\r\n`],
      [[CHUNKED], `${HEX};a=b\r\n${BODY}\r\n0;c="d"\r\n\r\n`],
      [[CHUNKED], `${BODY.replace(/./g, "1\r\n$&\r\n")}0\r\n\r\n`],
      [[CHUNKED, "Trailer: X-T"], `${HEX}\r\n${BODY}\r\n0\r\nX-T: 1\r\nMcp-Session-Id: x\r\n\r\n`],
      [[LENGTH, "Expect: 100-continue"], BODY],
      [[LENGTH, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"], BODY],
      [[LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"], BODY],
    ];
    for (const [headers, body] of allowed) {
      expect([headers, await exchange(headers, body)]).toEqual([
        headers,
        { statuses: [200], closed: false, bodies: [BODY] },
      ]);
    }
  });

  it("RFC 9112 §6.3: with a length and chunks, the chunks count, and the connection ends before the rest", async () => {
    const whole = { statuses: [200], closed: true, bodies: [BODY] };
    const longer = `Content-Length: ${IN_CHUNKS.length + smuggled().length}`;
    expect(await exchange([longer, CHUNKED], IN_CHUNKS + smuggled(), { quietMs: 200 })).toEqual(whole);
    expect(await exchange([CHUNKED, "Content-Length: 4"], IN_CHUNKS, { quietMs: 200 })).toEqual(whole);
  });

  const refused: ReadonlyArray<readonly [what: string, headers: readonly string[], body: string]> = [
    ...["0", "45", "47"].flatMap((other) => [
      [`lengths that differ: ${other} last`, [LENGTH, `Content-Length: ${other}`], BODY] as const,
      [`lengths that differ: ${other} first`, [`Content-Length: ${other}`, LENGTH], BODY] as const,
    ]),
    ...["+46", "-1", "0x2e", "46, 46", "46 1", "4e1", "4_6", "46;", "", "18446744073709551662"].map(
      (length) => [`the length "${length}"`, [`Content-Length: ${length}`], BODY] as const,
    ),
    ...["xchunked", "identity", "chunked;x", '"chunked"', "\vchunked", "chunked, identity", ""].map(
      (coding) => [`the coding "${coding}"`, [`Transfer-Encoding: ${coding}`], IN_CHUNKS] as const,
    ),
    ["two codings", [CHUNKED, "Transfer-Encoding: identity"], IN_CHUNKS],
    ["an unknown coding beside a length", ["Transfer-Encoding: cow", LENGTH], BODY],
    ["a space before the colon of a coding", [LENGTH, "Transfer-Encoding : chunked"], BODY],
    ["a space before the colon of a length", [`Content-Length : ${BODY.length}`], BODY],
    ["a space before a name", [LENGTH, " Transfer-Encoding: chunked"], BODY],
    ["a folded header (§5.2)", [LENGTH, "X: a\r\n b"], BODY],
    ["a folded coding (§5.2)", ["Transfer-Encoding:\r\n chunked"], IN_CHUNKS],
    ["a bare CR (§2.2)", [LENGTH, `X: a\r${CHUNKED}`], BODY],
    ["NUL in a value (RFC 9110 §5.5)", [LENGTH, "X: a\0b"], BODY],
    ["a coding behind a bare LF (§2.2)", [LENGTH, `X: a\n${CHUNKED}`], BODY],
    ["bare LF between chunks", [CHUNKED], `${HEX}\n${BODY}\n0\n\n`],
    ["a chunk of negative size", [CHUNKED], `-1\r\n${BODY}\r\n0\r\n\r\n`],
    ["a chunk size with 0x", [CHUNKED], `0x${HEX}\r\n${BODY}\r\n0\r\n\r\n`],
    ["a chunk size beyond 64 bits", [CHUNKED], `1000000000000000${HEX}\r\n${BODY}\r\n0\r\n\r\n`],
    ["a chunk longer than it says", [CHUNKED], `${HEX}\r\n${BODY}XX\r\n0\r\n\r\n`],
    ["a chunk shorter than it says", [CHUNKED], `${(BODY.length + 1).toString(16)}\r\n${BODY}\r\n0\r\n\r\n`],
  ];

  it.each(refused)("RFC 9112 §11.2: %s gets 400, ends the connection, and reaches nobody", async (...row) => {
    const [, headers, body] = row;
    expect(await exchange(headers, body + smuggled(), { quietMs: 150 })).toEqual({
      statuses: [400],
      closed: true,
      bodies: [],
    });
  });

  it("RFC 9112 §9.3.2: pipelined requests are answered in order, each by its own credentials", async () => {
    const anonymous = written("POST /mcp HTTP/1.1", [host, LENGTH], BODY);
    const signedIn = written("POST /mcp HTTP/1.1", [...good, LENGTH], BODY);
    const got = await reachedGong(async () => {
      const { answers } = await raw(port, (anonymous + signedIn).repeat(4), { expect: 8, quietMs: 150 });
      expect(answers.map(({ status }) => status)).toEqual([401, 200, 401, 200, 401, 200, 401, 200]);
    });
    expect(got.map(({ body }) => body)).toEqual([BODY, BODY, BODY, BODY]);
  });

  it("RFC 9112 §6.3: a length that is too low cuts the message, and what follows is no request", async () => {
    const low = await exchange(["Content-Length: 10"], BODY, { expect: 2 });
    expect(low).toEqual({ statuses: [400, 400], closed: true, bodies: [] });
    const garbage = await exchange([LENGTH], `${BODY}GARBAGE\r\n\r\n`, { expect: 2 });
    expect(garbage).toEqual({ statuses: [200, 400], closed: true, bodies: [BODY] });
  });

  it("RFC 6750 §3, RFC 9110 §10.1.1: without a token the answer comes before any byte of the body", async () => {
    for (const framing of [LENGTH, CHUNKED, "Content-Length: 1000000000"]) {
      for (const headers of [
        [host, framing],
        [host, framing, "Expect: 100-continue"],
      ]) {
        const { answers, closed } = await raw(port, written("POST /mcp HTTP/1.1", headers), {
          quietMs: 2000,
        });
        expect([answers.map(({ status }) => status), closed]).toEqual([[401], true]);
      }
    }
  });

  it("RFC 9110 §7.6.1, §6.5.1: no hop-by-hop header and no trailer of the client's reaches Gong", async () => {
    const chunks = `${HEX}\r\n${BODY}\r\n0\r\nX-Trailer: t\r\nAuthorization: Bearer other\r\n\r\n`;
    const hops = ["Connection: Upgrade, authorization, mcp-protocol-version", "Upgrade: websocket"];
    const more = ["TE: trailers", "Trailer: X-Trailer", "Proxy-Authorization: Basic eA==", "Keep-Alive: 9"];
    const headers = [...good, CHUNKED, "MCP-Protocol-Version: 2025-06-18", ...hops, ...more];
    const [request] = await reachedGong(() => raw(port, written("POST /mcp HTTP/1.1", headers, chunks)));
    const names = Object.keys(request?.headers ?? {});
    expect(names).toEqual(expect.arrayContaining(["authorization", "mcp-protocol-version"]));
    expect(request?.headers["authorization"]).not.toBe("Bearer other");
    for (const name of ["upgrade", "te", "trailer", "x-trailer", "proxy-authorization", "keep-alive"]) {
      expect(names).not.toContain(name);
    }
  });
});

describe(verifies("operations.bodies_bounded", "bodies too long and too slow"), () => {
  const routes = [
    ["/token", "application/x-www-form-urlencoded", 65_536],
    ["/revoke", "application/x-www-form-urlencoded", 65_536],
    ["/register", "application/json", 32_768],
    ["/device_authorization", "application/x-www-form-urlencoded", 65_536],
    ["/authorize", "application/x-www-form-urlencoded", 65_536],
    ["/device", "application/x-www-form-urlencoded", 65_536],
    ["/admin/sign-in", "application/x-www-form-urlencoded", 65_536],
    ["/mcp", "application/json", 1_048_576],
  ] as const;
  const headersFor = (type: string): readonly string[] => [
    host,
    bearer,
    `Origin: http://localhost:${port}`,
    `Content-Type: ${type}`,
    "Accept: application/json, text/event-stream",
  ];

  it.each(routes)(
    "RFC 9110 §15.5.14: %s takes no longer body, by length or in chunks",
    async (route, type, longest) => {
      const line = `POST ${route} HTTP/1.1`;
      const declared = [...headersFor(type), `Content-Length: ${longest + 1}`];
      const chunk = `1000\r\n${"a".repeat(4096)}\r\n`;
      const chunks = written(line, [...headersFor(type), CHUNKED]) + chunk.repeat(longest / 4096);
      const { before, after } = await filesAround(world.gateway, async () => {
        const whole = await raw(port, written(line, declared, "a".repeat(100)));
        const counted = await raw(port, `${chunks}1\r\na\r\n0\r\n\r\n`);
        expect([whole, counted].map(({ answers }) => answers[0]?.status)).toEqual([413, 413]);
      });
      expect(after).toEqual(before);

      // One byte less is judged by what it says.
      const exact = await raw(port, `${chunks}0\r\n\r\n`);
      expect([400, 401]).toContain(exact.answers[0]?.status);
    },
  );

  it("RFC 9110 §15.5.9: a byte now and then gets 408 after 30 s, whether its length is known or not; others are served meanwhile", async () => {
    const slow = [...routes].flatMap(([route, type]) =>
      ["Content-Length: 1000", CHUNKED].map((framing) => {
        const start = written(`POST ${route} HTTP/1.1`, [...headersFor(type), framing]);
        const drops = Array.from({ length: 6 }, () => [framing === CHUNKED ? "1\r\na\r\n" : "a", 4000]);
        return raw(port, [start, ...drops.flat()], { longestMs: 34_000 });
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const began = Date.now();
    expect((await exchange([LENGTH], BODY)).statuses).toEqual([200]);
    expect(Date.now() - began).toBeLessThan(2000);
    const statuses = (await Promise.all(slow)).map(({ answers }) => answers[0]?.status);
    expect(statuses).toEqual(slow.map(() => 408));
  });
});

describe(verifies("operations.reset_reaches_gong", "a client that is gone"), () => {
  const callAndReset = async (method: string, signs: () => readonly string[]): Promise<void> => {
    const before = world.gong.ledger().length;
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: ASK });
    const socket = await connected(port);
    socket.on("error", () => undefined);
    socket.write(written("POST /mcp HTTP/1.1", [...good, `Content-Length: ${body.length}`], body));
    const arrived = () => requestsTo(world.gong.ledger().slice(before), "/mcp").length;
    await expect.poll(arrived, { timeout: 3000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(signs()).toEqual([]);
    socket.resetAndDestroy();
  };

  it("gateway: its reset in the middle of a stream ends the stream at Gong", async () => {
    world.gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 50 } });
    const before = world.gong.ledger().length;
    const endings = (): readonly string[] =>
      world.gong
        .ledger()
        .slice(before)
        .flatMap((entry) => (entry.kind === "answer" ? [entry.outcome] : []));
    await callAndReset("resources/list", endings);
    await expect.poll(endings, { timeout: 5000 }).toEqual(["client_gone"]);
  });

  it("gateway: its reset while Gong is still at work on a paid call cancels nothing there: the call is finished", async () => {
    world.gong.setKnobs({ toolLatencyMs: 1500, disconnectCancels: true });
    const before = world.gong.ledger().length;
    const endings = (): readonly string[] =>
      world.gong
        .ledger()
        .slice(before)
        .flatMap((entry) =>
          entry.kind === "tool_call" && ["answered", "cancelled"].includes(entry.event) ? [entry.event] : [],
        );
    await callAndReset("tools/call", endings);
    await expect.poll(endings, { timeout: 8000 }).toEqual(["answered"]);
  });
});
