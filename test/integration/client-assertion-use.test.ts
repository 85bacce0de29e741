// private_key_jwt: an assertion is good for one use, and the keys that a client publishes elsewhere are found, kept and
// renewed. RFC 7523 §3, RFC 7517 §4.5 and §5, RFC 7591 §2 (jwks_uri).

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  assertionOf,
  expectProven,
  expectUnproven,
  newSigner,
  present,
  serveSigner,
  type Signer,
} from "../support/assertions.ts";
import { clientSites, newDocumentUrl } from "../support/client-site.ts";
import { ORIGIN } from "../support/flow.ts";
import { expectOAuthError } from "../support/refusals.ts";

let signer: Signer;
let clientId: string;

beforeAll(async () => {
  signer = await newSigner("ES256");
});

beforeEach(async () => {
  await clientSites.reset();
  clientId = await serveSigner({ jwks: { keys: [signer.publicJwk] } });
});

afterEach(() => {
  vi.useRealTimers();
});

describe(verifies("client_assertion.single_use", "an assertion presented more than once"), () => {
  it("RFC 7523 §3: the second use is refused, also at the other endpoint", async () => {
    const assertion = await assertionOf(signer, clientId);
    await expectProven(await present(assertion));
    await expectUnproven(await present(assertion));
    await expectUnproven(await present(assertion, {}, "/revoke"));
  });

  it("RFC 7523 §3: another assertion with the same jti is the same use", async () => {
    const jti = crypto.randomUUID();
    await expectProven(await present(await assertionOf(signer, clientId, { claims: { jti } })));
    await expectUnproven(
      await present(await assertionOf(signer, clientId, { claims: { jti, aud: `${ORIGIN}/token` } })),
    );
  });

  it("RFC 7523 §3: of 20 uses at once exactly one passes", async () => {
    const assertion = await assertionOf(signer, clientId);
    const answers = await Promise.all(Array.from({ length: 20 }, () => present(assertion)));
    const errors = await Promise.all(
      answers.map(async (answer) => (await answer.json<{ error: string }>()).error),
    );
    expect(errors.filter((error) => error === "invalid_grant")).toHaveLength(1);
    expect(errors.filter((error) => error === "invalid_client")).toHaveLength(19);
  });

  it("gateway: an assertion with a bad signature spends nothing, and clients do not share ids", async () => {
    const claims = { jti: "shared-id" };
    const forged = await assertionOf(await newSigner("ES256"), clientId, { claims });
    await expectUnproven(await present(forged));
    await expectProven(await present(await assertionOf(signer, clientId, { claims })));
    const other = await serveSigner({ jwks: { keys: [signer.publicJwk] } });
    await expectProven(await present(await assertionOf(signer, other, { claims })));
  });
});

describe(verifies("client_assertion.keys", "keys at jwks_uri"), () => {
  /** A client whose keys are at a URL of its own. */
  async function withKeySet(
    keys: readonly unknown[],
  ): Promise<{ readonly url: string; readonly uri: string }> {
    const uri = newDocumentUrl().replace("client.json", "jwks.json");
    await clientSites.serve(uri, { keys });
    return { url: await serveSigner({ jwks_uri: uri }), uri };
  }

  it("RFC 7591 §2: are fetched when they are needed, and kept", async () => {
    const { url, uri } = await withKeySet([signer.publicJwk]);
    await expectProven(await present(await assertionOf(signer, url)));
    await expectProven(await present(await assertionOf(signer, url)));
    const [request, ...more] = await clientSites.asked(uri);
    expect(more).toEqual([]);
    expect(request).toMatchObject({ method: "GET", body: "" });
  });

  it("gateway: are not fetched for an assertion that is refused for what it says", async () => {
    const { url, uri } = await withKeySet([signer.publicJwk]);
    await expectUnproven(
      await present(await assertionOf(signer, url, { claims: { aud: "https://x.test" } })),
    );
    expect(await clientSites.asked(uri)).toEqual([]);
  });

  it("RFC 7517 §4.5: a new key id makes the gateway look again, but not again and again", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const { url, uri } = await withKeySet([signer.publicJwk]);
    await expectProven(await present(await assertionOf(signer, url)));
    const next = await newSigner("ES256", "key-2");
    await clientSites.serve(uri, { keys: [next.publicJwk] });
    await expectUnproven(await present(await assertionOf(next, url)));
    expect(await clientSites.asked(uri)).toHaveLength(1);
    vi.setSystemTime(start + 31_000);
    await expectProven(await present(await assertionOf(next, url)));
    await expectUnproven(await present(await assertionOf(signer, url)));
    expect(await clientSites.asked(uri)).toHaveLength(2);
  });

  it("RFC 7517 §4.5: a new key that can't be looked for is no verdict; a known one still proves the client", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const { url, uri } = await withKeySet([signer.publicJwk]);
    await expectProven(await present(await assertionOf(signer, url)));
    await clientSites.answer(uri, { status: 503 });
    vi.setSystemTime(start + 3_600_000);
    await expectProven(await present(await assertionOf(signer, url)));
    const next = await newSigner("ES256", "key-2");
    await expectOAuthError(await present(await assertionOf(next, url)), "temporarily_unavailable", 503);
  });

  it("RFC 7517 §4.5: of several keys the named one is used, and without a name none is tried", async () => {
    const second = await newSigner("ES256", "key-2");
    const { url } = await withKeySet([signer.publicJwk, second.publicJwk]);
    await expectProven(await present(await assertionOf(second, url)));
    await expectUnproven(await present(await assertionOf(second, url, { header: { kid: "key-1" } })));
    await expectUnproven(await present(await assertionOf(second, url, { header: { kid: undefined } })));
  });

  it("RFC 7518 §6.2: a key that is no point on its curve proves nothing, and breaks nothing", async () => {
    const x = "A".repeat(43);
    const url = await serveSigner({ jwks: { keys: [{ kty: "EC", crv: "P-256", x, y: x, kid: "key-1" }] } });
    await expectUnproven(await present(await assertionOf(signer, url)));
    const okp = { kty: "OKP", crv: "Ed25519", x, kid: "key-1" };
    const other = await serveSigner({ jwks: { keys: [okp] } });
    await expectUnproven(await present(await assertionOf(await newSigner("EdDSA"), other)));
  });

  it("RFC 6749 §5.2: keys out of reach are a 503, keys that may not be used are invalid_client", async () => {
    const { url, uri } = await withKeySet([signer.publicJwk]);
    await clientSites.answer(uri, { status: 503 });
    await expectOAuthError(await present(await assertionOf(signer, url)), "temporarily_unavailable", 503);
    const spoilt = await withKeySet([{ ...signer.publicJwk, d: "AAAA" }]);
    await expectUnproven(await present(await assertionOf(signer, spoilt.url)));
  });

  it("draft §8: a key set is fetched as a document is: no redirect, 32,768 bytes, 20 keys", async () => {
    const moved = await withKeySet([]);
    const target = newDocumentUrl();
    await clientSites.serve(target, { keys: [signer.publicJwk] });
    await clientSites.answer(moved.uri, { status: 302, headers: { location: target } });
    await expectOAuthError(
      await present(await assertionOf(signer, moved.url)),
      "temporarily_unavailable",
      503,
    );
    expect(await clientSites.asked(target)).toEqual([]);

    const size = async (bytes: number): Promise<string> => {
      const bare = JSON.stringify({ keys: [signer.publicJwk], filler: "" }).length;
      const { url, uri } = await withKeySet([]);
      await clientSites.serve(uri, { keys: [signer.publicJwk], filler: "x".repeat(bytes - bare) });
      return url;
    };
    await expectProven(await present(await assertionOf(signer, await size(32_768))));
    await expectUnproven(await present(await assertionOf(signer, await size(32_769))));
    const many = await withKeySet(
      Array.from({ length: 21 }, (_, at) => ({ ...signer.publicJwk, kid: `key-${at}` })),
    );
    await expectUnproven(await present(await assertionOf(signer, many.url)));
  });
});
