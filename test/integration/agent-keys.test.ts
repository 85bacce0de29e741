// Making, listing and revoking agent keys: what is refused, what the index and the audit know, and how long lists stay
// fast.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { randomId } from "../../src/crypto/credential.ts";
import {
  createAgentKey,
  listAgentKeys,
  pageOfAgentKeys,
  revokeAgentKey,
  revokeAnyAgentKey,
} from "../../src/domain/agent-keys.ts";
import type { ListQuery } from "../../src/listing.ts";
import { pageOfAgentKeys as sqlPage } from "../../src/storage/agent-key-index.ts";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { gatewayHere, makeKey, personWithKey } from "../support/agent-key.ts";
import { connectionAt, DAY, now, rows, tamper } from "../support/connection.ts";
import { objectIds, rowsOf } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { plansOf } from "../support/query-plans.ts";

beforeEach(async () => {
  await gong.reset();
  for (const { id } of await env.ADMIN.getByName("admin").listConnections(100)) {
    await env.CONNECTIONS.getByName(id).disconnect("ended_by_admin");
  }
});
afterEach(() => {
  vi.useRealTimers();
});

const ALL: ListQuery = { search: "", filters: {}, cursor: undefined };
const WISH = { name: "Nightly job", tools: undefined, expiresInDays: 30, createdBy: actorNamed("ada") };

async function keyAt({ connectionId, id }: { connectionId: string; id: string }) {
  return (await listAgentKeys(gatewayHere(), connectionId)).find((key) => key.id === id);
}

describe(verifies("keys.made", "making and listing keys"), () => {
  it.each([
    ["name", { name: "" }],
    ["name", { name: " \u200b\u202e " }],
    ["tools", { tools: [] }],
    ["tools", { tools: ["ask account"] }],
    ["tools", { tools: ["x".repeat(129)] }],
    ["tools", { tools: Array.from({ length: 51 }, (_, n) => `tool_${n}`) }],
    ["expiry", { expiresInDays: 0 }],
    ["expiry", { expiresInDays: 731 }],
    ["expiry", { expiresInDays: 1.5 }],
    ["expiry", { expiresInDays: Number.NaN }],
  ] as const)(
    "gateway: a wrong %s is refused by its name and leaves nothing behind: %j",
    async (reason, changes) => {
      const { connectionId } = await personWithKey("ada");
      const before = [
        await rows(env.CONNECTIONS.getByName(connectionId), "agent_keys"),
        await rowsOf("ADMIN", "audit"),
      ];
      expect(await createAgentKey(gatewayHere(), connectionId, { ...WISH, ...changes })).toEqual({
        ok: false,
        reason,
      });
      expect([
        await rows(env.CONNECTIONS.getByName(connectionId), "agent_keys"),
        await rowsOf("ADMIN", "audit"),
      ]).toEqual(before);
    },
  );

  it("gateway: a connection that is not there gets no key, and is not written by asking", async () => {
    const id = randomId();
    expect(await createAgentKey(gatewayHere(), id, WISH)).toEqual({ ok: false, reason: "not_connected" });
    expect(await rows(connectionAt(id), "connection")).toEqual([]);
    expect(await revokeAnyAgentKey(gatewayHere(), randomId(), actorNamed("admin"))).toBe(false);
  });

  it("ASVS 16.3.1: making and revoking are in the audit with who did it, once each", async () => {
    const { connectionId, id } = await personWithKey("ada", { createdBy: actorNamed("ada@example.com") });
    expect(await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("grace"))).toBe(true);
    expect(await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("grace"))).toBe(false);
    const acts = (await rowsOf("ADMIN", "audit")).filter(({ target }) => target === id);
    expect(acts.map(({ actor, action }) => [actor, action])).toEqual([
      ["ada@example.com", "agent_key.created"],
      ["grace", "agent_key.revoked"],
    ]);
  });

  it("ASVS 8.2.2: a person can't end a key of somebody else's connection, an admin can end any", async () => {
    const ada = await personWithKey("ada");
    const grace = await personWithKey("grace");
    expect(await revokeAgentKey(gatewayHere(), grace.connectionId, ada.id, actorNamed("grace"))).toBe(false);
    expect(await keyAt(ada)).toMatchObject({ state: "live" });
    expect(await revokeAnyAgentKey(gatewayHere(), ada.id, actorNamed("admin"))).toBe(true);
    expect(await keyAt(ada)).toMatchObject({ state: "revoked", revokedBy: "admin" });
  });

  it("gateway: at the limit parallel makers are told so, and the index keeps only what was made", async () => {
    const { connectionId } = await personWithKey("ada");
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        createAgentKey(gatewayHere(), connectionId, { ...WISH, name: `Job ${at}` }),
      ),
    );
    expect(made.filter((one) => !one.ok)).toEqual([{ ok: false, reason: "too_many" }]);
    const live = (await listAgentKeys(gatewayHere(), connectionId)).filter(({ state }) => state === "live");
    expect(live).toHaveLength(50);
    const indexed = (await rowsOf("ADMIN", "key_index")).filter(
      (row) => row["connection_id"] === connectionId && row["revoked_at"] === null,
    );
    expect(new Set(indexed.map((row) => row["id"]))).toEqual(new Set(live.map(({ id }) => id)));
  });

  it("gateway: the list shows what the connections say: state, last use, and keys that ended with them", async () => {
    const { connectionId, id } = await personWithKey("ada", { name: "Of the ended" });
    const { key: _, ...kept } = await personWithKey("grace", { name: "Of the kept" });
    await env.CONNECTIONS.getByName(connectionId).disconnect("ended_by_admin");
    await vi.waitFor(async () => {
      const over = await pageOfAgentKeys(gatewayHere(), {
        ...ALL,
        filters: { state: "over" },
        search: "Of the",
      });
      expect(over.rows.map((row) => [row.id, row.state])).toEqual([[id, "revoked"]]);
    });
    const live = await pageOfAgentKeys(gatewayHere(), {
      ...ALL,
      filters: { state: "live" },
      search: "OF THE",
    });
    expect(live.rows).toMatchObject([{ id: kept.id, state: "live", access: "personal" }]);
  });

  it("gateway: a key that its connection does not know is listed as ended, never as live", async () => {
    const { connectionId, id } = await personWithKey("ada", { name: "Restored away" });
    await tamper(env.CONNECTIONS.getByName(connectionId), "DELETE FROM agent_keys");
    const page = await pageOfAgentKeys(gatewayHere(), { ...ALL, search: "Restored away" });
    expect(page.rows).toMatchObject([{ id, state: "revoked" }]);
  });

  it("gateway: a key is taken off the index thirty days after it was over", async () => {
    const { connectionId, id } = await personWithKey("ada", { expiresInDays: 1 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 32 * DAY * 1000 });
    await makeKey(connectionId).catch(() => undefined);
    expect((await rowsOf("ADMIN", "key_index")).map((row) => row["id"])).not.toContain(id);
  });

  it("gateway: ten thousand keys are searched and paged, and no page sorts them", async () => {
    const admin = env.ADMIN.getByName("admin");
    await runInDurableObject(admin, (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO key_index SELECT 'bulk' || i, 'c' || (i % 7), 'main', 'Bulk ' || i, 'bulk', ?1 - i, ?1 + 99, NULL, ?1 + 99 FROM n`,
        now(),
      );
    });
    const query = { ...ALL, search: "bulk" };
    const first = await admin.listAgentKeys(query);
    expect([first.total, first.rows.length, first.previous]).toEqual([10_000, 50, undefined]);
    const second = await admin.listAgentKeys({ ...query, cursor: first.next });
    expect(second.rows[0]?.name).toBe("Bulk 51");
    const back = await admin.listAgentKeys({ ...query, cursor: second.previous });
    expect(back.rows).toEqual(first.rows);
    const plans = await runInDurableObject(admin, (_, { storage }) =>
      plansOf(storage.sql, (sql) => sqlPage(sql, { ...ALL, cursor: first.next }, now())),
    );
    expect(plans.join("\n")).toContain("USING INDEX key_index_by_age");
    expect(plans.join("\n")).not.toContain("TEMP B-TREE");
    const ids = await objectIds();
    // A page asks the connections on it, and those are not made by asking.
    const page = await pageOfAgentKeys(gatewayHere(), query);
    expect(page.rows.every(({ state }) => state === "revoked")).toBe(true);
    expect((await objectIds()).ESCROWS).toEqual(ids.ESCROWS);
  });

  it("NIST SP 800-57 Part 1 §5.3.4: the key sweep says how many live keys still need which sealing key", async () => {
    const { connectionId, id } = await personWithKey("ada");
    await makeKey(connectionId);
    const connection = env.CONNECTIONS.getByName(connectionId);
    expect((await connection.reseal()).agentKeys).toEqual({ k1: 2 });
    await tamper(connection, "UPDATE agent_keys SET kid = 'k0' WHERE id = ?", id);
    expect((await connection.reseal()).agentKeys).toEqual({ k0: 1, k1: 1 });
    await revokeAgentKey(gatewayHere(), connectionId, id, actorNamed("ada"));
    expect((await connection.reseal()).agentKeys).toEqual({ k1: 1 });
  });
});
