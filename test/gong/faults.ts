// The fault script: "the n-th call to this endpoint does X". Test equipment through and through: nothing here is a
// statement about Gong. Tests and control.ts write the script; stand-in.ts takes the next fault for each request, and
// fault-answers.ts carries it out.
import * as z from "zod";
import { type Arrival, ENDPOINTS } from "./arrival.ts";

const headers = z.record(z.string(), z.string()).default({});
const processed = z.boolean().default(false);

// Faults that replace the answer. With `processed: true` the request is carried out first and its answer thrown away.
const instead = [
  /** The connection is reset before anything happens. */
  z.object({ kind: z.literal("drop_before") }),
  /** Processed in full, then the connection is reset before the first byte of the answer (R4). */
  z.object({ kind: z.literal("accept_then_drop") }),
  /** No byte ever comes. Ends when the other side leaves or the stand-in is reset. */
  z.object({ kind: z.literal("hang"), processed }),
  z.object({
    kind: z.literal("status"),
    status: z.number().int().min(200).max(599),
    headers,
    body: z.string().default(""),
    processed,
  }),
  /** RFC 6749 §5.2 JSON. */
  z.object({
    kind: z.literal("oauth_error"),
    error: z.string(),
    description: z.string().optional(),
    status: z.number().int().default(400),
    processed,
  }),
  /** T10. 429; `retryAfter` is sent as it stands: seconds, a date, negative, huge. */
  z.object({ kind: z.literal("rate_limited"), retryAfter: z.string().optional(), processed }),
  /** M6. The MCP origin's usual 401. */
  z.object({ kind: z.literal("unauthorized") }),
  /** 403 with a challenge of the stand-in's own (RFC 6750 §3.1), naming Gong's scopes and metadata. */
  z.object({ kind: z.literal("insufficient_scope"), scope: z.string().default("mcp:ai-briefer:read") }),
  z.object({
    kind: z.literal("redirect"),
    status: z.number().int().default(302),
    location: z.string().default("https://elsewhere.test/"),
    processed,
  }),
  /** 200 with a page instead of JSON. */
  z.object({ kind: z.literal("html"), status: z.number().int().default(200), processed }),
  z.object({ kind: z.literal("empty"), status: z.number().int().default(200), processed }),
  z.object({ kind: z.literal("invalid_json"), processed }),
  z.object({ kind: z.literal("json_array"), processed }),
  z.object({ kind: z.literal("json_null"), processed }),
  /** Valid gzip that grows to `megabytes` of JSON white space. */
  z.object({ kind: z.literal("gzip_bomb"), megabytes: z.number().int().max(512).default(64), processed }),
  /** JSON of this many bytes, not compressed. */
  z.object({ kind: z.literal("huge_body"), bytes: z.number().int().default(16_777_216), processed }),
  /** Writes the request's headers and body, secrets and all, into an error body. */
  z.object({ kind: z.literal("echo_request"), status: z.number().int().default(400), processed }),
  /** An event stream without an end: one comment line every `everyMs`. */
  z.object({ kind: z.literal("endless_stream"), everyMs: z.number().int().min(1).default(50) }),
  /** One event of `bytes`, then the end. */
  z.object({ kind: z.literal("huge_event"), bytes: z.number().int().default(4_194_304) }),
] as const;

// Faults that need the real answer: the request is always processed.
const altered = [
  /** The real answer, later. The delay comes after processing. */
  z.object({ kind: z.literal("delay"), ms: z.number().int() }),
  /** The real answer, `bytes` at a time. */
  z.object({
    kind: z.literal("trickle"),
    bytes: z.number().int().min(1).default(1),
    everyMs: z.number().int().default(5),
  }),
  /** Half of the real body, then the connection is reset. */
  z.object({ kind: z.literal("half_body") }),
  /** The real event stream up to and with `afterEvents` events, then the connection is reset. */
  z.object({ kind: z.literal("cut_stream"), afterEvents: z.number().int().min(0).default(1) }),
  /** The real event stream with CR for every line end. */
  z.object({ kind: z.literal("cr_only_events") }),
  /** Fields of the real JSON body replaced and removed: `token_type`, `expires_in` in any form. */
  z.object({
    kind: z.literal("fields"),
    set: z.record(z.string(), z.json()).default({}),
    remove: z.array(z.string()).default([]),
  }),
  /** Every key of the real JSON object twice; the first time with another value. */
  z.object({ kind: z.literal("duplicate_keys") }),
  /** CR and LF, and a header that isn't one, inside each string of the real JSON object. */
  z.object({ kind: z.literal("crlf_values") }),
  z.object({ kind: z.literal("byte_order_mark") }),
  /** The real body as UTF-16, said to be so. */
  z.object({ kind: z.literal("wrong_charset") }),
  /** `Content-Length` says ten bytes more than the body has. */
  z.object({ kind: z.literal("wrong_content_length") }),
] as const;

const faultSchema = z.discriminatedUnion("kind", [...instead, ...altered]);

const lineSchema = z.strictObject({
  endpoint: z.enum(ENDPOINTS),
  fault: faultSchema,
  /** Counted from when the line is added, over the requests that match it: 1 is the next one. */
  onCall: z.number().int().min(1).default(1),
  /** How many calls in a row it hits. */
  times: z.union([z.number().int().min(1), z.literal("always")]).default(1),
  /** Only requests with this grant type, JSON-RPC method, tool or HTTP method are counted. */
  where: z
    .strictObject({
      grantType: z.string().optional(),
      rpcMethod: z.string().optional(),
      tool: z.string().optional(),
      method: z.string().optional(),
    })
    .default({}),
});

export type Fault = z.output<typeof faultSchema>;
/** A line of the script as tests write it: everything with a default may be left out. */
export type FaultLine = z.input<typeof lineSchema>;
type ParsedLine = z.output<typeof lineSchema>;

export interface FaultScript {
  /** Adds a line. Throws a ZodError when it is malformed. */
  add(line: unknown): void;
  /** Counts `arrival` on every line that it matches, and returns the fault of the first line that is due. */
  take(arrival: Arrival): Fault | undefined;
  clear(): void;
  /** Lines that have not done all they were to do; a test can assert that there are none. */
  pending(): Array<{ line: FaultLine; calls: number }>;
}

/** An empty script. */
export function createFaultScript(): FaultScript {
  let lines: Array<{ line: ParsedLine; calls: number }> = [];
  return {
    add(line) {
      lines.push({ line: lineSchema.parse(line), calls: 0 });
    },
    take(arrival) {
      let due: Fault | undefined;
      for (const counted of lines) {
        if (!matches(counted.line, arrival)) continue;
        counted.calls += 1;
        if (due === undefined && isDue(counted.line, counted.calls)) due = counted.line.fault;
      }
      return due;
    },
    clear() {
      lines = [];
    },
    pending() {
      return lines
        .filter(({ line, calls }) => calls < lastCall(line))
        .map(({ line, calls }) => ({ line, calls }));
    },
  };
}

function lastCall(line: ParsedLine): number {
  return line.times === "always" ? line.onCall : line.onCall + line.times - 1;
}

function isDue(line: ParsedLine, calls: number): boolean {
  return calls >= line.onCall && (line.times === "always" || calls <= lastCall(line));
}

function matches({ endpoint, where }: ParsedLine, arrival: Arrival): boolean {
  return (
    endpoint === arrival.endpoint &&
    (where.grantType === undefined || where.grantType === arrival.grantType) &&
    (where.rpcMethod === undefined || where.rpcMethod === arrival.rpcMethod) &&
    (where.tool === undefined || where.tool === arrival.tool) &&
    (where.method === undefined || where.method === arrival.method)
  );
}
