// /admin/spend: what calls cost by day and group, the ledger of one connection, both as files, and how rows go: by age
// and by an admin's act. Calls are real ones through the gateway to the stand-in Gong.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectionObject } from "../../src/storage/connection-object.ts";
import { countAsks } from "../../src/domain/ledger-files.ts";
import { exportResponse } from "../../src/export.ts";
import { recordCall } from "../../src/storage/paid-ledger.ts";
import { verifies } from "../conformance/verifies.ts";
import { act, adminBrowser } from "../support/admin.ts";
import { connectionOf } from "../support/agent-key.ts";
import { connectionAt, DAY, now, openConnection, type Connection } from "../support/connection.ts";
import { rowsOf } from "../support/evidence.ts";
import { ask, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { answerOf, askPaid, begin, ledgerRows, reusing, rowsWhen, setPolicy } from "../support/paid.ts";

let admin: TestBrowser;

beforeEach(async () => {
  await gong.reset();
  await begin();
  admin = await adminBrowser();
});
afterEach(async () => {
  vi.useRealTimers();
  await setPolicy({});
});

async function textAt(path: string): Promise<string> {
  const answer = await admin.open(path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  return readText(await answer.text());
}

/** One call that Gong charges and one that is reused, on a connection of its own; its id. */
async function oneOfTwoPaid(person: string): Promise<string> {
  await setPolicy(reusing(60));
  const client = await connectAs(person);
  const known = new Set((await admin1().listConnections(50)).map(({ id }) => id));
  for (const id of [1, 2]) await answerOf(await askPaid(client, { id }));
  await rowsWhen((rows) => rows.length === 2 && rows.every(({ delivered }) => delivered === 1));
  for (const id of known) {
    const { rows } = await env.CONNECTIONS.getByName(id).ledgerPage({ limit: 1 });
    if (rows[0] !== undefined && (await ledgerRows()).some((row) => row.id === rows[0]?.id)) return id;
  }
  throw new Error("No connection has the rows");
}

const admin1 = () => env.ADMIN.getByName("admin");
const today = (): string => new Date().toISOString().slice(0, 10);

async function sums(): Promise<Readonly<Record<string, number>>> {
  const rows = await admin1().usage({ from: today(), to: today(), groupBy: "day" });
  return Object.fromEntries(rows.map(({ served, calls }) => [served, calls]));
}

function write(connection: Connection, id: string, at: number, changes: object = {}): Promise<void> {
  return runInDurableObject(connection, (_, { storage }) =>
    recordCall(
      storage.sql,
      {
        id,
        holder: { grantId: "g", clientId: "c" },
        tool: "ask_account",
        callHash: "h",
        served: "paid",
        paidBy: undefined,
        outcome: "ok",
        requestBytes: 1,
        ...changes,
      },
      at,
    ),
  );
}

describe(verifies("spend.overview", "the spend of the company"), () => {
  it("gateway: counts what Gong was asked and what was saved, exactly as Gong charged it", async () => {
    const before = await sums();
    const id = await oneOfTwoPaid("ada");
    await vi.waitFor(async () => {
      expect((await sums())["reused"]).toBe((before["reused"] ?? 0) + 1);
    });
    const after = await sums();
    const charged = (await gong.ledger()).filter(
      (entry) => entry.kind === "tool_call" && entry.event === "started",
    );
    expect(charged).toHaveLength(1);
    expect(after["paid"]).toBe((before["paid"] ?? 0) + 1);
    const text = await textAt("/admin/spend");
    expect(text).toContain(`Asked of Gong ${after["paid"]}Each`);
    expect(text).toContain(`Reused: ${after["reused"]}.`);
    expect(text).toContain("The whole company");
    expect(await textAt("/admin/spend?by=connection")).toContain(id);
    expect(await textAt("/admin/spend?by=tool")).toContain("ask_account");
    expect(await textAt(`/admin/spend?from=2020-01-01&to=2020-01-31`)).toContain(
      "No tool was called on these days.",
    );
  });

  it.each(["from=9999-12-31", "from=x&to=y", "to=0000-01-01", "by=constructor", "from=2026-01-40"])(
    "gateway: a query that names no days, such as %s, shows a page",
    async (query) => {
      expect(await textAt(`/admin/spend?${query}`)).toContain("Tool calls");
    },
  );
});

describe(verifies("spend.ledger", "the ledger of one connection"), () => {
  it("gateway: shows, counts and narrows its rows", async () => {
    const id = await oneOfTwoPaid("ada");
    const all = await textAt(`/admin/spend/${id}`);
    expect(all).toContain("Answered: ");
    expect(all).toContain("Reused an earlier answer");
    const none = await textAt(`/admin/spend/${id}?outcome=out_of_credits`);
    expect(none).toContain("Nothing matches.");
    expect(await textAt(`/admin/spend/${id}?q=ask_account`)).not.toContain("Nothing matches.");
    expect(await textAt(`/admin/spend/${id}?q=no_such_tool`)).toContain("Nothing matches.");
  });

  it("gateway: an id that is not in the index wakes no object", async () => {
    expect((await admin.open("/admin/spend/made-up")).status).toBe(404);
    expect((await admin.open("/admin/spend/made-up/export?format=csv")).status).toBe(404);
    expect(await connectionAt("made-up").listLedger({ search: "", filters: {}, cursor: undefined })).toEqual({
      page: { rows: [], total: 0, next: undefined, previous: undefined },
      outcomes: [],
      contents: [],
    });
  });
});

describe(verifies("spend.export", "the ledger as a file"), () => {
  it.each(["csv", "ndjson"])(
    "RFC 4180, NDJSON: has every row of every connection once (%s)",
    async (format) => {
      await oneOfTwoPaid("ada");
      const answer = await admin.open(`/admin/spend/export?format=${format}`);
      expect(answer.headers.get("content-disposition")).toBe(
        `attachment; filename="gong-gateway-ledger.${format}"`,
      );
      const text = await answer.text();
      const expected = (await admin1().listConnections(50)).map(async ({ id }) =>
        (await env.CONNECTIONS.getByName(id).ledgerPage({ limit: 1000 })).rows.map((row) => row.id),
      );
      const ids = (await Promise.all(expected)).flat();
      const lines = text.trimEnd().split(/\r?\n/);
      expect(lines).toHaveLength(ids.length + (format === "csv" ? 1 : 0));
      for (const id of ids) expect(lines.filter((line) => line.includes(id)).length).toBeGreaterThan(0);
    },
  );

  it("gateway: a row says whether Gong's report is to have it, and links to the one that paid", async () => {
    const id = await oneOfTwoPaid("ada");
    const text = await (await admin.open(`/admin/spend/${id}/export?format=ndjson`)).text();
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [reused, paid] = rows;
    expect(paid).toMatchObject({
      connection: id,
      served: "paid",
      outcome: "ok",
      charged: "yes",
      gong_status: 200,
    });
    expect(reused).toMatchObject({ served: "reused", charged: "no", paid_by: paid?.["call"] });
    expect(reused?.["arguments_hash"]).toBe(paid?.["arguments_hash"]);
    expect(paid?.["time_utc"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it("gateway: parts follow one another, the days narrow it, and without a session there is none", async () => {
    const { connection } = await openConnection();
    const ids = ["aaa", "bbb", "ccc"];
    await admin1().recordConnection({ id: "aaa", integration: "main" }, undefined);
    for (const id of ids) await admin1().recordConnection({ id, integration: "main" }, undefined);
    expect(await connection.ledgerPage({ limit: 1 })).toMatchObject({ rows: [] });
    const every = (await admin1().connectionIds("", 500)).toSorted();
    expect(await admin1().connectionIds("", 500)).toEqual(every);
    const parts = await admin1().connectionParts(2);
    const walked = await Promise.all(parts.map((after) => admin1().connectionIds(after, 2)));
    expect(walked.flat()).toEqual(every);
    const future = await admin.open("/admin/spend/export?format=ndjson&from=2099-01-01");
    expect(await future.text()).toBe("");
    expect((await ask("/admin/spend/export?format=csv")).headers.get("location")).toMatch(/\/admin$/);
  });

  it("gateway: a file that would need more than 900 reads breaks off, and one of 900 is whole", async () => {
    const fileOf = (reads: number): Response => {
      const asked = countAsks();
      let left = reads;
      const more = async () => {
        if (left === 0) return [];
        left -= 1;
        asked();
        return [{ id: String(left) }];
      };
      return exportResponse("ndjson", { name: "test", columns: [["id", ({ id }) => id]], more });
    };
    const whole = await new Response(fileOf(900).body).arrayBuffer();
    expect(new TextDecoder().decode(whole).trimEnd().split("\n")).toHaveLength(900);
    await expect(new Response(fileOf(901).body).arrayBuffer()).rejects.toThrow("too long for one file");
  });

  it("CWE-1236: a client's name that is a formula stays text", async () => {
    const id = await oneOfTwoPaid("ada");
    const connection = env.CONNECTIONS.getByName(id);
    const holder = { grantId: "g", clientId: "c", clientName: '=HYPERLINK("https://evil.test")' };
    await write(connection, `formula-${crypto.randomUUID()}`, now(), { holder });
    const answer = await admin.open(`/admin/spend/${id}/export?format=csv`);
    expect(await answer.text()).toContain(`"'=HYPERLINK(""https://evil.test"")"`);
  });
});

describe(verifies("spend.retention", "how long rows are kept"), () => {
  it("gateway: the alarm deletes a row of 400 days, keeps one a minute younger, and comes for that one", async () => {
    const { connection } = await openConnection();
    const begun = now();
    await write(connection, "old", begun - 400 * DAY);
    await write(connection, "younger", begun - 400 * DAY + 60);
    vi.useFakeTimers({ toFake: ["Date"], now: begun * 1000 });
    await runInDurableObject(connection, (object: ConnectionObject) => object.alarm());
    const { rows } = await connection.ledgerPage({ limit: 10 });
    expect(rows.map(({ id }) => id)).toEqual(["younger"]);
    const due = await runInDurableObject(connection, (_, { storage }) => storage.getAlarm());
    expect(due).toBeLessThanOrEqual((begun + 60) * 1000);
    vi.setSystemTime((begun + 60) * 1000);
    expect(await runDurableObjectAlarm(connection)).toBe(true);
    expect((await connection.ledgerPage({ limit: 10 })).rows).toEqual([]);
  });
});

describe(verifies("spend.erasure", "erasing the ledger of a connection"), () => {
  it("gateway: rows and kept results go, sums by day stay without whose, and the audit says who", async () => {
    const id = await oneOfTwoPaid("ada");
    const connection = env.CONNECTIONS.getByName(id);
    await vi.waitFor(async () => {
      const rows = await admin1().usage({ from: today(), to: today(), groupBy: "day", connectionId: id });
      expect(rows.map(({ served }) => served)).toEqual(["paid", "reused"]);
    });
    const kept = () =>
      runInDurableObject(connection, (_, { storage }) =>
        storage.sql.exec("SELECT * FROM kept_results, kept_parts").toArray(),
      );
    expect((await kept()).length).toBeGreaterThan(0);
    const before = await sums();
    const path = `/admin/spend/${id}`;
    const answer = await act(admin, /\/erase$/, {}, path);
    expect([answer.status, answer.headers.get("location")]).toEqual([
      303,
      expect.stringMatching(/spend\/.+$/),
    ]);
    expect((await connection.ledgerPage({ limit: 10 })).rows).toEqual([]);
    expect(await kept()).toEqual([]);
    expect(await sums()).toEqual(before);
    const usage = await rowsOf("ADMIN", "usage");
    expect(usage.filter((row) => row["connection_id"] === id)).toEqual([]);
    const audit = (await rowsOf("ADMIN", "audit")).filter((row) => row["action"] === "ledger.erased");
    expect(audit.map((row) => [row["actor"], row["target"]])).toContainEqual(["admin", id]);
    expect(await textAt("/admin/audit")).toContain("Ledger erased");
  });

  it("gateway: a call that runs goes on, and its row tells how it ended", async () => {
    // The erasure must come before Gong's answer, also on a slow machine: only this one connection is asked.
    await gong.knobs({ toolLatencyMs: 2000 });
    const client = await connectAs("ada");
    const connection = env.CONNECTIONS.getByName(await connectionOf(client.tokens.access_token));
    const asking = askPaid(client, {});
    const rowNow = async () => (await connection.ledgerPage({ limit: 1 })).rows[0];
    await expect.poll(async () => (await rowNow())?.outcome).toBe("running");
    const running = await rowNow();
    await connection.eraseLedger();
    expect((await answerOf(await asking)).result?.isError).not.toBe(true);
    const rows = await rowsWhen(([row]) => row?.outcome === "ok");
    expect(rows.map((row) => row.id)).toEqual([running?.id]);
  });

  it("ASVS 4.4.3: without the form's token nothing is erased", async () => {
    const id = await oneOfTwoPaid("ada");
    const answer = await admin.post(`/admin/spend/${id}/erase`, { csrf: "x" });
    expect(answer.status).toBe(403);
    expect((await env.CONNECTIONS.getByName(id).ledgerPage({ limit: 10 })).rows.length).toBeGreaterThan(1);
  });
});
