// Agent keys in the ConnectionObject: kept as hashes, used until they end, and ended for good.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { randomId } from "../../src/crypto/credential.ts";
import { sha256 } from "../../src/crypto/encoding.ts";
import type { NewAgentKey } from "../../src/storage/agent-keys.ts";
import { verifies } from "../conformance/verifies.ts";
import {
  newAuthorization,
  connectionAt,
  connectionRow,
  DAY,
  GONG_TOKENS,
  newGrant,
  now,
  openConnection,
  rows,
  runAlarm,
  SCOPE,
  tamper,
  type Connection,
} from "../support/connection.ts";
import { gong } from "../support/gong.ts";

beforeEach(async () => {
  await gong.reset();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);

/** A key whose text is `key <name>`. */
async function newKey(name: string, changes: Partial<NewAgentKey> = {}): Promise<NewAgentKey> {
  return {
    id: randomId(),
    hash: await sha256(`key ${name}`),
    kid: "k1",
    name,
    scope: SCOPE,
    tools: undefined,
    createdBy: "admin",
    expiresAt: now() + 30 * DAY,
    ...changes,
  };
}

/** Whether the key called `name` is taken, and why not. */
async function useKey(connection: Connection, name: string): Promise<string> {
  const call = await connection.authorize({ kind: "agent_key", hash: await sha256(`key ${name}`) });
  if (call.ok) return "ok";
  return call.reason === "invalid_token" ? `invalid_token: ${call.detail}` : call.reason;
}

/** A personal connection without any grant, and one key on it. */
async function connectionWithKey(): Promise<{ connection: Connection; id: string }> {
  const connection = connectionAt();
  await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
  const key = await newKey("1");
  expect(await connection.createAgentKey(key)).toBe("created");
  return { connection, id: key.id };
}

describe(verifies("keys.stored", "a key in its connection"), () => {
  it("OWASP ASVS 11.4.1: it says who holds it and what it may do; the last use is noted to the minute", async () => {
    const { connection } = await connectionWithKey();
    const key = await newKey("2", { tools: ["ask_deal"], name: "Nightly job" });
    await connection.createAgentKey(key);
    const call = await connection.authorize({ kind: "agent_key", hash: key.hash });
    expect(call).toMatchObject({
      ok: true,
      keyId: key.id,
      keyName: "Nightly job",
      scope: SCOPE,
      tools: ["ask_deal"],
      expiresAt: key.expiresAt,
      gong: { accessToken: GONG_TOKENS.accessToken },
    });
    expect(call).not.toHaveProperty("grantId");
    const first = now();
    pass(30);
    await useKey(connection, "2");
    expect(await lastUse(connection, key.id)).toBe(first);
    pass(30);
    await useKey(connection, "2");
    expect(await lastUse(connection, key.id)).toBe(first + 60);
  });

  it("OWASP ASVS 9.2.2: the hash of a key is no access token, and an access token's hash is no key", async () => {
    const { connection } = await connectionWithKey();
    const hash = await sha256("key 1");
    expect(await connection.authorize({ kind: "access", hash })).toMatchObject({ detail: "unknown" });
    expect(await connection.authorize({ kind: "agent_key", hash })).toMatchObject({ ok: true });
  });

  it("gateway: a key ends at its expiry, to the second, and is forgotten thirty days later", async () => {
    const { connection, id } = await connectionWithKey();
    pass(30 * DAY - 1);
    // Gong's token is older than that by now: what counts here is that the key is still a key.
    expect(await useKey(connection, "1")).not.toContain("invalid_token");
    pass(1);
    expect(await useKey(connection, "1")).toBe("invalid_token: expired");
    expect(await connection.listAgentKeys()).toMatchObject([{ id, state: "expired" }]);
    pass(30 * DAY - 1);
    await runAlarm(connection);
    expect(await rows(connection, "agent_keys")).toHaveLength(1);
    pass(1);
    await runAlarm(connection);
    expect(await rows(connection, "agent_keys")).toEqual([]);
  });

  it("gateway: a live key's name is taken, of ten parallel creations too, and free again after its end", async () => {
    const { connection } = await connectionWithKey();
    const again = async () =>
      connection.createAgentKey({ ...(await newKey("again")), hash: await sha256(randomId()) });
    const made = await Promise.all(Array.from({ length: 10 }, again));
    expect(made.toSorted()).toEqual(["created", ...Array<string>(9).fill("name_taken")]);
    const [key] = (await connection.listAgentKeys()).filter(({ name }) => name === "again");
    await connection.revokeAgentKey(key?.id ?? "", "admin");
    expect(await again()).toBe("created");
  });

  it("gateway: of fifty-one parallel creations fifty succeed, and one that ended makes room", async () => {
    const { connection, id } = await connectionWithKey();
    const made = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => connection.createAgentKey(await newKey(`many ${n}`))),
    );
    expect(made.filter((outcome) => outcome === "created")).toHaveLength(49);
    expect(made.filter((outcome) => outcome === "too_many")).toHaveLength(1);
    expect(await rows(connection, "agent_keys")).toHaveLength(50);
    await connection.revokeAgentKey(id, "admin");
    expect(await connection.createAgentKey(await newKey("one more"))).toBe("created");
    expect(await connection.createAgentKey(await newKey("too many"))).toBe("too_many");
  });

  it("gateway: a connection that is not there, or was ended, takes no key and is not written", async () => {
    const nowhere = connectionAt();
    expect(await nowhere.createAgentKey(await newKey("1"))).toBe("not_connected");
    expect(await nowhere.listAgentKeys()).toEqual([]);
    expect(await nowhere.revokeAgentKey(randomId(), "admin")).toBe(false);
    expect(await rows(nowhere, "agent_keys")).toEqual([]);
    const { connection } = await openConnection();
    await connection.disconnect("ended_by_admin");
    expect(await connection.createAgentKey(await newKey("1"))).toBe("not_connected");
  });
});

describe(verifies("keys.ended", "the end of a key"), () => {
  it("OWASP ASVS 7.4.1: of two revocations one ends it; the other keys go on", async () => {
    const { connection, id } = await connectionWithKey();
    await connection.createAgentKey(await newKey("2"));
    const ended = await Promise.all([
      connection.revokeAgentKey(id, "ada"),
      connection.revokeAgentKey(id, "grace"),
    ]);
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(await useKey(connection, "1")).toBe("invalid_token: revoked");
    expect(await useKey(connection, "2")).toBe("ok");
    expect(await connection.listAgentKeys()).toContainEqual(
      expect.objectContaining({
        id,
        state: "revoked",
        revokedAt: now(),
        revokedBy: ended[0] ? "ada" : "grace",
      }),
    );
  });

  it("gateway: a restore to before the revocation does not bring it back", async () => {
    const { connection, id } = await connectionWithKey();
    await connection.createAgentKey(await newKey("2"));
    await connection.revokeAgentKey(id, "ada");
    await tamper(connection, "UPDATE agent_keys SET revoked_at = NULL, revoked_by = NULL");
    await evictDurableObject(connection);
    expect(await useKey(connection, "1")).toBe("invalid_token: revoked");
    expect(await useKey(connection, "2")).toBe("ok");
    expect(await connection.listAgentKeys()).toContainEqual(
      expect.objectContaining({ id, revokedBy: "ended_before_restore" }),
    );
  });

  it("gateway: an end that the object did not live to note outside is noted by its next instance", async () => {
    const { connection, id } = await connectionWithKey();
    await connection.createAgentKey(await newKey("2"));
    await connection.revokeAgentKey(id, "ada");
    const escrow = env.ESCROWS.getByName((await nameOf(connection)) ?? "");
    await tamper(escrow, "DELETE FROM ended");
    await evictDurableObject(connection);
    expect(await useKey(connection, "2")).toBe("ok");
    expect(await rows(escrow, "ended")).toMatchObject([{ id }]);
  });

  it("gateway: ends that an older version noted are still known after the upgrade", async () => {
    const { connection, id } = await connectionWithKey();
    const name = await runInDurableObject(
      connection,
      (_, { id: { name: connectionName } }) => connectionName,
    );
    const escrow = env.ESCROWS.getByName(name ?? "");
    await runInDurableObject(escrow, (_, { storage }) => {
      storage.sql.exec("ALTER TABLE ended RENAME TO ended_grants");
      storage.sql.exec("ALTER TABLE ended_grants RENAME COLUMN id TO grant_id");
      storage.sql.exec("INSERT INTO ended_grants VALUES (?, ?)", id, now());
      storage.sql.exec("DROP TABLE decisions");
      storage.sql.exec("UPDATE schema_version SET version = 1");
    });
    await evictDurableObject(escrow);
    await evictDurableObject(connection);
    expect(await useKey(connection, "1")).toBe("invalid_token: revoked");
  });

  it("gateway: the end of the connection ends its keys, and connecting again revives none", async () => {
    const { connection } = await connectionWithKey();
    await connection.disconnect("ended_by_admin");
    expect(await useKey(connection, "1")).toBe("invalid_token: revoked");
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    expect(await useKey(connection, "1")).toBe("invalid_token: revoked");
  });

  it("gateway: a connection that Gong ended keeps its keys, which work again once it is healed", async () => {
    const { connection } = await connectionWithKey();
    await tamper(connection, "UPDATE connection SET state = 'needs_reconnect', gong_expires_at = 0");
    expect(await useKey(connection, "1")).toBe("needs_reconnect");
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    expect(await useKey(connection, "1")).toBe("ok");
  });
});

describe(verifies("keys.keep_alive", "what a key keeps alive"), () => {
  it("gateway: with a key and no grant the alarm is set for the early refresh; with neither it is not", async () => {
    const { connection, id } = await connectionWithKey();
    const { refresh_due_at: due } = await connectionRow(connection);
    expect(await alarmAt(connection)).toBe(due);
    const idle = connectionAt();
    await idle.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    expect(await alarmAt(idle)).toBeUndefined();
    expect(await connection.revokeAgentKey(id, "ada")).toBe(true);
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      reason: "no_agent_left",
      gong_refresh_token_sealed: null,
    });
  });

  it("gateway: the end of the last grant leaves the connection to a live key, and the other way round", async () => {
    const { connection, id } = await connectionWithKey();
    const { grant, code } = await newGrant();
    await connection.openGrant({ grant, code });
    await connection.endGrant(grant.id, "ended_by_admin");
    expect(await connectionRow(connection)).toMatchObject({ state: "connected" });
    const second = await newGrant();
    await connection.openGrant(second);
    await connection.revokeAgentKey(id, "ada");
    expect(await connectionRow(connection)).toMatchObject({ state: "connected" });
    await connection.endGrant(second.grant.id, "ended_by_admin");
    expect(await connectionRow(connection)).toMatchObject({ reason: "no_agent_left" });
  });

  it("gateway: shared access stays connected when its last key goes", async () => {
    const connection = connectionAt();
    await connection.connectGong("shared", GONG_TOKENS, newAuthorization(), undefined);
    const key = await newKey("1");
    await connection.createAgentKey(key);
    await connection.revokeAgentKey(key.id, "admin");
    expect(await connectionRow(connection)).toMatchObject({ state: "connected" });
  });
});

const nameOf = (connection: Connection): Promise<string | undefined> =>
  runInDurableObject(connection, (_, { id: { name } }) => name);

async function lastUse(connection: Connection, id: string): Promise<number | undefined> {
  return (await connection.listAgentKeys()).find((key) => key.id === id)?.lastUsedAt;
}

/** When the alarm is set for, in epoch seconds. */
function alarmAt(connection: Connection): Promise<number | undefined> {
  return runInDurableObject(connection, async (_, { storage }) => {
    const at = await storage.getAlarm();
    return at === null ? undefined : Math.floor(at / 1000);
  });
}
