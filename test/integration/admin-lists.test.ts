// The lists of /admin over 10,000 rows of each kind, in workerd: pages are bounded, come by an index and ask no object
// but the AdminObject; search, filters and downloads work; what ended is gone after 90 days.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as audit from "../../src/storage/audit.ts";
import * as index from "../../src/storage/connection-index.ts";
import { verifies } from "../conformance/verifies.ts";
import { actorNamed } from "../support/actor.ts";
import { adminBrowser } from "../support/admin.ts";
import { reportOf } from "../support/connection-report.ts";
import { objectIds, rowsOf } from "../support/evidence.ts";
import type { TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { plansOf } from "../support/query-plans.ts";

const MANY = 10_000;
const DAY = 86_400;
/** 50 rows of markup; a page that grew with the list would be megabytes. */
const LARGEST_PAGE = 120_000;
let admin: TestBrowser;
const start = Math.floor(Date.now() / 1000);

const object = () => env.ADMIN.getByName("admin");

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
  await runInDurableObject(object(), (_, { storage }) => {
    const { sql } = storage;
    storage.transactionSync(() => {
      for (let at = 0; at < MANY; at += 1) {
        const id = `con-${String(at).padStart(5, "0")}`;
        index.recordConnection(sql, { id, integration: "main" }, `client-${at % 7}`, start - at);
        const state = at % 100 === 0 ? "needs_reconnect" : "connected";
        const soon = at % 1000 === 1 ? { personDueAt: start + DAY, personDueFor: "sign_ins_end" } : {};
        index.recordState(sql, id, reportOf(state, { agents: [`Agent ${at}`], kid: "k1", ...soon }));
        if (at > 0)
          audit.writeAudit(
            sql,
            start - MANY + at,
            { actor: `admin-${at % 3}`, cause: "admin", requestId: `request-${at}` },
            "connection.ended",
            id,
          );
      }
    });
  });
}, 120_000);
afterEach(() => vi.useRealTimers());

async function open(path: string): Promise<{ readonly html: string; readonly text: string }> {
  const answer = await admin.open(path);
  expect(answer.status).toBe(200);
  const html = await answer.text();
  return { html, text: readText(html) };
}

const nextOf = (html: string): string => {
  const [, path = ""] = /rel="next" href="([^"]+)"/.exec(html) ?? [];
  return path.replaceAll("&amp;", "&");
};

describe(verifies("list.paging", "list.query", "the lists of /admin with ten thousand rows"), () => {
  it.each([
    ["connections", "/admin/connections", "10,000 in all", "/admin/connections/con-"],
    ["audit entries", "/admin/audit", "10,000 in all", "request-"],
  ])("gateway: %s come fifty at a time, and the pages are small", async (_, path, total, row) => {
    const before = await objectIds();
    const seen = new Set<string>();
    let at = path;
    for (let page = 0; page < 3; page += 1) {
      const { html, text } = await open(at);
      expect(text).toContain(total);
      expect(html.length).toBeLessThan(LARGEST_PAGE);
      const rows = html.match(/<th scope="row" role="rowheader">/g) ?? [];
      expect(rows).toHaveLength(50);
      expect(seen.has(html)).toBe(false);
      expect(html).toContain(row.replace("request-", "<code"));
      seen.add(html);
      at = nextOf(html);
    }
    // No object was asked: ten thousand connections are not woken to be listed.
    expect(await objectIds()).toEqual(before);
  });

  it("gateway: a search finds the one row among them, a filter those it names", async () => {
    const { text } = await open("/admin/connections?q=agent+4321");
    expect(text).toContain("1 matches");
    expect(text).toContain("Agent 4321 · con-0432");
    expect((await open("/admin/connections?state=needs_reconnect")).text).toContain("100 match");
    expect((await open("/admin/connections?state=soon")).text).toContain("10 match");
    expect((await open("/admin/connections?client=client-3")).text).toMatch(/1,42[89] match/);
    expect((await open("/admin/audit?actor=admin-1")).text).toContain("3,333 match");
    expect((await open("/admin/audit?q=request-77")).text).toContain("111 match");
    const none = await open("/admin/connections?q=nobody");
    expect(none.text).toContain("Nothing matches.");
    expect(none.html).toContain('<a href="/admin/connections">Show all</a>');
  });

  it("gateway: a day filters the audit, both days included", async () => {
    const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
    const today = day(start);
    expect((await open(`/admin/audit?from=${today}&to=${day(start + DAY)}&actor=admin`)).text).toContain(
      "1 matches",
    );
    expect((await open(`/admin/audit?to=${day(start - 2 * DAY)}`)).text).toContain("Nothing matches.");
  });

  it("SQLite: every page of the lists is read by an index, without sorting", async () => {
    const all = {
      search: "",
      filters: {},
      cursor: { direction: "after", at: start - 500, id: "9" },
    } as const;
    const plans = await runInDurableObject(object(), (_, { storage }) =>
      plansOf(storage.sql, (sql) => {
        index.pageConnections(sql, all, start);
        index.pageConnections(sql, { ...all, filters: { client: "client-3" } }, start);
        audit.pageAudit(sql, { ...all, cursor: { direction: "after", at: 500, id: "500" } });
        audit.exportAudit(sql, { ...all, cursor: undefined }, 500);
        index.countStates(sql);
        index.indexWarnings(sql, start);
      }),
    );
    expect(plans.filter((plan) => plan.includes("TEMP B-TREE FOR ORDER BY"))).toEqual([]);
    const pages = plans.filter((plan) =>
      /connections_by_age \(|audit USING INTEGER PRIMARY KEY \(/.test(plan),
    );
    expect(pages).toHaveLength(4);
  });

  it("gateway: the overview counts them all and warns of those that will need somebody", async () => {
    const { text } = await open("/admin");
    expect(text).toContain("9,900 Connected");
    expect(text).toContain("100 connections need their person to sign in at Gong again.");
    expect(text).toContain("10 connections will need their person within a week.");
    expect(text).not.toContain("not in SEALING_KEYS");
  });
});

describe(verifies("export.streamed", "the audit as a file"), () => {
  it.each(["csv", "ndjson"])(
    "RFC 4180, NDJSON: all that match are in the %s download, once",
    async (format) => {
      const answer = await admin.open(`/admin/audit/export?format=${format}&actor=admin-1`);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-disposition": `attachment; filename="gong-gateway-audit.${format}"`,
        "cache-control": "no-store",
      });
      const lines = new TextDecoder()
        .decode(await answer.arrayBuffer())
        .trimEnd()
        .split(/\r?\n/);
      const requests = lines.flatMap((line) => /request-\d+/.exec(line)?.[0] ?? []);
      expect(requests).toHaveLength(3333);
      expect(new Set(requests).size).toBe(3333);
      expect(lines).toHaveLength(format === "csv" ? 3334 : 3333);
    },
  );

  it("ASVS 8.2.1: without a session, and in an unknown format, there is no file", async () => {
    const { ask } = await import("../support/flow.ts");
    expect((await ask("/admin/audit/export?format=csv")).headers.get("location")).toMatch(/\/admin$/);
    expect((await admin.open("/admin/audit/export?format=xlsx")).headers.get("location")).toMatch(/audit$/);
  });
});

describe(verifies("admin.index", "what the index keeps"), () => {
  it("gateway: a connection that ended ninety days ago leaves the index, with its clients", async () => {
    const admin = object();
    for (const id of ["old", "newer"]) await admin.recordConnection({ id, integration: "main" }, "client-x");
    await admin.recordState("old", reportOf("disconnected", { since: start - 91 * DAY }));
    await admin.recordState("newer", reportOf("disconnected", { since: start - 89 * DAY }));
    await admin.recordConnection({ id: "another", integration: "main" }, undefined);
    expect([await admin.hasConnection("old"), await admin.hasConnection("newer")]).toEqual([false, true]);
    const clients = (await rowsOf("ADMIN", "client_connections")).filter(
      (row) => row["client_id"] === "client-x",
    );
    expect(clients.map((row) => row["connection_id"])).toEqual(["newer"]);
  });

  it("ASVS 16.4.2: what strangers cause is bounded by the minute and pushes out no act of an admin", async () => {
    const admin = object();
    for (let at = 0; at < 100; at += 1)
      await admin.recordAct(actorNamed("stranger", "stranger"), "session.refused");
    const rows = await rowsOf("ADMIN", "audit");
    expect(rows.filter((row) => row["cause"] === "stranger")).toHaveLength(60);
    expect(rows.filter((row) => row["cause"] === "admin")).toHaveLength(MANY);
  });

  it("ASVS 16.4.2: what people do at their accounts, however often, pushes out no act of an admin", async () => {
    const byPerson = actorNamed("ada@example.com", "person");
    await runInDurableObject(object(), (_, { storage }) =>
      storage.transactionSync(() => {
        for (let at = 0; at < MANY + 50; at += 1)
          audit.writeAudit(storage.sql, start, byPerson, "agent_key.created", `key-${at}`);
      }),
    );
    const rows = await rowsOf("ADMIN", "audit");
    const byPeople = rows.filter((row) => row["cause"] === "person");
    expect(byPeople).toHaveLength(MANY);
    expect(byPeople.at(-1)?.["target"]).toBe(`key-${MANY + 49}`);
    expect(rows.filter((row) => row["cause"] === "admin")).toHaveLength(MANY);
  }, 120_000);
});
