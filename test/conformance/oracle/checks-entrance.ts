// Black-box checks of what needs no sign-in: metadata, the challenge, registration, the authorization endpoint.

import type { Check } from "./check.ts";
import {
  aClient,
  call,
  CHALLENGE,
  type Fields,
  type Judged,
  query,
  REDIRECT,
  register,
  send,
  verdict,
} from "./judged.ts";

async function metadata(judged: Judged): Promise<Record<string, unknown>> {
  const response = await send(judged, "/.well-known/oauth-authorization-server");
  return (await response.json()) as Record<string, unknown>;
}

const METADATA: readonly Check[] = [
  {
    name: "metadata: the issuer is the address it is served at",
    source: "RFC 8414 §3.3",
    outcome: "same",
    run: async (judged) => ((await metadata(judged))["issuer"] === judged.origin ? "same" : "another"),
  },
  {
    name: "metadata: PKCE methods",
    source: "RFC 9700 §2.1.1",
    outcome: '["S256"]',
    run: async (judged) => JSON.stringify((await metadata(judged))["code_challenge_methods_supported"]),
  },
  {
    name: "metadata: iss in authorization responses",
    source: "RFC 9207 §3",
    outcome: "true",
    run: async (judged) =>
      JSON.stringify((await metadata(judged))["authorization_response_iss_parameter_supported"]),
  },
  ...(
    [
      ["/.well-known/oauth-protected-resource/mcp", "200", "RFC 9728 §3.1"],
      ["/.well-known/oauth-protected-resource", "200", "MCP authorization, discovery"],
      ["/.well-known/openid-configuration", "404", "MCP authorization, discovery"],
      ["/.well-known/oauth-authorization-server/mcp", "404", "RFC 8414 §3.3"],
      ["/.well-known/oauth-protected-resource/mcpx", "404", "RFC 9728 §3.1"],
    ] as const
  ).map(([path, outcome, source]) => ({
    name: `metadata: GET ${path}`,
    source,
    outcome,
    run: async (judged: Judged) => String((await send(judged, path)).status),
  })),
  {
    name: "challenge: a call without a token",
    source: "RFC 9728 §5.1, RFC 6750 §3.1",
    outcome: "401 with resource_metadata, without error",
    run: (judged) => challenge(judged, undefined),
  },
  {
    name: "challenge: a call with a made-up token",
    source: "RFC 6750 §3.1",
    outcome: "401 with resource_metadata, with error",
    run: (judged) => challenge(judged, "made-up"),
  },
  {
    name: "challenge: a token in the URL",
    source: "OAuth 2.1 §5.1.1",
    outcome: "401",
    run: async (judged) => String((await send(judged, "/mcp?access_token=x", { method: "POST" })).status),
  },
];

async function challenge(judged: Judged, token: string | undefined): Promise<string> {
  const response = await call(judged, token);
  const header = response.headers.get("www-authenticate") ?? "";
  const has = (part: string): string => (header.includes(part) ? "with" : "without");
  return `${response.status} ${has("resource_metadata=")} resource_metadata, ${has("error=")} error`;
}

/** RFC 7591 §2: what a registration comes to. */
const REGISTRATIONS: readonly (readonly [name: string, metadata: unknown, outcome: string])[] = [
  ["a public client", publicly([REDIRECT]), "201 none"],
  ["no method named", { redirect_uris: [REDIRECT] }, "201 client_secret_basic with secret"],
  ["client_secret_post", by("client_secret_post"), "201 client_secret_post with secret"],
  ["an unknown method", by("tls_client_auth"), "400 invalid_client_metadata"],
  ["private_key_jwt without keys", by("private_key_jwt"), "400 invalid_client_metadata"],
  ["Cursor's three redirect URIs", publicly(["cursor://x/cb", "https://c.example/cb", REDIRECT]), "201 none"],
  ["no redirect URI", { token_endpoint_auth_method: "none" }, "400 invalid_redirect_uri"],
  ["an empty list of redirect URIs", publicly([]), "400 invalid_redirect_uri"],
  ["redirect URIs that are text", { redirect_uris: REDIRECT }, "400 invalid_redirect_uri"],
  ...(
    [
      "javascript:alert(1)",
      "data:text/html,x",
      "http://client.example/cb",
      "https://client.example/cb#f",
      "https://user@client.example/cb",
      "https://client.example/a/../b",
      "https://client.example\\@evil.example/",
      "https://*.client.example/cb",
      "ftp://client.example/cb",
      "ws://client.example/cb",
      "/callback",
      " https://client.example/cb",
    ] as const
  ).map((uri) => [`redirect URI ${uri}`, publicly([uri]), "400 invalid_redirect_uri"] as const),
  [
    "response type token",
    { ...publicly([REDIRECT]), response_types: ["token"] },
    "400 invalid_client_metadata",
  ],
  ["no response type", { ...publicly([REDIRECT]), response_types: [] }, "400 invalid_client_metadata"],
  [
    "refresh_token alone",
    { ...publicly([REDIRECT]), grant_types: ["refresh_token"] },
    "400 invalid_client_metadata",
  ],
  [
    "a software statement",
    { ...publicly([REDIRECT]), software_statement: "eyJhbGciOiJub25lIn0.e30." },
    "400 invalid_software_statement",
  ],
  ["an array", [], "400 invalid_client_metadata"],
  ["no JSON", "{", "400 invalid_client_metadata"],
];

function publicly(uris: readonly string[]): object {
  return { redirect_uris: uris, token_endpoint_auth_method: "none" };
}

function by(method: string): object {
  return { redirect_uris: [REDIRECT], token_endpoint_auth_method: method };
}

async function registration(judged: Judged, body: unknown, type?: string): Promise<string> {
  const response = await register(judged, body, type);
  if (response.status !== 201) return verdict(response);
  const client = (await response.json()) as { token_endpoint_auth_method?: string; client_secret?: string };
  return `201 ${client.token_endpoint_auth_method}${client.client_secret === undefined ? "" : " with secret"}`;
}

/**
 * What opening an authorization request of a client that registered itself comes to. RFC 6749 §4.1.2.1; RFC 9700
 * §4.11.2 has a server not redirect to a client that nobody vouched for, unless a person agreed.
 */
const AUTHORIZATIONS: readonly (readonly [name: string, changes: Fields, outcome: string])[] = [
  ["a good request", {}, "consent"],
  ["an unknown client", { client_id: "unknown" }, "page"],
  ["no client", { client_id: undefined }, "page"],
  ["the only redirect URI left out", { redirect_uri: undefined }, "consent"],
  ["another port on loopback", { redirect_uri: "http://127.0.0.1:1234/callback" }, "consent"],
  ["another path", { redirect_uri: "http://127.0.0.1:7777/callback2" }, "page"],
  ["a trailing slash", { redirect_uri: `${REDIRECT}/` }, "page"],
  ["a query more", { redirect_uri: `${REDIRECT}?x=1` }, "page"],
  ["another loopback name", { redirect_uri: "http://localhost:7777/callback" }, "page"],
  ["another host", { redirect_uri: "https://evil.example/callback" }, "page"],
  ["user information", { redirect_uri: "http://127.0.0.1:7777@evil.example/callback" }, "page"],
  ["no response type", { response_type: undefined }, "page"],
  ["response type token", { response_type: "token" }, "page"],
  ["no challenge", { code_challenge: undefined, code_challenge_method: undefined }, "page"],
  ["the method plain", { code_challenge_method: "plain" }, "page"],
  ["no method, which means plain", { code_challenge_method: undefined }, "page"],
  ["a challenge of 3 characters", { code_challenge: "abc" }, "page"],
  ["a challenge with padding", { code_challenge: `${CHALLENGE}=` }, "page"],
  ["no resource", { resource: undefined }, "consent"],
  ["another resource", { resource: "https://evil.example/mcp" }, "page"],
  ["an unknown scope", { scope: "admin" }, "page"],
  ["scopes with odd spaces", { scope: "  mcp:ai-ask:read   mcp:ai-briefer:read " }, "consent"],
  ["a request object", { request: "eyJhbGciOiJub25lIn0.e30." }, "page"],
  ["response mode fragment", { response_mode: "fragment" }, "page"],
];

async function authorization(judged: Judged, changes: Fields, suffix = ""): Promise<string> {
  const client = await aClient(judged);
  const response = await send(judged, `/authorize?${query(judged, client, changes)}${suffix}`);
  const location = response.headers.get("location");
  if (location === null) return (await response.text()).includes("Approve") ? "consent" : "page";
  if (!location.startsWith(`${REDIRECT}?`)) return "redirect elsewhere";
  return `redirect ${new URL(location).searchParams.get("error")}`;
}

const REPEATED: readonly (readonly [parameter: string, outcome: string])[] = [
  ["client_id=other", "page"],
  ["redirect_uri=https%3A%2F%2Fevil.example%2F", "page"],
  ["state=t", "page"],
  ["code_challenge=x", "page"],
];

export const ENTRANCE_CHECKS: readonly Check[] = [
  ...METADATA,
  ...REGISTRATIONS.map(([name, body, outcome]) => ({
    name: `registration: ${name}`,
    source: "RFC 7591 §2, §3.2",
    outcome,
    run: (judged: Judged) => registration(judged, body),
  })),
  {
    name: "registration: as a form",
    source: "RFC 7591 §3.1",
    outcome: "415 invalid_client_metadata",
    run: (judged) =>
      registration(judged, JSON.stringify(publicly([REDIRECT])), "application/x-www-form-urlencoded"),
  },
  ...AUTHORIZATIONS.map(([name, changes, outcome]) => ({
    name: `authorization: ${name}`,
    source: "RFC 6749 §4.1.1, RFC 9700 §2.1, §4.11.2",
    outcome,
    run: (judged: Judged) => authorization(judged, changes),
  })),
  ...REPEATED.map(([parameter, outcome]) => ({
    name: `authorization: a second ${parameter.split("=")[0]}`,
    source: "RFC 6749 §3.1",
    outcome,
    run: (judged: Judged) => authorization(judged, {}, `&${parameter}`),
  })),
];
