// Subject: src/oauth/authorization-response.ts. RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 §2.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { OAuthError } from "../../../src/errors.ts";
import { reviveRedirectTarget } from "../../../src/oauth/authorization-request.ts";
import { codeRedirect, errorRedirect } from "../../../src/oauth/authorization-response.ts";
import { SEED } from "./refusal.ts";

const ISSUER = "https://gateway.test";

function target(differences: { redirectUri?: string; state?: string | undefined } = {}) {
  return reviveRedirectTarget({
    redirectUri: "https://client.test/cb",
    state: "xyz",
    issuer: ISSUER,
    ...differences,
  });
}

describe(verifies("authorize.response", "the code redirect"), () => {
  it("RFC 6749 §4.1.2, RFC 9207 §2: carries code, state and iss", () => {
    expect(codeRedirect(target(), "gac_1")).toBe(
      "https://client.test/cb?code=gac_1&state=xyz&iss=https%3A%2F%2Fgateway.test",
    );
  });

  it("RFC 6749 §4.1.2: there is no state when the request had none", () => {
    expect(codeRedirect(target({ state: undefined }), "gac_1")).toBe(
      "https://client.test/cb?code=gac_1&iss=https%3A%2F%2Fgateway.test",
    );
  });

  it.each([
    ["https://client.test/cb?tenant=a%2Fb", "https://client.test/cb?tenant=a%2Fb&code="],
    ["https://client.test/cb?", "https://client.test/cb?code="],
    ["https://client.test/cb?a=1&", "https://client.test/cb?a=1&code="],
    ["https://client.test", "https://client.test?code="],
    ["http://127.0.0.1:33418/", "http://127.0.0.1:33418/?code="],
    ["http://[::1]:1/cb", "http://[::1]:1/cb?code="],
  ])("RFC 6749 §3.1.2: %s is kept as it is", (redirectUri, expected) => {
    expect(codeRedirect(target({ redirectUri }), "c").startsWith(expected)).toBe(true);
  });

  it.each([
    "",
    "a&code=evil",
    "\r\nSet-Cookie: a=b",
    "<script>",
    "'\"",
    "🦊",
    "%",
    "%41",
    "a+b c",
    "#",
    "s".repeat(2_048),
  ])("RFC 6749 §4.1.2: the state %j comes back as it was, and nothing else changes", (state) =>
    expectStateReturned(state),
  );

  it("RFC 6749 §4.1.2: 2,000 generated states come back as they were, in a URL of printable ASCII", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (state) => expectStateReturned(state)),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

describe(verifies("authorize.error_response", "the error redirect"), () => {
  it("RFC 6749 §4.1.2.1, RFC 9207 §2: carries error, description, state and iss", () => {
    const error = new OAuthError("access_denied", "The person said no: ask again.");
    const { searchParams } = new URL(errorRedirect(target(), error));
    expect([...searchParams]).toEqual([
      ["error", "access_denied"],
      ["error_description", "The person said no: ask again."],
      ["state", "xyz"],
      ["iss", ISSUER],
    ]);
  });

  it("never carries the reason or the cause, which are for the log", () => {
    const error = new OAuthError("server_error", "Try again.", {
      reason: "secret_reason",
      cause: new Error("inner"),
    });
    expect(errorRedirect(target(), error)).not.toMatch(/secret_reason|inner/);
  });
});

function expectStateReturned(state: string): void {
  const url = codeRedirect(target({ state }), "gac_1");
  expect(url).toMatch(/^[\x21-\x7e]+$/);
  expect([...new URL(url).searchParams]).toEqual([
    ["code", "gac_1"],
    ["state", state],
    ["iss", ISSUER],
  ]);
}
