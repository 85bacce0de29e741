// The stand-in on three loopback ports over real sockets: for npm start, e2e tests, benches, and by hand:
//   node test/gong/serve.ts --mcp-port 8788 --app-port 8789 --control-port 8790
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createControl } from "./control.ts";
import type { KnobChanges } from "./knobs.ts";
import { KEEP_ALIVE_MS, respond } from "./node-listener.ts";
import { createStandIn, type StandIn } from "./stand-in.ts";
import type { Memory } from "./world.ts";

export interface ServeOptions {
  /** Ports; 0 takes a free one. */
  mcpPort: number;
  appPort: number;
  controlPort: number;
  /** A loopback address. */
  host?: "127.0.0.1" | "::1";
  /** The host name in the origins; must lead to `host`. `localhost` makes two sites' worth of cookies mix. */
  hostname?: string;
  redirectUris?: string[];
  /** Over the defaults of this server: a page with the buttons Allow and Deny, and http redirect URIs taken. */
  knobs?: KnobChanges;
  /** What an earlier stand-in knew. */
  memory?: Memory;
}

export interface ServedStandIn {
  standIn: StandIn;
  mcpOrigin: string;
  appOrigin: string;
  controlOrigin: string;
  /** Cuts every connection and frees the ports. */
  close(): Promise<void>;
}

/** Serves a fresh stand-in. Rejects with the system's error (EADDRINUSE) when a port is taken, leaving none open. */
export async function serveStandIn(options: ServeOptions): Promise<ServedStandIn> {
  const host = options.host ?? "127.0.0.1";
  const name = options.hostname ?? (host === "::1" ? "[::1]" : host);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  const open = async (port: number): Promise<{ server: Server; origin: string }> => {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
    await listen(server, port, host);
    servers.push(server);
    return { server, origin: `http://${name}:${(server.address() as AddressInfo).port}` };
  };
  try {
    const mcp = await open(options.mcpPort);
    const app = await open(options.appPort);
    const control = await open(options.controlPort);
    const standIn = createStandIn({
      mcpOrigin: mcp.origin,
      appOrigin: app.origin,
      redirectUris: options.redirectUris ?? ["http://localhost:8787/callback"],
      knobs: { authorizePage: "page", httpRedirectsTaken: true, ...options.knobs },
      ...(options.memory === undefined ? {} : { memory: options.memory }),
    });
    const controlApi = createControl(standIn);
    for (const { server, origin } of [mcp, app]) attach(server, (request) => standIn.fetch(request), origin);
    attach(control.server, async (request) => controlApi.fetch(request), control.origin);
    return { standIn, mcpOrigin: mcp.origin, appOrigin: app.origin, controlOrigin: control.origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function attach(server: Server, fetch: (request: Request) => Promise<Response>, origin: string): void {
  server.on("request", (incoming, outgoing) => void respond(fetch, origin, incoming, outgoing));
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "mcp-port": { type: "string", default: "8788" },
      "app-port": { type: "string", default: "8789" },
      "control-port": { type: "string", default: "8790" },
      "redirect-uri": { type: "string", multiple: true, default: ["http://localhost:8787/callback"] },
    },
  });
  const served = await serveStandIn({
    mcpPort: Number(values["mcp-port"]),
    appPort: Number(values["app-port"]),
    controlPort: Number(values["control-port"]),
    redirectUris: values["redirect-uri"],
  });
  console.log(`Stand-in Gong. MCP: ${served.mcpOrigin}/mcp`);
  console.log(`Authorize and token: ${served.appOrigin}/oauth2/`);
  console.log(`Control: ${served.controlOrigin}/`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void served.close());
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`The stand-in could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
