// What the AdminObject must not forget by a point-in-time restore of itself: who and what admins have ended, the policy
// in force, and the tools they hold back. An EscrowObject of its own remembers; an instance that starts is compared
// with it.

import { log } from "../log.ts";
import type { ToolState } from "../mcp/allowed-tool.ts";
import { writeTo } from "./admin-rows.ts";
import type { Decision } from "./escrow-object.ts";
import { schemaVersion } from "./migrations.ts";
import { newestPolicy, putPolicyBack } from "./policy-store.ts";
import { objectsOf, retrying } from "./stubs.ts";

const NAME = "admin";
const POLICY = "policy";

const escrowOf = (env: Env) => objectsOf(env).escrow(NAME);

/** Remembers that these sessions (by hash) or machine clients have ended. */
export async function rememberEnds(env: Env, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await retrying(async () => escrowOf(env).noteEnded(ids));
}

/** Remembers the newest policy. */
export async function rememberPolicy(env: Env, storage: DurableObjectStorage): Promise<void> {
  const policy = writeTo(storage, newestPolicy);
  if (policy === undefined) return;
  const kept = { name: POLICY, version: policy.version, value: JSON.stringify(policy) };
  await retrying(async () => escrowOf(env).keepDecision(kept));
}

/** What an admin decided about a tool, and when. */
export interface HeldTool {
  readonly integration: string;
  readonly name: string;
  readonly state: ToolState;
  readonly since: number;
}

/** Remembers what an admin has decided about a tool. */
export async function rememberTool(env: Env, tool: HeldTool): Promise<void> {
  const { integration, name, since } = tool;
  const kept = { name: `tool ${integration} ${name}`, version: since, value: JSON.stringify(tool) };
  await retrying(async () => escrowOf(env).keepDecision(kept));
}

/**
 * Ends and forbids again what was ended and forbidden before a restore. Asking an object that was never written writes
 * nothing.
 */
export async function catchUp(env: Env, storage: DurableObjectStorage): Promise<void> {
  if (schemaVersion(storage) === 0) return;
  const { open, ended } = writeTo(storage, openAndEnded);
  const witness = await retrying(async () => escrowOf(env).witness(open, ended));
  const decisions = await retrying(async (): Promise<readonly Decision[]> => escrowOf(env).decisions());
  const isBehind = writeTo(storage, (sql, now) => {
    const revived = endAgain(sql, witness.ended, now);
    return decisions.map((decision) => decideAgain(sql, decision)).includes(true) || revived;
  });
  if (isBehind) log("warn", "admin.restored");
  await rememberPolicy(env, storage);
}

function openAndEnded(sql: SqlStorage): { readonly open: string[]; readonly ended: string[] } {
  const rows = sql
    .exec<{ id: string; ended: number }>(
      "SELECT hash AS id, 0 AS ended FROM sessions UNION ALL SELECT id, ended_at IS NOT NULL FROM machine_clients",
    )
    .toArray();
  const idsOf = (ended: number): string[] => rows.filter((row) => row.ended === ended).map(({ id }) => id);
  return { open: idsOf(0), ended: idsOf(1) };
}

function endAgain(sql: SqlStorage, ids: readonly string[], now: number): boolean {
  for (const id of ids) {
    sql.exec("DELETE FROM sessions WHERE hash = ?", id);
    const end =
      "UPDATE machine_clients SET ended_at = ?, ended_by = 'restore' WHERE id = ? AND ended_at IS NULL";
    sql.exec(end, now, id);
  }
  return ids.length > 0;
}

/** Whether the decision had to be put back. */
function decideAgain(sql: SqlStorage, { name, value }: Decision): boolean {
  return name === POLICY ? putPolicyBack(sql, JSON.parse(value)) : holdAgain(sql, JSON.parse(value));
}

/** Holds a tool back again that an admin has held back since the row was written. Returns whether it had to be. */
function holdAgain(sql: SqlStorage, { integration, name, state, since }: HeldTool): boolean {
  if (state !== "held") return false;
  const held = sql.exec(
    `UPDATE tools SET state = 'held', state_since = ?1
     WHERE integration = ?2 AND name = ?3 AND state <> 'held' AND state_since <= ?1`,
    since,
    integration,
    name,
  );
  return held.rowsWritten > 0;
}
