// Faults that take the endpoint's real answer and spoil it: its time, its bytes, its JSON. Called by fault-answers.ts.
import type { Fault } from "./faults.ts";
import { bodyOf, ConnectionDropped, wait } from "./streams.ts";
import type { World } from "./world.ts";

const ALTERING = [
  "delay",
  "trickle",
  "half_body",
  "cut_stream",
  "cr_only_events",
  "fields",
  "duplicate_keys",
  "crlf_values",
  "byte_order_mark",
  "wrong_charset",
  "wrong_content_length",
] as const;
export type AlteringFault = Extract<Fault, { kind: (typeof ALTERING)[number] }>;

/** Whether `fault` needs the real answer. */
export function isAltering(fault: Fault): fault is AlteringFault {
  const kinds: readonly string[] = ALTERING;
  return kinds.includes(fault.kind);
}

/** `response`, spoiled as `fault` says. */
export async function alteredAnswer(
  world: World,
  fault: AlteringFault,
  response: Response,
): Promise<Response> {
  switch (fault.kind) {
    case "delay":
      await wait(fault.ms, world.ended.signal);
      return response;
    case "cut_stream":
      return withBody(response, response.body === null ? null : cutAfter(response.body, fault.afterEvents));
    case "cr_only_events":
      return withBody(response, response.body?.pipeThrough(carriageReturnsOnly()) ?? null);
    default:
      return spoiledBytes(fault, response, new Uint8Array(await response.arrayBuffer()));
  }
}

type ByteFault = Exclude<AlteringFault, { kind: "delay" | "cut_stream" | "cr_only_events" }>;

function spoiledBytes(fault: ByteFault, response: Response, bytes: Uint8Array): Response {
  switch (fault.kind) {
    case "trickle":
      return withBody(response, bodyOf(slices(bytes, fault.bytes), "close", fault.everyMs));
    case "half_body": {
      const half = bytes.slice(0, Math.floor(bytes.length / 2));
      return withBody(response, bodyOf([half], "drop"), { "content-length": String(bytes.length) });
    }
    case "wrong_content_length":
      return withBody(response, bodyOf([bytes], "drop"), { "content-length": String(bytes.length + 10) });
    case "byte_order_mark":
      return withBody(response, bodyOf([Buffer.from([0xef, 0xbb, 0xbf]), bytes], "close"));
    case "wrong_charset": {
      const wide = Buffer.from(Buffer.from(bytes).toString("utf8"), "utf16le");
      return withBody(response, bodyOf([wide], "close"), {
        "content-type": "application/json; charset=utf-16le",
      });
    }
    default: {
      const json: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      const spoiled = spoiledJson(fault, Object.entries(Object(json)));
      return withBody(response, bodyOf([Buffer.from(spoiled)], "close"));
    }
  }
}

type JsonFault = Extract<ByteFault, { kind: "fields" | "duplicate_keys" | "crlf_values" }>;

function spoiledJson(fault: JsonFault, fields: Array<[string, unknown]>): string {
  switch (fault.kind) {
    case "fields": {
      const kept = fields.filter(([name]) => !fault.remove.includes(name));
      return JSON.stringify({ ...Object.fromEntries(kept), ...fault.set });
    }
    case "duplicate_keys": {
      const twice = fields.flatMap(([name, value]) => [
        `${JSON.stringify(name)}:"first of two"`,
        `${JSON.stringify(name)}:${JSON.stringify(value)}`,
      ]);
      return `{${twice.join(",")}}`;
    }
    default: {
      const spoil = (value: unknown): unknown =>
        typeof value === "string" ? `${value}\r\nset-cookie: injected=1` : value;
      return JSON.stringify(Object.fromEntries(fields.map(([name, value]) => [name, spoil(value)])));
    }
  }
}

function withBody(
  response: Response,
  body: ReadableStream<Uint8Array> | null,
  headers: Record<string, string> = {},
): Response {
  const all = new Headers(response.headers);
  all.delete("content-length");
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return new Response(body, { status: response.status, headers: all });
}

function slices(bytes: Uint8Array, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) parts.push(bytes.slice(at, at + length));
  return parts;
}

/** Passes `events` events (each ends with an empty line) of `source`, then drops the connection. */
function cutAfter(source: ReadableStream<Uint8Array>, events: number): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let passed = 0;
  let last = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value } = passed < events ? await reader.read() : {};
        if (value === undefined) {
          controller.error(new ConnectionDropped());
          await reader.cancel();
          return;
        }
        let end = 0;
        while (end < value.length && passed < events) {
          if (value[end] === LINE_FEED && last === LINE_FEED) passed += 1;
          last = value[end] ?? 0;
          end += 1;
        }
        controller.enqueue(value.slice(0, end));
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

function carriageReturnsOnly(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.map((byte) => (byte === LINE_FEED ? CARRIAGE_RETURN : byte)));
    },
  });
}
