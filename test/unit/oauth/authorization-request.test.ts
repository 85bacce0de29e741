// Subject: src/oauth/authorization-request.ts, after parsing. RFC 6749 §3.1.2.3 and §4.1.1, RFC 7636 §4.3, RFC 9101
// §6.2.
import { describe, expect, expectTypeOf, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import {
  matchRedirectTarget,
  parseAuthorizationParameters,
  reviveAuthorizationRequest,
  reviveRedirectTarget,
  validateAuthorizationRequest,
  type AuthorizationRequestParts,
  type RedirectTarget,
  type RedirectTargetParts,
  type ValidatedAuthorizationRequest,
} from "../../../src/oauth/authorization-request.ts";
import type { Client } from "../../../src/oauth/client.ts";
import { CHALLENGE, ISSUER, query } from "./good-request.ts";
import { aClient, expectRefused, refusalOf } from "./refusal.ts";

const RESOURCES = {
  origin: ISSUER,
  main: `${ISSUER}/mcp`,
  shared: `${ISSUER}/shared/mcp`,
};

function validated(differences: Record<string, string | undefined> = {}, client: Client = aClient()) {
  const parameters = parseAuthorizationParameters(query(differences));
  const target = matchRedirectTarget(client, parameters, ISSUER);
  return validateAuthorizationRequest(client, target, parameters, { resources: RESOURCES });
}

describe(verifies("authorize.redirect_uri", "matching the redirect URI"), () => {
  const match = (client: Client, differences: Record<string, string | undefined> = {}) =>
    matchRedirectTarget(client, parseAuthorizationParameters(query(differences)), ISSUER);

  it("RFC 6749 §3.1.2.3: a registered URI gives a target with the state and our issuer", () => {
    expect(match(aClient())).toMatchObject({
      redirectUri: "https://client.test/callback",
      state: "a state",
      issuer: ISSUER,
    });
  });

  it("RFC 9700 §2.1: a URI that is not registered is refused", () => {
    const refuse = () => match(aClient(), { redirect_uri: "https://client.test/callback/" });
    expectRefused(refuse, "invalid_request", "redirect_uri_mismatch");
  });

  it("RFC 8252 §7.3: the target of a loopback client has the port of the request", () => {
    const client = aClient({ redirectUris: ["http://127.0.0.1:1111/cb"] });
    expect(match(client, { redirect_uri: "http://127.0.0.1:50123/cb" }).redirectUri).toBe(
      "http://127.0.0.1:50123/cb",
    );
  });

  it("RFC 6749 §3.1.2.3: without redirect_uri the only registered one is used", () => {
    expect(match(aClient(), { redirect_uri: undefined }).redirectUri).toBe("https://client.test/callback");
  });

  it.each([[["https://client.test/callback", "https://client.test/other"]], [[]]])(
    "RFC 6749 §3.1.2.3: without redirect_uri, and %j registered, the request is refused",
    (redirectUris) => {
      const refuse = () => match(aClient({ redirectUris }), { redirect_uri: undefined });
      expectRefused(refuse, "invalid_request", "redirect_uri_missing");
    },
  );

  it.each([
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "javascript:alert(1)",
    "http://evil.test/cb",
    "https://user@client.test/callback",
  ])("MCP authorization, Communication Security: %s is refused at use even when it is stored", (uri) => {
    const client = aClient({ redirectUris: [uri] });
    expectRefused(() => match(client, { redirect_uri: uri }), "invalid_request", "redirect_uri_private_use");
    expectRefused(
      () => match(client, { redirect_uri: undefined }),
      "invalid_request",
      "redirect_uri_private_use",
    );
  });
});

describe(verifies("authorize.request", "pkce.required", "validating the rest"), () => {
  it("RFC 6749 §4.1.1: a good request is validated into what a person approves", () => {
    expect(validated()).toMatchObject({
      clientId: "client-1",
      redirectUri: "https://client.test/callback",
      state: "a state",
      codeChallenge: CHALLENGE,
      resource: `${ISSUER}/mcp`,
      scope: ["mcp:ai-ask:read"],
    });
  });

  it("RFC 8707 §2, RFC 6749 §3.3: without resource and scope it is the default resource with every scope", () => {
    expect(validated({ resource: undefined, scope: undefined })).toMatchObject({
      resource: `${ISSUER}/mcp`,
      scope: ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"],
    });
  });

  it.each(["none", "login", "consent", "surprise"])("RFC 6749 §3.1: prompt=%s is ignored", (prompt) => {
    expect(validated({ prompt })).toMatchObject({ clientId: "client-1" });
  });

  it.each(["token", "id_token", "code token", "code id_token", "none", "CODE", " code"])(
    "RFC 6749 §3.1.1: response_type=%s is refused",
    (responseType) =>
      expectRefused(() => validated({ response_type: responseType }), "unsupported_response_type"),
  );

  it("RFC 6749 §3.1.1: a missing response_type is refused", () => {
    expectRefused(() => validated({ response_type: undefined }), "invalid_request", "response_type_missing");
  });

  it.each(["fragment", "form_post", "query.jwt", "web_message"])(
    "response_mode=%s is refused",
    (responseMode) => {
      expectRefused(
        () => validated({ response_mode: responseMode }),
        "invalid_request",
        "response_mode_unsupported",
      );
    },
  );

  it("response_mode=query is what we do anyway", () => {
    expect(validated({ response_mode: "query" })).toMatchObject({ clientId: "client-1" });
  });

  it.each([undefined, "plain", "s256", "S256 ", "S512", "", "SHA256"])(
    "RFC 7636 §4.4.1: code_challenge_method=%s is refused, for public and confidential clients",
    (method) => {
      for (const client of [aClient(), aClient({ tokenEndpointAuthMethod: "client_secret_basic" })]) {
        const refuse = () => validated({ code_challenge_method: method }, client);
        expectRefused(refuse, "invalid_request", "code_challenge_method_unsupported");
      }
    },
  );

  it.each([undefined, ""])("RFC 7636 §4.4.1: a missing code_challenge is refused", (challenge) => {
    expectRefused(
      () => validated({ code_challenge: challenge }),
      "invalid_request",
      "code_challenge_missing",
    );
    const confidential = aClient({ tokenEndpointAuthMethod: "client_secret_post" });
    expectRefused(
      () => validated({ code_challenge: challenge }, confidential),
      "invalid_request",
      "code_challenge_missing",
    );
  });

  it.each([
    ["42 characters", CHALLENGE.slice(1)],
    ["44 characters", `${CHALLENGE}A`],
    ["padding", `${CHALLENGE}=`],
    ["plain base64", CHALLENGE.replace("-", "+")],
    ["a newline", `${CHALLENGE}\n`],
    ["a character outside", CHALLENGE.replace("-", "é")],
  ])("RFC 7636 §4.2: a code_challenge with %s is refused", (_why, challenge) => {
    expectRefused(
      () => validated({ code_challenge: challenge }),
      "invalid_request",
      "code_challenge_malformed",
    );
  });

  it("RFC 9101 §6.2: request objects are refused, whatever they hold", () => {
    expectRefused(() => validated({ request: "eyJhbGciOiJub25lIn0.e30." }), "request_not_supported");
    expectRefused(() => validated({ request_uri: "https://169.254.169.254/" }), "request_uri_not_supported");
  });

  it("RFC 8707 §2: a foreign resource is refused", () => {
    expectRefused(() => validated({ resource: "https://other.test/mcp" }), "invalid_target");
  });

  it("RFC 6749 §3.3: an unknown scope is refused", () => {
    expectRefused(() => validated({ scope: "mcp:ai-ask:read admin" }), "invalid_scope");
  });

  it("RFC 6749 §4.1.2.1: a client not registered for the code grant is refused", () => {
    expectRefused(() => validated({}, aClient({ grantTypes: ["refresh_token"] })), "unauthorized_client");
  });

  it("no refusal repeats what the request said", () => {
    const marker = "zzmarkerzz";
    for (const name of [
      "response_type",
      "response_mode",
      "code_challenge",
      "resource",
      "scope",
      "redirect_uri",
    ]) {
      const refusal = refusalOf(() => validated({ [name]: marker }));
      expect(refusal?.message).toBeTypeOf("string");
      expect(refusal?.message).not.toContain(marker);
    }
  });
});

describe(verifies("authorize.sealed_request", "reviving what the gateway sealed"), () => {
  it("a request and its target survive a trip through JSON, without any other field", () => {
    const request = validated();
    const revived = reviveAuthorizationRequest({ ...JSON.parse(JSON.stringify(request)), extra: 1 });
    expect(revived).toEqual(request);
    const target = matchRedirectTarget(aClient(), parseAuthorizationParameters(query()), ISSUER);
    expect(reviveRedirectTarget(JSON.parse(JSON.stringify(target)))).toEqual(target);
  });

  it("neither type can be written by hand: parts are not assignable to it", () => {
    expectTypeOf<RedirectTargetParts>().not.toExtend<RedirectTarget>();
    expectTypeOf<AuthorizationRequestParts>().not.toExtend<ValidatedAuthorizationRequest>();
    expectTypeOf(reviveRedirectTarget).returns.toExtend<RedirectTarget>();
    expect(Object.getOwnPropertySymbols(validated())).toHaveLength(1);
  });
});
