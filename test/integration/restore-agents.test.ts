// A point-in-time restore of a connection as its clients see it: a client that was barred stays barred, refresh tokens
// and codes that were spent stay spent, and what ended while the escrow could not be told stays ended, too.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { randomId } from "../../src/crypto/credential.ts";
import { sha256 } from "../../src/crypto/encoding.ts";
import type { CodelessGrant } from "../../src/storage/codeless-grants.ts";
import { EscrowObject, type Decision } from "../../src/storage/escrow-object.ts";
import type { ConnectionObject } from "../../src/storage/connection-object.ts";
import { verifies } from "../conformance/verifies.ts";
import {
  accessAt,
  DAY,
  GONG_TOKENS,
  HOUR,
  newAuthorization,
  newGrant,
  now,
  openConnection,
  redeemAt,
  rotateAt,
  rows,
  runAlarm,
  SCOPE,
  tamper,
  type Connection,
} from "../support/connection.ts";
import { connectToGong, refreshRequests } from "../support/gong-connection.ts";
import { gong } from "../support/gong.ts";
import { RESOURCE } from "../support/flow.ts";
import { copyOf, escrowOut, told } from "../support/restore.ts";

beforeEach(() => gong.reset());
afterEach(() => void vi.useRealTimers());

const machineGrant = (clientId = "machine"): CodelessGrant => ({
  id: randomId(),
  clientId,
  clientName: clientId,
  grantType: "client_credentials",
  resource: RESOURCE,
  scope: SCOPE,
  expiresAt: now() + DAY,
});

const escrowOf = (connection: Connection) => env.ESCROWS.getByName(connection.name ?? "");

const BARRED = { kind: "refused", reason: "client_ended" };

describe(
  verifies("restore.barred", "a connection restored to before a client's first grant without a code"),
  () => {
    const bar = {
      "ended by a person": async (connection: Connection) => {
        const opened = await connection.openCodelessGrant(machineGrant());
        if (opened.kind === "open") await connection.endGrant(opened.grantId, "ended_by_person");
      },
      "barred by an admin before it had any": (connection: Connection) =>
        connection.barClient(machineGrant(), "ended_by_admin"),
    };

    it.each(["ended by a person", "barred by an admin before it had any"] as const)(
      "gateway: a client that was %s opens none, and another client does",
      async (how) => {
        const { connection } = await openConnection();
        const restore = await copyOf(connection);
        await bar[how](connection);
        await restore();
        expect(await connection.openCodelessGrant(machineGrant())).toEqual(BARRED);
        expect(await connection.openCodelessGrant(machineGrant("other"))).toMatchObject({ kind: "open" });
      },
    );

    it("gateway: a sign-in by code from before does not let it in, one from after does", async () => {
      const start = Date.now();
      vi.useFakeTimers({ toFake: ["Date"], now: start });
      const { connection } = await openConnection();
      await connection.openGrant(await newGrant({ clientId: "machine" }));
      const restore = await copyOf(connection);
      vi.setSystemTime(start + 10_000);
      await bar["ended by a person"](connection);
      await restore();
      expect(await connection.openCodelessGrant(machineGrant())).toEqual(BARRED);
      vi.setSystemTime(start + 20_000);
      await connection.openGrant(await newGrant({ clientId: "machine" }));
      expect(await connection.openCodelessGrant(machineGrant())).toMatchObject({ kind: "open" });
    });

    it("gateway: of two bars the later one counts", async () => {
      const start = Date.now();
      vi.useFakeTimers({ toFake: ["Date"], now: start });
      const { connection } = await openConnection();
      await bar["ended by a person"](connection);
      vi.setSystemTime(start + 10_000);
      await connection.openGrant(await newGrant({ clientId: "machine" }));
      const restore = await copyOf(connection);
      vi.setSystemTime(start + 20_000);
      await bar["ended by a person"](connection);
      await restore();
      expect(await connection.openCodelessGrant(machineGrant())).toEqual(BARRED);
    });

    it("gateway: whose connection was ended as a whole goes on after a new sign-in at Gong", async () => {
      const { connection } = await openConnection();
      const restore = await copyOf(connection);
      await connection.openCodelessGrant(machineGrant());
      await connection.disconnect("ended_by_admin");
      await restore();
      await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
      expect(await connection.openCodelessGrant(machineGrant())).toMatchObject({ kind: "open" });
    });
  },
);

describe(verifies("restore.rotated", "a connection restored to before a refresh token was spent"), () => {
  it("RFC 9700 §4.14.2: an older copy of it opens nothing, and a client that stood still goes on", async () => {
    const { connection, grantId } = await openConnection();
    const still = await newGrant();
    await connection.openGrant(still);
    await redeemAt(connection, grantId, "1");
    await redeemAt(connection, still.grant.id, "still 1");
    await told(connection);
    const restore = await copyOf(connection);
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    await told(connection);
    await restore();
    const stolen = await rotateAt(connection, grantId, { from: "1", generation: 1, name: "3" });
    expect(stolen).toEqual({ kind: "refused", reason: "grant_revoked" });
    expect(await accessAt(connection, "1")).toBe("invalid_token: unknown");
    const [row] = (await rows(connection, "grants")).filter(({ id }) => id === grantId);
    expect(row).toMatchObject({ revoked_reason: "restored" });
    const moved = await rotateAt(connection, still.grant.id, {
      from: "still 1",
      generation: 1,
      name: "still 2",
    });
    expect(moved).toMatchObject({ kind: "issued" });
  });

  it("RFC 6749 §4.1.2: a code that was redeemed is not redeemed again", async () => {
    const { connection, grantId } = await openConnection();
    const restore = await copyOf(connection);
    expect(await redeemAt(connection, grantId, "1")).toMatchObject({ kind: "issued" });
    await told(connection);
    await restore();
    expect(await redeemAt(connection, grantId, "2")).toEqual({ kind: "refused", reason: "grant_revoked" });
  });

  it("gateway: the answer to a refresh does not wait for the escrow, which is told by alarm when it is back", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await told(connection);
    const heal = await escrowOut(escrowOf(connection));
    const rotated = await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    expect(rotated).toMatchObject({ kind: "issued" });
    expect(await accessAt(connection, "2")).toBe("ok");
    await heal();
    await runAlarm(connection);
    await told(connection);
    expect(await rows(escrowOf(connection), "decisions")).toMatchObject([{ name: grantId, version: 2 }]);
  });

  it("gateway: the escrow keeps one row for each grant, and none once it has ended or was swept", async () => {
    const { connection, grantId } = await openConnection();
    const other = await newGrant({ expiresAt: now() + DAY });
    await connection.openGrant(other);
    await redeemAt(connection, other.grant.id, "other");
    await redeemAt(connection, grantId, "1");
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    await told(connection);
    const kept = await rows(escrowOf(connection), "decisions");
    expect(new Map(kept.map(({ name, version }) => [name, version]))).toEqual(
      new Map([
        [grantId, 2],
        [other.grant.id, 1],
      ]),
    );
    await connection.endGrant(grantId, "ended_by_person");
    expect(await rows(escrowOf(connection), "decisions")).toMatchObject([{ name: other.grant.id }]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * DAY * 1000 });
    await runAlarm(connection);
    await told(connection);
    expect(await rows(escrowOf(connection), "decisions")).toEqual([]);
  });

  it("gateway: what the escrow is told late of a grant that has ended leaves no row behind", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await told(connection);
    const late = await rows<Decision>(escrowOf(connection), "decisions");
    expect(late).toMatchObject([{ name: grantId, version: 1 }]);
    await connection.endGrant(grantId, "ended_by_person");
    await escrowOf(connection).remember(late);
    expect(await rows(escrowOf(connection), "decisions")).toEqual([]);
  });

  it("gateway: an instance that dies with a token answer unsent costs no client its grant", async () => {
    const { connection: dying, grantId } = await openConnection();
    await redeemAt(dying, grantId, "1");
    await told(dying);
    await runInDurableObject(dying, async (instance: ConnectionObject, state) => {
      const generation = () =>
        state.storage.sql.exec("SELECT refresh_generation AS n FROM grants").one()["n"];
      const rotation = rotateAt(instance, grantId, { from: "1", generation: 1, name: "2" });
      rotation.catch(() => undefined);
      // Without leaving this turn: what it wrote is not on disk, and what it tells the escrow waits for that.
      while (generation() === 1) await Promise.resolve();
      state.abort("the machine is gone");
    }).catch(() => undefined);
    const connection = env.CONNECTIONS.getByName(dying.name ?? "");
    const [{ refresh_generation: kept } = {}] = await rows(connection, "grants");
    const [{ version } = {}] = await rows(escrowOf(connection), "decisions");
    expect({ kept, version }).toEqual({ kept: 1, version: 1 });
    const again = await rotateAt(connection, grantId, { from: "1", generation: 1, name: "3" });
    expect(["issued", "replayed"]).toContain(again.kind);
  });

  it("gateway: all who wait for an instance that starts wait for one comparison", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await told(connection);
    await evictDurableObject(connection);
    const asked = vi.spyOn(EscrowObject.prototype, "witness");
    const answers = await Promise.all(Array.from({ length: 20 }, () => accessAt(connection, "1")));
    expect(new Set(answers)).toEqual(new Set(["ok"]));
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });

  it("gateway: a grant without a code that was swept is not barred after a restore", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await connection.openCodelessGrant({ ...machineGrant(), expiresAt: now() + HOUR });
    const restore = await copyOf(connection);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * HOUR * 1000 });
    await runAlarm(connection);
    expect((await rows(connection, "grants")).filter((row) => row["client_id"] === "machine")).toEqual([]);
    await restore();
    expect(await connection.openCodelessGrant(machineGrant())).toMatchObject({ kind: "open" });
  });
});

describe(verifies("restore.untold", "what ended in a connection while its escrow could not be told"), () => {
  it("RFC 9700 §4.14.2: Gong's refresh token that was spent then is not spent again after a restore", async () => {
    const { connection } = await connectToGong();
    await told(connection);
    await tamper(connection, "UPDATE connection SET gong_expires_at = 0, refresh_due_at = 0");
    const restore = await copyOf(connection);
    const heal = await escrowOut(escrowOf(connection));
    expect(await accessAt(connection, "1")).toBe("ok");
    await heal();
    await runAlarm(connection);
    await told(connection);
    await restore();
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await refreshRequests()).toBe(1);
  });

  const ends = {
    "an access token": async (connection: ConnectionObject, grantId: string) =>
      connection.revokeToken({
        kind: "access",
        hash: await sha256("access 1"),
        grantId,
        clientId: "client-1",
      }),
    "an account session": (connection: ConnectionObject) => connection.signOutOfAccount("visit"),
    "a grant": (connection: ConnectionObject, grantId: string) => connection.endGrant(grantId, "by_person"),
  };
  const lives = {
    "an access token": async (connection: Connection) => (await accessAt(connection, "1")) === "ok",
    "an account session": (connection: Connection) => connection.useAccountSession("visit"),
    "a grant": async (connection: Connection) => (await accessAt(connection, "1")) === "ok",
  };
  const saidBy = {
    "its next instance": async (connection: Connection) => {
      await evictDurableObject(connection);
      await connection.describe();
    },
    "its alarm": runAlarm,
    "its next use": async (connection: Connection) => {
      await connection.describe();
    },
  };
  const CASES = (["an access token", "an account session", "a grant"] as const).flatMap((what) =>
    (["its next instance", "its alarm", "its next use"] as const).map((how) => [what, how] as const),
  );

  it.each(CASES)("gateway: %s is said by %s, and stays ended after a restore", async (what, how) => {
    const { connection, grantId } = await openConnection();
    await connection.signInToAccount("main", GONG_TOKENS, newAuthorization(), "visit");
    await redeemAt(connection, grantId, "1");
    await told(connection);
    const restore = await copyOf(connection);
    const heal = await escrowOut(escrowOf(connection));
    // Nobody hears that it has ended, and nothing is served, before the escrow knows.
    await runInDurableObject(connection, async (object: ConnectionObject) => {
      await expect(ends[what](object, grantId)).rejects.toThrow("newer than this version");
      await expect(object.describe()).rejects.toThrow("newer than this version");
    });
    await heal();
    await saidBy[how](connection);
    await told(connection);
    await restore();
    expect(await lives[what](connection)).toBe(false);
  });

  it("gateway: what an older version had written and not told, the first instance of this one tells", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await connection.barClient(machineGrant(), "ended_by_admin");
    await told(connection);
    const escrow = escrowOf(connection);
    const tables = async () => [await rows(escrow, "ended"), await rows(escrow, "decisions")];
    const [ended, decisions] = await tables();
    // Older versions told the ids of what had ended, and nothing of clients and refresh tokens.
    await tamper(escrow, "DELETE FROM ended WHERE id LIKE 'client %'");
    await tamper(escrow, "DELETE FROM decisions");
    await evictDurableObject(connection);
    await connection.describe();
    expect(new Set((await tables()).flat())).toEqual(new Set([ended, decisions].flat()));
    expect(decisions).toMatchObject([{ name: grantId, version: 1 }]);
    expect(ended).toContainEqual(expect.objectContaining({ id: "client machine" }));
  });

  it("gateway: until the alarm has told the escrow, it is set again each minute", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await told(connection);
    await escrowOut(escrowOf(connection));
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    await vi.waitFor(async () => {
      const at = await runInDurableObject(connection, (_, { storage }) => storage.getAlarm());
      expect(at ?? Infinity).toBeLessThanOrEqual(Date.now() + 61_000);
    });
  });
});
