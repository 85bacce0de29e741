// src/crypto/seal.ts: a sealed value says which key it needs and decides nothing else about how it is opened.

import { FlattenedEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { encodeBase64Url } from "../../../src/crypto/encoding.ts";
import { open, seal, sealedWith, Unsealable, type SealContext } from "../../../src/crypto/seal.ts";
import { ringOf } from "./rings.ts";

const PLACE: SealContext = {
  purpose: "transaction",
  environment: "https://gateway.test",
  object: "object-1",
  field: "continuation",
  generation: 1,
};
const GOOD = { alg: "dir", enc: "A256GCM", kid: "k1" };

/** What the additional data of PLACE is; `seal` agreeing with it is the control of every test here. */
const ADDITIONAL = new TextEncoder().encode(
  JSON.stringify([1, PLACE.purpose, PLACE.environment, PLACE.object, PLACE.field, PLACE.generation]),
);

/** A value sealed with the right key for the right place, under a header of our choice. */
async function sealedUnder(header: { alg: string; enc: string; kid: string }): Promise<string> {
  const key = await ringOf("k1").key(PLACE.purpose, "k1");
  if (key === undefined) throw new Error("The ring has no k1");
  const jwe = await new FlattenedEncrypt(new TextEncoder().encode("secret"))
    .setProtectedHeader(header)
    .setAdditionalAuthenticatedData(ADDITIONAL)
    .encrypt(key);
  return [jwe.protected, jwe.iv, jwe.ciphertext, jwe.tag].join(".");
}

const headerOf = (header: object): string =>
  encodeBase64Url(new TextEncoder().encode(JSON.stringify(header)));

describe(verifies("seal.header", "the header of a sealed value"), () => {
  it("control: a value made outside of seal() with the right key, place and header opens", async () => {
    expect(await open(ringOf("k1"), PLACE, await sealedUnder(GOOD))).toBe("secret");
  });

  it.each([
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "RSA1_5" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "RSA-OAEP" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "PBES2-HS256+A128KW", p2c: 10_000_000, p2s: "c2FsdHNhbHQ" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "A256KW" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "A256GCMKW", iv: "AAAAAAAAAAAAAAAA", tag: "AAAAAAAAAAAAAAAAAAAAAA" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "ECDH-ES", epk: { kty: "EC", crv: "P-256", x: "AA", y: "AA" } }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { alg: "none" }],
    ["ERR_JWE_INVALID", { alg: undefined }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { enc: "A128GCM" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { enc: "A256CBC-HS512" }],
    ["ERR_JOSE_ALG_NOT_ALLOWED", { enc: "A256GCM-SIV" }],
    ["ERR_JWE_INVALID", { enc: undefined }],
    ["ERR_JOSE_NOT_SUPPORTED", { crit: ["exp"], exp: 1 }],
    ["ERR_JOSE_NOT_SUPPORTED", { crit: ["b64"], b64: false }],
  ])("RFC 8725 §3.1, RFC 7516 §4.1: %s for the header with %j", async (code, change) => {
    const [, iv, ciphertext, tag] = (await sealedUnder(GOOD)).split(".");
    const changed = [headerOf({ ...GOOD, ...change }), iv, ciphertext, tag].join(".");
    const before = Date.now();
    const refused = await open(ringOf("k1"), PLACE, changed).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "Unsealable", cause: { code } });
    expect(Date.now() - before).toBeLessThan(500);
  });

  it.each([1, null, undefined, ["k1"], "k2"])("RFC 7516 §4.1.6: the kid %j selects no key", async (kid) => {
    const [, iv, ciphertext, tag] = (await sealedUnder(GOOD)).split(".");
    const changed = [headerOf({ ...GOOD, kid }), iv, ciphertext, tag].join(".");
    const refused = await open(ringOf("k1"), PLACE, changed).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "Unsealable", cause: undefined });
  });

  it("RFC 7516 §4.1.3: a value that is really compressed is refused, even with the right key", async () => {
    const key = await ringOf("k1").key(PLACE.purpose, "k1");
    if (key === undefined) throw new Error("The ring has no k1");
    const sealing = new FlattenedEncrypt(new TextEncoder().encode("secret"))
      .setProtectedHeader({ ...GOOD, zip: "DEF" })
      .setAdditionalAuthenticatedData(ADDITIONAL);
    const jwe = await sealing.encrypt(key);
    const sealed = [jwe.protected, jwe.iv, jwe.ciphertext, jwe.tag].join(".");
    await expect(open(ringOf("k1"), PLACE, sealed)).rejects.toBeInstanceOf(Unsealable);
  });
});

describe(verifies("seal.rotation", "a ring with several keys"), () => {
  it("NIST SP 800-57 §5.3.4: the first key seals, and what an older one sealed still opens", async () => {
    const old = await seal(ringOf("k1"), PLACE, "old");
    const rotated = ringOf("k2", "k1");
    expect(await open(rotated, PLACE, old)).toBe("old");
    const fresh = await seal(rotated, PLACE, "new");
    expect(sealedWith(fresh)).toBe("k2");
    expect(await open(ringOf("k1", "k2"), PLACE, fresh)).toBe("new");
  });

  it("NIST SP 800-57 §5.3.4: a key that is gone is named, and its return opens the value", async () => {
    const sealed = await seal(ringOf("k1"), PLACE, "secret");
    await expect(open(ringOf("k2"), PLACE, sealed)).rejects.toMatchObject({
      name: "Unsealable",
      missingKid: "k1",
    });
    expect(await open(ringOf("k2", "k1"), PLACE, sealed)).toBe("secret");
  });

  it("RFC 8725 §3.10: the kid selects one key; another key of the ring is not tried", async () => {
    const [, iv, ciphertext, tag] = (await seal(ringOf("k1"), PLACE, "secret")).split(".");
    const renamed = [headerOf({ ...GOOD, kid: "k2" }), iv, ciphertext, tag].join(".");
    await expect(open(ringOf("k1", "k2"), PLACE, renamed)).rejects.toMatchObject({ missingKid: undefined });
  });

  it("OWASP ASVS 16.2.5: a refusal prints neither the value nor a key", async () => {
    const sealed = await seal(ringOf("k1"), PLACE, "canary-content");
    const refused = await open(ringOf("k1"), { ...PLACE, field: "outcome" }, sealed).catch(String);
    expect(refused).toBe("Unsealable: Sealed value does not open");
  });
});
