// Client credentials for shared access: which clients get an access token, for what, and what it opens. RFC 6749 §4.4,
// RFC 8707 §2, MCP extension io.modelcontextprotocol/oauth-client-credentials.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { newSigner, serveSigner, type Signer } from "../support/assertions.ts";
import { clientSites } from "../support/client-site.ts";
import { rowsOf } from "../support/evidence.ts";
import {
  ask,
  ASK_ACCOUNT,
  call,
  CLIENT_REDIRECT,
  ORIGIN,
  register,
  RESOURCE,
  SHARED_RESOURCE,
  type TestBrowser,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import {
  accessTokenOf,
  askAsMachine,
  askBySignature,
  basic,
  gatewayWithClients,
  MACHINE_ID,
  MACHINE_SECRET,
  machineWithSecret,
  post,
} from "../support/machine.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

const SHARED = { path: "/shared/mcp" };
const COMPANY = "CANARY-company-2b9d41";
const SCOPES = "mcp:ai-ask:read mcp:ai-briefer:read mcp:ai-assistant:read";

let admin: TestBrowser;
let gateway: Ask;
let signer: Signer;

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
  signer = await newSigner("ES256");
  gateway = gatewayWithClients(
    await machineWithSecret(),
    await machineWithSecret({ client_id: "signing", ...signing() }),
    await machineWithSecret({
      client_id: "both",
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      redirect_uris: [CLIENT_REDIRECT],
    }),
    await machineWithSecret({
      client_id: "browser-only",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [CLIENT_REDIRECT],
    }),
  );
});

beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
  await connectSharedAs(admin);
});
afterEach(() => {
  vi.useRealTimers();
});

const signing = () => ({
  token_endpoint_auth_method: "private_key_jwt",
  client_secret_sha256: undefined,
  jwks: { keys: [signer.publicJwk] },
});

/** Whether the token of this answer gets the company's answer out of Gong. */
async function expectOpensShared(response: Response): Promise<void> {
  const answer = await call(await accessTokenOf(response), ASK_ACCOUNT, SHARED);
  expect(await answer.text()).toContain(COMPANY);
}

describe(verifies("machine.client_credentials", "a machine's way to an answer"), () => {
  it("RFC 6749 §4.4.3, §5.1: an access token for an hour, its scope, and no refresh token", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const response = await askAsMachine(gateway);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body: Record<string, unknown> = await response.json();
    expect(body).toEqual({
      access_token: expect.stringMatching(/^gat_[A-Za-z0-9_-]{124}$/),
      token_type: "Bearer",
      expires_in: 3600,
      scope: SCOPES,
    });
    const answer = await call(String(body["access_token"]), ASK_ACCOUNT, SHARED);
    expect(await answer.text()).toContain(COMPANY);
  });

  it("RFC 6749 §2.3.1: a secret in the form will do, for a client that is registered so", async () => {
    const posting = gatewayWithClients(
      await machineWithSecret({ token_endpoint_auth_method: "client_secret_post" }),
    );
    const fields = { client_id: MACHINE_ID, client_secret: MACHINE_SECRET };
    await expectOpensShared(await askAsMachine(posting, fields, {}));
  });

  it("RFC 7523 §2.2: an assertion proves a machine, each one once", async () => {
    await expectOpensShared(await askBySignature(gateway, signer, "signing"));
    const stranger = await newSigner("ES256");
    await expectOAuthError(await askBySignature(gateway, stranger, "signing"), "invalid_client", 401);
  });

  it("RFC 6749 §4.4: a client may have it beside its sign-in by browser", async () => {
    await expectOpensShared(await askAsMachine(gateway, {}, basic("both")));
  });

  it.each([
    ["the resource with shared access", { resource: SHARED_RESOURCE }],
    ["the same with a slash at the end", { resource: `${SHARED_RESOURCE}/` }],
    ["no resource", { resource: "" }],
    ["the origin", { resource: ORIGIN }],
    ["the origin with a slash", { resource: `${ORIGIN}/` }],
  ])("RFC 8707 §2: %s is shared access", async (_, changes) => {
    await expectOpensShared(await askAsMachine(gateway, changes));
  });

  it("RFC 8707 §2: where the main integration is shared, its resource is the one", async () => {
    const mainShared = gatewayWith({
      GONG_ACCESS: "shared",
      GONG_SHARED_CLIENT_ID: "",
      GONG_SHARED_CLIENT_SECRET: "",
      CLIENTS: JSON.stringify([await machineWithSecret()]),
    });
    // Nobody has connected it: the refusal shows that the resource was taken.
    const response = await askAsMachine(mainShared, { resource: RESOURCE });
    await expectOAuthError(response, "temporarily_unavailable", 503);
    await expectOAuthError(await askAsMachine(mainShared), "invalid_target");
  });

  it("RFC 6749 §3.3: it can ask for less than it may have", async () => {
    const response = await askAsMachine(gateway, { scope: "mcp:ai-briefer:read" });
    expect(await response.json()).toMatchObject({ scope: "mcp:ai-briefer:read" });
  });

  it("gateway: works while Gong is down, because Gong is asked for nothing", async () => {
    const requests = (await gong.requests()).length;
    expect((await askAsMachine(gateway)).status).toBe(200);
    expect(await gong.requests()).toHaveLength(requests);
  });

  it("RFC 8414 §2: the metadata lists it exactly where an integration has shared access", async () => {
    const listed = async (asked: Ask): Promise<unknown> =>
      (await (await asked("/.well-known/oauth-authorization-server")).json<Record<string, unknown>>())[
        "grant_types_supported"
      ];
    expect(await listed(gateway)).toContain("client_credentials");
    const personal = gatewayWith({
      GONG_SHARED_CLIENT_ID: "",
      GONG_SHARED_CLIENT_SECRET: "",
      CLIENTS: JSON.stringify([await machineWithSecret()]),
    });
    expect(await listed(personal)).not.toContain("client_credentials");
    await expectOAuthError(await askAsMachine(personal), "unsupported_grant_type");
  });
});

describe(verifies("machine.refused", "what a machine does not get"), () => {
  it.each([
    ["a wrong secret", {}, basic(MACHINE_ID, `${MACHINE_SECRET}x`), "invalid_client", 401],
    ["another client's id", {}, basic("unknown"), "invalid_client", 401],
    ["no secret", { client_id: MACHINE_ID }, {}, "invalid_client", 401],
    ["a resource with personal access", { resource: RESOURCE }, basic(), "invalid_target", 400],
    ["a foreign resource", { resource: "https://other.test/mcp" }, basic(), "invalid_target", 400],
    ["an unknown scope", { scope: "mcp:ai-ask:write" }, basic(), "invalid_scope", 400],
  ] as const)("RFC 6749 §5.2: not with %s", async (_, changes, headers, error, status) => {
    expect((await askAsMachine(gateway)).status).toBe(200);
    await expectOAuthError(await askAsMachine(gateway, changes, headers), error, status);
  });

  it("RFC 6749 §5.2: not a client that is registered for the browser only", async () => {
    const response = await askAsMachine(gateway, {}, basic("browser-only"));
    await expectOAuthError(response, "unauthorized_client");
  });

  it("RFC 6749 §4.4: not a client that registered itself, whatever it asked for", async () => {
    const registered = await register({
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code", "client_credentials"],
    });
    expect(registered).toMatchObject({ grant_types: ["authorization_code"] });
    const headers = basic(registered.client_id, registered.client_secret);
    await expectOAuthError(await askAsMachine(ask, {}, headers), "unauthorized_client");
    const publicClient = await register();
    const answer = await post(ask, {
      grant_type: "client_credentials",
      resource: SHARED_RESOURCE,
      client_id: publicClient.client_id,
    });
    await expectOAuthError(answer, "unauthorized_client");
  });

  it("RFC 7591 §2: a registration for client credentials alone is refused", async () => {
    const response = await ask("/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: [CLIENT_REDIRECT], grant_types: ["client_credentials"] }),
    });
    await expectOAuthError(response, "invalid_client_metadata");
  });

  it("RFC 6749 §4.4: not a client by its metadata document, though it signs and lists the grant type", async () => {
    const clientId = await serveSigner({
      jwks: { keys: [signer.publicJwk] },
      grant_types: ["authorization_code", "client_credentials"],
    });
    const response = await askBySignature(gateway, signer, clientId);
    await expectOAuthError(response, "unauthorized_client");
  });

  it("RFC 6749 §3.1.2: a machine has no redirect URI, so it can't be used to sign a person in", async () => {
    const query = new URLSearchParams({
      response_type: "code",
      client_id: MACHINE_ID,
      redirect_uri: CLIENT_REDIRECT,
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    });
    const answer = await gateway(`/authorize?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });

  it("RFC 8707 §2: its token opens /shared/mcp and not /mcp", async () => {
    const token = await accessTokenOf(await askAsMachine(gateway));
    expect((await call(token, ASK_ACCOUNT)).status).toBe(401);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(200);
  });

  it("gateway: its secret and its tokens are stored hashed only", async () => {
    const token = await accessTokenOf(await askAsMachine(gateway));
    const stored = JSON.stringify([
      await rowsOf("CONNECTIONS", "grants"),
      await rowsOf("CONNECTIONS", "access_tokens"),
    ]);
    expect(stored).toContain(MACHINE_ID);
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(MACHINE_SECRET);
  });
});
