// Subject: src/oauth/challenge.ts. RFC 6750 §2.1 and §3, RFC 9728 §5.1.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { bearerChallenge, parseBearer } from "../../../src/oauth/challenge.ts";

const CHALLENGE = {
  resourceMetadataUrl: "https://gateway.test/.well-known/oauth-protected-resource/mcp",
  scope: "mcp:ai-ask:read mcp:ai-briefer:read",
};

describe(verifies("bearer.header", "reading a bearer token"), () => {
  it.each([
    ["Bearer gat_abc", "gat_abc"],
    ["bearer gat_abc", "gat_abc"],
    ["BEARER gat_abc", "gat_abc"],
    ["Bearer a-._~+/9==", "a-._~+/9=="],
    [`Bearer ${"a".repeat(2_048)}`, "a".repeat(2_048)],
  ])("RFC 6750 §2.1: %s", (header, token) => {
    expect(parseBearer(header)).toBe(token);
  });

  it.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    "Bearer  gat_abc",
    "Bearer\tgat_abc",
    " Bearer gat_abc",
    "Bearer gat_abc ",
    "Bearer gat_abc\n",
    "Bearer gat abc",
    "Bearer gat_abc, Bearer gat_def",
    "Bearer gat_abc,gat_def",
    "Bearer =",
    "Bearer a=b",
    "Bearer gat_é",
    "Bearer gat_\u212a",
    'Bearer "gat_abc"',
    "gat_abc",
    "Basic gat_abc",
    "Bearerx gat_abc",
    "DPoP gat_abc",
    `Bearer ${"a".repeat(2_049)}`,
  ])("RFC 6750 §2.1: %j is no bearer token", (header) => {
    expect(parseBearer(header)).toBeUndefined();
  });
});

describe(verifies("bearer.challenge", "the challenge"), () => {
  it("RFC 6750 §3.1, RFC 9728 §5.1: without a token there is no error", () => {
    expect(bearerChallenge(CHALLENGE)).toBe(
      'Bearer resource_metadata="https://gateway.test/.well-known/oauth-protected-resource/mcp", ' +
        'scope="mcp:ai-ask:read mcp:ai-briefer:read"',
    );
  });

  it("RFC 6750 §3: a refused token is named as such", () => {
    const challenge = bearerChallenge({
      ...CHALLENGE,
      error: "invalid_token",
      description: "Sign in again.",
    });
    expect(challenge).toBe(
      'Bearer error="invalid_token", error_description="Sign in again.", ' +
        'resource_metadata="https://gateway.test/.well-known/oauth-protected-resource/mcp", ' +
        'scope="mcp:ai-ask:read mcp:ai-briefer:read"',
    );
  });

  it.each(['a", realm="evil', "a\\", "a\r\nSet-Cookie: b=c", "a\0é\u2028"])(
    "RFC 6750 §3: the description %j can't leave its quotes or its line",
    (description) => {
      const challenge = bearerChallenge({ ...CHALLENGE, error: "invalid_token", description });
      expect(challenge).toMatch(/^[\x20-\x7e]+$/);
      const parameters = [...challenge.slice("Bearer ".length).matchAll(/(\w+)="([^"\\]*)"(?:, |$)/g)];
      expect(parameters.map(([, name]) => name)).toEqual([
        "error",
        "error_description",
        "resource_metadata",
        "scope",
      ]);
      expect(parameters.map(([parameter]) => parameter).join("")).toBe(challenge.slice("Bearer ".length));
    },
  );
});
