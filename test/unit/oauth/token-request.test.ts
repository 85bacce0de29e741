// Subject: src/oauth/token-request.ts. RFC 6749 §4.1.3, §5.2 and §6, RFC 7636 §4.5 and §4.6.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { parseForm } from "../../../src/oauth/form.ts";
import { assertGrantTypeAllowed, parseTokenRequest } from "../../../src/oauth/token-request.ts";
import { aClient, expectRefused } from "./refusal.ts";

const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_FORM = { grant_type: "authorization_code", code: "gac_1", code_verifier: VERIFIER };
const REFRESH_FORM = { grant_type: "refresh_token", refresh_token: "grt_1" };

function parse(parameters: Record<string, string>) {
  return parseTokenRequest(parseForm(new URLSearchParams(parameters).toString()));
}

describe(verifies("token.request", "redeeming a code"), () => {
  it("RFC 6749 §4.1.3: reads code, verifier, redirect URI and resources", () => {
    const request = parse({
      ...CODE_FORM,
      redirect_uri: "https://client.test/cb",
      resource: "https://gateway.test/mcp",
    });
    expect(request).toEqual({
      grantType: "authorization_code",
      code: "gac_1",
      codeVerifier: VERIFIER,
      redirectUri: "https://client.test/cb",
      resources: ["https://gateway.test/mcp"],
    });
  });

  it("OAuth 2.1 §4.1.3, RFC 8707 §2: redirect URI and resource may be left out", () => {
    expect(parse(CODE_FORM)).toMatchObject({ redirectUri: undefined, resources: [] });
  });

  it.each(["code", "code_verifier"])("RFC 6749 §5.2: without %s it is invalid_request", (name) => {
    expectRefused(() => parse({ ...CODE_FORM, [name]: "" }), "invalid_request", `${name}_missing`);
  });

  it.each([VERIFIER.slice(1), `${VERIFIER}=`, "a".repeat(129), `${VERIFIER} `, `${VERIFIER}é`])(
    "RFC 7636 §4.6: the malformed verifier %j is invalid_grant",
    (verifier) => {
      expectRefused(
        () => parse({ ...CODE_FORM, code_verifier: verifier }),
        "invalid_grant",
        "verifier_malformed",
      );
    },
  );
});

describe(verifies("token.request", "refreshing"), () => {
  it("RFC 6749 §6: reads refresh token, scope and resources", () => {
    expect(parse({ ...REFRESH_FORM, scope: "mcp:ai-ask:read", resource: "https://gateway.test" })).toEqual({
      grantType: "refresh_token",
      refreshToken: "grt_1",
      scope: "mcp:ai-ask:read",
      resources: ["https://gateway.test"],
    });
  });

  it("RFC 6749 §6: scope may be left out", () => {
    expect(parse(REFRESH_FORM)).toMatchObject({ scope: undefined, resources: [] });
  });

  it("RFC 6749 §5.2: without refresh_token it is invalid_request", () => {
    expectRefused(() => parse({ grant_type: "refresh_token" }), "invalid_request", "refresh_token_missing");
  });
});

describe(verifies("token.request", "client credentials"), () => {
  it("RFC 6749 §4.4.2: reads scope and resources where the grant type is served", () => {
    const form = parseForm("grant_type=client_credentials&scope=mcp:ai-ask:read&resource=https://a.test/mcp");
    expect(parseTokenRequest(form, ["client_credentials"])).toEqual({
      grantType: "client_credentials",
      scope: "mcp:ai-ask:read",
      resources: ["https://a.test/mcp"],
    });
    expectRefused(() => parseTokenRequest(form), "unsupported_grant_type");
  });
});

describe(verifies("token.request", "grant types"), () => {
  it.each([
    "password",
    "implicit",
    "AUTHORIZATION_CODE",
    " refresh_token",
    "__proto__",
    "urn:ietf:params:oauth:grant-type:device_code ",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
  ])("RFC 6749 §5.2: %s is unsupported_grant_type", (grantType) => {
    expectRefused(
      () => parse({ ...CODE_FORM, ...REFRESH_FORM, grant_type: grantType }),
      "unsupported_grant_type",
    );
  });

  it("RFC 6749 §5.2: without grant_type it is invalid_request", () => {
    expectRefused(() => parse({ ...CODE_FORM, grant_type: "" }), "invalid_request", "grant_type_missing");
  });

  it("RFC 7591 §2: a client uses the grant types it is registered for", () => {
    const client = aClient({ grantTypes: ["authorization_code"] });
    expect(() => assertGrantTypeAllowed(client, "authorization_code")).not.toThrow();
    expectRefused(() => assertGrantTypeAllowed(client, "refresh_token"), "unauthorized_client");
  });
});
