// Subject: src/oauth/client-document.ts and known-documents.ts. Client ID Metadata Document draft §4; RFC 7591 §2.
import { describe, expect, it } from "vitest";
import { ClientDocumentError } from "../../../src/errors.ts";
import { parseClientDocument } from "../../../src/oauth/client-document.ts";
import { KNOWN_DOCUMENTS } from "../../../src/oauth/known-documents.ts";
import { redirectUriMatches } from "../../../src/oauth/redirect-uri.ts";
import { verifies } from "../../conformance/verifies.ts";

const URL_ = "https://client.example/oauth/client.json";
const GATEWAY = "https://gateway.test";
const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "k1" };

function aDocument(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const document = {
    client_id: URL_,
    client_name: "A client",
    redirect_uris: ["https://client.example/callback"],
    ...changes,
  };
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}

const parse = (changes: Record<string, unknown> = {}, url = URL_) =>
  parseClientDocument(url, aDocument(changes), GATEWAY);

/** The problem with the document; undefined when it has none. */
function problemWith(changes: Record<string, unknown>): string | undefined {
  try {
    parse(changes);
    return undefined;
  } catch (error) {
    if (error instanceof ClientDocumentError) return error.problem;
    throw error;
  }
}

describe(verifies("client_document.content", "documents that describe a client"), () => {
  it("draft §4.1: the id, the name and the redirect URIs are enough for a public client", () => {
    expect(parse()).toEqual({
      clientId: URL_,
      registration: "metadata_document",
      clientName: "A client",
      redirectUris: ["https://client.example/callback"],
      tokenEndpointAuthMethod: "none",
      otherAuthMethods: [],
      clientSecretHash: undefined,
      grantTypes: ["authorization_code", "refresh_token"],
    });
  });

  it("SEP-3149: ChatGPT's document, which lists both methods, is one of both, signed with RS256", () => {
    const chatgpt = {
      client_uri: "https://chatgpt.com/",
      redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      client_name: "ChatGPT",
      token_endpoint_auth_signing_alg: "RS256",
      jwks_uri: "https://chatgpt.com/oauth/jwks.json",
    };
    expect(parse(chatgpt)).toMatchObject({
      tokenEndpointAuthMethod: "private_key_jwt",
      otherAuthMethods: ["none"],
      signingAlgorithm: "RS256",
      keys: { kind: "uri", uri: "https://chatgpt.com/oauth/jwks.json" },
    });
  });

  it("SEP-3149: the list goes before the single method", () => {
    const changes = {
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_methods_supported: ["none", "tls_client_auth"],
    };
    expect(parse(changes)).toMatchObject({ tokenEndpointAuthMethod: "none", otherAuthMethods: [] });
  });

  it("RFC 7591 §2: keys inside the document are its keys, without their unused members", () => {
    const changes = {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ ...KEY, use: "sig", x5t: "x" }] },
    };
    expect(parse(changes).keys).toEqual({ kind: "inline", keys: [KEY] });
  });

  it("RFC 7591 §2: URLs, secrets of other kinds and claims of trust are dropped", () => {
    const extra = {
      logo_uri: "javascript:alert(1)",
      client_uri: "http://169.254.169.254/",
      registration: "preregistered",
      trusted: true,
      jwks_uri: "http://169.254.169.254/",
      software_statement: "x",
      scope: "admin",
    };
    expect(parse(extra)).toEqual(parse());
  });

  it("claude.ai's grant types: what we do not serve is left out", () => {
    const grantTypes = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"];
    expect(parse({ grant_types: grantTypes }).grantTypes).toEqual(["authorization_code", "refresh_token"]);
  });

  it.each([
    ["another client_id", "other_client_id", { client_id: "https://client.example/oauth/other.json" }],
    ["a client_id of another case", "other_client_id", { client_id: URL_.toUpperCase() }],
    ["a client_id with a slash more", "other_client_id", { client_id: `${URL_}/` }],
    [
      "a client_id with the default port",
      "other_client_id",
      { client_id: URL_.replace("/oauth", ":443/oauth") },
    ],
    ["no client_id", "other_client_id", { client_id: undefined }],
    ["a list with the client_id", "other_client_id", { client_id: [URL_] }],
    ["no name", "name_refused", { client_name: undefined }],
    ["an empty name", "name_refused", { client_name: "" }],
    ["a name that nobody sees", "name_refused", { client_name: "\u200b\u202e" }],
    ["a name of 201 characters", "name_refused", { client_name: "n".repeat(201) }],
    ["a name that is not text", "name_refused", { client_name: { en: "A client" } }],
    ["no redirect URIs", "redirect_uris_refused", { redirect_uris: undefined }],
    ["an empty list of redirect URIs", "redirect_uris_refused", { redirect_uris: [] }],
    [
      "eleven redirect URIs",
      "redirect_uris_refused",
      { redirect_uris: Array.from({ length: 11 }, (_, at) => `https://c.example/${at}`) },
    ],
    ["a redirect URI that runs script", "redirect_uris_refused", { redirect_uris: ["javascript:alert(1)"] }],
    [
      "a redirect URI with a wildcard",
      "redirect_uris_refused",
      { redirect_uris: ["https://*.client.example/cb"] },
    ],
    [
      "a redirect URI with a fragment",
      "redirect_uris_refused",
      { redirect_uris: ["https://client.example/cb#f"] },
    ],
    ["grant types without a code", "flow_refused", { grant_types: ["client_credentials"] }],
    ["response types without code", "flow_refused", { response_types: ["token"] }],
    ["a client secret", "secret_refused", { client_secret: "s3cret" }],
    ["an empty client secret", "secret_refused", { client_secret: "" }],
    ["an expiry of a secret", "secret_refused", { client_secret_expires_at: 0 }],
    ["client_secret_basic", "secret_refused", { token_endpoint_auth_method: "client_secret_basic" }],
    ["client_secret_post", "secret_refused", { token_endpoint_auth_method: "client_secret_post" }],
    ["client_secret_jwt", "secret_refused", { token_endpoint_auth_method: "client_secret_jwt" }],
    [
      "a secret in the list",
      "secret_refused",
      { token_endpoint_auth_methods_supported: ["none", "client_secret_basic"] },
    ],
    [
      "a secret beside the list",
      "secret_refused",
      { token_endpoint_auth_method: "client_secret_basic", token_endpoint_auth_methods_supported: ["none"] },
    ],
    ["another method", "method_refused", { token_endpoint_auth_method: "tls_client_auth" }],
    ["a method that is not text", "method_refused", { token_endpoint_auth_method: ["none"] }],
    ["an empty list of methods", "method_refused", { token_endpoint_auth_methods_supported: [] }],
    ["a list of methods that is text", "method_refused", { token_endpoint_auth_methods_supported: "none" }],
    ["a symmetric algorithm", "method_refused", { token_endpoint_auth_signing_alg: "HS256" }],
    ["no algorithm", "method_refused", { token_endpoint_auth_signing_alg: "none" }],
  ])("draft §4.1: a document with %s is refused as %s", (_what, problem, changes) => {
    expect(problemWith(changes)).toBe(problem);
  });

  it.each([
    ["no keys", {}],
    ["both jwks and jwks_uri", { jwks: { keys: [KEY] }, jwks_uri: "https://client.example/jwks" }],
    ["an empty key set", { jwks: { keys: [] } }],
    ["a private key", { jwks: { keys: [{ ...KEY, d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" }] } }],
    ["jwks_uri by http", { jwks_uri: "http://client.example/jwks" }],
    ["jwks_uri at an address", { jwks_uri: "https://169.254.169.254/jwks" }],
    ["jwks_uri at the gateway", { jwks_uri: "https://gateway.test/mcp" }],
    ["jwks_uri with a port", { jwks_uri: "https://client.example:8443/jwks" }],
    ["jwks_uri that is not text", { jwks_uri: ["https://client.example/jwks"] }],
  ])("RFC 7591 §2: private_key_jwt with %s is refused", (_what, changes) => {
    const document = { token_endpoint_auth_method: "private_key_jwt", ...changes };
    expect(problemWith(document)).toBe("keys_refused");
    expect(problemWith({ ...document, jwks: { keys: [KEY] }, jwks_uri: undefined })).toBeUndefined();
  });
});

describe(verifies("client_document.known_copy", "the copies of known documents"), () => {
  it.each([...KNOWN_DOCUMENTS])("gateway: %s is a good document of a public client", (url, document) => {
    expect(parseClientDocument(url, document, GATEWAY)).toMatchObject({ tokenEndpointAuthMethod: "none" });
  });

  it("RFC 8252 §7.3: Claude Code's port-less loopback URIs match any port and no other path", () => {
    const url = "https://claude.ai/oauth/claude-code-client-metadata";
    const { redirectUris } = parseClientDocument(url, KNOWN_DOCUMENTS.get(url) ?? {}, GATEWAY);
    expect(redirectUriMatches(redirectUris, "http://localhost:53682/callback")).toBe(true);
    expect(redirectUriMatches(redirectUris, "http://127.0.0.1:1/callback")).toBe(true);
    expect(redirectUriMatches(redirectUris, "http://localhost:53682/other")).toBe(false);
    expect(redirectUriMatches(redirectUris, "http://[::1]:53682/callback")).toBe(false);
  });
});
