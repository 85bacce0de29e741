// Gong's answer to `tools/list`, and whatever comes on a GET, with only those tools that the caller may use, and with
// what is new or changed at Gong held back until an admin approves it. The only good answers of the straight path that
// JavaScript changes; one in which nothing has to be hidden goes on as the bytes that came. Called by call-gong.ts. MCP
// 2026-07-28, Tools, Security Considerations.

import { parseJsonObject, readBounded } from "../bounded-body.ts";
import type { IntegrationConfig } from "../config.ts";
import { sha256 } from "../crypto/encoding.ts";
import { errorFields, log } from "../log.ts";
import { allowedTool } from "../mcp/allowed-tool.ts";
import { GATEWAY_UNAVAILABLE, jsonRpcError } from "../mcp/errors.ts";
import { rewriteEvents } from "../mcp/event-filter.ts";
import type { McpMessage } from "../mcp/message.ts";
import { McpRefused } from "../mcp/refused.ts";
import { readToolList } from "../mcp/tool-list.ts";
import type { ListRules, ShownTool, ToolPlace } from "../storage/admin-rpc.ts";
import { retrying } from "../storage/stubs.ts";
import type { Caller } from "./caller.ts";
import type { Gateway } from "./gateway.ts";

/** Bytes of a JSON answer, and characters of one event. A hundred tools with long descriptions are a tenth of it. */
const LONGEST_LIST = 4 * 1024 * 1024;
const LONGEST_READ_MS = 30_000;

const UNREADABLE =
  "Gong sent a list of tools that can't be read, so none of them is offered. Try again later.";

/** Whatever else claims to be an answer is refused by whoever passes it on. */
const EVENT_STREAM = /^text\/event-stream\s*(;[^,]*)?$/i;
const JSON_ONLY = /^application\/json\s*(;[^,]*)?$/i;

export interface Listing {
  readonly gateway: Gateway;
  readonly integration: IntegrationConfig;
  readonly caller: Caller;
  /** The revision of MCP that the list is in, of mcp/revisions. */
  readonly revision: string;
}

/**
 * Whether the answer may hold a list of tools: to `tools/list`, or to a GET, on which a client takes whatever answers
 * its requests (MCP 2025-11-25, Resumability).
 */
export function mayListTools(method: string, message: McpMessage | undefined): boolean {
  return message?.method === "tools/list" || method === "GET";
}

/**
 * Takes the tools out of Gong's answer that the caller may not use. Answers without a list pass as they are. Throws
 * McpRefused (502) for one that can't be read, and puts a JSON-RPC error in its place in a stream that has begun.
 */
export async function listAllowedTools(
  listing: Listing,
  response: Response,
  requestId: McpMessage["id"],
): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || response.body === null) return response;
  if (EVENT_STREAM.test(type)) {
    const events = rewriteEvents(response.body, {
      rewrite: (data) => onlyAllowed(listing, data, requestId),
      giveUp: (error) => refusalEvent(listing, error, requestId),
      longest: LONGEST_LIST,
    });
    return new Response(events, { status: response.status, headers: response.headers });
  }
  if (!JSON_ONLY.test(type)) return response;
  const text = await readText(response);
  if (text === undefined) throw unreadable(listing, requestId);
  if (text === "") return new Response(null, { status: response.status, headers: response.headers });
  const allowed = await onlyAllowed(listing, text, requestId);
  return new Response(allowed, { status: response.status, headers: response.headers });
}

/**
 * The body of an HTTP error of Gong's as the caller may see it: byte for byte, because clients tell protocol revisions
 * apart by it, with a list of tools in it held to policy. Undefined for one that two readers could read differently.
 */
export async function allowedInError(
  listing: Listing,
  bytes: Uint8Array<ArrayBuffer>,
  requestId: McpMessage["id"],
): Promise<BodyInit | undefined> {
  const error = parseJsonObject(bytes);
  if (error === undefined || error["result"] === undefined) return error && bytes;
  return onlyAllowed(listing, new TextDecoder().decode(bytes), requestId);
}

/** The body as text; undefined when it is too long, too slow, broken off or not UTF-8. */
async function readText(response: Response): Promise<string | undefined> {
  const signal = AbortSignal.timeout(LONGEST_READ_MS);
  const bytes = await readBounded(response, LONGEST_LIST, signal).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // A TypeError is how a fatal TextDecoder reports bytes that are not UTF-8.
    return undefined;
  }
}

const unreadable = ({ gateway }: Listing, requestId: McpMessage["id"]): McpRefused => {
  log("warn", "tools.unreadable", {}, gateway);
  return new McpRefused(502, GATEWAY_UNAVAILABLE, UNREADABLE, requestId);
};

function refusalEvent({ gateway }: Listing, error: unknown, requestId: McpMessage["id"]): string {
  if (!(error instanceof McpRefused)) log("warn", "tools.unreadable", errorFields(error), gateway);
  return JSON.stringify(jsonRpcError(requestId, GATEWAY_UNAVAILABLE, UNREADABLE));
}

/** The same text when nothing in it has to be hidden. */
async function onlyAllowed(listing: Listing, text: string, requestId: McpMessage["id"]): Promise<string> {
  const message = readToolList(text);
  if (message.kind === "other") return text;
  if (message.kind === "unreadable") throw unreadable(listing, requestId);
  const offered = await Promise.all(
    message.tools.map(async (tool) => ({ ...tool, hash: await sha256(tool.definition) })),
  );
  const { caller, integration } = listing;
  const rules = await rulesFor(listing, offered);
  const keep = offered.map(
    (tool) =>
      allowedTool(rules, { ...caller, access: integration.access }, tool.name) === "allowed" &&
      isApproved(rules, tool),
  );
  return keep.includes(false) ? message.only(keep) : text;
}

function isApproved(rules: ListRules, { name, hash }: ShownTool): boolean {
  return Object.hasOwn(rules.approved, name) && rules.approved[name]?.includes(hash) === true;
}

/** The rules under which each of the offered tools is known: the AdminObject hears of those that are not. */
async function rulesFor(listing: Listing, offered: readonly ShownTool[]): Promise<ListRules> {
  const { gateway } = listing;
  const known = await recentRules(listing);
  const news = offered.filter((tool) => !isApproved(known, tool));
  if (news.length === 0) return known;
  const { requestId } = gateway;
  const place = placeOf(listing);
  const rules = await retrying(async () => gateway.objects.admin().noteTools(place, news, requestId));
  log("info", "tools.noted", { integration: place.integration }, gateway);
  remember(listing, rules);
  return rules;
}

/** A change of the policy or of an approval shows in lists after this long at most; calls are held to it at once. */
const RULES_KEPT_SECONDS = 5;

interface Kept {
  readonly rules: ListRules;
  readonly goodUntil: number;
}

const placeOf = ({ integration, revision }: Listing): ToolPlace => ({
  integration: integration.name,
  revision,
});

/** The rules as this isolate last read them, by the objects of the deployment, the integration and the revision. */
const kept = new WeakMap<Gateway["objects"], Map<string, Kept>>();

async function recentRules(listing: Listing): Promise<ListRules> {
  const { gateway, integration, revision } = listing;
  const known = kept.get(gateway.objects)?.get(`${integration.name} ${revision}`);
  if (known !== undefined && known.goodUntil > gateway.now()) return known.rules;
  const rules = await retrying(async () => gateway.objects.admin().listRules(placeOf(listing)));
  remember(listing, rules);
  return rules;
}

function remember({ gateway, integration, revision }: Listing, rules: ListRules): void {
  const byPlace = kept.get(gateway.objects) ?? new Map<string, Kept>();
  const goodUntil = gateway.now() + RULES_KEPT_SECONDS;
  kept.set(gateway.objects, byPlace.set(`${integration.name} ${revision}`, { rules, goodUntil }));
}

/** Lets the next list of this isolate ask for the rules again: an admin has just changed them. */
export function forgetRules(gateway: Gateway): void {
  kept.delete(gateway.objects);
}
