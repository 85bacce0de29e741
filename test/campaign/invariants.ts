// What must hold when an episode is over, whatever happened in it: nothing on disk or in the log opens anything, nobody
// let an exception pass, and each change of a connection has its one row in the audit. Called by stage.ts.

import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../support/leftovers.ts";

export interface Scene {
  /** Of a Worker that runs no more. */
  readonly stateDir: string;
  readonly logs: readonly string[];
  /** Settings that are secret. */
  readonly secrets: readonly string[];
  /** Every code and token that a client was given. */
  readonly issued: ReadonlySet<string>;
  /** Failpoints throw where nobody expects it: only without them is an exception that nobody caught a fault. */
  readonly withFailpoints: boolean;
}

/** Our codes and tokens; in what is sealed, the same letters can stand by chance. */
export const CREDENTIAL = /g(?:at|rt|ac)_[\w-]+/g;

/** Everything that is wrong, in words. */
export function brokenInvariants(scene: Scene): readonly string[] {
  const uncaught = scene.withFailpoints ? [] : scene.logs.filter((line) => /uncaught/i.test(line));
  return [
    ...leaksIn("the log", scene.logs.join("\n"), scene),
    ...filesUnder(scene.stateDir).flatMap((file) =>
      leaksIn(path.basename(file), readFileSync(file).toString("latin1"), scene),
    ),
    ...uncaught.map((line) => `uncaught: ${line.slice(0, 200)}`),
    ...auditFaults(scene.stateDir),
  ];
}

function leaksIn(place: string, text: string, { secrets, issued }: Scene): readonly string[] {
  const lengths = new Set([...issued].map(({ length }) => length));
  const ours = [...text.matchAll(CREDENTIAL)].filter(({ index }) =>
    [...lengths].some((length) => issued.has(text.slice(index, index + length))),
  );
  // The stand-in's prefixes are too long to stand anywhere by chance.
  const gongs = /gong_(?:refresh|access|code)_[\w-]{20}/.test(text) ? ["one of Gong's"] : [];
  const settings = secrets.filter((secret) => text.includes(secret)).map(() => "a setting");
  return [...ours.map(() => "one of ours"), ...gongs, ...settings].map(
    (what) => `a secret in ${place}: ${what}`,
  );
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** The event that each state begins with. */
const BEGINS: Readonly<Record<string, readonly string[]>> = {
  connected: ["connected", "reconnected"],
  needs_reconnect: ["needs_reconnect"],
  disconnected: ["disconnected"],
};

/** Reads copies, because opening a database changes it. */
function auditFaults(stateDir: string): readonly string[] {
  const folder = path.join(stateDir, "gateway-ConnectionObject");
  if (!existsSync(folder)) return [];
  const copy = temporaryFolder("audit");
  try {
    cpSync(folder, copy, { recursive: true });
    return readdirSync(copy)
      .filter((name) => name.endsWith(".sqlite"))
      .flatMap((name) => auditFaultsIn(path.join(copy, name)));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function auditFaultsIn(file: string): readonly string[] {
  const database = new DatabaseSync(file);
  try {
    // One that was woken and never connected has no schema yet.
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'events'").get();
    return known === undefined ? [] : [...stateFaults(database), ...grantFaults(database)];
  } finally {
    database.close();
  }
}

function stateFaults(database: DatabaseSync): readonly string[] {
  const state = database.prepare("SELECT state FROM connection").get()?.["state"];
  if (typeof state !== "string") return [];
  const named = Object.values(BEGINS).flat();
  const last = database
    .prepare(
      `SELECT action FROM events WHERE action IN (${named.map(() => "?").join()}) ORDER BY id DESC LIMIT 1`,
    )
    .get(...named)?.["action"];
  return BEGINS[state]?.includes(String(last))
    ? []
    : [`a connection is ${state}, its audit ends with ${String(last)}`];
}

function grantFaults(database: DatabaseSync): readonly string[] {
  const rows = database
    .prepare(
      `SELECT revoked_at IS NOT NULL AS ended,
         (SELECT COUNT(*) FROM events WHERE target = grants.id AND action = 'agent.approved') AS begins,
         (SELECT COUNT(*) FROM events WHERE target = grants.id AND action = 'agent.ended') AS ends
       FROM grants WHERE grant_type = 'authorization_code'`,
    )
    .all();
  return rows
    .filter(({ ended, begins, ends }) => begins !== 1 || ends !== ended)
    .map((row) => `a grant and its audit differ: ${JSON.stringify(row)}`);
}
