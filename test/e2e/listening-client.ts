// A native application as RFC 8252 §7.3 describes it: it registers, listens on a loopback port and waits for a real
// browser to arrive there. Called by the browser tests.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export const PKCE = {
  verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
};

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export interface ListeningClient {
  readonly clientId: string;
  readonly origin: string;
  /** Every URL that arrived at its redirect URI, oldest first. */
  readonly arrived: readonly URL[];
  /** The authorization request of RFC 6749 §4.1.1, for `resource`, by default the gateway's /mcp. */
  authorizationUrl(state: string, resource?: string): string;
  /** RFC 6749 §4.1.3: the tokens for the code in a URL that arrived, or undefined when it is refused. */
  redeem(callback: URL | undefined): Promise<Tokens | undefined>;
  close(): Promise<void>;
}

/** Registers at the gateway (RFC 7591 §3.1) and listens. */
export async function startListeningClient(
  gatewayOrigin: string,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<ListeningClient> {
  const arrived: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/callback") arrived.push(url);
    response.writeHead(url.pathname === "/callback" ? 200 : 404, { "content-type": "text/html" });
    response.end("<!doctype html><title>Done</title><h1>You can close this page</h1>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const redirectUri = `${origin}/callback`;
  const clientId = await register(gatewayOrigin, { redirect_uris: [redirectUri], ...metadata });
  return {
    clientId,
    origin,
    arrived,
    authorizationUrl(state, resource = `${gatewayOrigin}/mcp`) {
      const query = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge: PKCE.challenge,
        code_challenge_method: "S256",
        resource,
      });
      return `${gatewayOrigin}/authorize?${query}`;
    },
    async redeem(callback) {
      const form = new URLSearchParams({
        grant_type: "authorization_code",
        client_id: clientId,
        code: callback?.searchParams.get("code") ?? "",
        code_verifier: PKCE.verifier,
        redirect_uri: redirectUri,
      });
      const response = await fetch(`${gatewayOrigin}/token`, { method: "POST", body: form });
      const body = (await response.json()) as Tokens;
      return response.ok ? body : undefined;
    },
    close: () => closed(server),
  };
}

async function register(gatewayOrigin: string, metadata: Readonly<Record<string, unknown>>): Promise<string> {
  const response = await fetch(`${gatewayOrigin}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Listening client",
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
  if (response.status !== 201)
    throw new Error(`Registration answered ${response.status}: ${await response.text()}`);
  const { client_id: clientId } = (await response.json()) as { client_id: string };
  return clientId;
}

/** A page of another site, on 127.0.0.1: the gateway is at localhost (RFC 6265bis §5.2). */
export interface OtherSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves `html` at every path of an origin of its own. */
export async function serveOtherSite(html: string): Promise<OtherSite> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closed(server),
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
