// src/mcp/event-stream.ts: the messages in a stream of events, whatever pieces it comes in and however long one is.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { createEventCutter } from "../../../src/mcp/event-filter.ts";
import { createEventReader } from "../../../src/mcp/event-stream.ts";

const RUNS = { numRuns: 500, seed: 20_261_123 };

/** The bytes in pieces of these lengths, again and again. */
function* inPieces(text: string, lengths: readonly number[]): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
    const length = lengths[piece % lengths.length] ?? 1;
    yield bytes.slice(at, at + length);
    at += length;
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
const events = fc.array(
  fc.tuple(
    fc.array(fc.constantFrom("ä€😀", "x", ""), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("\n", "\r\n", "\r"),
  ),
  { maxLength: 6 },
);

describe(verifies("paid.bounded", "the messages of a stream"), () => {
  it("WHATWG HTML §9.2.6: each event is read once and whole, whatever pieces its bytes come in", () => {
    fc.assert(
      fc.property(events, lengths, (written, pieces) => {
        const text = written
          .map(
            ([data, end]) =>
              `: hi${end}id: 7${end}${data.map((line) => `data: ${line}${end}`).join("")}${end}`,
          )
          .join("");
        const read: string[] = [];
        const reader = createEventReader((data) => read.push(data));
        for (const piece of inPieces(text, pieces)) reader.push(piece);
        expect(read).toEqual(written.map(([data]) => data.join("\n")));
        expect(reader.betweenEvents).toBe(true);
      }),
      RUNS,
    );
  });

  it("gateway: an event of 8 MiB in pieces of a kilobyte costs as much as its bytes, not their square", () => {
    const data = "x".repeat(8 * 1_048_576);
    const text = `event: message\r\ndata: ${data}\r\n\r\n`;
    let read = "";
    const reader = createEventReader((message) => (read = message));
    const cutter = createEventCutter(Number.POSITIVE_INFINITY, true);
    let cut: string | undefined;
    for (const piece of inPieces(text, [1024])) {
      reader.push(piece);
      cutter.push(piece);
      cut ??= cutter.next();
    }
    expect(read === data).toBe(true);
    expect(cut === text).toBe(true);
  });
});
