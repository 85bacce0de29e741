// The tools that Gong was seen to offer, by integration, in the AdminObject: which definitions were approved, and which
// tools are held back until an admin approves a new or changed one. A tool's description is text that an agent obeys,
// so a silent change of it is an attack until somebody has looked. MCP 2026-07-28, Tools, Security Considerations.

import { GONG_TOOLS, type Policy } from "../mcp/policy.ts";
import { stateAfterChange, stateAtFirstSight, type ToolState } from "../mcp/allowed-tool.ts";
import { REVISIONS } from "../mcp/revisions.ts";
import type { HeldTool } from "./admin-memory.ts";
import type { SeenTool, SeenToolChange, ShownTool, ToolDecision, ToolPlace } from "./admin-rpc.ts";
import { writeAudit, type Actor } from "./audit.ts";
import type { Migration } from "./migrations.ts";
import { putOut } from "./outbox.ts";

const MOST_TOOLS = 200;
const MOST_DEFINITIONS = 20;
/** More of a definition is not kept; its hash is of the whole. */
const LONGEST_DEFINITION = 65_536;

/**
 * Who approved the form in which a tool of Gong's own was first seen in a revision of MCP: nobody but its being first.
 */
const FIRST_SIGHT = "first sight";

/**
 * The first form of each tool in each revision of MCP: Gong may describe a tool otherwise in another revision, and that
 * is no change. What was seen before revisions were told apart is the first form in all of them.
 */
export const FIRST_FORMS_STEP: Migration = [
  `CREATE TABLE tool_first_forms (
    integration TEXT NOT NULL,
    name TEXT NOT NULL,
    revision TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (integration, name, revision)
  ) STRICT`,
  `INSERT OR IGNORE INTO tool_first_forms (integration, name, revision, hash)
   SELECT integration, name, revision, hash FROM tool_definitions, (${REVISIONS.map((revision) => `SELECT '${revision}' AS revision`).join(" UNION ")})
   ORDER BY approved_by = '${FIRST_SIGHT}' DESC, seen_at`,
];

/** For each tool seen on an integration whether it may be used. */
export function toolStates(sql: SqlStorage, integration: string): Readonly<Record<string, ToolState>> {
  const rows = sql
    .exec<{ name: string; state: ToolState }>(
      "SELECT name, state FROM tools WHERE integration = ?",
      integration,
    )
    .toArray();
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
}

/**
 * For each tool of an integration the hashes of its approved definitions. What only its being first approved holds in
 * the revision of MCP where it was first.
 */
export function approvedDefinitions(
  sql: SqlStorage,
  integration: string,
  revision: string,
): Readonly<Record<string, readonly string[]>> {
  const rows = sql
    .exec<{ name: string; hash: string }>(
      `SELECT name, hash FROM tool_definitions d WHERE integration = ?1 AND approved_at IS NOT NULL
       AND (approved_by <> ?2 OR hash = (SELECT hash FROM tool_first_forms f
         WHERE f.integration = ?1 AND f.name = d.name AND f.revision = ?3))`,
      integration,
      FIRST_SIGHT,
      revision,
    )
    .toArray();
  const hashes = new Map<string, string[]>();
  for (const { name, hash } of rows) hashes.set(name, [...(hashes.get(name) ?? []), hash]);
  return Object.fromEntries(hashes);
}

/**
 * Notes the tools that Gong offers now in this revision of MCP. One that was never seen, or never in this form, is
 * approved or held back as the policy says; what is held back is told in the audit. Tools beyond two hundred stay
 * unknown, and so not approved.
 */
export function noteTools(sql: SqlStorage, listing: ToolListing, policy: Policy, now: number): void {
  for (const tool of listing.listed) noteTool(sql, listing, policy, tool, now);
}

/** What Gong offers, and the request in which it was seen. */
interface ToolListing extends ToolPlace {
  readonly listed: readonly ShownTool[];
  readonly requestId: string;
}

function noteTool(
  sql: SqlStorage,
  { integration, revision, requestId }: ToolListing,
  policy: Policy,
  { name, hash, definition }: ShownTool,
  now: number,
): void {
  const known = toolStates(sql, integration);
  const isNew = !Object.hasOwn(known, name);
  if (isNew && Object.keys(known).length >= MOST_TOOLS) return;
  const first = firstForm(sql, { integration, name, hash }, revision);
  const [seen] = sql
    .exec<{ approved_by: string | null }>(
      "SELECT approved_by FROM tool_definitions WHERE integration = ? AND name = ? AND hash = ?",
      integration,
      name,
      hash,
    )
    .toArray();
  const approvedBy = seen?.approved_by ?? null;
  if (approvedBy !== null && (approvedBy !== FIRST_SIGHT || first.hash === hash)) return;
  const isTrusted = isNew || (first.isNew && known[name] === "approved");
  const state = isTrusted ? stateAtFirstSight(policy, name) : stateAfterChange(policy, name);
  const by = isTrusted && GONG_TOOLS.has(name) ? FIRST_SIGHT : "policy";
  if (seen === undefined) insertDefinition(sql, { integration, name, hash, definition }, now);
  // Also what was approved as the first form of another revision: here it is a change.
  decideDefinition(sql, { integration, name, hash }, state === "approved" ? by : null, now);
  // A policy that holds nothing back does not free what an admin, or the policy before it, holds.
  if (state === "approved" && known[name] === "held") return;
  if (known[name] === state) return;
  setState(sql, integration, name, state, now);
  if (state !== "held") return;
  const gateway: Actor = { actor: "policy", cause: "admin", requestId };
  writeAudit(sql, now, gateway, "tool.held_back", `${integration} ${name}`);
}

/** Notes the first form of a tool in a revision, unless there is one. */
function firstForm(
  sql: SqlStorage,
  { integration, name, hash }: DefinitionKey,
  revision: string,
): { readonly hash: string; readonly isNew: boolean } {
  const [known] = sql
    .exec<{ hash: string }>(
      "SELECT hash FROM tool_first_forms WHERE integration = ? AND name = ? AND revision = ?",
      integration,
      name,
      revision,
    )
    .toArray();
  if (known !== undefined) return { hash: known.hash, isNew: false };
  sql.exec("INSERT INTO tool_first_forms VALUES (?, ?, ?, ?)", integration, name, revision, hash);
  return { hash, isNew: true };
}

interface DefinitionKey {
  readonly integration: string;
  readonly name: string;
  readonly hash: string;
}

function insertDefinition(
  sql: SqlStorage,
  { integration, name, hash, definition }: DefinitionKey & { readonly definition: string },
  now: number,
): void {
  sql.exec(
    "INSERT INTO tool_definitions (integration, name, hash, definition, seen_at) VALUES (?, ?, ?, ?, ?)",
    integration,
    name,
    hash,
    definition.slice(0, LONGEST_DEFINITION),
    now,
  );
  sql.exec(
    `DELETE FROM tool_definitions WHERE integration = ?1 AND name = ?2 AND hash IN (
       SELECT hash FROM tool_definitions WHERE integration = ?1 AND name = ?2 AND hash <> ?3
       ORDER BY seen_at DESC LIMIT -1 OFFSET ?4)`,
    integration,
    name,
    hash,
    MOST_DEFINITIONS - 1,
  );
}

/** Null leaves the definition to an admin. */
function decideDefinition(
  sql: SqlStorage,
  { integration, name, hash }: DefinitionKey,
  by: string | null,
  now: number,
): void {
  sql.exec(
    "UPDATE tool_definitions SET approved_at = ?1, approved_by = ?2 WHERE integration = ?3 AND name = ?4 AND hash = ?5",
    by === null ? null : now,
    by,
    integration,
    name,
    hash,
  );
}

/** Returns since when it holds: always later than the state before, also within a second or by a slower clock. */
function setState(sql: SqlStorage, integration: string, name: string, state: ToolState, now: number): number {
  const set = sql.exec<{ since: number }>(
    `INSERT INTO tools (integration, name, state, state_since) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (integration, name) DO UPDATE SET state = ?3, state_since = max(?4, state_since + 1)
     RETURNING state_since AS since`,
    integration,
    name,
    state,
    now,
  );
  return set.one().since;
}

/**
 * An admin's decision about a tool, with its audit row. To approve, `shown` must name every definition that waits: one
 * that came while the admin was reading is not approved unseen.
 */
export function decideTool(
  sql: SqlStorage,
  decision: ToolDecision,
  now: number,
): "done" | "unknown_tool" | "changed_meanwhile" {
  const { integration, name, by } = decision;
  if (!Object.hasOwn(toolStates(sql, integration), name)) return "unknown_tool";
  if (decision.decision === "approve") {
    const waiting = waitingHashes(sql, integration, name);
    if (!waiting.every((hash) => decision.shown.includes(hash))) return "changed_meanwhile";
    for (const hash of waiting) decideDefinition(sql, { integration, name, hash }, by.actor, now);
  }
  const state = decision.decision === "approve" ? "approved" : "held";
  const since = setState(sql, integration, name, state, now);
  const held: HeldTool = { integration, name, state, since };
  putOut(sql, `tool ${integration} ${name}`, since, held);
  const action = decision.decision === "approve" ? "tool.approved" : "tool.held";
  writeAudit(sql, now, by, action, `${integration} ${name}`);
  return "done";
}

function waitingHashes(sql: SqlStorage, integration: string, name: string): readonly string[] {
  return sql
    .exec<{ hash: string }>(
      "SELECT hash FROM tool_definitions WHERE integration = ? AND name = ? AND approved_at IS NULL",
      integration,
      name,
    )
    .toArray()
    .map(({ hash }) => hash);
}

/** How many tools are held back with a definition that no admin has decided about. */
export function countWaitingTools(sql: SqlStorage): number {
  const { n } = sql
    .exec<{ n: number }>(
      `SELECT COUNT(*) AS n FROM tools t WHERE state = 'held' AND EXISTS (
         SELECT 1 FROM tool_definitions d
         WHERE d.integration = t.integration AND d.name = t.name AND d.approved_at IS NULL)`,
    )
    .one();
  return n;
}

type DefinitionRow = {
  readonly integration: "main" | "shared";
  readonly name: string;
  readonly hash: string;
  readonly definition: string;
  readonly seen_at: number;
  readonly approved_at: number | null;
  readonly approved_by: string | null;
  readonly state: ToolState;
  readonly state_since: number;
};

/** Every tool that was ever seen, with the definition that holds and those that wait for an admin. */
export function seenTools(sql: SqlStorage): readonly SeenTool[] {
  const rows = sql
    .exec<DefinitionRow>(
      `SELECT d.*, t.state, t.state_since FROM tool_definitions d
       JOIN tools t ON t.integration = d.integration AND t.name = d.name
       ORDER BY d.integration, d.name, d.seen_at, d.hash`,
    )
    .toArray();
  const tools = Map.groupBy(rows, ({ integration, name }) => JSON.stringify([integration, name]));
  return [...tools.values()].flatMap((definitions) => {
    const [first] = definitions;
    if (first === undefined) return [];
    const change = (row: DefinitionRow): SeenToolChange => ({
      hash: row.hash,
      definition: row.definition,
      seenAt: row.seen_at,
      approvedAt: row.approved_at ?? undefined,
      approvedBy: row.approved_by ?? undefined,
    });
    const { integration, name, state } = first;
    return [
      {
        integration,
        name,
        state,
        stateSince: first.state_since,
        approved: definitions.filter((row) => row.approved_at !== null).map(change),
        waiting: definitions.filter((row) => row.approved_at === null).map(change),
      },
    ];
  });
}
