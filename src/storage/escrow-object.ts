// The EscrowObject: one per connection and one for the AdminObject, a second failure domain beside it. It keeps Gong's
// sealed token answers until the ConnectionObject has committed them, and remembers what must stay true even after a
// point-in-time restore: what has ended, how many of Gong's refresh tokens are spent, what admins have decided.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { failpoint } from "../failpoints.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";

/** The schema, step by step: append only. */
export const ESCROW_MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE answers (
      attempt_id TEXT PRIMARY KEY,
      answer_sealed TEXT NOT NULL,
      kept_at INTEGER NOT NULL
    ) STRICT`,
    "CREATE TABLE ended_grants (grant_id TEXT PRIMARY KEY, ended_at INTEGER NOT NULL) STRICT",
    `CREATE TABLE witness (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      generation INTEGER NOT NULL
    ) STRICT`,
  ],
  ["ALTER TABLE ended_grants RENAME TO ended", "ALTER TABLE ended RENAME COLUMN grant_id TO id"],
  ["CREATE TABLE decisions (name TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) STRICT"],
];

/** Restores reach back thirty days; an answer older than that was adopted or is of no use. */
const ANSWER_SECONDS = 31 * 86_400;
/** The longest life of a grant or an agent key, and a day. */
const ENDED_SECONDS = 731 * 86_400;
const CLEAN_UP_SECONDS = 7 * 86_400;

/** What the connection must not fall behind. */
export interface Witness {
  /** The newest generation of Gong's tokens that was ever committed. */
  readonly generation: number;
  /** Those of the ids asked about that have ended. */
  readonly ended: readonly string[];
}

/** What an admin has decided, the newest of its name. */
export type Decision = { readonly name: string; readonly version: number; readonly value: string };

export class EscrowObject extends DurableObject<Env> {
  /** Keeps a sealed answer until `settle`. */
  async keepAnswer(attemptId: string, answerSealed: string): Promise<void> {
    if (FAILPOINTS) await failpoint("escrow.keeping", this.ctx.storage.sql);
    this.#open().exec(
      "INSERT OR REPLACE INTO answers (attempt_id, answer_sealed, kept_at) VALUES (?, ?, ?)",
      attemptId,
      answerSealed,
      nowSeconds(),
    );
    await this.#schedule();
  }

  /** The answer of an attempt whose connection did not live to commit it. */
  async answer(attemptId: string): Promise<string | undefined> {
    if (!this.#exists()) return undefined;
    const [row] = this.ctx.storage.sql
      .exec<{ answer_sealed: string }>("SELECT answer_sealed FROM answers WHERE attempt_id = ?", attemptId)
      .toArray();
    return row?.answer_sealed;
  }

  /** Notes that the connection has committed `generation`, and lets go of the answer it came from. */
  async settle(attemptId: string | undefined, generation: number): Promise<void> {
    const sql = this.#open();
    if (FAILPOINTS) await failpoint("escrow.settling", sql);
    this.ctx.storage.transactionSync(() => {
      if (attemptId !== undefined) sql.exec("DELETE FROM answers WHERE attempt_id = ?", attemptId);
      sql.exec(
        `INSERT INTO witness (only, generation) VALUES (1, ?1)
         ON CONFLICT (only) DO UPDATE SET generation = max(generation, ?1)`,
        generation,
      );
    });
  }

  /** Keeps a decision unless there is a newer one of its name. */
  async keepDecision({ name, version, value }: Decision): Promise<void> {
    this.#open().exec(
      `INSERT INTO decisions (name, version, value) VALUES (?1, ?2, ?3)
       ON CONFLICT (name) DO UPDATE SET version = ?2, value = ?3 WHERE version <= ?2`,
      name,
      version,
      value,
    );
  }

  /** The newest decisions. */
  async decisions(): Promise<readonly Decision[]> {
    return this.#exists() ? this.#open().exec<Decision>("SELECT * FROM decisions").toArray() : [];
  }

  /** Notes the end of grants, agent keys, access tokens, sessions and machine clients. */
  async noteEnded(ids: readonly string[]): Promise<void> {
    const sql = this.#open();
    if (FAILPOINTS) await failpoint("escrow.ending", sql);
    this.ctx.storage.transactionSync(() => {
      for (const id of ids) {
        sql.exec("INSERT OR IGNORE INTO ended (id, ended_at) VALUES (?, ?)", id, nowSeconds());
      }
    });
    await this.#schedule();
  }

  /**
   * What the object must not fall behind, as far as it concerns the ids in `open`. Those in `ended`, and the
   * generation, are noted first: the object may have been stopped between writing them and saying so.
   */
  async witness(open: readonly string[], ended: readonly string[], generation = 0): Promise<Witness> {
    if (ended.length > 0) await this.noteEnded(ended);
    if (generation > this.#generation()) await this.settle(undefined, generation);
    if (!this.#exists()) return { generation: 0, ended: [] };
    const sql = this.#open();
    const known = new Set(
      sql
        .exec<{ id: string }>("SELECT id FROM ended")
        .toArray()
        .map(({ id }) => id),
    );
    return { generation: this.#generation(), ended: open.filter((id) => known.has(id)) };
  }

  /** Deletes what no restore could need any more. */
  override async alarm(): Promise<void> {
    if (!this.#exists()) return;
    const now = nowSeconds();
    const sql = this.#open();
    sql.exec("DELETE FROM answers WHERE kept_at <= ?", now - ANSWER_SECONDS);
    sql.exec("DELETE FROM ended WHERE ended_at <= ?", now - ENDED_SECONDS);
    const left = sql.exec("SELECT 1 FROM answers UNION ALL SELECT 1 FROM ended LIMIT 1").toArray();
    if (left.length > 0) await this.#schedule();
  }

  #generation(): number {
    if (!this.#exists()) return 0;
    const [row] = this.#open().exec<{ generation: number }>("SELECT generation FROM witness").toArray();
    return row?.generation ?? 0;
  }

  async #schedule(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    await this.ctx.storage.setAlarm((nowSeconds() + CLEAN_UP_SECONDS) * 1000);
  }

  #exists(): boolean {
    return schemaVersion(this.ctx.storage) > 0;
  }

  #open(): SqlStorage {
    migrate(this.ctx.storage, ESCROW_MIGRATIONS);
    return this.ctx.storage.sql;
  }
}
