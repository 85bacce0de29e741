// Carries out one fault: answers instead of the endpoint, or alters what the endpoint answers. Called by stand-in.ts.
import { gzipSync } from "node:zlib";
import type { Arrival } from "./arrival.ts";
import { challengeResponse } from "./challenge.ts";
import type { Fault } from "./faults.ts";
import { bodyOf, ConnectionDropped, endlessBody, wait } from "./streams.ts";
import { alteredAnswer, isAltering } from "./fault-alterations.ts";
import type { World } from "./world.ts";

/** Does what `fault` says to the request. `serve` carries the request out; it is called once or never. */
export async function faultyAnswer(
  world: World,
  arrival: Arrival,
  fault: Fault,
  serve: () => Promise<Response>,
): Promise<Response> {
  if (isAltering(fault)) return alteredAnswer(world, fault, await serve());
  if (fault.kind === "drop_before") throw new ConnectionDropped();
  if (fault.kind === "accept_then_drop" || ("processed" in fault && fault.processed)) {
    const response = await serve();
    await response.body?.cancel();
  }
  if (fault.kind === "accept_then_drop") throw new ConnectionDropped();
  if (fault.kind === "hang") {
    await hang(arrival.signal, world.ended.signal);
    throw new ConnectionDropped();
  }
  return replacedAnswer(world, arrival, fault);
}

type ReplacingFault = Exclude<
  Fault,
  { kind: Parameters<typeof alteredAnswer>[1]["kind"] | "drop_before" | "accept_then_drop" | "hang" }
>;

function replacedAnswer(world: World, arrival: Arrival, fault: ReplacingFault): Response {
  switch (fault.kind) {
    case "status":
      return new Response(fault.body === "" ? null : fault.body, fault);
    case "oauth_error":
      return Response.json(
        {
          error: fault.error,
          ...(fault.description === undefined ? {} : { error_description: fault.description }),
        },
        { status: fault.status },
      );
    case "rate_limited": {
      const headers = fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter };
      return Response.json({ error: "rate limited" }, { status: 429, headers });
    }
    case "unauthorized":
      return challengeResponse(world, "invalid_token");
    case "insufficient_scope":
      return insufficientScope(world, fault.scope);
    case "redirect":
      return new Response(null, { status: fault.status, headers: { location: fault.location } });
    case "html":
      return text("<html><body><h1>Gong</h1></body></html>", "text/html", fault.status);
    case "empty":
      return new Response(null, { status: fault.status });
    case "invalid_json":
      return text('{"access_token":"', "application/json");
    case "json_array":
      return text('[{"access_token":"gong_access_in_an_array"}]', "application/json");
    case "json_null":
      return text("null", "application/json");
    default:
      return largeAnswer(world, arrival, fault);
  }
}

type LargeFault = Extract<
  ReplacingFault,
  { kind: "gzip_bomb" | "huge_body" | "echo_request" | "endless_stream" | "huge_event" }
>;

function largeAnswer(world: World, arrival: Arrival, fault: LargeFault): Response {
  switch (fault.kind) {
    case "gzip_bomb":
      return new Response(new Uint8Array(gzipSync(Buffer.alloc(fault.megabytes * 1_048_576, " "))), {
        headers: { "content-type": "application/json", "content-encoding": "gzip" },
      });
    case "huge_body":
      return text(JSON.stringify({ access_token: "a".repeat(fault.bytes) }), "application/json");
    case "echo_request": {
      const echo = {
        headers: Object.fromEntries(arrival.headers),
        body: arrival.body,
        url: arrival.url.href,
      };
      return text(JSON.stringify({ error: "invalid_request", echo }), "application/json", fault.status);
    }
    case "endless_stream":
      return eventStream(endlessBody(Buffer.from(": still here\n\n"), fault.everyMs, world.ended.signal));
    default: {
      const message = {
        jsonrpc: "2.0",
        method: "notifications/message",
        params: { data: "e".repeat(fault.bytes) },
      };
      return eventStream(
        bodyOf([Buffer.from(`event: message\ndata: ${JSON.stringify(message)}\n\n`)], "close"),
      );
    }
  }
}

/** RFC 6750 §3.1. Whether Gong ever answers so is unknown; a proxy must not pass this challenge on. */
function insufficientScope(world: World, scope: string): Response {
  const url = `${world.mcpOrigin}/.well-known/oauth-protected-resource/mcp`;
  const challenge = `Bearer realm="mcp", error="insufficient_scope", scope="${scope}", resource_metadata="${url}"`;
  return Response.json(
    { error: "insufficient_scope" },
    { status: 403, headers: { "www-authenticate": challenge } },
  );
}

function text(body: string, type: string, status = 200): Response {
  return new Response(body, { status, headers: { "content-type": type } });
}

function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

/** Waits until the other side leaves, or the stand-in ends. */
async function hang(...signals: AbortSignal[]): Promise<void> {
  const signal = AbortSignal.any(signals);
  // Longer than any client waits; the signal ends it.
  if (!signal.aborted) await wait(86_400_000, signal);
}
