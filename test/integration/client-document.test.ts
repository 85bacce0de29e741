// A client whose id is the URL of its metadata document, from its first link to a refreshed token. Client ID Metadata
// Document draft §3 to §5; MCP authorization, Client ID Metadata Documents.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { aDocument, clientSites, newDocumentUrl, WEB_REDIRECT } from "../support/client-site.ts";
import {
  ask,
  ASK_ACCOUNT,
  askToken,
  authorizationQuery,
  call,
  CLIENT_REDIRECT,
  PKCE,
  sealedRequest,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { gatewayWith } from "../support/settings.ts";

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
});

afterEach(() => {
  vi.useRealTimers();
});

const WEB = { redirect_uri: WEB_REDIRECT };

async function served(changes: Record<string, unknown> = {}): Promise<string> {
  const url = newDocumentUrl();
  await clientSites.serve(url, aDocument(url, changes));
  return url;
}

async function consentText(clientId: string, redirectUri: string): Promise<string> {
  const page = await ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: redirectUri })}`);
  expect(page.status).toBe(200);
  return readText(await page.text());
}

describe(verifies("client_document.flow", "a client known by its metadata document"), () => {
  it("MCP Client ID Metadata Documents: signs in, calls Gong, refreshes and gives its token back", async () => {
    const clientId = await served();
    const answer = await signIn(clientId, WEB);
    expect(answer.href).toContain(`${WEB_REDIRECT}?code=`);
    const redeemed = await askToken({
      grant_type: "authorization_code",
      client_id: clientId,
      code: answer.searchParams.get("code") ?? "",
      code_verifier: PKCE.verifier,
      redirect_uri: WEB_REDIRECT,
    });
    expect(redeemed.status).toBe(200);
    const first: Record<string, string> = await redeemed.json();
    const asked = await call(first["access_token"] ?? "", ASK_ACCOUNT);
    expect(await asked.text()).toContain("CANARY-ada");

    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: clientId,
      refresh_token: first["refresh_token"] ?? "",
    });
    expect(refreshed.status).toBe(200);
    const second: Record<string, string> = await refreshed.json();
    const token = second["refresh_token"] ?? "";
    const revoked = await ask("/revoke", {
      method: "POST",
      body: new URLSearchParams({ client_id: clientId, token }),
    });
    expect(revoked.status).toBe(200);
    const again = await askToken({ grant_type: "refresh_token", client_id: clientId, refresh_token: token });
    expect(await again.json()).toMatchObject({ error: "invalid_grant" });
  });

  it("draft §5: the metadata says so, and names private_key_jwt with its algorithms", async () => {
    const metadata = await (await ask("/.well-known/oauth-authorization-server")).json();
    expect(metadata).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(["none", "private_key_jwt"]),
      token_endpoint_auth_signing_alg_values_supported: ["RS256", "PS256", "ES256", "EdDSA"],
    });
  });

  it("draft §4: another client's document does not make a client of this URL", async () => {
    const clientId = await served();
    const other = newDocumentUrl();
    await clientSites.serve(other, aDocument(clientId));
    const page = await ask(`/authorize?${authorizationQuery(other, WEB)}`);
    expect(page.status).toBe(400);
    expect(readText(await page.text())).toContain("The client_id in the document is not the address");
  });

  it("RFC 9700 §2.1: a redirect URI that the document does not list is a page, never a redirect", async () => {
    const clientId = await served();
    const page = await ask(
      `/authorize?${authorizationQuery(clientId, { redirect_uri: `${WEB_REDIRECT}/x` })}`,
    );
    expect(page.status).toBe(400);
    expect(page.headers.get("location")).toBeNull();
  });

  it("a code for one document client is refused to another", async () => {
    const clientId = await served();
    const stranger = await served();
    const answer = await signIn(clientId, WEB);
    const fields = {
      grant_type: "authorization_code",
      code: answer.searchParams.get("code") ?? "",
      code_verifier: PKCE.verifier,
      redirect_uri: WEB_REDIRECT,
    };
    const refused = await askToken({ ...fields, client_id: stranger });
    expect(await refused.json()).toMatchObject({ error: "invalid_grant" });
    expect((await askToken({ ...fields, client_id: clientId })).status).toBe(200);
  });
});

describe(verifies("client_document.consent", "what the person is shown"), () => {
  it("MCP authorization: the name, and that the web address vouches for it", async () => {
    const clientId = await served();
    const { host } = new URL(clientId);
    const text = await consentText(clientId, WEB_REDIRECT);
    expect(text).toMatch(/“ ?Document client ?”/);
    expect(text).toContain(`Verified by its web address: ${host}`);
    expect(text).toContain(clientId);
    expect(text).not.toContain("Not verified");
    expect(text).not.toContain("Any program on this computer can claim");
  });

  it("MCP authorization, Localhost Redirect URI Risks: a loopback redirect gets the warning instead", async () => {
    const clientId = await served({ redirect_uris: ["http://127.0.0.1/callback"] });
    const text = await consentText(clientId, CLIENT_REDIRECT);
    expect(text).toContain("Any program on this computer can claim to be this client");
    expect(text).not.toContain("Verified by its web address");
  });

  it("CLIENT_POLICY=listed: a host that is not listed is refused and never asked; a listed one may go on", async () => {
    const clientId = await served();
    const { host } = new URL(clientId);
    const path = `/authorize?${authorizationQuery(clientId, WEB)}`;
    const strict = gatewayWith({ CLIENT_POLICY: "listed", ALLOWED_REDIRECT_HOSTS: "app.client.test" });
    const refused = await strict(path);
    expect(refused.status).toBe(400);
    expect(readText(await refused.text())).toContain("not on its list");
    expect(await clientSites.asked()).toEqual([]);

    const listed = gatewayWith({
      CLIENT_POLICY: "listed",
      ALLOWED_REDIRECT_HOSTS: `${host} app.client.test`,
    });
    expect((await listed(path)).status).toBe(200);
    const withoutRedirect = gatewayWith({ CLIENT_POLICY: "listed", ALLOWED_REDIRECT_HOSTS: host });
    expect((await withoutRedirect(path)).status).toBe(400);
  });
});

describe(verifies("client_document.change", "a document that changes while the person decides"), () => {
  it("draft §7: a redirect URI that is no longer listed ends the sign-in with a page", async () => {
    const clientId = await served();
    const browser = new TestBrowser();
    const page = await browser.open(`/authorize?${authorizationQuery(clientId, WEB)}`);
    const request = sealedRequest(await page.text());
    const moved = aDocument(clientId, { redirect_uris: ["https://other.client.test/callback"] });
    await clientSites.serve(clientId, moved);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
    const answer = await browser.post("/authorize", { request, decision: "approve" });
    expect(answer.status).toBe(400);
    expect(readText(await answer.text())).toContain("no longer registered as it was on the page");
  });
});

describe(verifies("client_document.known_copy", "documents that servers can't fetch"), () => {
  it.each([
    ["https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.ai/api/mcp/auth_callback"],
    ["https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.com/api/mcp/auth_callback"],
    ["https://claude.ai/oauth/claude-code-client-metadata", "http://localhost:53682/callback"],
    ["https://claude.ai/oauth/claude-code-client-metadata", "http://127.0.0.1:53682/callback"],
  ])("gateway: %s with %s works while the fetch fails", async (clientId, redirectUri) => {
    expect(await consentText(clientId, redirectUri)).toMatch(/“ ?Claude/);
  });

  it("gateway: any other document that can't be fetched is refused", async () => {
    const unknown = "https://claude.ai/oauth/another-client-metadata";
    const page = await ask(`/authorize?${authorizationQuery(unknown)}`);
    expect(page.status).toBe(400);
    expect(readText(await page.text())).toContain(unknown);
  });
});
