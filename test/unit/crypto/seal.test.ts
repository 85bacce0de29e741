// src/crypto/seal.ts: what was sealed opens in its own place, whole, or not at all.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { decodeBase64Url, encodeBase64Url } from "../../../src/crypto/encoding.ts";
import type { Keyring } from "../../../src/crypto/keyring.ts";
import { open, seal, sealedWith, Unsealable, type SealContext } from "../../../src/crypto/seal.ts";
import { flipBit, ringOf, SEALING_PURPOSES } from "./rings.ts";

const RING = ringOf("k1");
const PLACE: SealContext = {
  purpose: "gong-tokens",
  environment: "https://gateway.test",
  object: "object-1",
  field: "access_token",
  generation: 7,
};
const SECRET = "gong-access-canary";

async function refusalOf(sealed: string, ring: Keyring = RING, place = PLACE): Promise<Unsealable | string> {
  try {
    return `opened: ${await open(ring, place, sealed)}`;
  } catch (error) {
    if (error instanceof Unsealable) return error;
    throw error;
  }
}

/** The four parts of a sealed value as bytes, changed by `change`, and put together again. */
function withParts(sealed: string, change: (parts: Uint8Array[]) => Uint8Array[]): string {
  const parts: Uint8Array[] = sealed.split(".").map((part) => decodeBase64Url(part));
  return change(parts).map(encodeBase64Url).join(".");
}

describe(verifies("seal.round_trip", "sealing and opening"), () => {
  it("RFC 7516 §5: any text comes back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
        expect(await open(RING, PLACE, await seal(RING, PLACE, text))).toBe(text);
      }),
      { numRuns: 40, seed: 20_261 },
    );
  });

  it("NIST SP 800-38D §8.2: sealing twice gives two values, each with an IV of its own", async () => {
    const values = await Promise.all(Array.from({ length: 100 }, () => seal(RING, PLACE, SECRET)));
    expect(new Set(values.map((value) => value.split(".")[1])).size).toBe(100);
  });

  it("OWASP ASVS 14.2.4: neither the content nor the place can be read from the sealed value", async () => {
    const parts = (await seal(RING, PLACE, SECRET)).split(".").map((part) => atobUrl(part));
    for (const shown of [SECRET, PLACE.environment, PLACE.object, PLACE.field, "gong-tokens"]) {
      expect(parts.join("\n")).not.toContain(shown);
    }
  });

  it("RFC 7516 §4.1: the header names direct encryption, A256GCM and the kid, and nothing else", async () => {
    const [header = ""] = (await seal(RING, PLACE, SECRET)).split(".");
    expect(JSON.parse(atobUrl(header))).toEqual({ alg: "dir", enc: "A256GCM", kid: "k1" });
  });
});

describe(verifies("seal.context", "the place of a sealed value"), () => {
  it.each([
    ["another deployment", { environment: "https://gateway.test.evil" }],
    ["another object", { object: "object-2" }],
    ["another field", { field: "refresh_token" }],
    ["an older generation", { generation: 6 }],
    ["a newer generation", { generation: 8 }],
    ["no object", { object: "" }],
    ["parts that only concatenate to the same text", { object: "object-1access", field: "_token" }],
  ])("OWASP ASVS 11.3.3: %s does not open it", async (_, change) => {
    const sealed = await seal(RING, PLACE, SECRET);
    expect(await refusalOf(sealed, RING, { ...PLACE, ...change })).toBeInstanceOf(Unsealable);
    expect(await open(RING, PLACE, sealed)).toBe(SECRET);
  });

  it("OWASP ASVS 11.2.4: of all purposes only its own opens a value", async () => {
    for (const sealing of SEALING_PURPOSES) {
      const sealed = await seal(RING, { ...PLACE, purpose: sealing }, SECRET);
      const opening = await Promise.all(
        SEALING_PURPOSES.map((purpose) => refusalOf(sealed, RING, { ...PLACE, purpose })),
      );
      const opened = SEALING_PURPOSES.filter((_, at) => typeof opening[at] === "string");
      expect(opened).toEqual([sealing]);
    }
  });
});

describe(verifies("seal.tampering", "a sealed value that was changed"), () => {
  it("NIST SP 800-38D §5.2, RFC 7516 §5.2: with any bit of any part changed it is refused", async () => {
    const sealed = await seal(RING, PLACE, SECRET);
    const opened: string[] = [];
    for (const part of [0, 1, 2, 3]) {
      const bits = 8 * decodeBase64Url(sealed.split(".")[part] ?? "").length;
      for (let bit = 0; bit < bits; bit += 1) {
        const changed = withParts(sealed, (parts) =>
          parts.map((bytes, at) => (at === part ? flipBit(bytes, bit) : bytes)),
        );
        if (!((await refusalOf(changed)) instanceof Unsealable)) opened.push(`part ${part}, bit ${bit}`);
      }
    }
    expect(opened).toEqual([]);
  });

  it("RFC 7518 §5.3: cut short anywhere it is refused", async () => {
    const sealed = await seal(RING, PLACE, SECRET);
    const outcomes = await Promise.all(
      Array.from({ length: sealed.length }, (_, length) => refusalOf(sealed.slice(0, length))),
    );
    expect(outcomes.filter((outcome) => !(outcome instanceof Unsealable))).toEqual([]);
  });

  it.each([1, 2, 3])("RFC 7518 §5.3: with part %i shorter or longer it is refused", async (part) => {
    const sealed = await seal(RING, PLACE, SECRET);
    const sizes = [0, 4, 8, 11, 12, 13, 15, 16, 17, 18, 19, 32];
    const resized = sizes
      .map((size) => withParts(sealed, (parts) => parts.with(part, sized(parts[part], size))))
      .filter((value) => value !== sealed);
    expect(resized.length).toBe(sizes.length - 1);
    const outcomes = await Promise.all(resized.map((value) => refusalOf(value)));
    expect(outcomes.filter((outcome) => !(outcome instanceof Unsealable))).toEqual([]);
  });

  it.each(["", ".", "...", "....", "a.b.c.d", "e30.e30.e30.e30", "bnVsbA.a.a.a", "\u0000.\u0000.é.é"])(
    "gateway: %j is no sealed value",
    async (text) => {
      expect(await refusalOf(text)).toBeInstanceOf(Unsealable);
      expect(sealedWith(text)).toBeUndefined();
    },
  );

  it("RFC 7516 §7.2: parts of two sealed values do not make a third one", async () => {
    const one = (await seal(RING, PLACE, SECRET)).split(".");
    const other = (await seal(RING, PLACE, "another secret at all")).split(".");
    for (const part of [1, 2, 3]) {
      const mixed = one.map((text, at) => (at === part ? (other[at] ?? "") : text)).join(".");
      expect(await refusalOf(mixed)).toBeInstanceOf(Unsealable);
    }
  });
});

function atobUrl(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}

function sized(bytes: Uint8Array | undefined, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes?.subarray(0, length) ?? []);
  return result;
}
