// src/config.ts and oauth/preregistered-clients.ts: the two settings with a language of their own.

import { describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { parseSettings } from "../../src/config.ts";
import { parsePreregisteredClients } from "../../src/oauth/preregistered-clients.ts";
import { GOOD, KEY, OTHER_KEY, problemsOf } from "./settings.ts";

const FORM = "SEALING_KEYS must be kid:key[,kid:key…] with keys of 32 random bytes in base64url";
const REPEAT = "SEALING_KEYS must not repeat a kid or a key";
const encode = (bytes: readonly number[]): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

describe(verifies("settings.sealing_keys", "SEALING_KEYS"), () => {
  it.each([
    [`k1:${OTHER_KEY}`, ["k1"]],
    [`2026-11:${OTHER_KEY},2026-10:${KEY}`, ["2026-11", "2026-10"]],
    [` a:${OTHER_KEY} , b:${KEY} `, ["a", "b"]],
    [`${"k".repeat(32)}:${OTHER_KEY}`, ["k".repeat(32)]],
    [`k1:${OTHER_KEY},,k2:${KEY},`, ["k1", "k2"]],
  ])("gateway: %s is read in order, the first of which seals", (value, kids) => {
    const { sealingKeys } = parseSettings({ ...GOOD, SEALING_KEYS: value });
    expect(sealingKeys.map(({ kid }) => kid)).toEqual(kids);
    expect(sealingKeys.map(({ secret }) => secret.length)).toEqual(kids.map(() => 32));
  });

  it("RFC 4648 §5: the bytes are those of the text", () => {
    const bytes = Array.from({ length: 32 }, (_, at) => 255 - at);
    const { sealingKeys } = parseSettings({ ...GOOD, SEALING_KEYS: `k1:${encode(bytes)}` });
    expect([...(sealingKeys[0]?.secret ?? [])]).toEqual(bytes);
  });

  it.each([
    ["a key without kid", OTHER_KEY],
    ["an empty kid", `:${OTHER_KEY}`],
    ["a kid without key", "k1:"],
    ["a kid alone", "k1"],
    ["a kid of 33 characters", `${"k".repeat(33)}:${OTHER_KEY}`],
    ["a kid with a dot", `k.1:${OTHER_KEY}`],
    ["a kid with a space", `k 1:${OTHER_KEY}`],
    ["31 bytes", `k1:${OTHER_KEY.slice(0, 42)}`],
    ["33 bytes", `k1:${OTHER_KEY}A`],
    ["padding", `k1:${OTHER_KEY}=`],
    ["base64 instead of base64url", `k1:${KEY.replace("-", "+").replaceAll("_", "/")}`],
    ["hexadecimal", `k1:${"0f".repeat(32)}`],
    ["three fields", `k1:${OTHER_KEY}:primary`],
    ["a space inside the key", `k1:${OTHER_KEY.slice(0, 20)} ${OTHER_KEY.slice(21)}`],
    ["a key of zeros", `k1:${encode(Array.from({ length: 32 }, () => 0))}`],
    ["a key of one byte again and again", `k1:${encode(Array.from({ length: 32 }, () => 171))}`],
    ["a key of fifteen different bytes", `k1:${encode(Array.from({ length: 32 }, (_, at) => at % 15))}`],
    ["a password", `k1:${"correct-horse-battery-staple".padEnd(43, "!")}`],
    ["JSON", JSON.stringify({ k1: OTHER_KEY })],
    ["a good key and a broken one", `k1:${OTHER_KEY},k2:short`],
    ["a broken key first", `k2:short,k1:${OTHER_KEY}`],
    ["semicolons", `k1:${OTHER_KEY};k2:${KEY}`],
  ])("OWASP ASVS 11.2.3: %s is refused", (_, value) => {
    expect(problemsOf({ SEALING_KEYS: value })).toEqual([FORM]);
  });

  it.each([
    ["one kid twice", `k1:${OTHER_KEY},k1:${KEY}`],
    ["one key under two kids", `k1:${OTHER_KEY},k2:${OTHER_KEY}`],
    ["one key in two spellings", `k1:${OTHER_KEY},k2:${OTHER_KEY.slice(0, -1)}B`],
  ])("OWASP ASVS 11.2.3: %s is refused", (_, value) => {
    expect(problemsOf({ SEALING_KEYS: value })).toEqual([REPEAT]);
  });

  it.each([",", " , ", ",,,"])("OWASP ASVS 11.2.3: %j has no key", (value) => {
    expect(problemsOf({ SEALING_KEYS: value })).toEqual(["SEALING_KEYS has no key"]);
  });

  it("gateway: sixteen different bytes are enough for a key that is not made up", () => {
    const value = `k1:${encode(Array.from({ length: 32 }, (_, at) => at % 16))}`;
    expect(problemsOf({ SEALING_KEYS: value })).toEqual([]);
  });
});

const SECRET_HASH = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
const CLIENT = { client_id: "portal", redirect_uris: ["https://portal.test/callback"] };
const PROVEN = { client_secret_sha256: SECRET_HASH, token_endpoint_auth_method: "client_secret_basic" };

const read = (...entries: readonly unknown[]) => parsePreregisteredClients(JSON.stringify(entries));

describe(verifies("settings.clients", "machine.configured", "CLIENTS"), () => {
  it("RFC 7591 §2: a client with a redirect URI is a public one", () => {
    const { clients, problems } = read({ ...CLIENT, client_name: "Portal" });
    expect(problems).toEqual([]);
    expect(clients.get("portal")).toEqual({
      clientId: "portal",
      registration: "preregistered",
      clientName: "Portal",
      redirectUris: ["https://portal.test/callback"],
      tokenEndpointAuthMethod: "none",
      clientSecretHash: undefined,
      grantTypes: ["authorization_code", "refresh_token"],
    });
  });

  it("OWASP ASVS 13.3.1: a confidential one is configured with the hash of its secret", () => {
    const { clients, problems } = read({ ...CLIENT, ...PROVEN });
    expect(problems).toEqual([]);
    expect(clients.get("portal")).toMatchObject({
      tokenEndpointAuthMethod: "client_secret_basic",
      clientSecretHash: SECRET_HASH,
    });
  });

  it("RFC 7523 §2.2: a client that signs is configured with its public keys, and with nothing less", () => {
    const key = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "k1" };
    const signing = { ...CLIENT, token_endpoint_auth_method: "private_key_jwt" };
    const { clients, problems } = read({ ...signing, jwks: { keys: [key] } });
    expect(problems).toEqual([]);
    expect(clients.get("portal")).toMatchObject({
      tokenEndpointAuthMethod: "private_key_jwt",
      keys: { kind: "inline", keys: [key] },
      clientSecretHash: undefined,
    });
    const needsKeys = { problems: [expect.stringContaining("needs jwks with 1 to 20 public keys")] };
    expect(read(signing)).toMatchObject(needsKeys);
    expect(read({ ...signing, jwks: { keys: [{ ...key, d: "AAAA" }] } })).toMatchObject(needsKeys);
    expect(read({ ...signing, jwks: { keys: [key] }, client_secret_sha256: SECRET_HASH })).toMatchObject({
      problems: [expect.stringContaining("needs client_secret_sha256 exactly when")],
    });
  });

  it("RFC 6749 §4.4: a machine has client credentials, a proof, and no redirect URI", () => {
    const machine = { client_id: "nightly", grant_types: ["client_credentials"], ...PROVEN };
    const { clients, problems } = read(machine);
    expect(problems).toEqual([]);
    expect(clients.get("nightly")).toMatchObject({
      grantTypes: ["client_credentials"],
      redirectUris: [],
      tokenEndpointAuthMethod: "client_secret_basic",
      clientSecretHash: SECRET_HASH,
    });
  });

  it("RFC 6749 §4.4: a client may have client credentials beside its sign-in by browser", () => {
    const grant_types = ["authorization_code", "client_credentials"];
    const { clients } = read({ ...CLIENT, ...PROVEN, grant_types });
    expect(clients.get("portal")).toMatchObject({
      grantTypes: grant_types,
      redirectUris: CLIENT.redirect_uris,
    });
  });

  it.each([
    ["a public client", { client_secret_sha256: undefined, token_endpoint_auth_method: undefined }],
    ["no redirect URI beside a sign-in", { grant_types: ["authorization_code", "client_credentials"] }],
    ["a redirect URI that nothing would use", { redirect_uris: ["https://portal.test/callback"] }],
    ["a method we don't serve", { token_endpoint_auth_method: "client_secret_jwt" }],
    ["a name that is a number", { client_name: 7 }],
  ])("RFC 6749 §4.4: client credentials are refused with %s", (_, change) => {
    const machine = { client_id: "nightly", grant_types: ["client_credentials"], ...PROVEN, ...change };
    expect(read(machine).problems).toEqual([expect.stringMatching(/^entry 1 (needs|is refused)/)]);
  });

  it.each([
    ["no id", { client_id: undefined }],
    ["an empty id", { client_id: "" }],
    ["an id that looks registered", { client_id: "gcl_AAAAAAAAAAAAAAAAAAAAAA" }],
    ["an id that looks like a machine's", { client_id: "gmc_AAAAAAAAAAAAAAAAAAAAAA" }],
    ["an id that is a URL", { client_id: "https://portal.test/client.json" }],
    ["an id with a space", { client_id: "por tal" }],
    ["an id of 129 characters", { client_id: "p".repeat(129) }],
    ["an id that is a number", { client_id: 7 }],
  ])("gateway: %s is refused", (_, change) => {
    expect(read({ ...CLIENT, ...change })).toMatchObject({
      problems: [expect.stringMatching(/^entry 1 needs a client_id of letters/)],
    });
  });

  it.each([
    ["a secret in the clear", { ...PROVEN, client_secret_sha256: "portal-secret" }],
    ["a hash in hexadecimal", { ...PROVEN, client_secret_sha256: "ab".repeat(32) }],
    ["a hash that is a number", { ...PROVEN, client_secret_sha256: 7 }],
    ["a hash and no method", { client_secret_sha256: SECRET_HASH }],
    ["a method and no hash", { token_endpoint_auth_method: "client_secret_post" }],
    ["no redirect URI", { redirect_uris: [] }],
    ["a redirect URI over http", { redirect_uris: ["http://portal.test/callback"] }],
    ["a method we don't serve", { token_endpoint_auth_method: "client_secret_jwt" }],
    ["a name that is a number", { client_name: 7 }],
  ])("RFC 7591 §2: %s is refused, and the problem quotes nothing", (_, change) => {
    const { clients, problems } = read({ ...CLIENT, ...change });
    expect(clients.size).toBe(0);
    expect(problems).toEqual([expect.stringMatching(/^entry 1 (has|needs|is refused)/)]);
    expect(problems[0]).not.toMatch(/portal|abab|_jwt/);
  });

  it("gateway: every broken entry is named by its place, and the good ones are read", () => {
    const { clients, problems } = read(7, CLIENT, null, CLIENT, { ...CLIENT, client_id: "other" });
    expect([...clients.keys()]).toEqual(["portal", "other"]);
    expect(problems).toEqual([
      "entry 1 is not an object",
      "entry 3 is not an object",
      "entry 4 repeats a client_id",
    ]);
  });

  it.each(["", "{}", "null", "[", '[{"client_id":"a","client_id":"b"}]', '"portal"', "[]x"])(
    "RFC 8259 §4: %j is not an array of clients",
    (text) => {
      expect(parsePreregisteredClients(text).problems).toEqual(["must be a JSON array of clients"]);
    },
  );

  it("gateway: an empty array is no client, and the problems of entries reach the settings' own", () => {
    expect(problemsOf({ CLIENTS: "[]" })).toEqual([]);
    expect(problemsOf({ CLIENTS: "[7]" })).toEqual(["CLIENTS: entry 1 is not an object"]);
  });
});
