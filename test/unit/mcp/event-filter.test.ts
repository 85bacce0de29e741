// src/mcp/event-filter.ts: events rewritten, whatever pieces they come in, and everything else left alone.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { rewriteEvents } from "../../../src/mcp/event-filter.ts";

/** The bytes in pieces of these lengths, the rest at the end. */
function inPieces(text: string, lengths: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    start(controller) {
      for (const length of [...lengths, bytes.length]) {
        if (at < bytes.length) controller.enqueue(bytes.slice(at, at + length));
        at += length;
      }
      controller.close();
    },
  });
}

const rewritten = (
  text: string,
  lengths: readonly number[],
  rewrite: (data: string) => string,
): Promise<string> => {
  const giveUp = (error: unknown): string => `gave up: ${String(error)}`;
  const stream = rewriteEvents(inPieces(text, lengths), {
    rewrite: (data) => Promise.resolve(rewrite(data)),
    giveUp,
    longest: 1000,
  });
  return new Response(stream).text();
};

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 });
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const event = fc
  .tuple(
    fc.array(fc.constantFrom("data: ä€😀", "data:x", "id: 7", ": comment", "data", "retry: 5"), {
      minLength: 1,
    }),
    lineEnd,
  )
  .map(([lines, end]) => `${lines.join(end)}${end}${end}`);

const RUNS = { numRuns: 500, seed: 20_261_122 };

describe(verifies("policy.listed_as_allowed", "a stream of events"), () => {
  it("WHATWG HTML 9.2.6: events that nobody rewrites pass as they came, in whatever pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 6 }), lengths, async (events, pieces) => {
        const text = events.join("");
        expect(await rewritten(text, pieces, (data) => data)).toBe(text);
      }),
      RUNS,
    );
  });

  it("WHATWG HTML 9.2.6: a CRLF of which the first half ends the last event passes whole", async () => {
    const text = "data: one\r\n\r\n";
    expect(await rewritten(text, [text.length - 1], (data) => data)).toBe(text);
  });

  it("WHATWG HTML 9.2.6: the data of each event is read the same in whatever pieces it comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 6 }), lengths, async (events, pieces) => {
        const read = async (cut: readonly number[]): Promise<readonly string[]> => {
          const seen: string[] = [];
          await rewritten(events.join(""), cut, (data) => {
            seen.push(data);
            return data;
          });
          return seen;
        };
        expect(await read(pieces)).toEqual(await read([]));
      }),
      RUNS,
    );
  });

  it("WHATWG HTML 9.2.6: data over several lines is one text, and rewritten as one", async () => {
    const text = "event: message\r\ndata: one\r\nid: 7\r\ndata:two\r\n\r\n: after\n\n";
    expect(await rewritten(text, [3, 5, 8], (data) => data.toUpperCase())).toBe(
      "event: message\nid: 7\ndata: ONE\ndata: TWO\n\n: after\n\n",
    );
  });

  it("gateway: an event without an end, broken UTF-8, and a rewriting that fails end the stream with a last event", async () => {
    const last = /^event: message\ndata: gave up: .*\n\n$/;
    expect(await rewritten(`data: ${"x".repeat(2000)}`, [], (data) => data)).toMatch(last);
    const fails = (): string => {
      throw new Error("no");
    };
    expect(await rewritten("data: x\n\ndata: y\n\n", [], fails)).toMatch(last);
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Uint8Array.of(0x64, 0xff, 0x0a, 0x0a));
        controller.close();
      },
    });
    const rewriting = {
      rewrite: async (data: string) => data,
      giveUp: () => "gave up: utf-8",
      longest: 1000,
    };
    expect(await new Response(rewriteEvents(broken, rewriting)).text()).toMatch(last);
  });

  it("MCP Streamable HTTP: a stream that breaks is seen to break, and a reader that leaves ends it", async () => {
    const breaks = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error("reset")),
    });
    const rewriting = { rewrite: async (data: string) => data, giveUp: () => "", longest: 1000 };
    await expect(new Response(rewriteEvents(breaks, rewriting)).text()).rejects.toThrow("reset");
    let left = false;
    const endless = new ReadableStream<Uint8Array>({ cancel: () => void (left = true) });
    await rewriteEvents(endless, rewriting).cancel();
    expect(left).toBe(true);
  });
});
