// A point-in-time restore of one object, played by putting its rows back and starting a new instance: what was revoked,
// ended or forbidden since stays so, because another object remembers it.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { sha256 } from "../../src/crypto/encoding.ts";
import type { Decision } from "../../src/storage/escrow-object.ts";
import type { AdminObject } from "../../src/storage/admin-object.ts";
import type { Client } from "../../src/oauth/client.ts";
import type { RegistryObject } from "../../src/storage/registry-object.ts";
import { DEFAULT_POLICY } from "../../src/mcp/policy.ts";
import { actorNamed } from "../support/actor.ts";
import {
  accessAt,
  connectionRow,
  GONG_TOKENS,
  newAuthorization,
  now,
  openConnection,
  redeemAt,
  rows,
  runAlarm,
  tamper,
} from "../support/connection.ts";
import { gong } from "../support/gong.ts";
import { copyOf, escrowOut, told } from "../support/restore.ts";

beforeEach(() => gong.reset());

const admin = () => env.ADMIN.getByName("admin");
type Row = Record<string, SqlStorageValue>;

/** Puts rows back as they were, and starts a new instance. */
async function putBack(object: DurableObjectStub, table: string, before: readonly Row[]): Promise<void> {
  await tamper(object, `DELETE FROM ${table}`);
  for (const row of before) {
    const names = Object.keys(row);
    const statement = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    await tamper(object, statement, ...Object.values(row));
  }
  await evictDurableObject(object);
}

describe(verifies("restore.admin", "a restored AdminObject"), () => {
  it.each(["one", "all"])(
    "gateway: %s admin session that was ended stays ended, a later one lives",
    async (how) => {
      await admin().openSession(`old ${how}`, undefined, actorNamed("admin"));
      const before = await rows<Row>(admin(), "sessions");
      if (how === "one") await admin().endSession(`old ${how}`);
      else await admin().endAllSessions(actorNamed("admin"));
      await putBack(admin(), "sessions", before);
      expect(await admin().useSession(`old ${how}`)).toBeUndefined();
      await admin().openSession(`new ${how}`, undefined, actorNamed("admin"));
      await evictDurableObject(admin());
      expect(await admin().useSession(`new ${how}`)).toBe("admin");
    },
  );

  it("gateway: a machine client that was ended stays ended, and another one lives", async () => {
    for (const id of ["machine-1", "machine-2"]) {
      const proof = { kind: "secret", secretHash: await sha256(id) } as const;
      const machine = { id, name: id, proof, scope: ["mcp:ai-ask:read"], expiresAt: undefined };
      await admin().addMachineClient(machine, actorNamed("admin"));
    }
    const before = await rows<Row>(admin(), "machine_clients");
    expect(await admin().endMachineClient("machine-1", actorNamed("admin"))).toBe(true);
    await putBack(admin(), "machine_clients", before);
    expect(await admin().findMachineClient("machine-1")).toBeUndefined();
    expect(await admin().findMachineClient("machine-2")).toMatchObject({ clientId: "machine-2" });
  });

  it("gateway: the policy that was in force is in force again, and the next change counts on from it", async () => {
    const { version } = await admin().policy();
    const strict = { ...DEFAULT_POLICY, warnAtPercent: 50 };
    const before = await rows<Row>(admin(), "policies");
    expect(await admin().setPolicy(actorNamed("admin"), version, strict)).toMatchObject({ ok: true });
    const { version: strictVersion, policy } = await admin().policy();
    await putBack(admin(), "policies", before);
    expect(await admin().policy()).toEqual({ version: strictVersion, policy });
    expect(await admin().setPolicy(actorNamed("admin"), version, DEFAULT_POLICY)).toMatchObject({
      ok: false,
      reason: "changed_meanwhile",
    });
  });

  it("gateway: a tool that an admin held back is held back; one that was approved after that is not", async () => {
    const listed = await Promise.all(
      ["ask_account", "ask_deal"].map(async (name) => ({ name, hash: await sha256(name), definition: "{}" })),
    );
    const place = { integration: "main", revision: "2025-11-25" } as const;
    await admin().noteTools(place, listed, "request");
    const before = await rows<Row>(admin(), "tools");
    const decide = (name: string, decision: "approve" | "hold") =>
      admin().decideTool({ by: actorNamed("admin"), integration: "main", name, decision, shown: [] });
    await decide("ask_account", "hold");
    await decide("ask_deal", "hold");
    await decide("ask_deal", "approve");
    await putBack(admin(), "tools", before);
    expect((await admin().listRules(place)).states).toEqual({ ask_account: "held", ask_deal: "approved" });
  });

  it("gateway: of two decisions in one second the later one stays, whichever the escrow hears first", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const memory = env.ESCROWS.getByName("admin");
    const place = { integration: "shared", revision: "2025-11-25" } as const;
    const hash = await sha256("tie");
    await admin().noteTools(place, [{ name: "tie", hash, definition: "{}" }], "request");
    const decide = (decision: "approve" | "hold") =>
      admin().decideTool({
        by: actorNamed("admin"),
        integration: "shared",
        name: "tie",
        decision,
        shown: [hash],
      });
    const decided = async () =>
      (await rows<Decision>(memory, "decisions")).filter(({ name }) => name === "tool shared tie");
    expect(await decide("hold")).toBe("done");
    const held = await decided();
    // By a clock that is behind, too.
    vi.setSystemTime(Date.now() - 5_000);
    expect(await decide("approve")).toBe("done");
    const approved = await decided();
    await memory.remember(held);
    expect(await decided()).toEqual(approved);
    await evictDurableObject(admin());
    expect((await admin().listRules(place)).states).toMatchObject({ tie: "approved" });
    vi.useRealTimers();
  });

  it("gateway: what it did not live to say outside, its next instance says", async () => {
    const { version } = await admin().policy();
    const memory = env.ESCROWS.getByName("admin");
    const changed = { ...DEFAULT_POLICY, warnAtPercent: 60 };
    expect(await admin().setPolicy(actorNamed("admin"), version, changed)).toMatchObject({ ok: true });
    await tamper(memory, "DELETE FROM decisions");
    await evictDurableObject(admin());
    await admin().policy();
    expect(await rows(memory, "decisions")).toContainEqual(
      expect.objectContaining({ name: "policy", version: version + 1 }),
    );
  });
});

describe(
  verifies("restore.untold", "what an admin did while the AdminObject's escrow could not be told"),
  () => {
    const place = { integration: "main", revision: "2025-11-25" } as const;
    const acts = {
      "a session ended": {
        prepare: (name: string) => admin().openSession(name, undefined, actorNamed("admin")),
        act: (object: AdminObject, name: string) => object.endSession(name),
        stands: async (name: string) => (await admin().useSession(name)) === undefined,
      },
      "all sessions ended": {
        prepare: (name: string) => admin().openSession(name, undefined, actorNamed("admin")),
        act: (object: AdminObject) => object.endAllSessions(actorNamed("admin")),
        stands: async (name: string) => (await admin().useSession(name)) === undefined,
      },
      "a tool held back": {
        prepare: async (name: string) => {
          await admin().noteTools(place, [{ name, hash: await sha256(name), definition: "{}" }], "request");
          const approved = {
            integration: "main",
            name,
            decision: "approve",
            shown: [await sha256(name)],
          } as const;
          await admin().decideTool({ by: actorNamed("admin"), ...approved });
        },
        act: (object: AdminObject, name: string) =>
          object.decideTool({
            by: actorNamed("admin"),
            integration: "main",
            name,
            decision: "hold",
            shown: [],
          }),
        stands: async (name: string) => (await admin().listRules(place)).states[name] === "held",
      },
    };
    const saidBy = {
      "its next instance": async () => {
        await evictDurableObject(admin());
        await admin().countStates();
      },
      "its alarm": () => runInDurableObject(admin(), (object: AdminObject) => object.alarm()),
      "the next end": async () => {
        await admin().openSession("another", undefined, actorNamed("admin"));
        await admin().endSession("another");
      },
    };
    const CASES = (["a session ended", "all sessions ended", "a tool held back"] as const).flatMap((what) =>
      (["its next instance", "its alarm", "the next end"] as const).map((how) => [what, how] as const),
    );

    it.each(CASES)("gateway: %s is said by %s, and stands after a restore", async (what, how) => {
      const name = `${what}, ${how}`;
      const { prepare, act, stands } = acts[what];
      await admin().openSession("first", undefined, actorNamed("admin"));
      await admin().endSession("first");
      await prepare(name);
      const restore = await copyOf(admin());
      const heal = await escrowOut(env.ESCROWS.getByName("admin"));
      await runInDurableObject(admin(), async (object: AdminObject, { storage }) => {
        await expect(act(object, name)).rejects.toThrow("newer than this version");
        const alarm = await storage.getAlarm();
        expect(alarm ?? Infinity).toBeLessThanOrEqual(Date.now() + 61_000);
      });
      await heal();
      await saidBy[how]();
      await told(admin());
      await restore();
      expect(await stands(name)).toBe(true);
    });
  },
);

describe(verifies("restore.connection", "a restored ConnectionObject"), () => {
  it("RFC 7009 §2.1: an access token that was revoked alone stays revoked, and its grant lives", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    const before = await rows<Row>(connection, "access_tokens");
    const hash = await sha256("access 1");
    expect(await connection.revokeToken({ kind: "access", hash, grantId, clientId: "client-1" })).toBe(true);
    await putBack(connection, "access_tokens", before);
    expect(await accessAt(connection, "1")).toBe("invalid_token: unknown");
    expect((await connection.describe())?.grants).toHaveLength(1);
  });

  it.each(["one", "all"])("OWASP ASVS 7.4.1: %s account session that was ended stays ended", async (how) => {
    const { connection } = await openConnection();
    await connection.signInToAccount("main", GONG_TOKENS, newAuthorization(), "visit");
    const before = await rows<Row>(connection, "account_sessions");
    if (how === "one") await connection.signOutOfAccount("visit");
    else await connection.signOutEverywhere();
    await putBack(connection, "account_sessions", before);
    expect(await connection.useAccountSession("visit")).toBe(false);
  });

  it("RFC 9700 §4.14.2: with tokens that were spent since, the state says so, and Gong is not asked", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    const before = await rows<Row>(connection, "connection");
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    await putBack(connection, "connection", before);
    await tamper(connection, "UPDATE connection SET gong_expires_at = 0, refresh_due_at = 0");
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    await runAlarm(connection);
    expect(await connectionRow(connection)).toMatchObject({ state: "needs_reconnect", reason: "restored" });
    expect(await gong.requests()).toEqual([]);
  });
});

describe(verifies("restore.registry", "a restored RegistryObject"), () => {
  const shardNamed = (name: string) => env.REGISTRY.getByName(name);
  const client = (clientId: string): Client => ({
    clientId,
    registration: "dynamic",
    clientName: clientId,
    redirectUris: ["https://client.test/cb"],
    tokenEndpointAuthMethod: "none",
    clientSecretHash: undefined,
    grantTypes: ["authorization_code"],
  });
  const assertion = (tokenId: string, seconds = 300) => ({
    client: "client",
    tokenId,
    usableUntil: now() + seconds,
  });
  const device = {
    deviceCodeHash: "device code",
    userCodeHash: "user code",
    clientId: "client",
    resource: "https://gateway.test/mcp",
    scope: "mcp:ai-ask:read",
    askedFrom: "192.0.2.1",
    network: "192.0.2.0/24",
  };

  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
  afterEach(() => void vi.useRealTimers());

  it("RFC 7591 §2: a registration that an admin removed stays removed, another one is kept", async () => {
    const shard = shardNamed("removed");
    for (const id of ["removed", "kept"]) await shard.register(client(id), 3600, 10);
    const restore = await copyOf(shard);
    expect(await shard.remove("removed")).toBe(true);
    await restore();
    expect(await shard.find("removed")).toBeUndefined();
    expect(await shard.find("kept")).toEqual(client("kept"));
  });

  it("gateway: one that was removed while the escrow could not be told, too, once it is", async () => {
    const shard = shardNamed("untold");
    for (const id of ["first", "removed"]) await shard.register(client(id), 3600, 10);
    await shard.remove("first");
    const restore = await copyOf(shard);
    const heal = await escrowOut(env.ESCROWS.getByName("untold"));
    await runInDurableObject(shard, async (object: RegistryObject) => {
      await expect(object.remove("removed")).rejects.toThrow("newer than this version");
    });
    await heal();
    await runInDurableObject(shard, (object: RegistryObject) => object.alarm());
    await told(shard);
    await restore();
    expect(await shard.find("removed")).toBeUndefined();
  });

  it.each([0, 10, 60, 290])(
    "RFC 7523 §3, item 7: an assertion that was used since is refused %d s later, one that can't have been is not",
    async (seconds) => {
      const shard = shardNamed(`assertions ${seconds}`);
      expect(await shard.useAssertion(assertion("before"))).toBe(true);
      const restore = await copyOf(shard);
      const used = assertion("used");
      expect(await shard.useAssertion(used)).toBe(true);
      vi.setSystemTime(Date.now() + 30_000);
      await runInDurableObject(shard, (object: RegistryObject) => object.alarm());
      vi.setSystemTime(Date.now() + seconds * 1000);
      await restore();
      expect(await shard.useAssertion(used)).toBe(false);
      expect(await shard.useAssertion(assertion("unknown"))).toBe(false);
      expect(await shard.useAssertion(assertion("later", 3600))).toBe(true);
      vi.setSystemTime(Date.now() + 1000_000);
      expect(await shard.useAssertion(assertion("unknown"))).toBe(true);
    },
  );

  it("gateway: an instance that was not restored refuses no assertion, and most uses do not ask the escrow", async () => {
    const shard = shardNamed("mark");
    expect(await shard.useAssertion(assertion("1"))).toBe(true);
    await evictDurableObject(shard);
    expect(await shard.useAssertion(assertion("2"))).toBe(true);
    const heal = await escrowOut(env.ESCROWS.getByName("mark"));
    expect(await shard.useAssertion(assertion("3"))).toBe(true);
    vi.setSystemTime(Date.now() + 31_000);
    await runInDurableObject(shard, async (object: RegistryObject) => {
      await expect(object.useAssertion(assertion("4"))).rejects.toThrow("newer than this version");
    });
    await heal();
    await evictDurableObject(shard);
    expect(await shard.useAssertion(assertion("4"))).toBe(true);
    expect(await shard.useAssertion(assertion("4"))).toBe(false);
  });

  it("RFC 8628 §3.3: a device that a person had answered can't be answered again", async () => {
    const shard = shardNamed("devices");
    await shard.beginDevice(device);
    const restore = await copyOf(shard);
    expect(await shard.settleDevice("user code", undefined)).toBe(true);
    await restore();
    expect(await shard.findDevice("user code")).toBeUndefined();
    expect(await shard.settleDevice("user code", { connectionId: "c", grantId: "g" })).toBe(false);
    expect(await shard.pollDevice("device code", "client")).toEqual({ kind: "expired_token" });
    expect(await shard.beginDevice(device)).toBe("begun");
  });
});

describe(verifies("restore.connection", "a restored EscrowObject"), () => {
  it("gateway: its connection tells it again what has ended and how far the tokens have come", async () => {
    const { connection, grantId } = await openConnection();
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    await connection.endGrant(grantId, "ended_by_person");
    const escrow = env.ESCROWS.getByName(connection.name ?? "");
    const witness = await rows(escrow, "witness");
    await tamper(escrow, "DELETE FROM ended");
    await tamper(escrow, "DELETE FROM witness");
    await evictDurableObject(connection);
    await connection.describe();
    expect(await rows(escrow, "witness")).toEqual(witness);
    expect(await rows(escrow, "ended")).toMatchObject([{ id: grantId, ended_at: now() }]);
  });
});
