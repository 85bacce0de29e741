// MCP of the revisions with `initialize`: one transport per request, or sessions by knob, and the GET stream. Called by
// mcp.ts. The transport is the SDK's; whether Gong has sessions or a GET stream is unknown.
import { type McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { Caller } from "./mcp.ts";
import { randomText } from "./random.ts";
import { createToolServer } from "./tools.ts";
import type { World } from "./world.ts";

export interface McpSession {
  /** Whose session it is: a person and an integration. Another one's token gets 404. */
  owner: string;
  server: McpServer;
  transport: WebStandardStreamableHTTPServerTransport;
  close(): Promise<void>;
}

/** M1, M2, M3. Answers a request of a revision with `initialize`. */
export async function serveLegacy(world: World, caller: Caller, request: Request): Promise<Response> {
  const { knobs } = world;
  if (request.method === "GET" && !knobs.getStream) return methodNotAllowed();
  if (request.method === "DELETE" && !knobs.deleteEndsSession) return methodNotAllowed();
  const options = { authInfo: caller.authInfo };
  const sessionId = request.headers.get("mcp-session-id");
  if (knobs.sessions && sessionId !== null) {
    const session = world.sessions.get(sessionId);
    if (session === undefined || session.owner !== caller.owner) return sessionNotFound();
    return session.transport.handleRequest(request, options);
  }
  const session = await openSession(world, caller);
  if (request.method === "GET" && !knobs.sessions) world.sessions.set(randomText("stream"), session);
  return session.transport.handleRequest(request, options);
}

/** A server and its transport. With sessions on, it is kept once a client has initialized it. */
async function openSession(world: World, caller: Caller): Promise<McpSession> {
  const server = createToolServer(world, caller.grant, world.knobs.protocolVersions);
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: world.knobs.answerAs === "json",
    keepAliveMs: world.knobs.keepAliveMs,
    ...(world.knobs.sessions
      ? {
          sessionIdGenerator: () => randomText("session"),
          onsessioninitialized: (id: string) => void world.sessions.set(id, session),
          onsessionclosed: (id: string) => void world.sessions.delete(id),
        }
      : {}),
  });
  const session: McpSession = { owner: caller.owner, server, transport, close: () => server.close() };
  await server.connect(transport);
  return session;
}

/** M3. Tells every open GET stream and every 2026-07-28 subscription that the tool list changed. Test need. */
export function notifyToolsChanged(world: World): void {
  for (const session of world.sessions.values()) session.server.sendToolListChanged();
  world.changes.publish({ kind: "tools_list_changed" });
}

function methodNotAllowed(): Response {
  return new Response(null, { status: 405, headers: { allow: "POST" } });
}

function sessionNotFound(): Response {
  const body = { jsonrpc: "2.0", error: { code: -32001, message: "Session not found" }, id: null };
  return Response.json(body, { status: 404 });
}
