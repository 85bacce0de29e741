// The ledger's pages: newest first, narrowed by a filter, without gaps between pages, and nothing written by looking.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { endCall, markDelivered, recordCall, type NewPaidCall } from "../../src/storage/paid-ledger.ts";
import { verifies } from "../conformance/verifies.ts";
import { connectionAt, now, openConnection, rows, type Connection } from "../support/connection.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());

function write(connection: Connection, calls: readonly Partial<NewPaidCall>[]): Promise<void> {
  return runInDurableObject(connection, (_, { storage }) => {
    for (const [at, changes] of calls.entries()) {
      const call: NewPaidCall = {
        id: `call-${at}`,
        holder: { grantId: "grant-1", clientId: "client-1" },
        tool: "ask_account",
        callHash: `hash-${at}`,
        served: "paid",
        paidBy: undefined,
        outcome: "running",
        requestBytes: 100,
        ...changes,
      };
      recordCall(storage.sql, call, now() + at);
    }
  });
}

describe(verifies("paid.ledger", "pages of the ledger"), () => {
  it("gateway: pages follow one another without a gap or a repeat, newest first", async () => {
    const { connection } = await openConnection();
    await write(
      connection,
      Array.from({ length: 7 }, () => ({})),
    );
    const first = await connection.ledgerPage({ limit: 3 });
    const second = await connection.ledgerPage({ limit: 3, before: first.nextBefore });
    const third = await connection.ledgerPage({ limit: 3, before: second.nextBefore });
    const ids = [first, second, third].flatMap((page) => page.rows.map(({ id }) => id));
    expect(ids).toEqual([6, 5, 4, 3, 2, 1, 0].map((at) => `call-${at}`));
    expect(third.nextBefore).toBeUndefined();
  });

  it("gateway: a filter narrows by tool, holder, way of serving, outcome and time", async () => {
    const { connection } = await openConnection();
    await write(connection, [
      { tool: "ask_deal" },
      { served: "joined", paidBy: "call-0" },
      { holder: { keyId: "key-1" } },
      { outcome: "refused", served: "refused" },
    ]);
    const ids = async (filter: Parameters<Connection["ledgerPage"]>[0]["filter"]) => {
      const page = await connection.ledgerPage({ limit: 10, filter });
      return page.rows.map(({ id }) => id);
    };
    expect(await ids({ tool: "ask_deal" })).toEqual(["call-0"]);
    expect(await ids({ served: "joined" })).toEqual(["call-1"]);
    expect(await ids({ keyId: "key-1" })).toEqual(["call-2"]);
    expect(await ids({ outcome: "refused" })).toEqual(["call-3"]);
    expect(await ids({ from: now() + 2 })).toEqual(["call-3", "call-2"]);
    expect(await ids({ until: now() + 1, clientId: "client-1" })).toEqual(["call-0"]);
    expect(await ids({ grantId: "nobody" })).toEqual([]);
  });

  it("gateway: a row is completed once, and what it says then stays", async () => {
    const { connection } = await openConnection();
    await write(connection, [{}]);
    await runInDurableObject(connection, (_, { storage }) => {
      endCall(storage.sql, "call-0", { outcome: "ok", milliseconds: 12.4, gongStatus: 200, answerBytes: 5 });
      endCall(storage.sql, "call-0", { outcome: "unknown", milliseconds: 99 });
      markDelivered(storage.sql, "call-0");
    });
    const { rows: found } = await connection.ledgerPage({ limit: 1 });
    expect(found).toMatchObject([
      { outcome: "ok", milliseconds: 12, gong_status: 200, answer_bytes: 5, delivered: 1 },
    ]);
  });

  it("gateway: looking at the ledger of a connection that never was writes nothing", async () => {
    const connection = connectionAt();
    expect(await connection.ledgerPage({ limit: 5 })).toEqual({ rows: [], nextBefore: undefined });
    expect(await rows(connection, "schema_version")).toEqual([]);
  });
});
