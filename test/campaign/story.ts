// The steps of the gateway's stories as a client and a person's browser take them, over HTTP and nothing else: sign in,
// redeem, refresh, call, revoke. Any step may end without an answer. Called by the campaigns.

import { readForms, readRefresh } from "../support/html.ts";
import type { StandIn } from "../gong/stand-in.ts";
import type { Answer, AskFunction, Outcome } from "./http.ts";

/** What the steps need: the gateway, the stand-in Gong behind it, and a registered client. */
export interface Site {
  readonly ask: AskFunction;
  readonly origin: string;
  readonly gong: StandIn;
  readonly clientId: string;
}

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/** A sign-in up to Gong's redirect: the person agreed, nobody has visited our callback yet. */
export interface PendingSignIn {
  readonly path: string;
  readonly cookie: string;
}

/** Of the one client. Nobody listens there: its browser only looks at where it is sent. */
export const REDIRECT_URI = "http://127.0.0.1:7777/callback";
/** RFC 7636 appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** Registers a public client (RFC 7591 §3.1) and returns its id. */
export async function registerClient(ask: AskFunction): Promise<string> {
  const metadata = {
    client_name: "Campaign",
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: "none",
  };
  const headers = { "content-type": "application/json" };
  const answer = await ask("/register", { method: "POST", headers, body: JSON.stringify(metadata) });
  if (answer?.status !== 201) throw new Error(`Registration answered ${describe(answer)}`);
  const { client_id: clientId } = JSON.parse(answer.body) as { client_id: string };
  return clientId;
}

/** Approves at our consent page and at Gong, as `person`. */
export async function approve(site: Site, person: string): Promise<PendingSignIn> {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: site.clientId,
    redirect_uri: REDIRECT_URI,
    state: "client-state",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    resource: `${site.origin}/mcp`,
  });
  const page = expectStatus(await site.ask(`/authorize?${query}`), 200, "GET /authorize");
  const fields = readForms(page.body)[0]?.fields ?? [];
  const request = fields.find(([name]) => name === "request")?.[1] ?? "";
  const posted = await site.ask("/authorize", {
    method: "POST",
    headers: { ...FORM, origin: site.origin, "sec-fetch-site": "same-origin", cookie: cookiesOf(page) },
    body: new URLSearchParams({ request, decision: "approve" }).toString(),
  });
  const interstitial = expectStatus(posted, 200, "POST /authorize");
  const headers = { cookie: `gong_user=${person}` };
  const gong = await site.gong.fetch(new Request(readRefresh(interstitial.body) ?? "", { headers }));
  const callback = new URL(gong.headers.get("location") ?? "");
  return { path: callback.pathname + callback.search, cookie: cookiesOf(interstitial) };
}

/** The browser comes back from Gong; with `resetAfterMs` it leaves while we work. */
export function visitCallback(site: Site, pending: PendingSignIn, resetAfterMs?: number): Promise<Outcome> {
  return site.ask(pending.path, { headers: { cookie: pending.cookie }, resetAfterMs });
}

/** The code in a redirect to the client; undefined for any other answer. */
export function codeIn(outcome: Outcome): string | undefined {
  const { location } = outcome?.headers ?? {};
  if (location === undefined || !URL.canParse(location)) return undefined;
  return new URL(location).searchParams.get("code") ?? undefined;
}

/** RFC 6749 §4.1.3. */
export function redeem(site: Site, code: string): Promise<Outcome> {
  return askToken(site, {
    grant_type: "authorization_code",
    code,
    code_verifier: VERIFIER,
    redirect_uri: REDIRECT_URI,
  });
}

/** RFC 6749 §6. */
export function refresh(site: Site, refreshToken: string, resetAfterMs?: number): Promise<Outcome> {
  return askToken(site, { grant_type: "refresh_token", refresh_token: refreshToken }, resetAfterMs);
}

function askToken(
  site: Site,
  fields: Readonly<Record<string, string>>,
  resetAfterMs?: number,
): Promise<Outcome> {
  const body = new URLSearchParams({ client_id: site.clientId, ...fields }).toString();
  return site.ask("/token", { method: "POST", headers: FORM, body, resetAfterMs });
}

/** The tokens of a 200; undefined for any other answer. */
export function tokensIn(outcome: Outcome): Tokens | undefined {
  if (outcome?.status !== 200) return undefined;
  const { access_token: access, refresh_token: refreshToken } = JSON.parse(outcome.body) as {
    access_token: string;
    refresh_token: string;
  };
  return { access, refresh: refreshToken };
}

/** RFC 7009 §2.1. */
export function revoke(site: Site, refreshToken: string): Promise<Outcome> {
  const body = new URLSearchParams({ client_id: site.clientId, token: refreshToken }).toString();
  return site.ask("/revoke", { method: "POST", headers: FORM, body });
}

/** One `tools/list` at our MCP endpoint. */
export function callGong(site: Site, accessToken: string, resetAfterMs?: number): Promise<Outcome> {
  return site.ask("/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    resetAfterMs,
  });
}

/** A whole sign-in, every step of which must succeed. */
export async function signIn(site: Site, person: string): Promise<Tokens> {
  const code = codeIn(await visitCallback(site, await approve(site, person)));
  if (code === undefined) throw new Error("The callback gave no code");
  const outcome = await redeem(site, code);
  const tokens = tokensIn(outcome);
  if (tokens === undefined) throw new Error(`The token endpoint answered ${describe(outcome)}`);
  return tokens;
}

/** Status and beginning of an answer, for a report. */
export function describe(outcome: Outcome): string {
  return outcome === undefined ? "nothing" : `${outcome.status} ${outcome.body.slice(0, 160)}`;
}

function expectStatus(outcome: Outcome, status: number, step: string): Answer {
  if (outcome?.status !== status) throw new Error(`${step} answered ${describe(outcome)}`);
  return outcome;
}

function cookiesOf(answer: Answer): string {
  const set = answer.headers["set-cookie"] ?? [];
  return set.map((cookie) => cookie.slice(0, cookie.indexOf(";"))).join("; ");
}
