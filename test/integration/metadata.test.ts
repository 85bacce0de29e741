// Discovery documents against the gateway that publishes them: what they list works, what they leave out does not.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, askToken, authorizationQuery, ORIGIN, PKCE, register, signIn } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint: string;
  readonly revocation_endpoint: string;
  readonly scopes_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly response_modes_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly revocation_endpoint_auth_methods_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly authorization_response_iss_parameter_supported: boolean;
}

let metadata: Metadata;
beforeAll(async () => {
  metadata = await (await ask("/.well-known/oauth-authorization-server")).json();
});
beforeEach(() => gong.reset());

describe(
  verifies("metadata.authorization_server", "metadata.truthful", "authorization server metadata"),
  () => {
    it("RFC 8414 §3.3: the issuer is the origin that clients asked, and every endpoint is below it", () => {
      expect(metadata.issuer).toBe(ORIGIN);
      const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith("_endpoint"));
      expect(Object.fromEntries(endpoints)).toEqual({
        authorization_endpoint: `${ORIGIN}/authorize`,
        token_endpoint: `${ORIGIN}/token`,
        device_authorization_endpoint: `${ORIGIN}/device_authorization`,
        registration_endpoint: `${ORIGIN}/register`,
        revocation_endpoint: `${ORIGIN}/revoke`,
      });
    });

    it("RFC 8414 §2: every listed endpoint is served", async () => {
      expect((await ask(metadata.authorization_endpoint)).status).toBe(400);
      for (const url of [
        metadata.token_endpoint,
        metadata.registration_endpoint,
        metadata.revocation_endpoint,
      ]) {
        expect((await ask(url)).status).toBe(405);
      }
    });

    it.each(["none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "tls_client_auth"])(
      "RFC 8414 §2: a client may register for %s exactly when it is listed",
      async (method) => {
        const answer = await ask("/register", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            redirect_uris: ["http://127.0.0.1/cb"],
            token_endpoint_auth_method: method,
          }),
        });
        const listed = metadata.token_endpoint_auth_methods_supported.includes(method);
        expect(metadata.revocation_endpoint_auth_methods_supported.includes(method)).toBe(listed);
        expect(answer.status).toBe(listed ? 201 : 400);
      },
    );

    it.each([
      "authorization_code",
      "refresh_token",
      "urn:ietf:params:oauth:grant-type:device_code",
      "client_credentials",
      "password",
      "implicit",
    ])("RFC 8414 §2: %s is a grant type exactly when it is listed", async (grantType) => {
      const { client_id } = await register({
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      });
      const answer = await askToken({ grant_type: grantType, client_id });
      const { error }: { error: string } = await answer.json();
      const listed = metadata.grant_types_supported.includes(grantType);
      // A public client has no credentials to ask by; the test of client credentials has one that does.
      const served = grantType === "client_credentials" ? "unauthorized_client" : "invalid_request";
      expect(error).toBe(listed ? served : "unsupported_grant_type");
    });

    it.each([
      [
        "scope",
        "scopes_supported",
        ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read", "openid", "admin"],
      ],
      ["response_type", "response_types_supported", ["code", "token", "id_token", "code id_token"]],
      ["response_mode", "response_modes_supported", ["query", "fragment", "form_post", "jwt"]],
      ["code_challenge_method", "code_challenge_methods_supported", ["S256", "plain", "S512"]],
    ] as const)("RFC 8414 §2: a %s is taken exactly when it is listed", async (parameter, member, values) => {
      const { client_id } = await register();
      for (const value of values) {
        const answer = await ask(`/authorize?${authorizationQuery(client_id, { [parameter]: value })}`);
        expect([value, answer.status]).toEqual([value, metadata[member].includes(value) ? 200 : 400]);
      }
      for (const listed of metadata[member]) expect(values).toContain(listed);
    });

    it("RFC 9207 §3: iss is promised, and sent with every code", async () => {
      expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
      const { client_id } = await register();
      expect((await signIn(client_id)).searchParams.get("iss")).toBe(metadata.issuer);
    });

    it("gateway: what is not built is not listed, and its path is a 404", async () => {
      const names = Object.keys(metadata).join(" ");
      expect(names).not.toMatch(/introspection|pushed|dpop|userinfo|request_parameter|mtls|tls_client/);
      for (const path of [
        "/introspect",
        "/userinfo",
        "/par",
        "/jwks.json",
        "/.well-known/jwks.json",
        "/logout",
      ]) {
        const body = new URLSearchParams({ token: PKCE.verifier });
        expect((await ask(path, { method: "POST", body })).status).toBe(404);
        expect((await ask(path)).status).toBe(404);
      }
    });
  },
);

describe(verifies("metadata.protected_resource", "protected resource metadata"), () => {
  it.each([
    ["/.well-known/oauth-protected-resource", `${ORIGIN}/mcp`],
    ["/.well-known/oauth-protected-resource/mcp", `${ORIGIN}/mcp`],
    ["/.well-known/oauth-protected-resource/shared/mcp", `${ORIGIN}/shared/mcp`],
  ])("RFC 9728 §3.3: %s names the URL that people type", async (path, resource) => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toMatch(/^application\/json\b/);
    const document: Record<string, unknown> = await answer.json();
    expect(document).toMatchObject({
      resource,
      authorization_servers: [metadata.issuer],
      scopes_supported: metadata.scopes_supported,
      bearer_methods_supported: ["header"],
    });
    expect(JSON.stringify(document)).not.toContain("offline_access");
  });

  it("RFC 9728 §5.1: the challenge of each endpoint leads to its own document", async () => {
    for (const path of ["/mcp", "/shared/mcp"]) {
      const challenge = (await ask(path, { method: "POST" })).headers.get("www-authenticate") ?? "";
      const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
      const document: { resource: string } = await (await ask(url)).json();
      expect(document.resource).toBe(ORIGIN + path);
    }
  });
});

describe(verifies("metadata.nothing_else", "every other well-known"), () => {
  it.each([
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/oauth-authorization-server/",
    "/.well-known/oauth-authorization-server/..;/x",
    "/.well-known/oauth-protected-resource/",
    "/.well-known/oauth-protected-resource/mcp/",
    "/.well-known/oauth-protected-resource/shared",
    "/.well-known/oauth-protected-resource/admin",
    "/.well-known/OAUTH-authorization-server",
    "/mcp/.well-known/openid-configuration",
    "/mcp/.well-known/oauth-authorization-server",
    "/token/.well-known/openid-configuration",
    "/.well-known/",
    "/.well-known",
    "/.well-known/security.txt",
    "/.well-known/mcp",
  ])("RFC 8414 §3: %s is a plain 404 for any method", async (path) => {
    for (const method of ["GET", "HEAD", "POST"]) {
      const answer = await ask(path, { method });
      expect([method, answer.status]).toEqual([method, 404]);
      expect(answer.headers.get("www-authenticate")).toBeNull();
    }
    expect(await gong.requests()).toEqual([]);
  });
});

describe(verifies("http.cors", "who may read what from another origin"), () => {
  const EVIL = "https://evil.test";
  const machine = [
    "/token",
    "/register",
    "/revoke",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/mcp",
  ];

  it.each(machine)("Fetch §3.2: %s may be read from any origin, without credentials", async (path) => {
    const method = path.startsWith("/.well-known") ? "GET" : "POST";
    const answer = await ask(path, { method, headers: { origin: EVIL } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each(machine)("Fetch §4.8: a preflight for %s allows what MCP clients send", async (path) => {
    const preflight = {
      origin: EVIL,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type, mcp-protocol-version",
    };
    const answer = await ask(path, { method: "OPTIONS", headers: preflight });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
    expect(answer.headers.get("access-control-allow-headers")).toContain("mcp-protocol-version");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each(["/", "/authorize", "/callback", "/admin", "/health"])(
    "Fetch §3.2: %s may be read from none",
    async (path) => {
      for (const method of ["GET", "OPTIONS"]) {
        const answer = await ask(path, {
          method,
          headers: { origin: EVIL, "access-control-request-method": "POST" },
        });
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
      }
    },
  );
});
