// What the AdminObject must not forget by a point-in-time restore of itself: who
// and what admins have ended, the policy in force, and the tools they hold back. An
// EscrowObject of its own remembers; an instance that starts is compared with it.

import { log } from "../log.ts";
import type { ToolState } from "../mcp/allowed-tool.ts";
import { writeTo } from "./admin-rows.ts";
import type { Decision } from "./escrow-object.ts";
import { schemaVersion } from "./migrations.ts";
import { takeOut, tell, untold, type Fact } from "./outbox.ts";
import { POLICY, putPolicyBack } from "./policy-store.ts";
import { objectsOf, retrying } from "./stubs.ts";

const NAME = "admin";

const escrowOf = (env: Env) => objectsOf(env).escrow(NAME);

/** Tells the AdminObject's escrow what is in its outbox. Throws when that fails; it is told again later. */
export function tellEscrow(env: Env, storage: DurableObjectStorage): Promise<void> {
  return tell(storage, () => escrowOf(env));
}

/** What an admin decided about a tool, and when. */
export interface HeldTool {
  readonly integration: string;
  readonly name: string;
  readonly state: ToolState;
  readonly since: number;
}

/**
 * Ends and forbids again what was ended and forbidden before a
 * restore. Asking an object that was never written writes nothing.
 */
export async function catchUp(env: Env, storage: DurableObjectStorage): Promise<void> {
  if (schemaVersion(storage) === 0) return;
  const { open, facts, told } = writeTo(storage, openAndEnded);
  const witness = await retrying(async () => escrowOf(env).witness(open, facts));
  const isBehind = writeTo(storage, (sql, now) => {
    takeOut(sql, told);
    const revived = endAgain(sql, witness.ended, now);
    return witness.decisions.map((decision) => decideAgain(sql, decision)).includes(true) || revived;
  });
  if (isBehind) log("warn", "admin.restored");
}

function openAndEnded(sql: SqlStorage) {
  const open = sql.exec<{ id: string }>(
    "SELECT hash AS id FROM sessions UNION ALL SELECT id FROM machine_clients WHERE ended_at IS NULL",
  );
  const known = sql.exec<Fact>(
    `SELECT id AS name, ended_at AS version, NULL AS value FROM machine_clients WHERE ended_at IS NOT NULL
     UNION ALL SELECT '${POLICY}', version, json_object('version', version, 'policy', policy, 'changed_at', changed_at,
       'changed_by', changed_by) FROM policies WHERE version = (SELECT MAX(version) FROM policies)`,
  );
  const told = untold(sql);
  const facts = [...known.toArray(), ...told];
  return { open: [...open].map(({ id }) => id), facts, told };
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
