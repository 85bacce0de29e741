// A server as the black-box checks see it: a base URL, its metadata, and a person who approves. The same for the
// gateway and for the oracle. Called by the checks.

import { createHash } from "node:crypto";
import { createPerson } from "../../support/person.ts";

export const REDIRECT = "http://127.0.0.1:7777/callback";
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

export type Fields = Readonly<Record<string, string | undefined>>;

export interface Client {
  readonly client_id: string;
  readonly client_secret?: string;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export interface Judged {
  readonly origin: string;
}

/** One request, redirects not followed. */
export function send(judged: Judged, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(judged.origin + path, { redirect: "manual", ...init });
}

/** Status and OAuth error code, if there is one: `400 invalid_grant`. */
export async function verdict(response: Response): Promise<string> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const error = isJson ? (JSON.parse(text) as { error?: unknown }).error : undefined;
  return typeof error === "string" ? `${response.status} ${error}` : String(response.status);
}

/** RFC 7591 §3.1. */
export function register(judged: Judged, metadata: unknown, type = "application/json"): Promise<Response> {
  const body = typeof metadata === "string" ? metadata : JSON.stringify(metadata);
  return send(judged, "/register", { method: "POST", headers: { "content-type": type }, body });
}

/** A client of one loopback redirect URI, public unless changed. */
export async function aClient(judged: Judged, changes: object = {}): Promise<Client> {
  const metadata = { redirect_uris: [REDIRECT], token_endpoint_auth_method: "none", ...changes };
  const response = await register(judged, metadata);
  if (response.status !== 201) throw new Error(`Registration answered ${response.status}`);
  return (await response.json()) as Client;
}

/** The query of a good authorization request (RFC 6749 §4.1.1), with changes; undefined leaves one out. */
export function query(judged: Judged, client: Client, changes: Fields = {}): string {
  return encoded({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    state: "s",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    resource: `${judged.origin}/mcp`,
    ...changes,
  }).toString();
}

/** A code, after a person approved. */
export async function aCode(judged: Judged, client: Client, changes: Fields = {}): Promise<string> {
  const url = `${judged.origin}/authorize?${query(judged, client, changes)}`;
  return (await createPerson().authorize(url)).searchParams.get("code") ?? "";
}

/** RFC 6749 §4.1.3 for a public client, with changes. */
export const codeForm = (client: Client, code: string, changes: Fields = {}): URLSearchParams =>
  encoded({
    grant_type: "authorization_code",
    client_id: client.client_id,
    code,
    code_verifier: VERIFIER,
    redirect_uri: REDIRECT,
    ...changes,
  });

/** RFC 6749 §6 for a public client, with changes. */
export const refreshForm = (client: Client, refreshToken: string, changes: Fields = {}): URLSearchParams =>
  encoded({
    grant_type: "refresh_token",
    client_id: client.client_id,
    refresh_token: refreshToken,
    ...changes,
  });

/** A form to the token endpoint. */
export function askToken(
  judged: Judged,
  form: URLSearchParams | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return send(judged, "/token", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: form.toString(),
  });
}

/** From nothing to tokens. */
export async function signedIn(
  judged: Judged,
  changes: object = {},
): Promise<{ readonly client: Client; readonly tokens: Tokens }> {
  const client = await aClient(judged, changes);
  const response = await askToken(judged, codeForm(client, await aCode(judged, client)));
  if (response.status !== 200) throw new Error(`The token endpoint answered ${response.status}`);
  return { client, tokens: (await response.json()) as Tokens };
}

/** Status of a call to the protected resource. */
export async function call(judged: Judged, accessToken: string | undefined): Promise<Response> {
  const authorization: Record<string, string> =
    accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
  return send(judged, "/mcp", {
    method: "POST",
    headers: {
      ...authorization,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });
}

export const basic = (client: Client, secret = client.client_secret): Record<string, string> => ({
  authorization: `Basic ${btoa(`${client.client_id}:${secret}`)}`,
});

function encoded(fields: Fields): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
