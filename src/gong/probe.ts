// Two questions to Gong that change nothing and cost nothing: whether it accepts our client id and secret, and which
// tools a token opens. Called by the set-up's checks. RFC 6749 §5.2; MCP 2025-06-18 Lifecycle, MCP 2026-07-28 Tools.
import { GongError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { parseJsonObject, readBounded } from "./answer.ts";
import type { GongEndpoints } from "./discovery.ts";
import type { Integration } from "./integration.ts";
import { requestGongMcp } from "./mcp.ts";
import { requestTokensByCode } from "./oauth.ts";
import { tokenErrorCode } from "./token-answer.ts";

/** What stands between us and an answer, in our own words; each is explained to the admin. */
export type Obstacle =
  | "client_refused"
  | "address_refused"
  | "token_refused"
  | "no_seat"
  | "no_credits"
  | "forbidden"
  | "rate_limited"
  | "unavailable"
  | "not_understood";

const TIMEOUT_MS = 12_000;
const LONGEST_ANSWER = 1024 * 1024;
const MOST_TOOLS = 100;

/**
 * Says whether Gong's token endpoint accepts the integration's client id and secret, by redeeming a code that nobody
 * issued: `invalid_grant` means that the client was proven and only the code was wrong. Never sends a refresh token.
 */
export async function probeClient(
  endpoints: GongEndpoints,
  integration: Integration,
  madeUp: { readonly code: string; readonly state: string; readonly codeVerifier: string },
): Promise<"accepted" | Obstacle> {
  const { code, state, codeVerifier } = madeUp;
  const callback = new URLSearchParams({ code, state });
  if (endpoints.issuesIss) callback.set("iss", endpoints.issuer);
  try {
    const answer = await requestTokensByCode(endpoints, integration, {
      callback,
      expectedState: state,
      codeVerifier,
    });
    const error = tokenErrorCode(answer);
    if (answer.status === 400 && error === "invalid_grant") return "accepted";
    if (answer.status === 401 || error === "invalid_client" || error === "unauthorized_client") {
      return "client_refused";
    }
    return obstacleOf(answer.status, answer.contentType, "");
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    return error.kind === "unavailable" ? "unavailable" : "not_understood";
  }
}

export type ToolListing =
  | { readonly kind: "tools"; readonly names: readonly string[] }
  | { readonly kind: "refused"; readonly reason: Obstacle };

interface McpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly sessionId: string | undefined;
  readonly text: string;
  /** The JSON-RPC response, when there is one. */
  readonly message: JsonObject | undefined;
}

const CLIENT = { name: "gong-mcp-gateway", version: "1" };
const LEGACY_VERSION = "2025-06-18";
const MODERN_VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
  "io.modelcontextprotocol/clientInfo": CLIENT,
  "io.modelcontextprotocol/clientCapabilities": {},
};

/**
 * Lists the names of the tools that `accessToken` opens, in whichever era of MCP the server speaks: after `initialize`,
 * or without it when that is refused. Calls no tool, so it costs no credits.
 */
export async function listGongTools(integration: Integration, accessToken: string): Promise<ToolListing> {
  const call = asker(integration, accessToken);
  try {
    const opened = await call("initialize", {
      protocolVersion: LEGACY_VERSION,
      capabilities: {},
      clientInfo: CLIENT,
    });
    if (opened.message === undefined && ![400, 404, 405].includes(opened.status)) return refusalOf(opened);
    const result = opened.message?.["result"];
    if (!isJsonObject(result)) return listingOf(await call("tools/list", { _meta: META }, MODERN));
    const version = result["protocolVersion"];
    const headers = { "mcp-protocol-version": typeof version === "string" ? version : LEGACY_VERSION };
    await call("notifications/initialized", undefined, headers, opened.sessionId);
    return listingOf(await call("tools/list", {}, headers, opened.sessionId));
  } catch (error) {
    if (!(error instanceof GongError)) throw error;
    return { kind: "refused", reason: "unavailable" };
  }
}

const MODERN = { "mcp-protocol-version": MODERN_VERSION, "mcp-method": "tools/list" };

function asker(integration: Integration, accessToken: string) {
  return async (
    method: string,
    params: JsonObject | undefined,
    headers: Readonly<Record<string, string>> = {},
    sessionId?: string,
  ): Promise<McpAnswer> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const message = { jsonrpc: "2.0", method, ...(params === undefined ? {} : { id: 1, params }) };
    const response = await requestGongMcp({
      mcpUrl: integration.mcpUrl,
      method: "POST",
      headers: new Headers({
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        ...headers,
      }),
      body: Uint8Array.from(new TextEncoder().encode(JSON.stringify(message))),
      authorization: `Bearer ${accessToken}`,
      sessionId,
      signal,
    });
    return readAnswer(response, signal);
  };
}

async function readAnswer(response: Response, signal: AbortSignal): Promise<McpAnswer> {
  const contentType = response.headers.get("content-type") ?? "";
  // A body that breaks off, takes too long or is too long is as good as none.
  const bytes = await readBounded(response, LONGEST_ANSWER, signal).catch(() => undefined);
  const text = new TextDecoder().decode(bytes ?? new Uint8Array());
  const message = contentType.startsWith("text/event-stream") ? eventMessage(text) : parse(text);
  return {
    status: response.status,
    contentType,
    sessionId: response.headers.get("mcp-session-id") ?? undefined,
    text,
    message: message?.["jsonrpc"] === "2.0" ? message : undefined,
  };
}

/** The response among the events of a stream; other messages may come before it. */
function eventMessage(text: string): JsonObject | undefined {
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      parse(
        event
          .split(/\r?\n/)
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart())
          .join("\n"),
      ),
    )
    .find((message) => message?.["id"] === 1 && message["method"] === undefined);
}

const parse = (text: string): JsonObject | undefined => parseJsonObject(new TextEncoder().encode(text));

function listingOf(answer: McpAnswer): ToolListing {
  const result = answer.message?.["result"];
  const tools = isJsonObject(result) ? result["tools"] : undefined;
  if (answer.status !== 200 || !Array.isArray(tools)) return refusalOf(answer);
  const names = tools
    .slice(0, MOST_TOOLS)
    .map((tool: unknown) => (isJsonObject(tool) ? tool["name"] : undefined))
    .filter((name): name is string => typeof name === "string" && /^[\w./-]{1,64}$/.test(name));
  return { kind: "tools", names };
}

const refusalOf = ({ status, contentType, text }: McpAnswer): ToolListing => ({
  kind: "refused",
  reason: obstacleOf(status, contentType, text),
});

/** What an answer that is no success says. The words of an error are only searched for, never repeated. */
function obstacleOf(status: number, contentType: string, text: string): Obstacle {
  if (status === 401) return "token_refused";
  if (status === 402 || /\bcredits?\b/i.test(text)) return "no_credits";
  if (status === 429) return "rate_limited";
  // An IP list or a firewall answers before Gong's own JSON can.
  if (status === 403 && !/^application\/json/i.test(contentType)) return "address_refused";
  if (status === 403) return speaksOfSeat(text) ? "no_seat" : "forbidden";
  return status >= 500 || status === 408 ? "unavailable" : "not_understood";
}

/** Whether an error text of Gong speaks of the person's seat. Gong's wording is not documented. */
export const speaksOfSeat = (text: string): boolean => /\b(seats?|licen[sc]es?|collaborators?)\b/i.test(text);
