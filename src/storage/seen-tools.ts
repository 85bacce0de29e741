// The tools that Gong was seen to offer, by integration, in the AdminObject: which definitions were approved, and which
// tools are held back until an admin approves a new or changed one. A tool's description is text that an agent obeys, so
// a silent change of it is an attack until somebody has looked. MCP 2026-07-28, Tools, Security Considerations.

import { GONG_TOOLS, type Policy } from "../mcp/policy.ts";
import { stateAfterChange, stateAtFirstSight, type ToolState } from "../mcp/allowed-tool.ts";
import type { SeenTool, SeenToolChange, ShownTool, ToolDecision } from "./admin-rpc.ts";
import { writeAudit, type Actor } from "./audit.ts";

const MOST_TOOLS = 200;
const MOST_DEFINITIONS = 20;
/** More of a definition is not kept; its hash is of the whole. */
const LONGEST_DEFINITION = 65_536;

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

/** For each tool of an integration the hashes of its approved definitions. */
export function approvedDefinitions(
  sql: SqlStorage,
  integration: string,
): Readonly<Record<string, readonly string[]>> {
  const rows = sql
    .exec<{ name: string; hash: string }>(
      "SELECT name, hash FROM tool_definitions WHERE integration = ? AND approved_at IS NOT NULL",
      integration,
    )
    .toArray();
  const hashes = new Map<string, string[]>();
  for (const { name, hash } of rows) hashes.set(name, [...(hashes.get(name) ?? []), hash]);
  return Object.fromEntries(hashes);
}

/**
 * Notes the tools that Gong offers now. One that was never seen, or never in this form, is approved or held back as the
 * policy says; what is held back is told in the audit. Tools beyond two hundred stay unknown, and so not approved.
 */
export function noteTools(sql: SqlStorage, listing: ToolListing, policy: Policy, now: number): void {
  for (const tool of listing.listed) noteTool(sql, listing, policy, tool, now);
}

/** What Gong offers, and the request in which it was seen. */
interface ToolListing {
  readonly integration: string;
  readonly listed: readonly ShownTool[];
  readonly requestId: string;
}

function noteTool(
  sql: SqlStorage,
  { integration, requestId }: ToolListing,
  policy: Policy,
  { name, hash, definition }: ShownTool,
  now: number,
): void {
  const known = toolStates(sql, integration);
  const isNew = !Object.hasOwn(known, name);
  if (isNew && Object.keys(known).length >= MOST_TOOLS) return;
  const [seen] = sql
    .exec<{ approved_at: number | null }>(
      "SELECT approved_at FROM tool_definitions WHERE integration = ? AND name = ? AND hash = ?",
      integration,
      name,
      hash,
    )
    .toArray();
  if (typeof seen?.approved_at === "number") return;
  const state = isNew ? stateAtFirstSight(policy, name) : stateAfterChange(policy, name);
  const by = isNew && GONG_TOOLS.has(name) ? "first sight" : "policy";
  if (seen === undefined) insertDefinition(sql, { integration, name, hash, definition }, now);
  if (state === "approved") approveDefinition(sql, { integration, name, hash }, by, now);
  // A policy that holds nothing back does not free what an admin, or the policy before it, holds.
  if (state === "approved" && known[name] === "held") return;
  if (known[name] === state) return;
  setState(sql, integration, name, state, now);
  if (state !== "held") return;
  const gateway: Actor = { actor: "policy", cause: "admin", requestId };
  writeAudit(sql, now, gateway, "tool.held_back", `${integration} ${name}`);
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

function approveDefinition(
  sql: SqlStorage,
  { integration, name, hash }: DefinitionKey,
  by: string,
  now: number,
): void {
  sql.exec(
    `UPDATE tool_definitions SET approved_at = ?1, approved_by = ?2
     WHERE integration = ?3 AND name = ?4 AND hash = ?5 AND approved_at IS NULL`,
    now,
    by,
    integration,
    name,
    hash,
  );
}

function setState(sql: SqlStorage, integration: string, name: string, state: ToolState, now: number): void {
  sql.exec(
    `INSERT INTO tools (integration, name, state, state_since) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (integration, name) DO UPDATE SET state = ?3, state_since = ?4`,
    integration,
    name,
    state,
    now,
  );
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
    for (const hash of waiting) approveDefinition(sql, { integration, name, hash }, by.actor, now);
  }
  setState(sql, integration, name, decision.decision === "approve" ? "approved" : "held", now);
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
