// Clients in use, as they are: each test is one client's habit that the gateway must live with.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  ask,
  ASK_ACCOUNT,
  askToken,
  authorizationQuery,
  call,
  connect,
  PKCE,
  redeem,
  register,
  RESOURCE,
  signIn,
  type Tokens,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError, expectRefusalPage } from "../support/refusals.ts";

beforeEach(() => gong.reset());

const ALL_SCOPES = "mcp:ai-ask:read mcp:ai-briefer:read mcp:ai-assistant:read";

/** Expects a public client with these habits to sign in and make a call. */
async function expectSignInAndCall(
  metadata: Record<string, unknown>,
  changes: Record<string, string | undefined>,
): Promise<Tokens> {
  const { client_id: clientId } = await register(metadata);
  const code = (await signIn(clientId, changes)).searchParams.get("code") ?? "";
  const answer = await askToken({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    code_verifier: PKCE.verifier,
    ...(changes["redirect_uri"] === undefined ? {} : { redirect_uri: changes["redirect_uri"] }),
  });
  expect(answer.status).toBe(200);
  const tokens: Tokens = await answer.json();
  expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  return tokens;
}

describe(verifies("quirks.clients", "redirect URIs that clients use"), () => {
  it.each([
    ["Claude", "https://claude.ai/api/mcp/auth_callback", "https://claude.ai/api/mcp/auth_callback"],
    ["Claude Code", "http://localhost/callback", "http://localhost:54321/callback"],
    [
      "ChatGPT",
      "https://chatgpt.com/connector_platform_oauth_redirect",
      "https://chatgpt.com/connector_platform_oauth_redirect",
    ],
    ["Codex", "http://127.0.0.1:41001/callback", "http://127.0.0.1:41002/callback"],
    ["VS Code, with its slash", "http://127.0.0.1:33418/", "http://127.0.0.1:40000/"],
    ["VS Code on the web", "https://vscode.dev/redirect", "https://vscode.dev/redirect"],
    ["Gemini CLI", "http://localhost:7777/oauth/callback", "http://localhost:7777/oauth/callback"],
    ["OpenCode", "http://127.0.0.1:19876/mcp/oauth/callback", "http://127.0.0.1:19876/mcp/oauth/callback"],
    ["n8n", "https://oauth.n8n.cloud/oauth2/callback", "https://oauth.n8n.cloud/oauth2/callback"],
    [
      "Copilot Studio",
      "https://global.consent.azure-apim.net/redirect/tool-0f3a",
      "https://global.consent.azure-apim.net/redirect/tool-0f3a",
    ],
    ["a program on IPv6", "http://[::1]:5000/cb", "http://[::1]:5001/cb"],
  ])("RFC 8252 §7.3: %s signs in", async (name, registered, used) => {
    await expectSignInAndCall({ client_name: name, redirect_uris: [registered] }, { redirect_uri: used });
  });

  it("RFC 8252 §7.3: VS Code's slash counts: without it the URI is another one", async () => {
    const { client_id: clientId } = await register({ redirect_uris: ["http://127.0.0.1:33418/"] });
    await expectRefusalPage(
      await ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: "http://127.0.0.1:33418" })}`),
    );
  });

  it("MCP authorization, Communication Security: Cursor registers three URIs; its own scheme is kept and never used", async () => {
    const uris = [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ];
    const answer = await ask("/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Cursor",
        redirect_uris: uris,
        token_endpoint_auth_method: "none",
      }),
    });
    expect(answer.status).toBe(201);
    const { client_id: clientId, redirect_uris: kept }: { client_id: string; redirect_uris: string[] } =
      await answer.json();
    expect(kept).toEqual(uris);
    await expectRefusalPage(
      await ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: uris[0] })}`),
    );
    for (const uri of uris.slice(1)) {
      expect((await signIn(clientId, { redirect_uri: uri })).searchParams.get("code")).toMatch(/^gac_/);
    }
  });
});

describe(verifies("quirks.clients", "parameters that clients leave out, add or misspell"), () => {
  it.each<[string, Record<string, string | undefined>, string]>([
    ["ChatGPT and Copilot Studio send no scope", { scope: undefined }, ALL_SCOPES],
    ["an empty scope", { scope: "" }, ALL_SCOPES],
    ["Claude puts a space before the scope", { scope: " mcp:ai-ask:read" }, "mcp:ai-ask:read"],
    [
      "scopes with odd spaces",
      { scope: "mcp:ai-briefer:read   mcp:ai-ask:read " },
      "mcp:ai-ask:read mcp:ai-briefer:read",
    ],
    ["a scope twice", { scope: "mcp:ai-ask:read mcp:ai-ask:read" }, "mcp:ai-ask:read"],
    ["offline_access beside the scopes", { scope: `${ALL_SCOPES} offline_access` }, ALL_SCOPES],
    ["n8n sends no resource", { resource: undefined }, ALL_SCOPES],
    ["the AI SDK names the origin as resource", { resource: "https://gateway.test/" }, ALL_SCOPES],
    ["ChatGPT echoes the resource of the metadata", { resource: RESOURCE }, ALL_SCOPES],
    ["no state", { state: undefined }, ALL_SCOPES],
    ["parameters of OpenID Connect", { prompt: "consent", nonce: "n", access_type: "offline" }, ALL_SCOPES],
    ["no redirect URI, with one registered", { redirect_uri: undefined }, ALL_SCOPES],
  ])("RFC 6749 §3.3, RFC 8707 §2: %s", async (_, changes, scope) => {
    expect((await expectSignInAndCall({}, changes)).scope).toBe(scope);
  });

  it("RFC 7591 §2: FastMCP registers without a method, then sends Basic and its client_id in the body too", async () => {
    const client = await register({ token_endpoint_auth_method: undefined });
    expect(client.client_secret).toMatch(/^gcs_/);
    const code = (await signIn(client.client_id)).searchParams.get("code") ?? "";
    const authorization = `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}`;
    const first = await askToken(
      {
        grant_type: "authorization_code",
        client_id: client.client_id,
        code,
        code_verifier: PKCE.verifier,
        resource: RESOURCE,
      },
      { authorization },
    );
    expect(first.status).toBe(200);
    const { refresh_token }: Tokens = await first.json();
    const next = {
      grant_type: "refresh_token",
      client_id: client.client_id,
      refresh_token,
      resource: RESOURCE,
    };
    expect((await askToken(next, { authorization })).status).toBe(200);
  });

  it("RFC 7591 §2: members that only some clients send are taken, and empty ones count as absent", async () => {
    const { client_id: clientId } = await register({
      application_type: "native",
      client_uri: "https://client.example",
      logo_uri: null,
      contacts: ["a@client.example"],
      software_id: "x",
      software_version: "1",
      scope: ALL_SCOPES,
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
      jwks_uri: "",
    });
    expect(await redeem(clientId, (await signIn(clientId)).searchParams.get("code") ?? "")).toHaveProperty(
      "refresh_token",
    );
  });

  it("RFC 7636 §4.1: FastMCP's verifier of 128 characters and Gemini CLI's of 86", async () => {
    for (const length of [128, 86, 43]) {
      const verifier = "aZ0-._~".repeat(19).slice(0, length);
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
      const challenge = btoa(String.fromCharCode(...new Uint8Array(digest)))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace("=", "");
      const { client_id: clientId } = await register();
      const code = (await signIn(clientId, { code_challenge: challenge })).searchParams.get("code") ?? "";
      const form = { grant_type: "authorization_code", client_id: clientId, code, code_verifier: verifier };
      expect((await askToken(form)).status).toBe(200);
    }
  });

  it("RFC 6749 §10.4: mcporter presents its old refresh token under a new client id, and the old client lives", async () => {
    const { clientId, tokens } = await connect();
    const renewed = await register();
    const refresh = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
    await expectOAuthError(await askToken({ ...refresh, client_id: renewed.client_id }), "invalid_grant");
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await askToken({ ...refresh, client_id: clientId })).status).toBe(200);
  });

  it("RFC 6749 §5.2: a client whose registration is gone is told invalid_client, so that it registers again", async () => {
    const form = { grant_type: "refresh_token", client_id: "gcl_AAAAAAAAAAAAAAAAAAAAAA", refresh_token: "x" };
    await expectOAuthError(await askToken(form), "invalid_client", 401);
  });

  it("gateway: FastMCP asks for the page without cookies before the browser does; both work", async () => {
    const { client_id: clientId } = await register();
    const query = authorizationQuery(clientId);
    expect((await ask(`/authorize?${query}`, { headers: { accept: "*/*" } })).status).toBe(200);
    expect((await signIn(clientId)).searchParams.get("code")).toMatch(/^gac_/);
  });
});
