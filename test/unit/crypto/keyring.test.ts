// src/crypto/keyring.ts and encoding.ts: one key for each purpose, and the bytes that everything random is made of.

import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import {
  constantTimeEqual,
  decodeBase64Url,
  encodeBase64Url,
  randomBytes,
  sha256,
} from "../../../src/crypto/encoding.ts";
import { createKeyring, type Purpose } from "../../../src/crypto/keyring.ts";
import { PURPOSES, ringOf, secretOf, SEALING_PURPOSES } from "./rings.ts";

async function keyOf(purpose: Purpose, kid = "k1"): Promise<CryptoKey> {
  const key = await ringOf("k1", "k2").key(purpose, kid);
  if (key === undefined) throw new Error(`The ring has no ${kid}`);
  return key;
}

/** What identifies a key that cannot be exported: what it makes of a fixed message. */
async function fingerprint(key: CryptoKey): Promise<string> {
  const message = new Uint8Array(32);
  const made =
    key.type === "secret" && key.usages.includes("sign")
      ? await crypto.subtle.sign("HMAC", key, message)
      : await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, message);
  return encodeBase64Url(new Uint8Array(made));
}

describe(verifies("keys.purposes", "the key ring"), () => {
  it("RFC 5869 §3.2: every purpose and every kid has a key of its own", async () => {
    const keys = await Promise.all(PURPOSES.flatMap((purpose) => [keyOf(purpose), keyOf(purpose, "k2")]));
    const prints = await Promise.all(keys.map(fingerprint));
    expect(new Set(prints).size).toBe(2 * PURPOSES.length);
  });

  it("RFC 5869 §2: the same secret gives the same key in every isolate", async () => {
    const [one, other] = await Promise.all([keyOf("gong-tokens"), keyOf("gong-tokens")]);
    expect(one).not.toBe(other);
    expect(await fingerprint(one)).toBe(await fingerprint(other));
  });

  it.each(PURPOSES)("OWASP ASVS 11.7.2: the key for %s can't be exported", async (purpose) => {
    const key = await keyOf(purpose);
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow(/extractable/);
    await expect(crypto.subtle.exportKey("jwk", key)).rejects.toThrow(/extractable/);
  });

  it("NIST SP 800-57 Part 1 §5.2: a key that seals can't sign, and the one that signs can't seal", async () => {
    for (const purpose of SEALING_PURPOSES) {
      expect([...(await keyOf(purpose)).usages].sort()).toEqual(["decrypt", "encrypt"]);
    }
    expect((await keyOf("credential-tag")).usages).toEqual(["sign"]);
  });

  it("gateway: the first entry seals, a kid that is not there has no key, and an empty ring is refused", async () => {
    const ring = ringOf("k2", "k1");
    expect([ring.sealingKid, ring.kids]).toEqual(["k2", ["k2", "k1"]]);
    expect(await ring.key("gong-tokens", "k3")).toBeUndefined();
    expect(await ring.key("gong-tokens", "")).toBeUndefined();
    expect(() => createKeyring([])).toThrow("A key ring needs a key");
  });

  it("OWASP ASVS 16.2.5: a ring that is printed shows no secret", () => {
    const printed = JSON.stringify(ringOf("k1"));
    expect(printed).not.toContain(encodeBase64Url(secretOf("k1")));
    expect(JSON.parse(printed)).toEqual({ sealingKid: "k1", kids: ["k1"] });
  });
});

describe(verifies("keys.purposes", "bytes and texts"), () => {
  it("RFC 4648 §5: base64url has no padding, and every length comes back", () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = randomBytes(length);
      const text = encodeBase64Url(bytes);
      expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
      expect(decodeBase64Url(text)).toEqual(bytes);
    }
  });

  it("OWASP ASVS 11.5.1: random bytes have the length asked for and do not repeat", () => {
    const drawn = Array.from({ length: 1000 }, () => encodeBase64Url(randomBytes(16)));
    expect(new Set(drawn).size).toBe(1000);
  });

  it("FIPS 180-4: SHA-256 of abc, in base64url", async () => {
    expect(await sha256("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  });

  it.each([
    ["", "", true],
    ["abc", "abc", true],
    ["abc", "abd", false],
    ["abc", "ab", false],
    ["abc", "abcd", false],
    ["é", "e\u0301", false],
  ])("OWASP ASVS 11.2.4: %j and %j are equal: %s", (one, other, equal) => {
    expect(constantTimeEqual(one, other)).toBe(equal);
  });
});
