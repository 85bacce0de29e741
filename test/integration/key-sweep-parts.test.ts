// The key sweep of a deployment: people and connections, in parts, and the page that goes on from part to part. One
// connection: key-sweep.test.ts.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeBase64Url, randomBytes } from "../../src/crypto/encoding.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { open, seal, sealedWith } from "../../src/crypto/seal.ts";
import { openGateway } from "../../src/domain/gateway.ts";
import { resealPeople } from "../../src/domain/people.ts";
import { sweepKeys } from "../../src/domain/rotate-keys.ts";
import { createGongSeals } from "../../src/storage/gong-seals.ts";
import type { PersonRow } from "../../src/storage/people.ts";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import {
  GONG_TOKENS,
  newAuthorization,
  newGrant,
  openConnection,
  rows,
  tamper,
} from "../support/connection.ts";
import { ADMIN_TOKEN, TestBrowser } from "../support/flow.ts";
import { readForms } from "../support/html.ts";

const NEW = { kid: "new", secret: new Uint8Array(32).fill(8) };
const OLD_RING = createKeyring([{ kid: "old", secret: new Uint8Array(32).fill(7) }]);
const BY = actorNamed("admin");

describe(
  verifies("keys.sweep_in_parts", "a sweep over more connections than one request may look at"),
  () => {
    const ALL = 7;

    /** Of all connections, the first that the sweep comes to can't be opened. */
    beforeAll(async () => {
      const ids: string[] = [];
      for (let index = 0; index < ALL; index += 1) {
        const { connection } = await openConnection();
        ids.push(connection.name ?? "");
        await env.ADMIN.getByName("admin").recordConnection(
          { id: connection.name ?? "", integration: "main" },
          undefined,
        );
      }
      const first = env.CONNECTIONS.getByName(ids.sort()[0] ?? "");
      const tokens = await createGongSeals(OLD_RING, env.PUBLIC_URL, first.name ?? "").sealTokens(
        { accessToken: "a", refreshToken: "r" },
        1,
      );
      await tamper(first, "UPDATE connection SET gong_access_token_sealed = ?", tokens.accessTokenSealed);
    });

    const gatewayOf = (keys = env.SEALING_KEYS) =>
      openGateway({ ...env, SEALING_KEYS: keys }, createExecutionContext());

    it("gateway: each part goes on where the one before stopped, adds up, and only the last leaves nothing over", async () => {
      let sweep = await sweepKeys(gatewayOf(), BY, undefined, 2);
      expect(sweep).toMatchObject({ looked: 2, left: ALL - 2 });
      const looked = [sweep.looked];
      while (sweep.next !== undefined) {
        sweep = await sweepKeys(gatewayOf(), BY, sweep.next, 2);
        looked.push(sweep.looked);
      }
      expect(looked).toEqual([2, 4, 6, 7]);
      expect(sweep.left).toBe(0);
      const { resealed: _, ...whole } = await sweepKeys(gatewayOf(), BY);
      expect(sweep).toMatchObject(whole);
    });

    it("gateway: what was found in the first part is still in the last: a missing key is not forgotten", async () => {
      const first = await sweepKeys(gatewayOf(), BY, undefined, 1);
      const { unreadableCount: whole } = await sweepKeys(gatewayOf(), BY);
      let sweep = first;
      while (sweep.next !== undefined) sweep = await sweepKeys(gatewayOf(), BY, sweep.next, 1);
      expect([first.unreadableCount, sweep.unreadableCount, whole]).toEqual([1, 1, 1]);
      expect(sweep.unreadable).toEqual([{ what: expect.any(String), missingKid: "old" }]);
    });

    it.each(["", "x", "a.b.c.d"])("gateway: a progress that is not ours (%j) begins anew", async (forged) => {
      const sweep = await sweepKeys(gatewayOf(), BY, forged, 2);
      expect(sweep.looked).toBe(2);
    });

    it("gateway: when the first key has changed between two parts, the sweep begins anew", async () => {
      const first = await sweepKeys(gatewayOf(), BY, undefined, 2);
      const fresh = `new:${encodeBase64Url(randomBytes(32))}`;
      const changed = gatewayOf(`${fresh},${env.SEALING_KEYS}`);
      expect((await sweepKeys(gatewayOf(), BY, first.next, 2)).looked).toBe(4);
      expect((await sweepKeys(changed, BY, first.next, 2)).looked).toBe(2);
      // Back to the key that the objects have.
      await sweepKeys(gatewayOf(`${env.SEALING_KEYS},${fresh}`), BY);
    });

    it("gateway: the admin's page goes on from the form of the part before", async () => {
      const { next = "" } = await sweepKeys(gatewayOf(), BY, undefined, 2);
      const [id = ""] = await env.ADMIN.getByName("admin").connectionIds("", 1);
      const healed = env.CONNECTIONS.getByName(id);
      await healed.connectGong("main", GONG_TOKENS, newAuthorization(), await newGrant());
      const admin = new TestBrowser();
      await admin.post("/admin/sign-in", { token: ADMIN_TOKEN });
      const page = await (await admin.open("/admin/sealing-keys")).text();
      const form = readForms(page).find(({ action }) => action.endsWith("/keys/sweep"));
      const press = async (more: Record<string, string>) =>
        (
          await admin.post("/admin/keys/sweep", { ...Object.fromEntries(form?.fields ?? []), ...more })
        ).text();
      // What the part before found is told again; a sweep from the beginning finds it healed.
      expect(await press({ next })).toContain("Unreadable");
      expect(await press({})).not.toContain("Unreadable");
    });
  },
);

describe(verifies("keys.every_sealed_field", "e-mail addresses of people"), () => {
  it("NIST SP 800-57 part 1 §5.3: a batch moves in one transaction, and what does not open is counted for its key", async () => {
    const gateway = openGateway(env, createExecutionContext());
    const place = (hash: string) =>
      ({
        purpose: "person",
        environment: env.PUBLIC_URL,
        object: "admin",
        field: `email ${hash}`,
        generation: 1,
      }) as const;
    const admin = env.ADMIN.getByName("admin");
    for (const [hash, ring] of [
      ["h1", gateway.keyring],
      ["h2", gateway.keyring],
      ["h3", OLD_RING],
    ] as const) {
      await admin.recordPerson({
        email_hash: hash,
        email_sealed: await seal(ring, place(hash), `${hash}@x`),
      });
    }
    const first = gateway.keyring.sealingKid;
    let calls = 0;
    const { objects } = gateway;
    const counted = { ...objects, admin: () => ((calls += 1), objects.admin()) };
    const keyring = createKeyring([NEW, ...gateway.config.sealingKeys]);
    const rotated = { ...gateway, keyring, objects: counted };
    expect(await resealPeople(gateway)).toEqual(
      new Map([
        [first, 2],
        ["old", 1],
      ]),
    );
    expect(await resealPeople(rotated)).toEqual(
      new Map([
        ["new", 2],
        ["old", 1],
      ]),
    );
    // One look and one write for all of them.
    expect(calls).toBe(2);
    const people = await rows<PersonRow>(admin, "people");
    expect(people.map(({ email_sealed: sealed }) => sealedWith(sealed))).toEqual(["new", "new", "old"]);
    const moved = people.find(({ email_hash: hash }) => hash === "h2")?.email_sealed ?? "";
    expect(await open(createKeyring([NEW]), place("h2"), moved)).toBe("h2@x");
    const sweep = await sweepKeys(gateway, BY);
    expect(sweep.unreadable).toContainEqual({ what: "e-mail addresses of 1 people", missingKid: "old" });
    expect(sweep.byKid.find(({ kid }) => kid === "old")).toMatchObject({ people: 1 });
  });
});
