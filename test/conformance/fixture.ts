// An MCP server with everything that the official conformance scenarios ask for, in both eras: sessions, resumable
// streams and DELETE for the revisions with `initialize`, and 2026-07-28. It stands in for Gong's MCP server behind the
// gateway, so that what differs between direct and proxied is the gateway's doing. Called by referee.test.ts.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createMcpHandler,
  createRequestStateCodec,
  type EventStore,
  hostHeaderValidationResponse,
  InMemoryServerEventBus,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  type ServerEventBus,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { KEEP_ALIVE_MS, respond } from "../gong/node-listener.ts";
import { registerInputTools } from "./fixture-input.ts";
import { registerPrompts, registerResources } from "./fixture-resources.ts";
import { registerTools } from "./fixture-tools.ts";

export interface Fixture {
  /** `http://127.0.0.1:<port>/mcp`. */
  readonly mcpUrl: string;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

/**
 * Serves the fixture on a free loopback port. It takes loopback hosts and origins only (MCP Streamable HTTP, Security).
 */
export async function serveFixture(): Promise<Fixture> {
  const bus = new InMemoryServerEventBus();
  const modern = createMcpHandler(() => createFixtureServer(bus), { legacy: "reject", bus });
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const answer = async (request: Request): Promise<Response> => {
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refused !== undefined) return refused;
    if (await isLegacyRequest(request)) return serveLegacy(sessions, bus, request);
    return modern.fetch(request);
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on("request", (incoming, outgoing) => void respond(answer, origin, incoming, outgoing));
  return {
    mcpUrl: `${origin}/mcp`,
    async close() {
      await modern.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// MCP 2026-07-28, Multi Round-Trip Requests: state that comes back from a client must not be trusted unsigned.
const requestState = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

function createFixtureServer(bus: ServerEventBus): McpServer {
  const server = new McpServer(
    { name: "conformance-fixture", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
      },
      cacheHints: { "tools/list": { ttlMs: 60_000, cacheScope: "private" } },
      requestState: { verify: (state, ctx) => requestState.verify(state, ctx) },
    },
  );
  registerTools(server, bus);
  registerInputTools(server, requestState);
  registerResources(server);
  registerPrompts(server);
  return server;
}

/**
 * One transport and server per session, which `initialize` opens and DELETE ends (MCP 2025-11-25, Session Management).
 */
async function serveLegacy(
  sessions: Map<string, WebStandardStreamableHTTPServerTransport>,
  bus: ServerEventBus,
  request: Request,
): Promise<Response> {
  const sessionId = request.headers.get("mcp-session-id");
  const known = sessions.get(sessionId ?? "");
  if (known !== undefined) return known.handleRequest(request);
  if (sessionId !== null) {
    const error = { code: -32_001, message: "Session not found" };
    return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 404 });
  }
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
    eventStore: createEventStore(),
    retryInterval: 250,
  });
  await createFixtureServer(bus).connect(transport);
  return transport.handleRequest(request);
}

/** Keeps every event of one session, so that a stream can be taken up again after any of them. */
function createEventStore(): EventStore {
  type Message = Parameters<EventStore["storeEvent"]>[1];
  const events: { readonly id: string; readonly streamId: string; readonly message: Message }[] = [];
  const streamOf = (id: string): string | undefined => events.find((event) => event.id === id)?.streamId;
  return {
    async storeEvent(streamId, message) {
      const id = `${streamId}_${events.length}`;
      events.push({ id, streamId, message });
      return id;
    },
    async getStreamIdForEventId(id) {
      return streamOf(id);
    },
    async replayEventsAfter(lastId, { send }) {
      const streamId = streamOf(lastId);
      if (streamId === undefined) throw new Error(`No event ${lastId}`);
      const missed = events.slice(events.findIndex(({ id }) => id === lastId) + 1);
      for (const event of missed) {
        // What primes a stream has no method and no result, and is not sent again.
        const isMessage = "method" in event.message || "result" in event.message || "error" in event.message;
        if (event.streamId === streamId && isMessage) await send(event.id, event.message);
      }
      return streamId;
    },
  };
}
