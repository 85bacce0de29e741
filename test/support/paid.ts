// Steps and questions that the tests of paid calls share: clients of one person, one call in every form, what Gong
// charged and what the ledger says.

import { env } from "cloudflare:workers";
import type { LedgerQuery } from "../../src/storage/paid-ledger.ts";
import type { PaidCallRow } from "../../src/storage/paid-schema.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/mcp/policy.ts";
import { actorNamed } from "./actor.ts";
import type { Connection } from "./connection.ts";
import { ask } from "./flow.ts";
import { gong } from "./gong.ts";
import { connectAs, type Connected } from "./mcp.ts";

export type Era = "legacy" | "modern";

const BOTH = "application/json, text/event-stream";
const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

export interface PaidCall {
  readonly id?: string | number;
  readonly era?: Era;
  readonly accept?: string;
  readonly tool?: string;
  readonly question?: string;
  /** Added to `params._meta`. */
  readonly meta?: Record<string, unknown>;
  readonly params?: Record<string, unknown>;
  readonly session?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  /** Aborted, the client is gone, whether or not its answer has begun. */
  readonly signal?: AbortSignal;
}

/** One `tools/call`, with nobody reading its answer yet. */
export function askPaid({ tokens }: Pick<Connected, "tokens">, call: PaidCall = {}): Promise<Response> {
  const { id = 1, era = "legacy", accept = BOTH, tool = "ask_account", session } = call;
  const meta = { ...(era === "modern" ? MODERN_META : {}), ...call.meta };
  const params = {
    name: tool,
    arguments: { crmAccount: "Globex", question: call.question ?? question },
    ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
    ...call.params,
  };
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": tool };
  return ask(call.path ?? "/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokens.access_token}`,
      "content-type": "application/json",
      accept,
      ...(era === "modern" ? modern : {}),
      ...(session === undefined ? {} : { "mcp-session-id": session }),
      ...call.headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
}

/** MCP 2025-11-25, Cancellation: `notifications/cancelled` for the call with this id. */
export function cancelPaid(
  { tokens }: Pick<Connected, "tokens">,
  requestId: unknown,
  session?: string,
): Promise<Response> {
  return ask("/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokens.access_token}`,
      "content-type": "application/json",
      ...(session === undefined ? {} : { "mcp-session-id": session }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } }),
  });
}

export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
  readonly result?: {
    readonly resultType?: string;
    readonly isError?: boolean;
    readonly content?: readonly { readonly text: string }[];
    readonly _meta?: Record<string, unknown>;
  };
}

/** Every message in an answer, JSON or events, in order. */
export async function messagesOf(response: Response): Promise<readonly Message[]> {
  return messagesIn(await response.text(), response.headers.get("content-type"));
}

function messagesIn(text: string, contentType: string | null): readonly Message[] {
  if (contentType?.startsWith("text/event-stream") !== true) return [JSON.parse(text) as Message];
  const events = text.split("\n\n").map((event) => /^data: (.*)$/m.exec(event)?.[1]);
  return events.filter((data) => data !== undefined).map((data) => JSON.parse(data) as Message);
}

/** The response in an answer: the last message. */
export async function answerOf(response: Response): Promise<Message> {
  const message = (await messagesOf(response)).at(-1);
  if (message === undefined) throw new Error(`${response.status} without a message`);
  return message;
}

/** How the answer says it was served; undefined for the caller that paid. */
export function servedNote(message: Message): { how: string; ageSeconds: number } | undefined {
  return message.result?._meta?.["gong-mcp-gateway/served"] as
    | { how: string; ageSeconds: number }
    | undefined;
}

/** Two clients of one person, on one connection. */
export async function twoClients(person = "ada"): Promise<readonly [Connected, Connected]> {
  return [await connectAs(person), await connectAs(person)];
}

const older = new Set<string>();
let question = "";

/** A test of its own: from here on, `ledgerRows` leaves out the rows there are, and the usual question is a new one. */
export async function begin(): Promise<void> {
  question = `Is the renewal on track? ${crypto.randomUUID()}`;
  for (const { id } of await ledgerRows()) older.add(id);
}

/** Rows of the ledger of all connections, newest first. */
export async function ledgerRows(query: Partial<LedgerQuery> = {}): Promise<readonly PaidCallRow[]> {
  const connections = await env.ADMIN.getByName("admin").listConnections(50);
  const pages = await Promise.all(
    connections.map(({ id }) => env.CONNECTIONS.getByName(id).ledgerPage({ limit: 1000, ...query })),
  );
  return pages.flatMap(({ rows }) => rows).filter(({ id }) => !older.has(id));
}

/** The connection that the calls of this test went through. */
export async function connectionUsed(): Promise<Connection> {
  const connections = await env.ADMIN.getByName("admin").listConnections(50);
  for (const { id } of connections) {
    const connection = env.CONNECTIONS.getByName(id);
    const { rows } = await connection.ledgerPage({ limit: 1 });
    if (rows[0] !== undefined && !older.has(rows[0].id)) return connection;
  }
  throw new Error("No connection has a new row");
}

/** The rows, once `condition` holds for them; throws when it does not within about ten seconds. */
export async function rowsWhen(
  condition: (rows: readonly PaidCallRow[]) => boolean,
): Promise<readonly PaidCallRow[]> {
  for (let tries = 0; tries < 200; tries += 1) {
    const rows = await ledgerRows();
    if (condition(rows)) return rows;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The ledger never showed it: ${JSON.stringify(await ledgerRows())}`);
}

/** Lets Gong's calls go on that the knob `toolsHeld` holds, once `joined` callers wait for one that others pay for. */
export async function letGo(joined = 0): Promise<void> {
  await rowsWhen((rows) => rows.filter(({ served }) => served === "joined").length >= joined);
  await gong.knobs({ toolsHeld: false });
}

/** Waits until Gong is working on a call. */
export async function untilAtGong(calls = 1): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const started = (await gong.ledger()).filter(
      (entry) => entry.kind === "tool_call" && entry.event === "started",
    );
    if (started.length >= calls) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("Gong was never asked");
}

/** Puts a policy in force, over whatever was. */
export async function setPolicy(changes: Partial<Policy>): Promise<void> {
  const admin = env.ADMIN.getByName("admin");
  const { version } = await admin.policy();
  const set = await admin.setPolicy(actorNamed("test"), version, { ...DEFAULT_POLICY, ...changes });
  if (!set.ok) throw new Error(`The policy was refused: ${JSON.stringify(set)}`);
}

/** A policy under which delivered results of ask_account are reused for `seconds`. */
export function reusing(seconds: number): Partial<Policy> {
  const tools = { ...DEFAULT_POLICY.tools, ask_account: { pays: true, weight: 1, reuseSeconds: seconds } };
  return { tools };
}

/** Leaves an event stream after its first bytes. */
export async function leave(response: Response): Promise<void> {
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
}
