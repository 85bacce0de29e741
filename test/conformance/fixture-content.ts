// What the fixture's parts have in common. Called by fixture-tools.ts, fixture-input.ts and fixture-resources.ts.

import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";

/** A PNG of one red pixel. */
export const PIXEL_PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** A tool result of one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

const Envelope = z.object({ [CLIENT_CAPABILITIES_META_KEY]: z.record(z.string(), z.unknown()) });

/** What the client of a 2026-07-28 request says it can do, by name; nothing in requests of older revisions. */
export function clientCapabilities(ctx: ServerContext): ReadonlySet<string> {
  const envelope = Envelope.safeParse(ctx.mcpReq.envelope).data;
  return new Set(Object.keys(envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}));
}
