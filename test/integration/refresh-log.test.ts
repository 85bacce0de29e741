// What an operator can count: each refresh of Gong's tokens is one line in the log, in one of a few buckets, with
// nothing in it that opens anything.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { accessAt, runAlarm, tamper, type Connection } from "../support/connection.ts";
import { recordLogs } from "../support/evidence.ts";
import { connectToGong, refreshRequests } from "../support/gong-connection.ts";
import { gong, type FaultLine } from "../support/gong.ts";

let logs: readonly string[] = [];
beforeEach(async () => {
  await gong.reset();
  logs = recordLogs();
});
afterEach(() => void vi.restoreAllMocks());

async function expired(): Promise<Connection> {
  const { connection } = await connectToGong();
  await tamper(connection, "UPDATE connection SET gong_expires_at = 0, refresh_due_at = 0");
  return connection;
}

/** The lines about this connection: alarms of earlier ones may run at any time. */
const refreshLines = ({ name = "" }: Connection): readonly Record<string, unknown>[] =>
  logs
    .filter((line) => line.includes('"connection.refreshed"') && line.includes(name))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What breaks, and the bucket it belongs to. */
const BUCKETS: readonly [string, FaultLine["fault"] | undefined][] = [
  ["refreshed", undefined],
  ["rate_limited", { kind: "rate_limited", retryAfter: "9" }],
  ["unavailable", { kind: "status", status: 503 }],
  ["unavailable", { kind: "drop_before" }],
  ["misconfigured", { kind: "oauth_error", error: "invalid_client", status: 401 }],
  ["malformed", { kind: "html" }],
  ["denied", { kind: "oauth_error", error: "access_denied" }],
  ["ended", { kind: "oauth_error", error: "invalid_grant" }],
];

describe(verifies("operations.refresh_logged", "gateway: one line for each refresh"), () => {
  it.each(BUCKETS)("fifty callers share one refresh and its one line, %s, for %o", async (outcome, fault) => {
    const connection = await expired();
    if (fault !== undefined) await gong.fault({ endpoint: "token", fault, times: "always" });
    await Promise.all([...Array.from({ length: 50 }, () => accessAt(connection, "1")), runAlarm(connection)]);
    const lines = refreshLines(connection);
    expect(new Set(lines.map((line) => line["outcome"]))).toEqual(new Set([outcome]));
    // On a machine slower than the first pauses the alarm tries again: that is another refresh, with its own line.
    expect(lines.length).toBeLessThan(6);
    expect(lines[0]).toMatchObject({ connection: connection.name, milliseconds: expect.any(Number) });
  });

  it("a refresh that a disconnect overtakes is superseded", async () => {
    const connection = await expired();
    await gong.knobs({ tokenDelayMs: 300 });
    const caller = accessAt(connection, "1");
    await expect.poll(async () => (await connection.describe())?.state).toBe("refreshing");
    await connection.disconnect("ended_by_person");
    await caller;
    await expect.poll(() => refreshLines(connection).map((line) => line["outcome"])).toEqual(["superseded"]);
  });

  it("a record whose key is missing is one line, and names the key in another", async () => {
    const connection = await expired();
    await tamper(connection, "UPDATE connection SET gong_refresh_token_sealed = gong_access_token_sealed");
    await evictDurableObject(connection);
    await accessAt(connection, "1");
    expect(refreshLines(connection).map((line) => line["outcome"])).toEqual(["unreadable"]);
    expect(
      logs.filter((line) => line.includes('"record.unreadable"') && line.includes(connection.name ?? "")),
    ).toHaveLength(1);
  });

  it("storage that fails is one line", async () => {
    const connection = await expired();
    await tamper(
      connection,
      "CREATE TRIGGER broken BEFORE UPDATE OF attempt_id ON connection BEGIN SELECT RAISE(ABORT, 'x'); END",
    );
    await accessAt(connection, "1");
    expect(refreshLines(connection).map((line) => line["outcome"])).toEqual(["failed"]);
  });

  it("an answer that was kept and is adopted is one line, without asking Gong", async () => {
    const connection = await expired();
    // Gong's answer is kept, and the commit fails.
    await tamper(
      connection,
      "CREATE TRIGGER broken BEFORE UPDATE OF generation ON connection BEGIN SELECT RAISE(ABORT, 'x'); END",
    );
    await accessAt(connection, "1");
    const asked = await refreshRequests();
    await tamper(connection, "DROP TRIGGER broken");
    await tamper(connection, "UPDATE connection SET refresh_due_at = 0");
    expect(await accessAt(connection, "1")).toBe("ok");
    const outcomes = refreshLines(connection).map((line) => line["outcome"]);
    // The alarm may have tried in vain, too, before the trigger was gone.
    expect([...new Set(outcomes)]).toEqual(["failed", "refreshed"]);
    expect(outcomes.filter((outcome) => outcome === "refreshed")).toHaveLength(1);
    expect(await refreshRequests()).toBe(asked);
  });
});
