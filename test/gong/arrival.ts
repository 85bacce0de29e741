// A request as it arrived, read once: its body is needed by the ledger, by the fault script and by the endpoint.
// Called by stand-in.ts for every request.
import * as z from "zod";
import type { NewEntry, RequestEntry } from "./ledger.ts";

/** What a fault can be scripted for. */
export const ENDPOINTS = [
  "as_metadata",
  "resource_metadata",
  "authorize",
  "token",
  "register",
  "mcp",
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export interface Arrival {
  /** Sequence number in the ledger. */
  seq: number;
  side: RequestEntry["side"];
  endpoint: Endpoint | undefined;
  method: string;
  url: URL;
  headers: Headers;
  body: string;
  grantType: string | undefined;
  rpcMethod: string | undefined;
  /** The tool of a `tools/call`. */
  tool: string | undefined;
  /** Aborts when the other side goes away. */
  signal: AbortSignal;
}

const rpcMessage = z.object({
  method: z.string(),
  params: z.object({ name: z.string().optional() }).optional(),
});

/** Reads `request` to its end. `seq` is 0 until the arrival is in the ledger. */
export async function readArrival(request: Request, side: Arrival["side"]): Promise<Arrival> {
  const url = new URL(request.url);
  const body = await request.text();
  const endpoint = endpointOf(side, url.pathname);
  const grantType = new URLSearchParams(body).get("grant_type") ?? url.searchParams.get("grant_type");
  const rpc = endpoint === "mcp" ? parseRpc(body) : undefined;
  return {
    seq: 0,
    side,
    endpoint,
    method: request.method,
    url,
    headers: new Headers([...request.headers]),
    body,
    grantType: endpoint === "token" && grantType !== null ? grantType : undefined,
    rpcMethod: rpc?.method,
    tool: rpc?.method === "tools/call" ? rpc.params?.name : undefined,
    signal: request.signal,
  };
}

/** The ledger's entry for `arrival`. */
export function requestEntry(arrival: Arrival): NewEntry {
  return {
    kind: "request",
    side: arrival.side,
    host: arrival.url.host,
    method: arrival.method,
    path: arrival.url.pathname,
    hasAuthorization: arrival.headers.has("authorization"),
    ...(arrival.grantType === undefined ? {} : { grantType: arrival.grantType }),
    ...(arrival.rpcMethod === undefined ? {} : { rpcMethod: arrival.rpcMethod }),
    ...(arrival.tool === undefined ? {} : { tool: arrival.tool }),
    query: arrival.url.search,
    headers: Object.fromEntries(arrival.headers),
    body: arrival.body,
  };
}

const MCP_PATHS: Readonly<Record<string, Endpoint>> = {
  "/mcp": "mcp",
  "/.well-known/oauth-authorization-server": "as_metadata",
  "/.well-known/oauth-protected-resource/mcp": "resource_metadata",
};

const APP_PATHS: Readonly<Record<string, Endpoint>> = {
  "/oauth2/authorize": "authorize",
  "/oauth2/generate-mcp-token": "token",
  "/oauth2/register": "register",
};

function endpointOf(side: Arrival["side"], path: string): Endpoint | undefined {
  if (side === "elsewhere") return undefined;
  return side === "mcp" ? MCP_PATHS[path] : APP_PATHS[path];
}

function parseRpc(body: string): z.output<typeof rpcMessage> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return rpcMessage.safeParse(Array.isArray(parsed) ? parsed[0] : parsed).data;
  } catch {
    // Not JSON: the endpoint refuses it. Here it only means that no fault for a JSON-RPC method matches.
    return undefined;
  }
}
