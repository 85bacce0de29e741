// Ten things that an authorization server for MCP clients must put up with, as replays: each is a plain client with one
// thing changed, in the format of recording.ts. Replayed by test/integration/client-replays.test.ts.

import type { Exchange, Recording } from "./recording.ts";

export interface Tolerance {
  /** The sections that allow or demand it. */
  readonly source: string;
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

type Fields = Readonly<Record<string, string | undefined>>;

const REDIRECT = "http://127.0.0.1:7777/callback";
const ENCODED = "application/x-www-form-urlencoded";

/** Values are written as they go on the wire. */
function encoded(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

const register = (changes: object = {}): Exchange => ({
  request: "POST /register",
  headers: { "content-type": "application/json" },
  json: { redirect_uris: [REDIRECT], token_endpoint_auth_method: "none", ...changes },
  status: 201,
});

const query = (changes: Fields = {}): string =>
  `/authorize?${encoded({
    response_type: "code",
    client_id: "{client_id}",
    redirect_uri: encodeURIComponent(REDIRECT),
    state: "{state}",
    code_challenge: "{code_challenge}",
    code_challenge_method: "S256",
    scope: "mcp%3Aai-ask%3Aread",
    resource: "{origin}%2Fmcp",
    ...changes,
  })}`;

const browser = (changes: Fields = {}): Exchange => ({ browser: query(changes) });

const token = (fields: Fields, headers: Readonly<Record<string, string>> = {}): Exchange => ({
  request: "POST /token",
  headers: { "content-type": ENCODED, ...headers },
  body: encoded(fields),
  status: 200,
});

const CODE: Fields = {
  grant_type: "authorization_code",
  code: "{code}",
  code_verifier: "{code_verifier}",
  client_id: "{client_id}",
  redirect_uri: encodeURIComponent(REDIRECT),
};

const REFRESH: Fields = {
  grant_type: "refresh_token",
  refresh_token: "{refresh_token}",
  client_id: "{client_id}",
};

const CALL: Exchange = {
  request: "POST /mcp",
  headers: {
    authorization: "Bearer {access_token}",
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  },
  json: {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "ask_account",
      arguments: { crmAccount: "Globex", question: "Is the renewal on track?" },
    },
  },
  status: 200,
  says: "CANARY-ada",
};

/** The first refresh token, as long as `{refresh_token}` is that of the first answer. */
const REFRESH_TWICE: readonly Exchange[] = [
  { ...token(REFRESH), forgets: true },
  { ...token(REFRESH), says: '"refresh_token":"grt_' },
];

/** In the order of the list that they come from. */
export const TOLERANCES: readonly Tolerance[] = [
  {
    source: "RFC 8707 §2",
    name: "1. no resource means the one resource",
    exchanges: [register(), browser({ resource: undefined }), token(CODE), CALL],
  },
  {
    source: "RFC 8707 §2",
    name: "1. another resource is refused, by name and not by how it begins",
    exchanges: [register(), { ...browser({ resource: "{origin}%2Fmcp.evil" }), status: 400 }],
  },
  {
    source: "RFC 6749 §3.3",
    name: "2. no scope means all scopes",
    exchanges: [register(), browser({ scope: undefined }), token(CODE), CALL],
  },
  {
    source: "RFC 6749 §3.3",
    name: "2. odd spaces in the scope",
    exchanges: [
      register(),
      browser({ scope: "%20mcp%3Aai-ask%3Aread%20%20mcp%3Aai-briefer%3Aread%20" }),
      token(CODE),
      CALL,
    ],
  },
  {
    source: "RFC 6749 §2.3.1",
    name: "3. HTTP Basic together with an equal client_id in the body",
    exchanges: [
      register({ token_endpoint_auth_method: "client_secret_basic" }),
      browser(),
      token(CODE, { authorization: "Basic {basic}" }),
      CALL,
    ],
  },
  {
    source: "RFC 6749 §2.3.1",
    name: "3. the secret in the body",
    exchanges: [
      register({ token_endpoint_auth_method: "client_secret_post" }),
      browser(),
      token({ ...CODE, client_secret: "{client_secret}" }),
      CALL,
    ],
  },
  ...["localhost", "127.0.0.1", "[::1]"].map((host) => ({
    source: "RFC 8252 §7.3",
    name: `4. another port of ${host}`,
    exchanges: [
      register({ redirect_uris: [`http://${host}/callback`] }),
      browser({ redirect_uri: encodeURIComponent(`http://${host}:54321/callback`) }),
      token({ ...CODE, redirect_uri: encodeURIComponent(`http://${host}:54321/callback`) }),
      CALL,
    ],
  })),
  {
    source: "RFC 8252 §7.3, RFC 9700 §2.1",
    name: "4. another name of this computer, or another path, is another redirect URI",
    exchanges: [
      register({ redirect_uris: ["http://localhost/callback"] }),
      {
        ...browser({ redirect_uri: encodeURIComponent("http://127.0.0.1:54321/callback") }),
        status: 400,
      },
      {
        ...browser({ redirect_uri: encodeURIComponent("http://localhost:54321/other") }),
        status: 400,
      },
    ],
  },
  {
    source: "RFC 9700 §4.14.2",
    name: "5. a refresh whose answer was lost is asked for again, and the client goes on",
    exchanges: [register(), browser(), token(CODE), ...REFRESH_TWICE, CALL, token(REFRESH), CALL],
  },
  {
    source: "RFC 6749 §5.1",
    name: "6. an access token lives for an hour, and comes with a refresh token",
    exchanges: [register(), browser(), { ...token(CODE), says: '"expires_in":3600' }, CALL],
  },
  {
    source: "RFC 7591 §2, §3.2.1",
    name: "7. members of a registration that the gateway does not know",
    exchanges: [
      {
        ...register({
          application_type: "native",
          client_uri: "https://client.example",
          logo_uri: null,
          contacts: ["a@client.example"],
          software_id: "x",
          grant_types: [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
          ],
        }),
        says: REDIRECT,
      },
      browser(),
      token(CODE),
      CALL,
    ],
  },
  {
    source: "RFC 6749 §5.2",
    name: "8. 401 is for a client that is not proven, 400 for everything else",
    exchanges: [
      register(),
      { ...token({ ...CODE, code: "made-up" }), status: 400, says: '"error":"invalid_grant"' },
      { ...token({ ...CODE, client_id: "unknown" }), status: 401, says: '"error":"invalid_client"' },
      {
        ...token({ ...CODE, grant_type: "password" }),
        status: 400,
        says: '"error":"unsupported_grant_type"',
      },
    ],
  },
  {
    source: "RFC 9110 §9.2.1",
    name: "9. the consent page is asked for by a program before the browser does",
    exchanges: [
      register(),
      { request: `GET ${query()}`, headers: { accept: "*/*" }, status: 200 },
      { request: `GET ${query()}`, headers: { accept: "*/*" }, status: 200 },
      browser(),
      token(CODE),
      CALL,
    ],
  },
  {
    source: "RFC 8414 §2",
    name: "10. the endpoints are at the root of the origin, where old clients guess them",
    exchanges: ["authorize", "token", "register"].map((endpoint) => ({
      request: "GET /.well-known/oauth-authorization-server",
      status: 200,
      says: `"{origin}/${endpoint}"`,
    })),
  },
];

/** As the replay takes it. */
export function asRecording({ name, exchanges }: Tolerance): Recording {
  return { client: name, evidence: "documented", habits: [name], verifierLength: 43, exchanges };
}
