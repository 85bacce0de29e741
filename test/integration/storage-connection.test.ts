// A ConnectionObject as one state: sealed tokens, healing, ending, and nothing written by looking.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { seal, sealedWith } from "../../src/crypto/seal.ts";
import {
  newAuthorization,
  accessAt,
  connectionAt,
  connectionRow,
  DAY,
  GONG_TOKENS,
  HOUR,
  newGrant,
  openConnection,
  redeemAt,
  rotateAt,
  rows,
  runAlarm,
  tamper,
  type Connection,
} from "../support/connection.ts";
import { everythingStored, objectIds, secretsIn } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";

beforeEach(async () => {
  await gong.reset();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);

async function redeemed(): Promise<{ connection: Connection; grantId: string }> {
  const opened = await openConnection();
  await redeemAt(opened.connection, opened.grantId, "1");
  return opened;
}

describe(verifies("storage.connection", "the life of a connection"), () => {
  it("gateway: connecting again heals it for every agent, whatever had ended it", async () => {
    for (const end of ["needs_reconnect", "connected"] as const) {
      const { connection } = await redeemed();
      await tamper(connection, "UPDATE connection SET state = ?, reason = 'x', failures = 9", end);
      const second = await newGrant();
      await connection.connectGong(
        "main",
        { ...GONG_TOKENS, accessToken: "gong-access-2" },
        newAuthorization(),
        second,
      );
      expect(await connectionRow(connection)).toMatchObject({
        state: "connected",
        reason: null,
        failures: 0,
        generation: 2,
      });
      expect(await accessAt(connection, "1")).toBe("ok");
      expect(await redeemAt(connection, second.grant.id, "2")).toMatchObject({ kind: "issued" });
    }
  });

  it("gateway: disconnecting ends every grant and forgets Gong's tokens; connecting again revives no grant", async () => {
    const { connection, grantId } = await redeemed();
    expect(await connection.disconnect("ended_by_admin")).toBe(true);
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      reason: "ended_by_admin",
      gong_access_token_sealed: null,
      gong_refresh_token_sealed: null,
    });
    expect(await accessAt(connection, "1")).toBe("invalid_token: unknown");
    expect(await connection.openGrant(await newGrant())).toBe(false);
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    expect(await accessAt(connection, "1")).toBe("invalid_token: unknown");
    expect(await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" })).toEqual({
      kind: "refused",
      reason: "grant_revoked",
    });
  });

  it("gateway: fifty people who connect at once leave one state and fifty grants", async () => {
    const connection = connectionAt();
    const opened = await Promise.all(Array.from({ length: 50 }, () => newGrant()));
    const [first = ""] = opened.map(({ grant }) => grant.id);
    await Promise.all(
      opened.map((grant) => connection.connectGong("main", GONG_TOKENS, newAuthorization(), grant)),
    );
    expect(await connectionRow(connection)).toMatchObject({ generation: 50, state: "connected" });
    expect(await rows(connection, "grants")).toHaveLength(50);
    await redeemAt(connection, first, "1");
    expect(await accessAt(connection, "1")).toBe("ok");
  });

  it("gateway: a description names agents and times, and holds nothing that opens anything", async () => {
    const { connection, grantId } = await redeemed();
    const described = await connection.describe();
    expect(described).toMatchObject({ state: "connected", sealedWith: "k1", grants: [{ id: grantId }] });
    const row = await connectionRow(connection);
    const { accessToken, refreshToken = "" } = GONG_TOKENS;
    const sealed = row.gong_access_token_sealed ?? "";
    expect(secretsIn(JSON.stringify(described), { accessToken, refreshToken, sealed })).toEqual([]);
  });

  it("gateway: without a refresh token a connection is used to its end, and then needs a person", async () => {
    const { connection, grantId } = await openConnection({ refreshToken: undefined, expiresInSeconds: 600 });
    await redeemAt(connection, grantId, "1");
    expect(await accessAt(connection, "1")).toBe("ok");
    pass(600);
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await connectionRow(connection)).toMatchObject({ reason: "no_refresh_token" });
    expect(await gong.requests()).toEqual([]);
  });
});

describe(verifies("storage.gong_tokens_sealed", "what is on disk"), () => {
  it("OWASP ASVS 14.2.4: tokens of Gong's are sealed, ours are hashed, and neither is anywhere in the clear", async () => {
    const { connection, grantId } = await redeemed();
    await rotateAt(connection, grantId, { from: "1", generation: 1, name: "2" });
    const row = await connectionRow(connection);
    expect([row.gong_access_token_sealed ?? "", row.gong_refresh_token_sealed ?? ""].map(sealedWith)).toEqual(
      ["k1", "k1"],
    );
    const { accessToken, refreshToken = "" } = GONG_TOKENS;
    const ours = { code: `code of ${grantId}`, access: "access 1", refresh: "refresh 1", next: "refresh 2" };
    expect(secretsIn(await everythingStored(), { accessToken, refreshToken, ...ours })).toEqual([]);
  });

  it.each([
    ["the two tokens exchanged", "gong_access_token_sealed = gong_refresh_token_sealed"],
    ["another generation", "generation = generation + 1"],
    ["another connection's token", "gong_access_token_sealed = ?"],
  ])(
    "OWASP ASVS 11.3.3: with %s it is unreadable, is left alone, and Gong is not asked",
    async (_, change) => {
      const { connection } = await redeemed();
      const foreign = (await connectionRow((await redeemed()).connection)).gong_access_token_sealed;
      const values = change.includes("?") ? [foreign] : [];
      await tamper(connection, `UPDATE connection SET ${change}`, ...values);
      const before = await connectionRow(connection);
      expect(await accessAt(connection, "1")).toBe("unreadable");
      expect(await connectionRow(connection)).toEqual(before);
      expect(await gong.requests()).toEqual([]);
    },
  );
});

describe(verifies("storage.wrong_key", "a sealing key that is missing"), () => {
  /** The connection's tokens, sealed in place by a key that this deployment does not have. */
  async function sealedByAnotherKey(connection: Connection, id: string): Promise<void> {
    const ring = createKeyring([{ kid: "k0", secret: new Uint8Array(32).fill(9) }]);
    const place = { purpose: "gong-tokens", environment: env.PUBLIC_URL, object: id, generation: 1 } as const;
    await tamper(
      connection,
      "UPDATE connection SET gong_access_token_sealed = ?, gong_refresh_token_sealed = ?",
      await seal(ring, { ...place, field: "access_token" }, "gong-access"),
      await seal(ring, { ...place, field: "refresh_token" }, "gong-refresh"),
    );
  }

  it("NIST SP 800-57 §5.3.4: calls wait, nothing is overwritten, and the key brings everything back", async () => {
    const { connection } = await redeemed();
    const good = await connectionRow(connection);
    await sealedByAnotherKey(connection, connection.name ?? "");
    const before = await connectionRow(connection);
    expect(await accessAt(connection, "1")).toBe("unreadable");
    expect(await connectionRow(connection)).toEqual(before);
    expect(await connection.reseal()).toMatchObject({ resealed: false, missingKid: "k0" });
    expect(await connectionRow(connection)).toEqual(before);
    await tamper(
      connection,
      "UPDATE connection SET gong_access_token_sealed = ?, gong_refresh_token_sealed = ?",
      good.gong_access_token_sealed,
      good.gong_refresh_token_sealed,
    );
    expect(await accessAt(connection, "1")).toBe("ok");
  });

  it("NIST SP 800-57 §5.3.4: an expired token is not given up, Gong is not asked, and sealed bytes stay", async () => {
    const { connection } = await redeemed();
    await sealedByAnotherKey(connection, connection.name ?? "");
    const before = await connectionRow(connection);
    pass(DAY);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      pass(HOUR);
      await tamper(connection, "UPDATE access_tokens SET expires_at = expires_at + 86400 * 2");
      expect(await accessAt(connection, "1")).toBe("unavailable");
    }
    const { gong_access_token_sealed, gong_refresh_token_sealed, generation, state } = before;
    expect(await connectionRow(connection)).toMatchObject({
      gong_access_token_sealed,
      gong_refresh_token_sealed,
      generation,
      state,
    });
    expect(await gong.requests()).toEqual([]);
  });
});

describe(verifies("storage.no_write_by_looking", "objects that were only asked"), () => {
  it("gateway: every question to a connection that never was is answered, and writes nothing", async () => {
    const connection = connectionAt();
    const presented = { from: "x", generation: 1, name: "y" };
    const before = await objectIds();
    expect([
      await accessAt(connection, "x"),
      await redeemAt(connection, "g", "x"),
      await rotateAt(connection, "g", presented),
      await connection.replaceRejectedGongToken(1),
      await connection.reseal(),
      await connection.revokeToken({ kind: "access", hash: "x", grantId: "g", clientId: "c" }),
      await connection.revokeToken({ kind: "refresh", hash: "x", grantId: "g", clientId: "c" }),
      await connection.endGrant("g", "x"),
      await connection.disconnect("x"),
      await connection.describe(),
      await connection.openGrant(await newGrant()),
    ]).toEqual([
      "invalid_token: connection_unknown",
      { kind: "refused", reason: "connection_unknown" },
      { kind: "refused", reason: "connection_unknown" },
      { ok: false, reason: "not_connected", retryAfterSeconds: 0 },
      expect.objectContaining({ resealed: false }),
      false,
      false,
      false,
      false,
      undefined,
      false,
    ]);
    await runAlarm(connection);
    const after = await objectIds();
    expect({ ...after, CONNECTIONS: [] }).toEqual({ ...before, CONNECTIONS: [] });
    await runInDurableObject(connection, async (_, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray()).toEqual(
        [],
      );
      expect([...(await storage.list()), await storage.getAlarm()]).toEqual([null]);
    });
  });

  it("gateway: an evicted connection that is only looked at keeps its bytes", async () => {
    const { connection } = await redeemed();
    const tables = ["connection", "grants", "codes", "access_tokens", "schema_version"];
    const look = () => Promise.all(tables.map((table) => rows(connection, table)));
    const before = await look();
    await evictDurableObject(connection);
    await connection.describe();
    await connection.reseal();
    await connection.replaceRejectedGongToken(0);
    expect(await look()).toEqual(before);
  });
});

describe(verifies("integration.replaced", "another client id in the settings"), () => {
  it("RFC 6749 §6: a refresh token of the integration before is not sent, and signing in heals", async () => {
    const { connection, grantId } = await openConnection();
    await redeemAt(connection, grantId, "1");
    await tamper(connection, "UPDATE connection SET gong_client_id = 'before'");
    expect(await accessAt(connection, "1")).toBe("ok");
    await tamper(connection, "UPDATE connection SET gong_expires_at = 0, refresh_due_at = 0");
    expect(await accessAt(connection, "1")).toBe("needs_reconnect");
    expect(await connectionRow(connection)).toMatchObject({
      state: "needs_reconnect",
      reason: "integration_replaced",
    });
    expect(await gong.requests()).toEqual([]);
    await connection.connectGong("main", GONG_TOKENS, newAuthorization(), undefined);
    expect(await accessAt(connection, "1")).toBe("ok");
  });
});
