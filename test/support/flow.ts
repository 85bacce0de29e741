// The story of a sign-in, step by step, inside workerd: a client, a person's browser and the gateway's Worker, with the
// stand-in Gong behind it. Integration tests use the steps; each checks nothing but what it needs to go on.

import { exports } from "cloudflare:workers";
import { readForms, readRefresh } from "./html.ts";

export const ORIGIN = "https://gateway.test";
export const RESOURCE = `${ORIGIN}/mcp`;
export const SHARED_RESOURCE = `${ORIGIN}/shared/mcp`;
export const CLIENT_REDIRECT = "http://127.0.0.1:7777/callback";
export const ADMIN_TOKEN = "admin-token-for-tests-0123456789abcdef";

/** One request to the gateway, redirects not followed. */
export function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(new Request(new URL(path, ORIGIN), { redirect: "manual", ...init }));
}

/** One request to anything else, which in these tests is the stand-in Gong. */
export function askOutside(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: "manual", ...init });
}

export interface Registration {
  readonly client_id: string;
  readonly client_secret?: string;
}

/** RFC 7591 §3.1. */
export async function register(metadata: Record<string, unknown> = {}): Promise<Registration> {
  const response = await ask("/register", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Test client",
      redirect_uris: [CLIENT_REDIRECT],
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
  if (response.status !== 201) throw new Error(`Registration answered ${response.status}`);
  return response.json();
}

/** RFC 7636 §4.1 and §4.2, with the verifier of appendix B. */
export const PKCE = {
  verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
};

/** The parameters of a good authorization request: RFC 6749 §4.1.1. Undefined leaves one out. */
export function authorizationQuery(
  clientId: string,
  changes: Record<string, string | undefined> = {},
): string {
  const parameters = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: CLIENT_REDIRECT,
    state: "client-state",
    code_challenge: PKCE.challenge,
    code_challenge_method: "S256",
    resource: RESOURCE,
    ...changes,
  };
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new URLSearchParams(given).toString();
}

/** A browser as far as the gateway sees one: cookies and the headers of a form post. */
export class TestBrowser {
  readonly cookies = new Map<string, string>();
  readonly #ask: typeof ask;

  /** `gateway` makes its requests; by default to the gateway that all tests share. */
  constructor(gateway: typeof ask = ask) {
    this.#ask = gateway;
  }

  async open(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#keep(await this.#ask(path, { headers: { ...this.#cookieHeader(), ...headers } }));
  }

  async post(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const response = await this.#ask(path, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin: ORIGIN, "sec-fetch-site": "same-origin", ...this.#cookieHeader(), ...headers },
    });
    return this.#keep(response);
  }

  #cookieHeader(): Record<string, string> {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    return pairs.length === 0 ? {} : { cookie: pairs.join("; ") };
  }

  #keep(response: Response): Response {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }
}

/** The sealed request on a consent page. */
export function sealedRequest(html: string): string {
  const fields = readForms(html).flatMap((form) => form.fields);
  const [, value] = fields.find(([name]) => name === "request") ?? [];
  if (value === undefined) throw new Error("The page has no consent form");
  return value;
}

/** Opens the consent page and presses Approve; returns where the page leads: to Gong. */
export async function approve(browser: TestBrowser, query: string): Promise<URL> {
  const page = await browser.open(`/authorize?${query}`);
  if (page.status !== 200) throw new Error(`The consent page answered ${page.status}`);
  const request = sealedRequest(await page.text());
  const answer = await browser.post("/authorize", { request, decision: "approve" });
  return leadsTo(await answer.text());
}

/** Where an interstitial page leads. */
export function leadsTo(html: string): URL {
  const url = readRefresh(html);
  if (url === undefined) throw new Error("The page leads nowhere");
  return new URL(url);
}

/** The person agrees at Gong (the stand-in approves by default); returns the path and query of our callback. */
export async function agreeAtGong(url: URL): Promise<string> {
  const answer = await askOutside(url.href);
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`Gong answered ${answer.status} without a redirect`);
  const callback = new URL(location);
  return callback.pathname + callback.search;
}

/** The whole browser part: consent, Gong, callback. Returns the URL that the client is sent. */
export async function signIn(
  clientId: string,
  changes: Record<string, string | undefined> = {},
  browser = new TestBrowser(),
): Promise<URL> {
  const gongUrl = await approve(browser, authorizationQuery(clientId, changes));
  const answer = await browser.open(await agreeAtGong(gongUrl));
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`The callback answered ${answer.status} without a redirect`);
  return new URL(location);
}

/** One request to the token endpoint. */
export function askToken(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask("/token", { method: "POST", body: new URLSearchParams(fields), headers });
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly token_type: string;
}

/** RFC 6749 §4.1.3 for a public client. */
export async function redeem(clientId: string, code: string): Promise<Tokens> {
  const response = await askToken({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    code_verifier: PKCE.verifier,
    redirect_uri: CLIENT_REDIRECT,
  });
  if (response.status !== 200) throw new Error(`The token endpoint answered ${response.status}`);
  return response.json();
}

/** From nothing to tokens. */
export async function connect(
  changes: Record<string, string | undefined> = {},
): Promise<{ readonly clientId: string; readonly tokens: Tokens }> {
  const { client_id: clientId } = await register();
  const { searchParams } = await signIn(clientId, changes);
  return { clientId, tokens: await redeem(clientId, searchParams.get("code") ?? "") };
}

/**
 * One JSON-RPC request to the MCP endpoint. As every client does, it takes a JSON answer to its end, whether or not the
 * test looks at it; what nobody takes is still owed.
 */
export async function call(
  accessToken: string,
  message: unknown,
  init: { readonly path?: string; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  return taken(await send(accessToken, message, init));
}

function taken(response: Response): Response {
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (!isJson || response.body === null) return response;
  const [seen, read] = response.body.tee();
  void read.pipeTo(new WritableStream()).catch(() => undefined);
  return new Response(seen, response);
}

function send(
  accessToken: string,
  message: unknown,
  init: { readonly path?: string; readonly headers?: Record<string, string> },
): Promise<Response> {
  return ask(init.path ?? "/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...init.headers,
    },
    body: JSON.stringify(message),
  });
}

export const TOOLS_LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

export const ASK_ACCOUNT = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "ask_account", arguments: { crmAccount: "Globex", question: "Is the renewal on track?" } },
};
