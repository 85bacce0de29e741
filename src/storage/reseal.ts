// Rotation of SEALING_KEYS, one connection at a time: what an older key sealed is sealed again with the first, and what
// still needs which key is counted, so that an admin knows when an old key can go. NIST SP 800-57 part 1, §5.3.

import { sealedWith, Unsealable } from "../crypto/seal.ts";
import { countKeysByKid } from "./agent-keys.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import type { GongSeals, SealedField } from "./gong-seals.ts";

type Counts = Readonly<Record<string, number>>;

export interface SealReport {
  /** The kids that seal Gong's tokens and answers now; none when there are none. */
  readonly sealedWith: readonly string[];
  /** Whether this run sealed any of them again. */
  readonly resealed: boolean;
  /** The kid that is missing from the ring, when something can't be opened. It is left as it is. */
  readonly missingKid: string | undefined;
  /** Whether a refresh is unfinished or came in between, so that any key may be needed: sweep again when it is done. */
  readonly unfinished: boolean;
  /** How many current refresh tokens each key has tagged; they move to a new key at their next use. */
  readonly refreshTokens: Counts;
  /** How many live agent keys each key has tagged; they never move, so it is needed until they are over. */
  readonly agentKeys: Counts;
  /**
   * By kid: how many kept results and questions of paid calls it seals,
   * and until when (epoch seconds). They are never sealed again.
   */
  readonly results: Readonly<Record<string, { readonly count: number; readonly until: number }>>;
}

/** The report of a connection that was never written. */
export const EMPTY_REPORT: SealReport = {
  sealedWith: [],
  resealed: false,
  missingKid: undefined,
  unfinished: false,
  refreshTokens: {},
  agentKeys: {},
  results: {},
};

/** The sealed columns of `connection`, and what each is bound to. */
export const RESEALED_COLUMNS = [
  ["gong_access_token_sealed", "access_token"],
  ["gong_refresh_token_sealed", "refresh_token"],
  ["attempt_answer_sealed", "answer"],
  ["quarantined_answer_sealed", "answer"],
] as const satisfies readonly (readonly [keyof ConnectionRow, SealedField])[];

type Resealed = {
  readonly column: (typeof RESEALED_COLUMNS)[number][0];
  readonly before: string | null;
  readonly after: string;
};

/**
 * Seals what Gong gave the connection with `kid`, fenced by what was read, so that a refresh meanwhile wins. An answer
 * that only the escrow has (`escrowed`) comes here with it. What does not open stays as it is.
 */
export async function resealConnection(
  sql: SqlStorage,
  seals: GongSeals,
  kid: string | undefined,
  escrowed: (attemptId: string) => Promise<string | undefined>,
  now: number,
): Promise<SealReport> {
  const [row] = sql.exec<ConnectionRow>("SELECT * FROM connection").toArray();
  const counts = {
    refreshTokens: countRefreshTokens(sql, now),
    agentKeys: countKeysByKid(sql, now),
    results: countResults(sql, now),
  };
  if (row === undefined) return { ...EMPTY_REPORT, ...counts };
  const { attempt_id: attemptId, generation, state } = row;
  const only =
    attemptId !== null && row.attempt_answer_sealed === null ? await escrowed(attemptId) : undefined;
  const kids = new Set<string>();
  const changes: Resealed[] = [];
  let missingKid: string | undefined;
  for (const [column, field] of RESEALED_COLUMNS) {
    const sealed = row[column] ?? (column === "attempt_answer_sealed" ? only : undefined);
    if (sealed === undefined) continue;
    const before = sealedWith(sealed);
    try {
      if (before !== kid) {
        changes.push({ column, before: row[column], after: await seals.reseal(field, sealed, generation) });
      }
      kids.add(kid ?? "");
    } catch (error) {
      if (!(error instanceof Unsealable)) throw error;
      missingKid ??= error.missingKid ?? before;
      if (before !== undefined) kids.add(before);
    }
  }
  const written = write(sql, row, changes);
  return {
    ...counts,
    sealedWith: [...kids],
    resealed: written > 0,
    missingKid,
    unfinished: written < changes.length || (attemptId !== null && state === "connected"),
  };
}

/** Nothing is awaited between the columns: all of them are written, or none. */
function write(
  sql: SqlStorage,
  { generation, attempt_id }: ConnectionRow,
  changes: readonly Resealed[],
): number {
  let written = 0;
  for (const { column, before, after } of changes) {
    written += sql.exec(
      `UPDATE connection SET ${column} = ? WHERE generation = ? AND attempt_id IS ? AND ${column} IS ?`,
      after,
      generation,
      attempt_id,
      before,
    ).rowsWritten;
  }
  return written;
}

/** A sealed value begins with its header, which is the same for all of a key. */
function countResults(sql: SqlStorage, now: number): SealReport["results"] {
  const rows = sql
    .exec<{ header: string; count: number; until: number }>(
      `SELECT substr(sealed, 1, instr(sealed, '.') - 1) AS header, COUNT(DISTINCT id) AS count, MAX(until) AS until
       FROM (
         SELECT call_id AS id, result_sealed AS sealed, max(owed_until, reusable_until) AS until
         FROM kept_parts JOIN kept_results USING (call_id)
         UNION ALL SELECT 'question ' || call_id, arguments_sealed, kept_until FROM call_contents)
       WHERE until > ? GROUP BY header`,
      now,
    )
    .toArray();
  return Object.fromEntries(
    rows.map(({ header, count, until }) => [sealedWith(`${header}...`) ?? "", { count, until }]),
  );
}

function countRefreshTokens(sql: SqlStorage, now: number): Counts {
  const rows = sql
    .exec<{ kid: string; n: number }>(
      `SELECT refresh_kid AS kid, COUNT(*) AS n FROM grants
       WHERE revoked_at IS NULL AND refresh_kid IS NOT NULL AND refresh_expires_at > ? GROUP BY refresh_kid`,
      now,
    )
    .toArray();
  return Object.fromEntries(rows.map(({ kid, n }) => [kid, n]));
}
