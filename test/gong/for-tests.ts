// The stand-in Gong as the only network of the workerd tests: vitest.config.ts hands this to miniflare as
// `outboundService`, so it runs in Node.js, inside the vitest process. One instance serves every test file; tests reset
// it over the control API (test/support/gong.ts).
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerAsThirdParty, isScripted, isThirdParty, isThirdPartyControl } from "../support/third-party.ts";
import { createControl } from "./control.ts";
import { respond } from "./node-listener.ts";
import { createStandIn } from "./stand-in.ts";

const standIn = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const control = createControl(standIn);
const CONTROL_HOST = "control.gong.test";

/**
 * Answers a request that the Worker under test sends out. Hosts that the tests do not know are noted in the ledger and
 * answer 501. Behind a plain function miniflare turns a dropped connection into a 500, and the stand-in cannot see its
 * client leave: standInOnSockets has neither limit.
 */
export async function standInForTests(request: Request): Promise<Response> {
  // Miniflare's Request is of its own class; ours needs the runtime's.
  const { method, headers, signal, url } = request;
  const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
  return dispatch(new Request(url, { method, headers: [...headers], body, signal }));
}

/**
 * The same over Node.js sockets, for `outboundService: { node: standInOnSockets }`: the Worker under test sees real
 * resets, half bodies and unbuffered streams, and the stand-in sees it cancel.
 */
export function standInOnSockets(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const host = incoming.headers.host ?? "nowhere";
  // Miniflare does not say which scheme the Worker asked for. Gong's hosts and all others are https.
  const scheme = host === CONTROL_HOST || isThirdPartyControl(host) ? "http" : "https";
  return respond(dispatch, `${scheme}://${host}`, incoming, outgoing);
}

async function dispatch(request: Request): Promise<Response> {
  const { host } = new URL(request.url);
  if (isThirdParty(host) || isScripted(request.url)) return answerAsThirdParty(request);
  return host === CONTROL_HOST ? control.fetch(request) : standIn.fetch(request);
}
