// What a connection keeps for its person: account sessions, and the record of what happened; both bounded, and nothing
// written by asking.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { randomId } from "../../src/crypto/credential.ts";
import type { EventRow } from "../../src/storage/connection-audit.ts";
import {
  newAuthorization,
  connectionAt,
  connectionRow,
  DAY,
  GONG_TOKENS,
  now,
  openConnection,
  rows,
  tamper,
} from "../support/connection.ts";
import { connectToGong } from "../support/gong-connection.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

/** A key that nobody holds. */
const key = (name: string) => ({
  id: randomId(),
  hash: `hash of ${name}`,
  kid: "k1",
  name,
  scope: "mcp:ai-ask:read",
  tools: undefined,
  createdBy: "person",
  expiresAt: now() + DAY,
});

describe(verifies("account.session", "account sessions of one connection"), () => {
  it("ASVS 7.1.2: at most ten live at a time; the oldest ends first", async () => {
    const { connection } = await openConnection();
    const names = Array.from({ length: 12 }, (_, at) => `session ${at}`);
    for (const name of names) expect(await connection.openAccountSession(name)).toBe(true);
    const live = await Promise.all(names.map((name) => connection.useAccountSession(name)));
    expect(live).toEqual(names.map((_, at) => at >= 2));
  });

  it("gateway: asking a connection that was never written opens nothing and writes nothing", async () => {
    const nobody = connectionAt();
    expect(await nobody.openAccountSession("s")).toBe(false);
    expect(await nobody.useAccountSession("s")).toBe(false);
    expect(await nobody.events(10)).toEqual([]);
    expect(await nobody.endAllGrants("x")).toBe(0);
    await nobody.signOutOfAccount("s");
    expect(await rows(nobody, "schema_version")).toEqual([]);
  });

  it("gateway: signing out of a session that is over neither is on record nor lets go of anything", async () => {
    const connection = connectionAt();
    await connection.signInToAccount("main", GONG_TOKENS, newAuthorization(), "one");
    await connection.openAccountSession("two");
    await connection.signOutOfAccount("three");
    await connection.signOutOfAccount("one");
    expect((await connectionRow(connection)).state).toBe("connected");
    await connection.signOutOfAccount("two");
    expect(await connectionRow(connection)).toMatchObject({
      state: "disconnected",
      gong_refresh_token_sealed: null,
    });
  });
});

describe(verifies("account.nothing_left", "the last visit ends while an agent key is made"), () => {
  it("gateway: in fifty races the key has Gong's tokens or does not exist", async () => {
    for (let round = 0; round < 50; round += 1) {
      const connection = connectionAt();
      await connection.signInToAccount("main", GONG_TOKENS, newAuthorization(), "visit");
      const create = () => connection.createAgentKey(key("raced"));
      const signOut = () => connection.signOutOfAccount("visit");
      const [one, other] = await Promise.all(round % 2 === 0 ? [create(), signOut()] : [signOut(), create()]);
      const made = one ?? other;
      const { state } = await connectionRow(connection);
      expect([made, state]).toEqual(
        made === "created" ? ["created", "connected"] : ["not_connected", "disconnected"],
      );
    }
  });
});

describe(verifies("account.calls", "the calls of one connection"), () => {
  it("gateway: thirty days are counted by agent, and what was paid is told apart", async () => {
    const { connection } = await openConnection();
    expect(await connection.countCalls()).toEqual([]);
    const today = now() - (now() % DAY);
    const calls = [
      ["g1", null, "paid", today],
      ["g1", null, "joined", today],
      ["g1", null, "paid", today - DAY],
      [null, "k1", "refused", today - 29 * DAY],
      ["g1", null, "paid", today - 29 * DAY - 1],
    ] as const;
    for (const [at, [grant, keyId, served, when]] of calls.entries()) {
      await tamper(
        connection,
        `INSERT INTO paid_calls (id, started_at, grant_id, key_id, tool, call_hash, served, outcome, request_bytes)
         VALUES (?, ?, ?, ?, 'ask_account', 'h', ?, 'ok', 1)`,
        `call ${at}`,
        when,
        grant,
        keyId,
        served,
      );
    }
    expect(await connection.countCalls()).toEqual([
      { id: "g1", calls: 3, paid: 2 },
      { id: "k1", calls: 1, paid: 0 },
    ]);
  });
});

describe(verifies("account.record", "the record of one connection"), () => {
  const actions = async (connection: Awaited<ReturnType<typeof connectToGong>>["connection"]) =>
    (await connection.events(50)).map(({ action, reason }) => [action, reason]);

  it("gateway: it keeps the newest thousand events", async () => {
    const { connection } = await openConnection();
    await tamper(
      connection,
      `INSERT INTO events (at, action) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
       SELECT i, 'old' FROM n`,
    );
    await connection.createAgentKey(key("newest"));
    const kept = await rows<EventRow & Record<string, SqlStorageValue>>(connection, "events");
    expect(kept.length).toBe(1000);
    expect(kept.at(-1)).toMatchObject({ action: "key.created", name: "newest" });
  });

  it("gateway: of refreshes that fail in a row the first is on record, and so is the loss", async () => {
    const { connection } = await connectToGong();
    await tamper(connection, "UPDATE connection SET gong_expires_at = 0, refresh_due_at = 0");
    await gong.fault({ endpoint: "token", fault: { kind: "status", status: 500 }, times: 2 });
    for (let tries = 0; tries < 2; tries += 1) {
      await tamper(connection, "UPDATE connection SET refresh_due_at = 0");
      await connection.replaceRejectedGongToken((await connectionRow(connection)).generation);
    }
    expect((await connectionRow(connection)).failures).toBe(2);
    await gong.killTokens({ kind: "all" });
    await tamper(connection, "UPDATE connection SET refresh_due_at = 0");
    await connection.replaceRejectedGongToken((await connectionRow(connection)).generation);
    expect((await actions(connection)).slice(0, 2)).toEqual([
      ["needs_reconnect", expect.any(String)],
      ["refresh.failed", "unavailable"],
    ]);
  });

  it("gateway: what ends an agent is told, by whom or why, once", async () => {
    const { connection, grantId } = await openConnection();
    await connection.createAgentKey({ ...key("k"), id: "k" });
    await connection.revokeAgentKey("k", "ada@example.com");
    await connection.revokeAgentKey("k", "ada@example.com");
    await connection.endGrant(grantId, "revoked_by_client");
    await connection.endGrant(grantId, "revoked_by_client");
    expect(await actions(connection)).toEqual([
      ["disconnected", "no_agent_left"],
      ["agent.ended", "revoked_by_client"],
      ["key.revoked", "ada@example.com"],
      ["key.created", "person"],
      ["agent.approved", null],
      ["connected", null],
    ]);
  });
});
