// Subject: src/oauth/trusted-issuers.ts, and what config.ts makes of it. RFC 7517 §5.
import { describe, expect, it } from "vitest";
import { parseTrustedIssuers } from "../../../src/oauth/trusted-issuers.ts";
import { verifies } from "../../conformance/verifies.ts";
import { problemsOf } from "../settings.ts";

const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "k1" };
const BY_USER = {
  issuer: "https://sts.acme.test",
  jwks: { keys: [KEY] },
  client_ids: ["office-suite"],
  gong_user_claim: "gong_user_id",
};
const BY_EMAIL = {
  issuer: "https://acme.idp.test/oauth2",
  jwks_uri: "https://acme.idp.test/oauth2/keys",
  client_ids: ["https://assistant.test/client.json"],
  email_claim: "email",
  email_domains: ["acme.test"],
};

const read = (...entries: readonly unknown[]) =>
  parseTrustedIssuers(JSON.stringify(entries), "https://gateway.test");

describe(verifies("settings.trusted_issuers", "TRUSTED_ISSUERS"), () => {
  it("gateway: an issuer with its keys, its clients, and the claim that names the Gong user", () => {
    const { issuers, problems } = read(BY_USER);
    expect(problems).toEqual([]);
    expect(issuers.get("https://sts.acme.test")).toEqual({
      issuer: "https://sts.acme.test",
      keys: { kind: "inline", keys: [KEY] },
      clientIds: new Set(["office-suite"]),
      person: { kind: "gong_user", claim: "gong_user_id" },
    });
  });

  it("gateway: one whose keys are at a URL and whose people are known by e-mail, in its own domains", () => {
    const { issuers, problems } = read(BY_USER, BY_EMAIL);
    expect(problems).toEqual([]);
    expect(issuers.get("https://acme.idp.test/oauth2")).toMatchObject({
      keys: { kind: "uri", uri: "https://acme.idp.test/oauth2/keys" },
      person: { kind: "email", claim: "email", domains: new Set(["acme.test"]) },
    });
  });

  it.each([
    ["no issuer", { issuer: undefined }],
    ["an issuer over http", { issuer: "http://sts.acme.test" }],
    ["an issuer that is no URL", { issuer: "acme" }],
    ["no keys", { jwks: undefined }],
    ["a private key", { jwks: { keys: [{ ...KEY, d: "AAAA" }] } }],
    ["a symmetric key", { jwks: { keys: [{ kty: "oct", k: "AAAA" }] } }],
    ["keys in two places", { jwks_uri: "https://sts.acme.test/keys" }],
    ["keys at an address", { jwks: undefined, jwks_uri: "https://10.0.0.1/keys" }],
    ["keys over http", { jwks: undefined, jwks_uri: "http://sts.acme.test/keys" }],
    ["keys at the gateway itself", { jwks: undefined, jwks_uri: "https://gateway.test/keys" }],
    ["no clients", { client_ids: undefined }],
    ["an empty list of clients", { client_ids: [] }],
    ["a client that is a number", { client_ids: [7] }],
    ["no claim", { gong_user_claim: undefined }],
    ["a claim that is a number", { gong_user_claim: 7 }],
    ["two claims", { email_claim: "email", email_domains: ["acme.test"] }],
    ["domains for a claim that is no address", { email_domains: ["acme.test"] }],
    ["an e-mail claim without domains", { gong_user_claim: undefined, email_claim: "email" }],
    [
      "a domain in upper case",
      { gong_user_claim: undefined, email_claim: "email", email_domains: ["ACME.test"] },
    ],
    ["every domain", { gong_user_claim: undefined, email_claim: "email", email_domains: ["*"] }],
  ])("gateway: with %s it is refused, and the problem quotes nothing", (_, change) => {
    const { issuers, problems } = read({ ...BY_USER, ...change });
    expect(issuers.size).toBe(0);
    expect(problems).toEqual([expect.stringMatching(/^entry 1 needs /)]);
    expect(problems[0]).not.toMatch(/acme|10\.0|gong_user_id/i);
  });

  it("gateway: broken entries are named by their place, and an issuer stands once", () => {
    expect(read(7, BY_USER, BY_USER).problems).toEqual([
      "entry 1 is not an object",
      "entry 3 repeats an issuer",
    ]);
    for (const text of ["", "{}", "null", "[", '[{"issuer":"a","issuer":"b"}]']) {
      expect(parseTrustedIssuers(text, "https://gateway.test").problems).toEqual([
        "must be a JSON array of issuers",
      ]);
    }
  });

  it("gateway: what could never lead to a person's connection stops the gateway by name", () => {
    const settings = (entry: unknown, more = {}) => ({ TRUSTED_ISSUERS: JSON.stringify([entry]), ...more });
    expect(problemsOf(settings(BY_USER))).toEqual([]);
    expect(problemsOf(settings(7))).toEqual(["TRUSTED_ISSUERS: entry 1 is not an object"]);
    expect(problemsOf(settings(BY_EMAIL))).toEqual([
      "TRUSTED_ISSUERS: email_claim needs ACCESS_TEAM_DOMAIN and ACCESS_AUD",
    ]);
    const shared = { GONG_ACCESS: "shared", ADMIN_TOKEN: "a".repeat(24) };
    expect(problemsOf(settings(BY_USER, shared))).toEqual([
      "TRUSTED_ISSUERS needs an integration with personal access",
    ]);
  });
});
