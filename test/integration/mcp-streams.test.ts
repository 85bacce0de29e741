// Streams of /mcp: an event reaches the client when Gong sends it, a client that leaves ends Gong's part, a stream that
// breaks is seen to break, and an answer that never comes ends.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { creditsCharged } from "../gong/ledger-questions.ts";
import type { LedgerEntry } from "../gong/ledger.ts";
import { ask, ASK_ACCOUNT, call, connect, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { atGong, beginSession, errorCode, ledgerWhen, PING, request } from "../support/mcp.ts";

beforeEach(() => gong.reset());
afterEach(() => {
  vi.restoreAllMocks();
});

const ended =
  (outcome: string) =>
  (entries: LedgerEntry[]): boolean =>
    entries.some((entry) => entry.kind === "answer" && entry.outcome === outcome);

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error("The response has no body");
  return response.body.getReader();
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

describe(verifies("proxy.streams", "an event is passed on when it comes"), () => {
  it("MCP Streamable HTTP: the first events arrive while Gong still holds the stream open", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 } });
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = readerOf(response);
    expect(await readText(reader)).toContain(": still here");
    expect(await readText(reader)).toContain(": still here");
    const open = (await gong.ledger()).filter(({ kind }) => kind === "request").at(-1);
    const answers = (await gong.ledger()).filter((entry) => entry.kind === "answer");
    expect(answers.map((entry) => entry.request)).not.toContain(open?.seq);
    await reader.cancel();
  });

  it("MCP 2025-11-25, GET stream: headers come at once, and events as they happen", async () => {
    await gong.knobs({ getStream: true, sessions: true });
    const { tokens } = await connect();
    const session = await beginSession(tokens.access_token);
    const response = await request(tokens.access_token, "GET", {
      accept: "text/event-stream",
      "mcp-session-id": session,
    });
    expect(response.status).toBe(200);
    const reader = readerOf(response);
    await gong.notifyToolsChanged();
    expect(await readText(reader)).toContain("notifications/tools/list_changed");
    await gong.notifyToolsChanged();
    expect(await readText(reader)).toContain("notifications/tools/list_changed");
    await reader.cancel();
  });

  it("RFC 8259 §9: an event stream passes byte for byte, with CR for line ends and in pieces", async () => {
    await gong.knobs({ answerAs: "sse" });
    const { tokens } = await connect();
    const usual = await (await call(tokens.access_token, TOOLS_LIST)).text();
    await gong.fault({ endpoint: "mcp", fault: { kind: "cr_only_events" } });
    expect(await (await call(tokens.access_token, TOOLS_LIST)).text()).toBe(usual.replaceAll(/\r?\n/g, "\r"));
    await gong.fault({ endpoint: "mcp", fault: { kind: "trickle", bytes: 7, everyMs: 1 } });
    expect(await (await call(tokens.access_token, TOOLS_LIST)).text()).toBe(usual);
  });

  it("RFC 9110 §8.4: a compressed answer arrives as what it holds", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "gzip_bomb", megabytes: 1 } });
    const response = await call(tokens.access_token, PING);
    expect(response.headers.get("content-encoding")).toBeNull();
    expect((await response.text()).length).toBe(1_048_576);
  });

  it("gateway: one event of four megabytes passes", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "huge_event", bytes: 4_194_304 } });
    const text = await (await call(tokens.access_token, TOOLS_LIST)).text();
    expect(text.length).toBeGreaterThan(4_194_304);
    expect(text.endsWith("\n\n")).toBe(true);
  });
});

describe(verifies("proxy.client_leaves", "a client that leaves ends the request at Gong"), () => {
  it("MCP 2026-07-28, Cancellation: leaving an open stream closes it at Gong", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 } });
    const reader = readerOf(await call(tokens.access_token, TOOLS_LIST));
    await readText(reader);
    await reader.cancel();
    expect(ended("client_gone")(await ledgerWhen(ended("client_gone")))).toBe(true);
  });

  it("MCP 2025-11-25: leaving a silent GET stream closes it at Gong", async () => {
    await gong.knobs({ getStream: true, keepAliveMs: 0 });
    const { tokens } = await connect();
    const response = await request(tokens.access_token, "GET", { accept: "text/event-stream" });
    await response.body?.cancel();
    expect(ended("client_gone")(await ledgerWhen(ended("client_gone")))).toBe(true);
  });

  it("gateway: twenty streams that were left leave nothing behind, and the next call works", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 }, times: 20 });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => call(tokens.access_token, TOOLS_LIST)),
    );
    await Promise.all(
      streams.map(async (response) => {
        const reader = readerOf(response);
        await readText(reader);
        await reader.cancel();
      }),
    );
    const gone = (entries: LedgerEntry[]): number =>
      entries.filter((entry) => entry.kind === "answer" && entry.outcome === "client_gone").length;
    expect(gone(await ledgerWhen((entries) => gone(entries) === 20))).toBe(20);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
  });
});

describe(verifies("proxy.broken_stream", "what breaks off at Gong is not made to look whole"), () => {
  it.each([
    ["an event stream", { answerAs: "sse" }, { kind: "cut_stream", afterEvents: 0 }],
    ["a JSON answer", { answerAs: "json" }, { kind: "half_body" }],
  ] as const)(
    "RFC 9112 §8: %s that breaks off fails at the client, and is not asked for again",
    async (_, knobs, fault) => {
      await gong.knobs(knobs);
      const { tokens } = await connect();
      await gong.fault({ endpoint: "mcp", fault });
      const response = await call(tokens.access_token, ASK_ACCOUNT);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow(/./);
      expect(await atGong()).toHaveLength(1);
      expect(creditsCharged(await gong.ledger())).toBe(1);
    },
  );
});

describe(verifies("proxy.late_answer", "an answer that does not come ends with 504"), () => {
  /** Runs timers of the gateway's limit after `ms` of real time instead; returns the ones that were not cleared. */
  function shortenLimit(ms: number): Set<unknown> {
    const waiting = new Set<unknown>();
    const { setTimeout: set, clearTimeout: clear } = globalThis;
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, after: number) => {
      const timer = set(run, after === 180_000 ? ms : after);
      if (after === 180_000) waiting.add(timer);
      return timer;
    }) as typeof setTimeout);
    vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
      waiting.delete(timer);
      clear(timer as never);
    });
    return waiting;
  }

  it("RFC 9110 §15.6.5: after 180 s without headers the call ends, here and at Gong", async () => {
    const { tokens } = await connect();
    await gong.fault({ endpoint: "mcp", fault: { kind: "hang" } });
    shortenLimit(100);
    const response = await call(tokens.access_token, ASK_ACCOUNT);
    expect(response.status).toBe(504);
    expect(await errorCode(response)).toBe(-32_003);
    expect(ended("client_gone")(await ledgerWhen(ended("client_gone")))).toBe(true);
    expect(await atGong()).toHaveLength(1);
    vi.restoreAllMocks();
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("gateway: the body of a 4xx, which is read whole, has ten seconds", async () => {
    await gong.knobs({ sessions: true, deleteEndsSession: true });
    const { tokens } = await connect();
    const headers = { "mcp-session-id": await beginSession(tokens.access_token) };
    await request(tokens.access_token, "DELETE", headers);
    await gong.fault({ endpoint: "mcp", fault: { kind: "trickle", bytes: 1, everyMs: 200 } });
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const limit = vi
      .spyOn(AbortSignal, "timeout")
      .mockImplementation((ms) => timeout(ms === 10_000 ? 300 : ms));
    const response = await call(tokens.access_token, TOOLS_LIST, { headers });
    expect(limit).toHaveBeenCalledWith(10_000);
    expect(response.status).toBe(404);
    expect(await errorCode(response)).toBe(-32_000);
    expect(ended("client_gone")(await ledgerWhen(ended("client_gone")))).toBe(true);
  });

  it("gateway: headers in time end the limit, and a stream may then last longer", async () => {
    const { tokens } = await connect();
    const waiting = shortenLimit(200);
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 50 } });
    const reader = readerOf(await call(tokens.access_token, ASK_ACCOUNT));
    expect(waiting.size).toBe(0);
    for (let events = 0; events < 8; events += 1) expect(await readText(reader)).toContain(": still here");
    await reader.cancel();
  });
});

describe(verifies("proxy.methods", "POST, GET, DELETE and HEAD go to Gong, and no other method does"), () => {
  it.each(["PUT", "PATCH", "PROPFIND"])(
    "RFC 9110 §15.5.6: %s with a token gets 405 with Allow",
    async (method) => {
      const { tokens } = await connect();
      const response = await request(tokens.access_token, method);
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST, GET, DELETE, HEAD, OPTIONS");
      expect(await atGong()).toEqual([]);
    },
  );

  it("RFC 9110 §9.3.2: HEAD is Gong's to answer, and has no body", async () => {
    const { tokens } = await connect();
    const response = await request(tokens.access_token, "HEAD");
    expect(response.status).toBe(405);
    expect(await response.text()).toBe("");
    expect((await atGong()).map(({ method }) => method)).toEqual(["HEAD"]);
  });

  it("MCP 2025-11-25: the body of a DELETE does not reach Gong", async () => {
    await gong.knobs({ deleteEndsSession: true, sessions: true });
    const { tokens } = await connect();
    const session = await beginSession(tokens.access_token);
    const response = await ask("/mcp", {
      method: "DELETE",
      headers: { authorization: `Bearer ${tokens.access_token}`, "mcp-session-id": session },
      body: "smuggled",
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect((await atGong()).at(-1)).toMatchObject({ method: "DELETE", body: "" });
  });
});
