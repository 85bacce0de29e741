// Black-box checks of what follows a person's approval: codes, refresh tokens, access tokens, revocation.

import type { Check } from "./check.ts";
import {
  aClient,
  aCode,
  askToken,
  basic,
  call,
  type Client,
  codeForm,
  type Fields,
  type Judged,
  refreshForm,
  send,
  signedIn,
  type Tokens,
  verdict,
} from "./judged.ts";

/** RFC 6749 §4.1.3, RFC 7636 §4.6: redeeming a fresh code of a public client. */
const REDEMPTIONS: readonly (readonly [name: string, changes: Fields, outcome: string])[] = [
  ["a good request", {}, "200"],
  ["another verifier", { code_verifier: "x".repeat(43) }, "400 invalid_grant"],
  ["no verifier", { code_verifier: undefined }, "400 invalid_request"],
  ["a verifier of 42 characters", { code_verifier: "x".repeat(42) }, "400 invalid_grant"],
  ["another redirect URI", { redirect_uri: "http://127.0.0.1:7778/callback" }, "400 invalid_grant"],
  ["no redirect URI", { redirect_uri: undefined }, "200"],
  ["no code", { code: undefined }, "400 invalid_request"],
  ["a made-up code", { code: "made-up" }, "400 invalid_grant"],
  ["no client", { client_id: undefined }, "401 invalid_client"],
  ["an unknown client", { client_id: "unknown" }, "401 invalid_client"],
  ["another resource", { resource: "https://evil.example/mcp" }, "400 invalid_target"],
  ["no grant type", { grant_type: undefined }, "400 invalid_request"],
  ["the grant type password", { grant_type: "password" }, "400 unsupported_grant_type"],
];

async function redemption(judged: Judged, changes: Fields): Promise<string> {
  const client = await aClient(judged);
  return verdict(await askToken(judged, codeForm(client, await aCode(judged, client), changes)));
}

const CODES: readonly Check[] = [
  ...REDEMPTIONS.map(([name, changes, outcome]) => ({
    name: `code: ${name}`,
    source: "RFC 6749 §4.1.3, §5.2",
    outcome,
    run: (judged: Judged) => redemption(judged, changes),
  })),
  {
    name: "code: another client presents it",
    source: "RFC 6749 §4.1.3",
    outcome: "400 invalid_grant",
    run: async (judged) => {
      const code = await aCode(judged, await aClient(judged));
      return verdict(await askToken(judged, codeForm(await aClient(judged), code)));
    },
  },
  {
    name: "code: used twice in a row, and the access token of the first use after that",
    source: "RFC 6749 §4.1.2, gateway",
    outcome: "400 invalid_grant, then 200",
    run: async (judged) => {
      const client = await aClient(judged);
      const form = codeForm(client, await aCode(judged, client));
      const tokens = (await (await askToken(judged, form)).json()) as Tokens;
      const again = await verdict(await askToken(judged, form));
      return `${again}, then ${(await call(judged, tokens.access_token)).status}`;
    },
  },
  {
    name: "code: redeemed ten times at once, and the winner's access token",
    source: "RFC 6749 §4.1.2",
    outcome: "one winner, who can call",
    run: async (judged) => {
      const client = await aClient(judged);
      const form = codeForm(client, await aCode(judged, client));
      const answers = await Promise.all(Array.from({ length: 10 }, () => askToken(judged, form)));
      const won = answers.filter(({ status }) => status === 200);
      const tokens = (await won[0]?.json()) as Tokens;
      const { status } = await call(judged, tokens.access_token);
      return won.length === 1 && status === 200 ? "one winner, who can call" : "no winner, or one who cannot";
    },
  },
  {
    name: "code: a parameter twice",
    source: "RFC 6749 §3.2",
    outcome: "400 invalid_request",
    run: async (judged) => {
      const client = await aClient(judged);
      const form = codeForm(client, await aCode(judged, client));
      return verdict(await askToken(judged, `${form}&code=other`));
    },
  },
  {
    name: "code: as JSON",
    source: "RFC 6749 §4.1.3",
    outcome: "415 invalid_request",
    run: async (judged) => {
      const client = await aClient(judged);
      const form = Object.fromEntries(codeForm(client, await aCode(judged, client)));
      const headers = { "content-type": "application/json" };
      return verdict(await askToken(judged, JSON.stringify(form), headers));
    },
  },
  {
    name: "code: GET",
    source: "RFC 6749 §3.2",
    outcome: "405 invalid_request",
    run: async (judged) => verdict(await send(judged, "/token?grant_type=authorization_code")),
  },
];

/** RFC 6749 §2.3.1: how a client with a secret proves itself. */
async function proving(
  judged: Judged,
  method: string,
  prove: (client: Client) => { readonly headers?: Record<string, string>; readonly fields?: Fields },
): Promise<string> {
  const client = await aClient(judged, { token_endpoint_auth_method: method });
  const { headers = {}, fields = {} } = prove(client);
  const form = codeForm(client, await aCode(judged, client), fields);
  return verdict(await askToken(judged, form, headers));
}

const BASIC = "client_secret_basic";

const CLIENTS: readonly Check[] = (
  [
    ["Basic", BASIC, "200", (client) => ({ headers: basic(client), fields: { client_id: undefined } })],
    ["Basic with its client_id in the body, too", BASIC, "200", (client) => ({ headers: basic(client) })],
    [
      "Basic with another client_id in the body",
      BASIC,
      "401 invalid_client",
      (client) => ({ headers: basic(client), fields: { client_id: "other" } }),
    ],
    [
      "Basic with a wrong secret",
      BASIC,
      "401 invalid_client",
      (client) => ({ headers: basic(client, "wrong"), fields: { client_id: undefined } }),
    ],
    ["registered for Basic, no secret", BASIC, "401 invalid_client", () => ({})],
    [
      "the secret in the body",
      "client_secret_post",
      "200",
      (client) => ({ fields: { client_secret: client.client_secret } }),
    ],
    [
      "the secret in both places",
      BASIC,
      "400 invalid_request",
      (client) => ({ headers: basic(client), fields: { client_secret: client.client_secret } }),
    ],
    ["a secret of a public client", "none", "401 invalid_client", () => ({ fields: { client_secret: "x" } })],
  ] as const satisfies readonly (readonly [string, string, string, Parameters<typeof proving>[2]])[]
).map(([name, method, outcome, prove]) => ({
  name: `client: ${name}`,
  source: "RFC 6749 §2.3.1, §5.2",
  outcome,
  run: (judged: Judged) => proving(judged, method, prove),
}));

async function refreshed(judged: Judged, form: URLSearchParams): Promise<Tokens> {
  return (await (await askToken(judged, form)).json()) as Tokens;
}

const REFRESHES: readonly Check[] = [
  {
    name: "refresh: once",
    source: "RFC 9700 §4.14.2",
    outcome: "rotated",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      const next = await refreshed(judged, refreshForm(client, tokens.refresh_token));
      return next.refresh_token === tokens.refresh_token ? "the same" : "rotated";
    },
  },
  {
    name: "refresh: the answer was lost, so the client asks again",
    source: "RFC 9700 §4.14.2, gateway",
    outcome: "the same answer",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      const form = refreshForm(client, tokens.refresh_token);
      const first = await refreshed(judged, form);
      return (await refreshed(judged, form)).refresh_token === first.refresh_token
        ? "the same answer"
        : "another";
    },
  },
  {
    name: "refresh: ten times at once, and the successor after that",
    source: "gateway",
    outcome: "one successor, good for the next refresh",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      const form = refreshForm(client, tokens.refresh_token);
      const answers = await Promise.all(Array.from({ length: 10 }, () => refreshed(judged, form)));
      const [first] = answers;
      const next = await askToken(judged, refreshForm(client, first?.refresh_token ?? ""));
      const successors = new Set(answers.map((answer) => answer.refresh_token)).size;
      return successors === 1 && next.status === 200
        ? "one successor, good for the next refresh"
        : "several successors, or one that is dead";
    },
  },
  {
    name: "refresh: two generations back",
    source: "RFC 9700 §4.14.2",
    outcome: "400 invalid_grant",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      const second = await refreshed(judged, refreshForm(client, tokens.refresh_token));
      await refreshed(judged, refreshForm(client, second.refresh_token));
      return verdict(await askToken(judged, refreshForm(client, tokens.refresh_token)));
    },
  },
  {
    name: "refresh: under another client's id, and the rightful client after that",
    source: "RFC 6749 §10.4",
    outcome: "400 invalid_grant, then 200",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      const stranger = await aClient(judged);
      const refused = await verdict(await askToken(judged, refreshForm(stranger, tokens.refresh_token)));
      return `${refused}, then ${(await askToken(judged, refreshForm(client, tokens.refresh_token))).status}`;
    },
  },
  ...(
    [
      ["fewer scopes", { scope: "mcp:ai-ask:read" }, "200"],
      ["an unknown scope", { scope: "admin" }, "400 invalid_scope"],
      ["another resource", { resource: "https://evil.example/mcp" }, "400 invalid_target"],
      ["no token", { refresh_token: undefined }, "400 invalid_request"],
    ] as const
  ).map(([name, changes, outcome]) => ({
    name: `refresh: ${name}`,
    source: "RFC 6749 §6",
    outcome,
    run: async (judged: Judged) => {
      const { client, tokens } = await signedIn(judged);
      return verdict(await askToken(judged, refreshForm(client, tokens.refresh_token, changes)));
    },
  })),
];

const revoke = (judged: Judged, fields: Record<string, string>): Promise<Response> =>
  revocation(judged).then((path) =>
    send(judged, path, { method: "POST", body: new URLSearchParams(fields) }),
  );

async function revocation(judged: Judged): Promise<string> {
  const response = await send(judged, "/.well-known/oauth-authorization-server");
  const { revocation_endpoint: endpoint } = (await response.json()) as { revocation_endpoint: string };
  return new URL(endpoint).pathname;
}

/** RFC 7009 §2: who revokes what, and what the token is good for after that. */
const REVOCATIONS: readonly Check[] = (
  [
    ["the refresh token, and a call after that", "refresh_token", "own", "200, then 401"],
    ["the access token, and a call after that", "access_token", "own", "200, then 401"],
    ["another client's access token, and a call of that client's", "access_token", "other", "200, then 200"],
  ] as const
).map(([name, kind, by, outcome]) => ({
  name: `revocation: ${name}`,
  source: "RFC 7009 §2.1, §2.2",
  outcome,
  run: async (judged: Judged) => {
    const { client, tokens } = await signedIn(judged);
    const { client_id: clientId } = by === "own" ? client : await aClient(judged);
    const { status } = await revoke(judged, { client_id: clientId, token: tokens[kind] });
    return `${status}, then ${(await call(judged, tokens.access_token)).status}`;
  },
}));

const LAST: readonly Check[] = [
  {
    name: "revocation: a made-up token",
    source: "RFC 7009 §2.2",
    outcome: "200",
    run: async (judged) => {
      const { client_id: clientId } = await aClient(judged);
      return verdict(await revoke(judged, { client_id: clientId, token: "made-up" }));
    },
  },
  {
    name: "revocation: no client",
    source: "RFC 7009 §2.1",
    outcome: "401 invalid_client",
    run: async (judged) => verdict(await revoke(judged, { token: "made-up" })),
  },
  {
    name: "access token: a good one",
    source: "RFC 6750 §2.1",
    outcome: "200",
    run: async (judged) => String((await call(judged, (await signedIn(judged)).tokens.access_token)).status),
  },
  {
    name: "access token: a refresh token in its place",
    source: "RFC 6750 §3.1",
    outcome: "401",
    run: async (judged) => String((await call(judged, (await signedIn(judged)).tokens.refresh_token)).status),
  },
  {
    name: "sign-in: a second one of the same client, and the first one's access token",
    source: "gateway",
    outcome: "200",
    run: async (judged) => {
      const { client, tokens } = await signedIn(judged);
      await askToken(judged, codeForm(client, await aCode(judged, client)));
      return String((await call(judged, tokens.access_token)).status);
    },
  },
];

export const TOKEN_CHECKS: readonly Check[] = [...CODES, ...CLIENTS, ...REFRESHES, ...REVOCATIONS, ...LAST];
