// Rotation of SEALING_KEYS, one connection at a time: what an older key sealed is sealed again with the first, and what
// still needs which key is counted, so that an admin knows when an old key can go. NIST SP 800-57 part 1, §5.3.

import { sealedWith, Unsealable } from "../crypto/seal.ts";
import { countKeysByKid } from "./agent-keys.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { GongSeals } from "./gong-seals.ts";

export interface SealReport {
  /** The kid that seals the tokens now; undefined when there are none. */
  readonly sealedWith: string | undefined;
  /** Whether this run sealed them again. */
  readonly resealed: boolean;
  /** The kid that is missing from the ring, when the tokens can't be opened. They are left as they are. */
  readonly missingKid: string | undefined;
  /** Whether a refresh is unfinished, whose answer may be sealed with any key: sweep again when it is done. */
  readonly unfinished: boolean;
  /** How many current refresh tokens each key has tagged; they move to a new key at their next use. */
  readonly refreshTokens: Readonly<Record<string, number>>;
  /** How many live agent keys each key has tagged; they never move, so it is needed until they are over. */
  readonly agentKeys: Readonly<Record<string, number>>;
}

/** The report of a connection that was never written. */
export const EMPTY_REPORT: SealReport = {
  sealedWith: undefined,
  resealed: false,
  missingKid: undefined,
  unfinished: false,
  refreshTokens: {},
  agentKeys: {},
};

/** Seals the connection's tokens with `kid`, fenced by what was read, so that a refresh meanwhile wins. */
export async function resealTokens(
  sql: SqlStorage,
  seals: GongSeals,
  kid: string | undefined,
  now: number,
): Promise<SealReport> {
  const refreshTokens = countRefreshTokens(sql, now);
  const [row] = sql.exec<ConnectionRow>("SELECT * FROM connection").toArray();
  const access = row?.gong_access_token_sealed ?? undefined;
  const agentKeys = countKeysByKid(sql, now);
  const found = { ...EMPTY_REPORT, refreshTokens, agentKeys, unfinished: (row?.attempt_id ?? null) !== null };
  if (row === undefined || access === undefined) return found;
  if (sealedWith(access) === kid) return { ...found, sealedWith: kid };
  try {
    const refresh = row.gong_refresh_token_sealed;
    const tokens = {
      accessToken: await seals.openAccessToken(access, row.generation),
      refreshToken: refresh === null ? undefined : await seals.openRefreshToken(refresh, row.generation),
    };
    const sealed = await seals.sealTokens(tokens, row.generation);
    const written = sql.exec(
      `UPDATE connection SET gong_access_token_sealed = ?, gong_refresh_token_sealed = ?
       WHERE generation = ? AND gong_access_token_sealed = ?`,
      sealed.accessTokenSealed,
      sealed.refreshTokenSealed,
      row.generation,
      access,
    );
    return { ...found, sealedWith: kid, resealed: written.rowsWritten > 0 };
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    const readable = sealedWith(access);
    return { ...found, sealedWith: readable, missingKid: error.missingKid ?? readable };
  }
}

function countRefreshTokens(sql: SqlStorage, now: number): Readonly<Record<string, number>> {
  const rows = sql
    .exec<{ kid: string; n: number }>(
      `SELECT refresh_kid AS kid, COUNT(*) AS n FROM grants
       WHERE revoked_at IS NULL AND refresh_kid IS NOT NULL AND refresh_expires_at > ? GROUP BY refresh_kid`,
      now,
    )
    .toArray();
  return Object.fromEntries(rows.map(({ kid, n }) => [kid, n]));
}
