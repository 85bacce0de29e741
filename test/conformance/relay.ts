// A loopback HTTP relay that copies both directions byte for byte, header names and their order included: a client
// library in between would tidy up what the referee sends. In front of the gateway it adds the access token, in front
// of a scenario's server it is "Gong's" MCP origin, and behind the gateway it is the proxy of all its requests.
// Called by stage.ts.

import http, { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KEEP_ALIVE_MS } from "../gong/node-listener.ts";

/** Where one request goes on to. */
export interface Onward {
  readonly to: URL;
  /** Replaces these headers, or adds them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Changes the JSON document that comes back; without it nothing is read or changed. */
  readonly alter?: (document: unknown) => unknown;
}

/** A relay's own JSON answer. */
export interface OwnAnswer {
  readonly status: number;
  readonly document: unknown;
}

export interface Relay {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Cuts every connection. */
  hangUp(): void;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

/** Serves a relay on a free loopback port; `route` decides for each request. */
export async function serveRelay(route: (request: IncomingMessage) => Onward | OwnAnswer): Promise<Relay> {
  // As a proxy it gets requests whose host is in the request line alone (RFC 9112 §3.2.2).
  const server = createServer(
    { requireHostHeader: false, keepAliveTimeout: KEEP_ALIVE_MS },
    (incoming, outgoing) => {
      const decision = route(incoming);
      if ("to" in decision) return pass(decision, incoming, outgoing);
      outgoing.writeHead(decision.status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(decision.document));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(onward: Onward, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { to, headers = {}, alter } = onward;
  if (!LOOPBACK.has(to.hostname))
    throw new Error(`The referee reaches this machine only, not ${to.hostname}`);
  const options = { method: incoming.method, headers: replaced(incoming.rawHeaders, headers), agent: false };
  const request = http.request(to, options, (response) => {
    if (alter !== undefined) return void answerAltered(response, outgoing, alter);
    outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, response.rawHeaders);
    // A stream may stay silent for long: its client must know at once that it is open.
    outgoing.flushHeaders();
    response.pipe(outgoing);
    response.once("error", () => outgoing.destroy());
  });
  // Whoever leaves takes the other side along.
  request.once("error", () => outgoing.destroy());
  outgoing.once("close", () => request.destroy());
  incoming.pipe(request);
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Node.js takes raw headers as one flat list of names and values, and then adds none of its own. */
function replaced(raw: readonly string[], headers: Readonly<Record<string, string>>): string[] {
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = raw.filter((_, at) => !names.has((raw[at - (at % 2)] ?? "").toLowerCase()));
  return [...kept, ...Object.entries(headers).flat()];
}

async function answerAltered(
  response: IncomingMessage,
  outgoing: ServerResponse,
  alter: (document: unknown) => unknown,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
  const body = isJson ? JSON.stringify(alter(JSON.parse(text))) : text;
  outgoing.writeHead(response.statusCode ?? 502, { "content-type": response.headers["content-type"] ?? "" });
  outgoing.end(body);
}
