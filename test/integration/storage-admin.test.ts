// The AdminObject: guesses that come in parallel, sessions, approvals, the index, and the key that never changes.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { randomId } from "../../src/crypto/credential.ts";
import type { AdminObject } from "../../src/storage/admin-object.ts";
import { ADMIN_MIGRATIONS } from "../../src/storage/admin-schema.ts";
import { migrate } from "../../src/storage/migrations.ts";
import type { ConnectionObject } from "../../src/storage/connection-object.ts";
import { reportOf } from "../support/connection-report.ts";
import { connectionAt, DAY, HOUR, now, openConnection, rows, tamper } from "../support/connection.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);

/** An AdminObject of the test's own; a deployment has one. */
const admin = (): DurableObjectStub<AdminObject> => env.ADMIN.getByName(randomId());

describe(verifies("storage.admin_lock_out", "guessing the admin token"), () => {
  it("OWASP ASVS 6.3.1: of fifty parallel guesses from one address five may go on", async () => {
    const object = admin();
    const waits = await Promise.all(Array.from({ length: 50 }, () => object.admitSignIn("address")));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
    expect(waits.filter((wait) => wait === 1)).toHaveLength(45);
  });

  it("OWASP ASVS 6.3.1: each further guess doubles the wait, up to a quarter of an hour", async () => {
    const object = admin();
    for (let guess = 0; guess < 5; guess += 1) await object.admitSignIn("address");
    for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]) {
      expect(await object.admitSignIn("address")).toBe(wait);
      pass(wait - 1);
      expect(await object.admitSignIn("address")).toBe(1);
      pass(1);
      expect(await object.admitSignIn("address")).toBe(0);
    }
  });

  it("OWASP ASVS 6.3.1: another address does not wait, the right token forgives, and a day forgets", async () => {
    const object = admin();
    for (let guess = 0; guess < 6; guess += 1) await object.admitSignIn("address");
    expect(await object.admitSignIn("other")).toBe(0);
    await evictDurableObject(object);
    expect(await object.admitSignIn("address")).toBe(1);
    await object.openSession("session", "address", actorNamed("admin"));
    expect(await object.admitSignIn("address")).toBe(0);
    for (let guess = 0; guess < 6; guess += 1) await object.admitSignIn("address");
    pass(DAY);
    expect(await object.admitSignIn("address")).toBe(0);
    expect(await rows(object, "sign_in_attempts")).toMatchObject([{ address_hash: "address", failures: 1 }]);
  });
});

describe(verifies("storage.admin_sessions", "admin sessions"), () => {
  it("OWASP ASVS 7.3.1: one ends after thirty minutes without use", async () => {
    const object = admin();
    await object.openSession("session", "address", actorNamed("admin"));
    pass(1799);
    expect(await object.useSession("session")).toBe("admin");
    pass(1799);
    expect(await object.useSession("session")).toBe("admin");
    pass(1800);
    expect(await object.useSession("session")).toBeUndefined();
  });

  it("OWASP ASVS 7.3.2: one in constant use ends after eight hours", async () => {
    const object = admin();
    await object.openSession("session", "address", actorNamed("admin"));
    for (let quarter = 1; quarter < 32; quarter += 1) {
      pass(900);
      expect(await object.useSession("session")).toBe("admin");
    }
    pass(900);
    expect(await object.useSession("session")).toBeUndefined();
  });

  it("OWASP ASVS 7.4.1: one that was signed out is gone, and no other is", async () => {
    const object = admin();
    await object.openSession("session", "address", actorNamed("admin"));
    await object.openSession("other", "address", actorNamed("admin"));
    await object.endSession("session");
    await evictDurableObject(object);
    expect([await object.useSession("session"), await object.useSession("other")]).toEqual([
      undefined,
      "admin",
    ]);
    expect(await object.useSession("unknown")).toBeUndefined();
  });

  it("gateway: the eleventh ends the oldest, also when all were opened in one second", async () => {
    const object = admin();
    const names = Array.from({ length: 11 }, (_, at) => `session-${at}`);
    for (const name of names) await object.openSession(name, "address", actorNamed("admin"));
    const alive = await Promise.all(names.map((name) => object.useSession(name)));
    expect(alive).toEqual([undefined, ...Array.from({ length: 10 }, () => "admin")]);
  });

  it("gateway: ending all ends also the one that asks, with one row in the audit that names who did it", async () => {
    const object = admin();
    await object.openSession("one", "address", actorNamed("admin"));
    await object.openSession("two", undefined, actorNamed("ada@example.com"));
    expect((await object.listSessions()).map(({ actor }) => actor).toSorted()).toEqual([
      "ada@example.com",
      "admin",
    ]);
    await object.endAllSessions(actorNamed("ada@example.com"));
    expect([await object.useSession("one"), await object.useSession("two")]).toEqual([undefined, undefined]);
    expect(await object.listSessions()).toEqual([]);
    expect((await rows(object, "audit")).at(-1)).toMatchObject({
      actor: "ada@example.com",
      action: "sessions.ended",
    });
  });
});

describe(verifies("storage.people", "people whom Cloudflare Access named"), () => {
  const person = (name: string) => ({ email_hash: `hash-${name}`, email_sealed: `sealed-${name}` });

  it("gateway: a person finds their own connections and nobody else's, the newest first", async () => {
    const object = admin();
    await object.recordConnection({ id: "one", integration: "main" }, "client", person("ada"));
    pass(1);
    await object.recordConnection({ id: "two", integration: "main" }, "client", person("ada"));
    await object.recordConnection({ id: "three", integration: "main" }, "client", person("grace"));
    await object.recordConnection({ id: "four", integration: "main" }, "client");
    expect(await object.connectionsOfPerson("hash-ada")).toEqual(["two", "one"]);
    expect(await object.connectionsOfPerson("hash-grace")).toEqual(["three"]);
    expect(await object.connectionsOfPerson("hash-nobody")).toEqual([]);
    expect(await object.peopleOfConnections(["one", "three", "four"])).toEqual([
      { connection_id: "one", ...person("ada") },
      { connection_id: "three", ...person("grace") },
    ]);
  });

  it("gateway: a new seal replaces the one it was made from, and no newer one", async () => {
    const object = admin();
    await object.recordConnection({ id: "one", integration: "main" }, undefined, person("ada"));
    await object.replacePersonSeals([
      { before: "sealed-ada", after: { ...person("ada"), email_sealed: "again" } },
    ]);
    await object.replacePersonSeals([
      { before: "sealed-ada", after: { ...person("ada"), email_sealed: "late" } },
    ]);
    expect(await object.listPeople("", 10)).toEqual([{ ...person("ada"), email_sealed: "again" }]);
    expect(await object.listPeople("hash-ada", 10)).toEqual([]);
  });
});

describe(verifies("storage.identity_key", "the key that names connections"), () => {
  it("gateway: fifty candidates at once, and after an eviction, give one key", async () => {
    const object = admin();
    const candidates = Array.from({ length: 50 }, (_, at) => `sealed-${at}`);
    const kept = await Promise.all(candidates.map((candidate) => object.identityKey(candidate)));
    expect(new Set(kept).size).toBe(1);
    await evictDurableObject(object);
    expect(await object.identityKey("sealed-late")).toBe(kept[0]);
    expect(await object.currentIdentityKey()).toBe(kept[0]);
  });

  it("gateway: a new seal replaces the one that was read, and no other", async () => {
    const object = admin();
    await object.identityKey("seal-1");
    await object.replaceIdentitySeal("seal-0", "seal-x");
    expect(await object.currentIdentityKey()).toBe("seal-1");
    await object.replaceIdentitySeal("seal-1", "seal-2");
    expect(await object.identityKey("seal-3")).toBe("seal-2");
  });
});

const approvalAt = (id: string, expiresAt = now() + 600, askedFrom = "192.0.2.0/24") => ({
  transaction_id: id,
  code: "ABC123",
  client_id: "client",
  client_name: null,
  redirect_uri: "https://client.test/cb",
  requested_at: now(),
  expires_at: expiresAt,
  asked_from: askedFrom,
});

describe(
  verifies("storage.admin_sessions", "storage.connection", "shared.room", "approvals and the index"),
  () => {
    it("gateway: one of fifty who decide at once decides, and the audit says so once", async () => {
      const object = admin();
      await object.requestApproval(approvalAt("t"));
      const settled = await Promise.all(
        Array.from({ length: 50 }, () => object.settleApproval("t", "approved", actorNamed("admin"))),
      );
      expect(settled.filter(Boolean)).toHaveLength(1);
      expect(await rows(object, "audit")).toMatchObject([{ action: "approval.approved", target: "t" }]);
      expect(await object.listApprovals()).toEqual([]);
    });

    it("gateway: two hundred wait at most; those whose time is over make room", async () => {
      const object = admin();
      for (let at = 0; at < 200; at += 1) await object.requestApproval(approvalAt(`t${at}`));
      expect(await object.requestApproval(approvalAt("one-more"))).toBe(false);
      pass(600);
      expect(await object.listApprovals()).toEqual([]);
      expect(await object.requestApproval(approvalAt("later"))).toBe(true);
      expect(await rows(object, "approvals")).toHaveLength(1);
    });

    it("gateway: a flood from some networks pushes out its own requests only, the newest first, and keeps nobody else out", async () => {
      const object = admin();
      const from = (id: string, network: string) => approvalAt(id, undefined, network);
      await object.requestApproval(from("first", "ada@example.com"));
      await object.requestApproval(from("second", "2001:db8:1::/48"));
      for (let at = 0; at < 400; at += 1) {
        expect(await object.requestApproval(from(`flood-${at}`, `198.51.${at % 3}.0/24`))).toBe(at < 198);
      }
      expect(await object.requestApproval(from("third", "203.0.113.0/24"))).toBe(true);
      expect(await object.requestApproval(from("fourth", "grace@example.com"))).toBe(true);
      const waiting = (await object.listApprovals()).map(({ transaction_id: id }) => id);
      expect(waiting).toHaveLength(200);
      expect(waiting).toEqual(
        expect.arrayContaining(["first", "second", "third", "fourth", "flood-0", "flood-1"]),
      );
      // Of each of the three the newest went, one by one.
      expect(["flood-195", "flood-196", "flood-197"].filter((id) => !waiting.includes(id))).toHaveLength(2);
      expect(await object.settleApproval("first", "approved", actorNamed("admin"))).toBe(true);
    });

    it("gateway: where everybody has one request on a full list, one more is told so", async () => {
      const object = admin();
      for (let at = 0; at < 200; at += 1)
        await object.requestApproval(approvalAt(`t${at}`, undefined, `198.51.${at}.0/24`));
      expect(await object.requestApproval(approvalAt("one-more", undefined, "203.0.113.0/24"))).toBe(false);
      expect(await rows(object, "approvals")).toHaveLength(200);
    });

    it("gateway: a connection is listed once, with the state it last told; an unknown one is not there", async () => {
      const object = admin();
      for (const client of ["a", "b", "a", undefined]) {
        await object.recordConnection({ id: "one", integration: "main" }, client);
      }
      pass(HOUR);
      await object.recordConnection({ id: "two", integration: "shared" }, undefined);
      await object.recordState("two", reportOf("needs_reconnect"));
      await object.recordState("three", reportOf("connected"));
      expect(await object.listConnections(10)).toEqual([
        { id: "two", integration: "shared" },
        { id: "one", integration: "main" },
      ]);
      expect(await object.listConnections(1)).toHaveLength(1);
      expect([await object.hasConnection("one"), await object.hasConnection("three")]).toEqual([true, false]);
      expect(await object.countStates()).toEqual({ connected: 1, needs_reconnect: 1 });
      expect(await rows(object, "client_connections")).toHaveLength(2);
    });
  },
);

describe(verifies("storage.migrations", "storage.no_write_by_looking", "schemas"), () => {
  it("gateway: questions to an AdminObject that never was write nothing", async () => {
    const object = admin();
    expect([
      await object.currentIdentityKey(),
      await object.listConnections(10),
      await object.hasConnection("x"),
      await object.countStates(),
      await object.listApprovals(),
      await object.settleApproval("t", "denied", actorNamed("admin")),
      await object.useSession("x"),
      await object.listSessions(),
      await object.connectionsOfPerson("x"),
      await object.peopleOfConnections(["x"]),
      await object.listPeople("", 10),
    ]).toEqual([undefined, [], false, {}, [], false, undefined, [], [], [], []]);
    await object.endSession("x");
    await object.replacePersonSeals([{ before: "x", after: { email_hash: "h", email_sealed: "s" } }]);
    await object.recordState("x", reportOf("connected"));
    expect(await rows(object, "schema_version")).toEqual([]);
  });

  it("gateway: the first question to an object of an older schema brings it up to date", async () => {
    const object = admin();
    await runInDurableObject(object, (_, { storage }) => {
      migrate(storage, ADMIN_MIGRATIONS.slice(0, 1));
      storage.sql.exec("INSERT INTO connections VALUES ('one', 'main', 1)");
      storage.sql.exec("INSERT INTO sessions VALUES ('session', ?1, ?1)", now());
    });
    expect(await object.countStates()).toEqual({ connected: 1 });
    expect(await object.useSession("session")).toBe("admin");
  });

  it("gateway: rows of a newer schema are left alone, and the older code says so", async () => {
    const { connection } = await openConnection();
    await tamper(connection, "UPDATE schema_version SET version = 99");
    const before = await rows(connection, "connection");
    await evictDurableObject(connection);
    await runInDurableObject(connection, async (object: ConnectionObject) => {
      await expect(object.describe()).rejects.toThrow("newer than this version");
    });
    expect(await rows(connection, "connection")).toEqual(before);
    expect(await connectionAt().describe()).toBeUndefined();
  });
});
