// The crash campaign in its short form, against the real Worker in workerd, and that its judges see what they look for.
// `npm run campaign` runs the long one.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { answerFaults } from "../campaign/answers.ts";
import { brokenInvariants, type Scene } from "../campaign/invariants.ts";
import { runCampaigns, SHORT } from "../campaign/run.ts";
import { table } from "../campaign/tally.ts";
import { verifies } from "../conformance/verifies.ts";
import { temporaryFolder } from "../support/leftovers.ts";

describe(verifies("operations.campaign", "the crash campaign"), () => {
  it("loses, doubles, revives, blocks and breaks nothing", { timeout: 240_000 }, async () => {
    const tallies = await runCampaigns(SHORT);
    console.log(table(tallies));
    expect(tallies.flatMap(({ problems }) => problems)).toEqual([]);
    expect(tallies.filter(({ tried }) => tried === 0)).toEqual([]);
  });
});

const OURS = `gat_${"a".repeat(80)}`;

/** An episode's end with one connection, whose audit has these events. */
function sceneWith(state: string, events: readonly string[], changes: Partial<Scene> = {}): Scene {
  const stateDir = temporaryFolder("scene");
  const folder = path.join(stateDir, "gateway-ConnectionObject");
  mkdirSync(folder);
  const database = new DatabaseSync(path.join(folder, "one.sqlite"));
  database.exec(`CREATE TABLE connection (state TEXT); CREATE TABLE events (id INTEGER PRIMARY KEY, action TEXT, target TEXT);
    CREATE TABLE grants (id TEXT, revoked_at INTEGER, grant_type TEXT);
    INSERT INTO grants VALUES ('g', ${state === "disconnected" ? 1 : "NULL"}, 'authorization_code')`);
  database.prepare("INSERT INTO connection VALUES (?)").run(state);
  for (const event of events)
    database
      .prepare("INSERT INTO events (action, target) VALUES (?, ?)")
      .run(event, event.startsWith("agent") ? "g" : null);
  database.close();
  return {
    stateDir,
    logs: [],
    secrets: ["a client secret"],
    issued: new Set([OURS]),
    withFailpoints: false,
    ...changes,
  };
}

const GOOD = ["connected", "agent.approved"];

describe(verifies("operations.campaign", "what the campaign looks for when an episode is over"), () => {
  it.each<[string, string, readonly string[]]>([
    ["a live connection", "connected", GOOD],
    ["one that its person connected again", "connected", [...GOOD, "needs_reconnect", "reconnected"]],
    ["one that was ended", "disconnected", [...GOOD, "agent.ended", "disconnected"]],
  ])("finds nothing wrong with %s", (_, state, events) => {
    expect(brokenInvariants(sceneWith(state, events))).toEqual([]);
  });

  it.each<[string, string, readonly string[]]>([
    ["an end without its row", "disconnected", [...GOOD, "agent.ended"]],
    ["a row without its end", "connected", [...GOOD, "disconnected"]],
    ["two rows for one end", "disconnected", [...GOOD, "agent.ended", "agent.ended", "disconnected"]],
    ["an approval without its row", "connected", ["connected"]],
  ])("sees %s", (_, state, events) => {
    expect(brokenInvariants(sceneWith(state, events))).toHaveLength(1);
  });

  it.each([OURS, `gong_refresh_${"b".repeat(43)}`, "a client secret"])(
    "sees %s in the log and on disk",
    (secret) => {
      const line = `{"event":"x","y":"${secret}"}`;
      expect(brokenInvariants(sceneWith("connected", GOOD, { logs: [line] }))).toHaveLength(1);
      const scene = sceneWith("connected", GOOD);
      writeFileSync(path.join(scene.stateDir, "another.sqlite-wal"), `xx${secret}xx`);
      expect(brokenInvariants(scene)).toHaveLength(1);
    },
  );

  it("sees an exception that nobody caught, but not where places throw", () => {
    const logs = ["workerd: Uncaught Error: x"];
    expect(brokenInvariants(sceneWith("connected", GOOD, { logs }))).toHaveLength(1);
    expect(brokenInvariants(sceneWith("connected", GOOD, { logs, withFailpoints: true }))).toEqual([]);
  });

  it.each<[string, Record<string, string>, number]>([
    ["nothing wrong with a redirect to the client", { location: "https://client.example/cb?code=x" }, 0],
    ["a redirect to a longer path than the client's", { location: "https://client.example/cb/x?code=x" }, 1],
    ["nothing wrong with a redirect on our own origin", { location: "/authorize/waiting/x" }, 0],
    ["a redirect to another host without a scheme", { location: "//client.example/cb" }, 1],
    ["JSON that a cache may keep", { "content-type": "application/json" }, 1],
    ["a page that may be framed and tells where it was", { "content-type": "text/html" }, 2],
  ])("sees %s", (_, headers, faults) => {
    const answer = { status: 200, body: "", headers: { "x-content-type-options": "nosniff", ...headers } };
    const targets = ["https://gateway.example", "https://client.example/cb"];
    expect(answerFaults("/x", answer, targets)).toHaveLength(faults);
    expect(answerFaults("/x", { ...answer, headers }, targets)).toHaveLength(faults + 1);
  });
});
