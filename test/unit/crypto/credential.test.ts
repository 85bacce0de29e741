// src/crypto/credential.ts: only what this gateway minted, for this kind, resource and time, is read.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import {
  isId,
  mintCredential,
  randomId,
  readCredential,
  type CredentialClaims,
  type CredentialKind,
} from "../../../src/crypto/credential.ts";
import { decodeBase64Url, encodeBase64Url, sha256 } from "../../../src/crypto/encoding.ts";
import type { Keyring } from "../../../src/crypto/keyring.ts";
import { flipBit, ringOf } from "./rings.ts";

const KINDS = ["code", "access", "refresh", "agent_key", "state"] as const satisfies CredentialKind[];
const PREFIXES = ["gac_", "gat_", "grt_", "gak_", "gst_"];
const MAIN = "https://gateway.test/mcp";
const SHARED = "https://gateway.test/shared/mcp";
const RING = ringOf("k1");
const NOW = 1_800_000_000;
const CLAIMS: CredentialClaims = {
  connectionId: randomId(),
  grantId: randomId(),
  generation: 3,
  expiresAt: NOW + 60,
  resource: MAIN,
};

const mint = async (kind: CredentialKind, changes: Partial<CredentialClaims> = {}, ring = RING) =>
  (await mintCredential(ring, kind, { ...CLAIMS, ...changes })).value;

const read = (kind: CredentialKind, value: string, now = NOW, ring: Keyring = RING, resources = [MAIN]) =>
  readCredential(ring, kind, value, resources, now);

describe(verifies("credential.claims", "a credential of ours"), () => {
  it.each(KINDS)(
    "RFC 6749 §10.10: a %s credential gives back its claims and the hash to look it up by",
    async (kind) => {
      const minted = await mintCredential(RING, kind, CLAIMS);
      expect(minted.hash).toBe(await sha256(minted.value));
      expect(await read(kind, minted.value)).toEqual({ ...CLAIMS, hash: minted.hash });
    },
  );

  it("gateway: each kind has a prefix that secret scanners can find, and 124 characters", async () => {
    const minted = await Promise.all(KINDS.map((kind) => mint(kind)));
    expect(minted.map((value) => value.slice(0, 4))).toEqual(PREFIXES);
    for (const value of minted) expect(value).toMatch(/^g[a-z]{2}_[A-Za-z0-9_-]{124}$/);
  });

  it("RFC 6749 §10.10: equal claims give credentials that differ in 256 random bits", async () => {
    const minted = await Promise.all(Array.from({ length: 200 }, () => mint("access")));
    const secrets = minted.map((value) => encodeBase64Url(decodeBase64Url(value.slice(4)).subarray(45, 77)));
    expect(new Set(secrets).size).toBe(200);
  });

  it("gateway: any claims in range come back", async () => {
    const number = fc.integer({ min: 0, max: 0xff_ff_ff_ff });
    await fc.assert(
      fc.asyncProperty(number, number, async (generation, expiresAt) => {
        const value = await mint("refresh", { generation, expiresAt });
        const claims = await read("refresh", value, expiresAt - 1);
        expect(claims).toMatchObject({ generation, expiresAt });
      }),
      { numRuns: 100, seed: 20_261 },
    );
  });

  it("gateway: a random id has the form of an id, and nothing else has", () => {
    const ids = Array.from({ length: 1000 }, randomId);
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every(isId)).toBe(true);
    const id = ids[0] ?? "";
    const others = [
      "",
      id.slice(1),
      `${id}A`,
      `${id.slice(0, 21)}B`,
      `${id.slice(0, 21)}=`,
      ` ${id}`,
      `${id}\n`,
    ];
    expect(others.filter(isId)).toEqual([]);
  });
});

describe(verifies("credential.kind", "kinds of credentials"), () => {
  it("RFC 8725 §3.11: of all kinds only its own reads a credential, with its own prefix or any other", async () => {
    const taken: string[] = [];
    for (const minted of KINDS) {
      const value = await mint(minted);
      for (const [at, kind] of KINDS.entries()) {
        const renamed = (PREFIXES[at] ?? "") + value.slice(4);
        if ((await read(kind, value)) !== undefined) taken.push(`${minted} as ${kind}`);
        if ((await read(kind, renamed)) !== undefined) taken.push(`${minted} renamed to ${kind}`);
      }
    }
    expect(taken).toEqual(KINDS.flatMap((kind) => [`${kind} as ${kind}`, `${kind} renamed to ${kind}`]));
  });
});

describe(verifies("credential.tag", "credentials that are refused"), () => {
  it("RFC 6750 §5.2: with any bit changed it is refused", async () => {
    const value = await mint("access");
    const bytes = decodeBase64Url(value.slice(4));
    const taken: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const changed = `gat_${encodeBase64Url(flipBit(bytes, bit))}`;
      if ((await read("access", changed)) !== undefined) taken.push(bit);
    }
    expect(taken).toEqual([]);
  });

  it("RFC 4648 §3.5: it has one spelling", async () => {
    const value = await mint("access");
    const others = [
      `${value}=`,
      `${value}==`,
      `${value.slice(0, -1)}+`,
      `${value.slice(0, -1)}/`,
      `${value}A`,
      value.slice(0, -1),
      ` ${value}`,
      `${value} `,
      `${value}\n`,
      `GAT_${value.slice(4)}`,
      value.replace("gat_", "gat%5F"),
      value.slice(4),
      `gat_${value}`,
      "gat_",
      "",
    ];
    const outcomes = await Promise.all(others.map((other) => read("access", other)));
    expect(outcomes).toEqual(others.map(() => undefined));
    expect(await read("access", value)).toBeDefined();
  });

  it.each([
    [NOW + 59, true],
    [NOW + 60, false],
    [NOW + 61, false],
    [NOW - 300, true],
  ])("RFC 6749 §4.2.2: at %i its expiry lets it pass: %s", async (now, passes) => {
    expect((await read("access", await mint("access"), now)) !== undefined).toBe(passes);
  });

  it("RFC 8707 §2: it is good for its own resource only, and says which", async () => {
    const value = await mint("access", { resource: SHARED });
    expect(await read("access", value)).toBeUndefined();
    expect(await read("access", value, NOW, RING, [])).toBeUndefined();
    expect(await read("access", value, NOW, RING, [MAIN, SHARED])).toMatchObject({ resource: SHARED });
    expect(await read("access", value, NOW, RING, [`${SHARED}/`])).toBeUndefined();
  });

  it("NIST SP 800-57 §5.3.4: what an older key tagged is read while that key is in the ring", async () => {
    const value = await mint("refresh");
    expect(await read("refresh", value, NOW, ringOf("k2", "k1"))).toMatchObject({ generation: 3 });
    expect(await read("refresh", value, NOW, ringOf("k2"))).toBeUndefined();
    const fresh = await mint("refresh", {}, ringOf("k2", "k1"));
    expect(await read("refresh", fresh, NOW, ringOf("k2"))).toBeDefined();
    expect(await read("refresh", fresh)).toBeUndefined();
  });

  it("RFC 6750 §5.2: 2,000 made-up credentials of the right form are refused", async () => {
    const genuine = decodeBase64Url((await mint("access")).slice(4));
    for (let attempt = 0; attempt < 2000; attempt += 1) {
      const bytes = crypto.getRandomValues(new Uint8Array(93));
      // A forger knows everything but the tag: version, key, ids, generation and a future expiry.
      bytes.set(genuine.subarray(0, attempt % 78));
      expect(await read("access", `gat_${encodeBase64Url(bytes)}`)).toBeUndefined();
    }
  });
});
