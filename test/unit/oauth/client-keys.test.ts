// Subject: src/oauth/client-keys.ts. RFC 7517 §4 and §5, RFC 7518 §6, RFC 8037 §2.
import { describe, expect, it } from "vitest";
import { parseClientKeys } from "../../../src/oauth/client-keys.ts";
import { verifies } from "../../conformance/verifies.ts";

const COORDINATE = `${"A".repeat(42)}E`;
const EC = { kty: "EC", crv: "P-256", x: COORDINATE, y: COORDINATE };
const OKP = { kty: "OKP", crv: "Ed25519", x: COORDINATE };

/** base64url of a number whose highest bit is bit `bits`. */
function modulus(bits: number): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  bytes[0] = 0xff >> (bytes.length * 8 - bits);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

const rsa = (bits: number, e = "AQAB") => ({ kty: "RSA", n: modulus(bits), e });

describe(verifies("client_assertion.keys", "the keys of a client"), () => {
  it("RFC 7517 §5: keys of the three types are kept with their id and algorithm, and nothing else", () => {
    const keys = [
      { ...rsa(2_048), kid: "r", alg: "PS256", use: "sig", x5c: ["…"] },
      { ...EC, key_ops: ["verify"], ext: true },
      { ...OKP, kid: "" },
    ];
    expect(parseClientKeys({ keys, other: 1 })).toEqual([
      { kid: "r", alg: "PS256", ...rsa(2_048) },
      EC,
      { ...OKP, kid: "" },
    ]);
  });

  it.each([
    [2_047, 0],
    [2_048, 1],
    [3_072, 1],
    [4_096, 1],
    [4_097, 0],
    [8_192, 0],
    [16_384, 0],
  ])("RFC 8725 §3.5: of an RSA key of %i bits %i are kept", (bits, kept) => {
    expect(parseClientKeys({ keys: [rsa(bits), EC] })).toHaveLength(kept + 1);
  });

  it.each([
    ["another type", { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA" }],
    ["another curve", { ...EC, crv: "P-384" }],
    ["secp256k1", { ...EC, crv: "secp256k1" }],
    ["X25519", { ...OKP, crv: "X25519" }],
    ["encryption", { ...EC, use: "enc" }],
    ["operations without verify", { ...EC, key_ops: ["encrypt"] }],
    ["another algorithm", { ...EC, alg: "ES384" }],
    ["a symmetric algorithm", { ...EC, alg: "HS256" }],
    ["an id that is not text", { ...EC, kid: 1 }],
    ["an id of 257 characters", { ...EC, kid: "k".repeat(257) }],
    ["a coordinate too short", { ...EC, x: "AAAA" }],
    ["a coordinate that is not base64url", { ...EC, x: `${"A".repeat(42)}=` }],
    ["a coordinate with spare bits", { ...EC, x: `${"A".repeat(42)}B` }],
    ["no coordinate", { kty: "EC", crv: "P-256" }],
    ["the exponent 1", rsa(2_048, "AQ")],
    ["the exponent 3", rsa(2_048, "Aw")],
    ["a modulus with a leading zero", { kty: "RSA", n: `AA${modulus(2_048).slice(2)}`, e: "AQAB" }],
  ])("RFC 7517 §5: a key of %s is passed over, and alone is no key set", (_what, key) => {
    expect(parseClientKeys({ keys: [key, OKP] })).toEqual([OKP]);
    expect(parseClientKeys({ keys: [key] })).toBeUndefined();
  });

  it.each(["d", "p", "q", "dp", "dq", "qi", "oth", "k"])(
    "draft §4.1: one key with the private member %s spoils the set",
    (member) => {
      expect(parseClientKeys({ keys: [OKP, { ...EC, [member]: "AAAA" }] })).toBeUndefined();
      expect(parseClientKeys({ keys: [OKP, EC] })).toHaveLength(2);
    },
  );

  it("draft §4.1: a symmetric key spoils the set, also without its value", () => {
    expect(parseClientKeys({ keys: [OKP, { kty: "oct" }] })).toBeUndefined();
  });

  it.each([
    ["not an object", []],
    ["null", null],
    ["without keys", {}],
    ["with keys that are no list", { keys: { 0: OKP } }],
    ["with a key that is no object", { keys: [OKP, "key"] }],
    ["with 21 keys", { keys: Array.from({ length: 21 }, () => OKP) }],
  ])("RFC 7517 §5: a key set that is %s is none", (_what, value) => {
    expect(parseClientKeys(value)).toBeUndefined();
  });

  it("20 keys are taken", () => {
    expect(parseClientKeys({ keys: Array.from({ length: 20 }, () => OKP) })).toHaveLength(20);
  });
});
