// One MCP client's walk through the stand-in, over `fetch`: what the contract tests share. Not a gateway: it sends what
// it is told, so that each test can get exactly one thing wrong.
import { createHash, randomBytes } from "node:crypto";

export const CALLBACK = "https://gateway.test/callback";
export const PERSONAL = { id: "gong-client-personal", secret: "per:sonal+secret%/1" };
export const SHARED = { id: "gong-client-shared", secret: "sha:red+secret%/1" };

export type Fetch = (request: Request) => Promise<Response>;

export interface TokenAnswer {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  token_type: string;
  scope: string;
}

/** A verifier and its S256 challenge (RFC 7636 §4). */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** HTTP Basic with form-encoded id and secret (RFC 6749 §2.3.1). */
export function basic({ id, secret }: { id: string; secret: string }): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;
}

/** A client of the stand-in whose two origins are given. */
export function driver(fetch: Fetch, origins: { mcpOrigin: string; appOrigin: string }) {
  /** GET /oauth2/authorize with the usual parameters; a field that is undefined is left out. */
  function authorize(
    changes: Record<string, string | undefined> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const url = new URL(`${origins.appOrigin}/oauth2/authorize`);
    const usual = {
      response_type: "code",
      client_id: PERSONAL.id,
      redirect_uri: CALLBACK,
      state: "s-1",
    };
    for (const [name, value] of Object.entries({ ...usual, ...changes })) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return fetch(new Request(url, { headers, redirect: "manual" }));
  }

  /** A fresh code, for a person who allows. */
  async function code(changes: Record<string, string | undefined> = {}): Promise<string> {
    const callback = callbackOf(await authorize(changes));
    const value = callback.searchParams.get("code");
    if (value === null) throw new Error(`No code came back: ${callback.search}`);
    return value;
  }

  /** POST to the token endpoint, authenticated with Basic unless `headers` say otherwise. */
  function token(
    fields: Record<string, string>,
    headers: Record<string, string> = { authorization: basic(PERSONAL) },
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    const url = `${origins.appOrigin}/oauth2/generate-mcp-token`;
    return fetch(new Request(url, { method: "POST", headers, body }));
  }

  function redeem(value: string, changes: Record<string, string> = {}): Promise<Response> {
    return token({ grant_type: "authorization_code", code: value, redirect_uri: CALLBACK, ...changes });
  }

  function refresh(refreshToken: string): Promise<Response> {
    return token({ grant_type: "refresh_token", refresh_token: refreshToken });
  }

  /** Authorizes and redeems. */
  async function connect(
    changes: Record<string, string | undefined> = {},
    client = PERSONAL,
  ): Promise<TokenAnswer> {
    const value = await code({ client_id: client.id, ...changes });
    const response = await token(
      { grant_type: "authorization_code", code: value, redirect_uri: CALLBACK },
      { authorization: basic(client) },
    );
    return readJson<TokenAnswer>(response);
  }

  /** POST to /mcp. */
  function post(
    message: unknown,
    accessToken: string | undefined,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const init: RequestInit = {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
        ...headers,
      },
      body: JSON.stringify(message),
      ...(signal === undefined ? {} : { signal }),
    };
    return fetch(new Request(`${origins.mcpOrigin}/mcp`, init));
  }

  return { authorize, code, token, redeem, refresh, connect, post };
}

/** Where a redirect leads; fails when the response is none. */
export function callbackOf(response: Response): URL {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`No redirect: ${response.status}`);
  return new URL(location);
}

/** The body as JSON, taken to be an `Answer`. */
export async function readJson<Answer = Record<string, unknown>>(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

/** JSON-RPC `tools/call`. */
export function toolCall(
  name: string,
  args: Record<string, unknown>,
  meta?: Record<string, unknown>,
): unknown {
  const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return { jsonrpc: "2.0", id: 7, method: "tools/call", params };
}

export const ASK_ACCOUNT = toolCall("ask_account", { crmAccount: "Acme", question: "How is it going?" });

export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "driver", version: "1" },
  },
};

export const TOOLS_LIST = { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} };

/** The tool result in a JSON answer to `tools/call`. */
export async function toolResult(
  response: Response,
): Promise<{ text: string; isError: boolean; structuredContent?: unknown }> {
  const { result } = await readJson<{
    result: { content: Array<{ text: string }>; isError?: boolean; structuredContent?: unknown };
  }>(response);
  const { content, isError = false, ...rest } = result;
  return { text: content[0]?.text ?? "", isError, ...rest };
}
