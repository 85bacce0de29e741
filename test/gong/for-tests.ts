// The stand-in Gong as the only network of the workerd tests: vitest.config.ts hands this to miniflare as
// `outboundService`, so it runs in Node.js, inside the vitest process. Each test file has a miniflare, and with it a
// stand-in, of its own, so that two files can run at once; tests reset it over the control API (test/support/gong.ts).
import type { IncomingMessage, ServerResponse } from "node:http";
import { createThirdParties, isThirdPartyControl } from "../support/third-party.ts";
import { createControl } from "./control.ts";
import { respond } from "./node-listener.ts";
import { createStandIn } from "./stand-in.ts";

const CONTROL_HOST = "control.gong.test";

type Network = (request: Request) => Promise<Response>;

/** By the port at which a miniflare sends out what its Worker asks; 0 is for calls of the function. */
const networks = new Map<number, Network>();

/**
 * Answers a request that the Worker under test sends out. Hosts that the tests do not know are noted in the ledger and
 * answer 501. Behind a plain function miniflare turns a dropped connection into a 500, and the stand-in cannot see its
 * client leave: standInOnSockets has neither limit.
 */
export async function standInForTests(request: Request): Promise<Response> {
  // Miniflare's Request is of its own class; ours needs the runtime's.
  const { method, headers, signal, url } = request;
  const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
  return networkAt(0)(new Request(url, { method, headers: [...headers], body, signal }));
}

/**
 * The same over Node.js sockets, for `outboundService: { node: standInOnSockets }`: the Worker under test sees real
 * resets, half bodies and unbuffered streams, and the stand-in sees it cancel.
 */
export function standInOnSockets(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const host = incoming.headers.host ?? "nowhere";
  // Miniflare does not say which scheme the Worker asked for. Gong's hosts and all others are https.
  const scheme = host === CONTROL_HOST || isThirdPartyControl(host) ? "http" : "https";
  return respond(networkAt(incoming.socket.localPort ?? 0), `${scheme}://${host}`, incoming, outgoing);
}

function networkAt(port: number): Network {
  const network = networks.get(port) ?? createNetwork();
  networks.set(port, network);
  return network;
}

function createNetwork(): Network {
  const standIn = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
  const control = createControl(standIn);
  const thirdParties = createThirdParties();
  return async (request) => {
    if (thirdParties.own(request.url)) return thirdParties.answer(request);
    const { host } = new URL(request.url);
    return host === CONTROL_HOST ? control.fetch(request) : standIn.fetch(request);
  };
}
