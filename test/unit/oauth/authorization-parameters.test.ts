// Subject: the parsing of src/oauth/authorization-request.ts. RFC 6749 §3.1 and §4.1.1, RFC 8707 §2.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { parseAuthorizationParameters } from "../../../src/oauth/authorization-request.ts";
import { CHALLENGE, ISSUER, query } from "./good-request.ts";
import { expectRefused } from "./refusal.ts";

describe(verifies("authorize.parameters", "parsing an authorization request"), () => {
  it("RFC 6749 §4.1.1: reads the parameters", () => {
    expect(parseAuthorizationParameters(query())).toEqual({
      clientId: "client-1",
      redirectUri: "https://client.test/callback",
      responseType: "code",
      responseMode: undefined,
      state: "a state",
      scope: "mcp:ai-ask:read",
      codeChallenge: CHALLENGE,
      codeChallengeMethod: "S256",
      resources: [`${ISSUER}/mcp`],
      hasRequestObject: false,
      hasRequestUri: false,
    });
  });

  it.each([
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "nonce",
    "request",
    "__proto__",
  ])("RFC 6749 §3.1: %s sent twice is refused, in either order and also when equal", (name) => {
    const once = query({ [name]: undefined });
    for (const pair of [
      `${name}=good&${name}=evil`,
      `${name}=evil&${name}=good`,
      `${name}=x&${name}=x`,
      `${name}=&${name}=x`,
    ]) {
      expectRefused(
        () => parseAuthorizationParameters(`${once}&${pair}`),
        "invalid_request",
        "repeated_parameter",
      );
    }
  });

  it("RFC 6749 §3.1: a repeat hidden by percent-encoding of the name is refused", () => {
    expectRefused(
      () => parseAuthorizationParameters(`${query()}&redirect%5Furi=https%3A%2F%2Fevil.test`),
      "invalid_request",
      "repeated_parameter",
    );
  });

  it("RFC 8707 §2: resource may repeat", () => {
    const { resources } = parseAuthorizationParameters(`${query()}&resource=https%3A%2F%2Fother.test`);
    expect(resources).toEqual([`${ISSUER}/mcp`, "https://other.test"]);
  });

  it("RFC 6749 §3.1: a parameter without a value counts as omitted, and an unknown one is ignored", () => {
    const parameters = parseAuthorizationParameters(query({ state: "", resource: "", unknown: "x" }));
    expect(parameters.state).toBeUndefined();
    expect(parameters.resources).toEqual([]);
  });

  it.each([
    ["absent", undefined],
    ["empty", ""],
    ["with a NUL", "client\0"],
    ["not ASCII", "clïent"],
    ["10 kB", "a".repeat(10_000)],
    ["over the cap", "a".repeat(2_049)],
  ])("RFC 6749 §4.1.2.1: client_id %s is refused", (_why, clientId) => {
    expectRefused(() => parseAuthorizationParameters(query({ client_id: clientId })), "invalid_request");
  });

  it("a client_id named like a property of objects is an id like any other", () => {
    expect(parseAuthorizationParameters(query({ client_id: "__proto__" })).clientId).toBe("__proto__");
  });

  it("a state of 2048 characters passes, one of 2049 is refused", () => {
    expect(parseAuthorizationParameters(query({ state: "s".repeat(2_048) })).state).toHaveLength(2_048);
    expectRefused(
      () => parseAuthorizationParameters(query({ state: "s".repeat(2_049) })),
      "invalid_request",
      "parameter_too_long",
    );
  });

  it("40 parameters pass, 41 are refused", () => {
    const more = (count: number) => Array.from({ length: count }, (_, at) => `&p${at}=1`).join("");
    expect(parseAuthorizationParameters(query() + more(32)).clientId).toBe("client-1");
    expectRefused(
      () => parseAuthorizationParameters(query() + more(33)),
      "invalid_request",
      "too_many_parameters",
    );
  });

  it("8192 characters pass, 8193 are refused", () => {
    const padded = (length: number) => {
      const filled = `${query()}&a=${"a".repeat(2_048)}&b=${"b".repeat(2_048)}&c=${"c".repeat(2_048)}&d=`;
      return filled.padEnd(length, "d");
    };
    expect(parseAuthorizationParameters(padded(8_192)).clientId).toBe("client-1");
    expectRefused(() => parseAuthorizationParameters(padded(8_193)), "invalid_request", "request_too_long");
  });

  it.each(["%", "%4", "%zz", "%ff", "%c3", "%c0%af", "%ed%a0%80", "%u0041"])(
    "RFC 6749 Appendix B: the encoding %s is refused",
    (value) => {
      expectRefused(
        () => parseAuthorizationParameters(query() + `&x=${value}`),
        "invalid_request",
        "bad_encoding",
      );
    },
  );
});
