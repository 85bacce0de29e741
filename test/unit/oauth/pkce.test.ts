// Subjects: src/oauth/pkce.ts and digest.ts. RFC 7636.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { hashesMatch, sha256Base64url } from "../../../src/oauth/digest.ts";
import { codeChallengeOf, isCodeChallenge, isCodeVerifier } from "../../../src/oauth/pkce.ts";

// RFC 7636 Appendix B.
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

describe(verifies("pkce.s256", "PKCE"), () => {
  it("RFC 7636 Appendix B: the challenge of the example verifier", async () => {
    expect(await codeChallengeOf(VERIFIER)).toBe(CHALLENGE);
  });

  it("RFC 7636 §4.2: every challenge has the form of one", async () => {
    for (const length of [43, 86, 128]) {
      expect(isCodeChallenge(await codeChallengeOf("~".repeat(length)))).toBe(true);
    }
  });

  it.each([
    "",
    "a".repeat(42),
    "a".repeat(44),
    "a".repeat(128),
    "a".repeat(10_000),
    `${CHALLENGE.slice(1)}=`,
    `${CHALLENGE}\n`,
  ])("RFC 7636 §4.2: %j is not a challenge", (text) => expect(isCodeChallenge(text)).toBe(false));

  it.each([VERIFIER, "a".repeat(43), "a".repeat(128), `${"a".repeat(39)}-._~`])(
    "RFC 7636 §4.1: %s is a verifier",
    (text) => expect(isCodeVerifier(text)).toBe(true),
  );

  it.each([
    "",
    "a".repeat(42),
    "a".repeat(129),
    `${"a".repeat(43)}+`,
    `${"a".repeat(43)} `,
    `${"a".repeat(43)}\n`,
    "é".repeat(43),
  ])("RFC 7636 §4.1: %j is not a verifier", (text) => expect(isCodeVerifier(text)).toBe(false));
});

describe(verifies("pkce.s256", "digests"), () => {
  it("FIPS 180-4: SHA-256 of abc, as base64url without padding", async () => {
    expect(await sha256Base64url("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  });

  it.each([
    ["abc", "abc", true],
    ["", "", true],
    ["abc", "abd", false],
    ["abc", "bbc", false],
    ["abc", "ab", false],
    ["ab", "abc", false],
    ["", "a", false],
  ])("%j and %j: equal is %s", (one, other, equal) => {
    expect(hashesMatch(one, other)).toBe(equal);
  });
});
