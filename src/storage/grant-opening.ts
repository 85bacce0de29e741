// How a grant begins: its row and the code that redeems it, as SQL on the ConnectionObject's database, inside its
// transactions. RFC 6749 §4.1.2.

import { noteEvent } from "./connection-audit.ts";
import { CODE_MEMORY_SECONDS, findGrant } from "./grant-upkeep.ts";

/** How long a code can be redeemed. RFC 6749 §4.1.2 allows ten minutes at most. */
const CODE_TTL_SECONDS = 60;

export interface NewGrant {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly resource: string;
  readonly scope: string;
  /** The absolute end of the grant, epoch seconds. */
  readonly expiresAt: number;
  /** Who approved it, as ledger rows name people; undefined when Cloudflare Access named nobody. */
  readonly person?: string | undefined;
}

export interface NewCode {
  readonly hash: string;
  /** How long it can be redeemed, when that is not the time of a redirect. */
  readonly ttlSeconds?: number;
  readonly redirectUri: string;
  readonly codeChallenge: string;
}

/**
 * Records a grant and the code that redeems it. A grant of this id that no code has redeemed gets one more code,
 * because the first one may have been lost; false, and nothing is written, when one has, or when the grant was ended.
 */
export function insertGrant(sql: SqlStorage, grant: NewGrant, code: NewCode, now: number): boolean {
  const known = findGrant(sql, grant.id);
  if (known !== undefined && (known.refresh_generation > 0 || known.revoked_at !== null)) return false;
  if (known === undefined) insertGrantRow(sql, grant, now);
  sql.exec(
    `INSERT OR REPLACE INTO codes (hash, grant_id, redirect_uri, code_challenge, expires_at, kept_until)
     VALUES (?, ?, ?, ?, ?, ?)`,
    code.hash,
    grant.id,
    code.redirectUri,
    code.codeChallenge,
    now + (code.ttlSeconds ?? CODE_TTL_SECONDS),
    now + CODE_MEMORY_SECONDS,
  );
  return true;
}

function insertGrantRow(sql: SqlStorage, grant: NewGrant, now: number): void {
  sql.exec(
    `INSERT INTO grants (id, client_id, client_name, resource, scope, created_at, last_used_at, expires_at, person)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    grant.id,
    grant.clientId,
    grant.clientName ?? null,
    grant.resource,
    grant.scope,
    now,
    now,
    grant.expiresAt,
    grant.person ?? null,
  );
  noteEvent(sql, now, { action: "agent.approved", target: grant.id, name: grant.clientName });
}
