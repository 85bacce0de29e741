// Steps and questions that the tests of /mcp share: a client of somebody's, messages, and what reached Gong.

import { gong } from "./gong.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import type { LedgerEntry, RequestEntry } from "../gong/ledger.ts";
import { ask, call, connect, type Tokens } from "./flow.ts";

export interface Connected {
  readonly clientId: string;
  readonly tokens: Tokens;
}

/** A client that a person of the stand-in (`ada`, `grace`) has let in. */
export async function connectAs(person: string, changes: Record<string, string> = {}): Promise<Connected> {
  await gong.signIn(person);
  return connect(changes);
}

/** The MCP requests that reached Gong, oldest first, since the ledger's entry `since`. */
export async function atGong(since = 0): Promise<RequestEntry[]> {
  return requestsTo(await gong.ledger(since), "/mcp").filter(({ side }) => side === "mcp");
}

/** MCP 2025-11-25, Lifecycle. */
export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};

export const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

/** A request without a body to the MCP endpoint, with a token. */
export function request(
  accessToken: string,
  method: string,
  headers: Record<string, string> = {},
  path = "/mcp",
): Promise<Response> {
  return ask(path, { method, headers: { authorization: `Bearer ${accessToken}`, ...headers } });
}

/** A POST of these very bytes. */
export function post(
  accessToken: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask("/mcp", {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json", ...headers },
    body,
  });
}

/** Begins a session at Gong, of a legacy revision; returns the gateway's id for it. */
export async function beginSession(accessToken: string): Promise<string> {
  const response = await call(accessToken, INITIALIZE);
  await response.text();
  const id = response.headers.get("mcp-session-id");
  if (id === null) throw new Error(`initialize answered ${response.status} without a session id`);
  return id;
}

/** The ledger, once `condition` holds for it; throws when it does not within about twenty seconds. */
export async function ledgerWhen(condition: (entries: LedgerEntry[]) => boolean): Promise<LedgerEntry[]> {
  for (let tries = 0; tries < 400; tries += 1) {
    const entries = await gong.ledger();
    if (condition(entries)) return entries;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The ledger never showed what the test waits for");
}

/** The JSON-RPC error code of an answer. */
export async function errorCode(response: Response): Promise<unknown> {
  const body: { error?: { code?: unknown } } = await response.json();
  return body.error?.code;
}
