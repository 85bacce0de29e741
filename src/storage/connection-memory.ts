// What a connection must not forget by a point-in-time restore of itself: what its escrow is told and asked when an
// instance starts, and what follows from the answer. SQL on the ConnectionObject's database, inside its transactions.

import { failpoint } from "../failpoints.ts";
import { endAgentKey } from "./agent-keys.ts";
import { noteEvent } from "./connection-audit.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { Witness } from "./escrow-object.ts";
import { BARRED, barOf, findGrant, revokeGrant } from "./grant-upkeep.ts";
import type { Fact } from "./outbox.ts";

/** What has not ended, expired or not: the ids of grants and agent keys, the hashes of access tokens and sessions. */
export function openIds(sql: SqlStorage): readonly string[] {
  const open = sql.exec<{ id: string }>(
    `SELECT id FROM grants WHERE revoked_at IS NULL UNION ALL SELECT id FROM agent_keys WHERE revoked_at IS NULL
     UNION ALL SELECT hash FROM access_tokens UNION ALL SELECT hash FROM account_sessions`,
  );
  return [...open].map(({ id }) => id);
}

/** What rows still tell: which grants and keys have ended, which clients are barred, which refresh tokens are spent. */
export function knownFacts(sql: SqlStorage): readonly Fact[] {
  return sql
    .exec<Fact>(
      `SELECT id AS name, revoked_at AS version, NULL AS value FROM grants WHERE revoked_at IS NOT NULL
       UNION ALL SELECT id, revoked_at, NULL FROM agent_keys WHERE revoked_at IS NOT NULL
       UNION ALL SELECT ? || client_id, MAX(revoked_at), NULL FROM grants WHERE ${BARRED} GROUP BY client_id
       UNION ALL SELECT id, refresh_generation, '{}' FROM grants
         WHERE revoked_at IS NULL AND refresh_generation > 0 AND grant_type = 'authorization_code'
       UNION ALL SELECT '', generation, NULL FROM connection`,
      barOf(""),
    )
    .toArray();
}

/**
 * Ends again what had ended before a restore, ends each grant whose refresh token was spent since, because older copies
 * of it may be about, and says so when Gong's tokens were. Returns whether anything had to be brought into line.
 */
export function applyWitness(sql: SqlStorage, row: ConnectionRow, witness: Witness, now: number): boolean {
  if (FAILPOINTS) void failpoint("wake.writing", sql);
  for (const id of witness.ended) {
    revokeGrant(sql, id, "ended_before_restore", now);
    endAgentKey(sql, id, "ended_before_restore", now);
    sql.exec("DELETE FROM access_tokens WHERE hash = ?", id);
    sql.exec("DELETE FROM account_sessions WHERE hash = ?", id);
  }
  const spent = witness.decisions.filter(({ name, version }) => {
    const grant = findGrant(sql, name);
    return grant?.revoked_at === null && grant.refresh_generation < version;
  });
  for (const { name } of spent) revokeGrant(sql, name, "restored", now);
  const behind = row.state === "connected" && row.generation < witness.generation;
  if (behind) {
    sql.exec(
      "UPDATE connection SET state = 'needs_reconnect', reason = 'restored', state_since = ? WHERE generation = ?",
      now,
      row.generation,
    );
    noteEvent(sql, now, { action: "needs_reconnect", reason: "restored" });
  }
  return witness.ended.length + spent.length > 0 || behind;
}
