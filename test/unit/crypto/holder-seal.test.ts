// src/crypto/holder-seal.ts: an answer is kept for whoever presents the same credential again.

import { CompactEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { decodeBase64Url, encodeBase64Url } from "../../../src/crypto/encoding.ts";
import { openForHolder, sealForHolder } from "../../../src/crypto/holder-seal.ts";
import { flipBit } from "./rings.ts";

const CREDENTIAL = "grt_the-refresh-token-that-was-presented";
const ANSWER = JSON.stringify({ accessToken: "gat_next", refreshToken: "grt_next" });

describe(verifies("seal.holder", "an answer kept for its holder"), () => {
  it("RFC 9700 §4.14.2: the credential opens what was sealed for it, and sealing twice differs", async () => {
    const [one, other] = await Promise.all([
      sealForHolder(CREDENTIAL, ANSWER),
      sealForHolder(CREDENTIAL, ANSWER),
    ]);
    expect(await openForHolder(CREDENTIAL, one)).toBe(ANSWER);
    expect(one).not.toBe(other);
    expect(atob((one.split(".")[3] ?? "").replaceAll("-", "+").replaceAll("_", "/"))).not.toContain("gat_");
  });

  it.each([`${CREDENTIAL}x`, CREDENTIAL.slice(0, -1), CREDENTIAL.toUpperCase(), "x"])(
    "RFC 9700 §4.14.2: the credential %j does not",
    async (credential) => {
      const sealed = await sealForHolder(CREDENTIAL, ANSWER);
      await expect(openForHolder(credential, sealed)).rejects.toThrow("decryption operation failed");
    },
  );

  it("NIST SP 800-38D §5.2: with any bit of IV, ciphertext or tag changed it is refused", async () => {
    const parts = (await sealForHolder(CREDENTIAL, ANSWER)).split(".");
    const opened: string[] = [];
    for (const part of [2, 3, 4]) {
      const bytes = decodeBase64Url(parts[part] ?? "");
      for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
        const changed = parts.with(part, encodeBase64Url(flipBit(bytes, bit))).join(".");
        const outcome = await openForHolder(CREDENTIAL, changed).catch(() => undefined);
        if (outcome !== undefined) opened.push(`part ${part}, bit ${bit}`);
      }
    }
    expect(opened).toEqual([]);
  });

  it.each([
    { alg: "dir", enc: "A128CBC-HS256" },
    { alg: "PBES2-HS256+A128KW", enc: "A256GCM" },
  ])("RFC 8725 §3.1: an answer under the header %j is refused", async (header) => {
    const key = new Uint8Array(32);
    const sealed = await new CompactEncrypt(new TextEncoder().encode(ANSWER))
      .setProtectedHeader(header)
      .encrypt(key);
    await expect(openForHolder(CREDENTIAL, sealed)).rejects.toMatchObject({
      code: "ERR_JOSE_ALG_NOT_ALLOWED",
    });
  });
});
