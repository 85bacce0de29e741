// The EscrowObject: one per connection, AdminObject and RegistryObject, a second failure domain beside it. It keeps
// Gong's sealed token answers until the ConnectionObject has committed them, and remembers what must stay true even
// after a point-in-time restore: what has ended, which refresh tokens are spent, what admins have decided.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { failpoint } from "../failpoints.ts";
import { scheduleAlarm } from "./alarm.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";
import type { Fact } from "./outbox.ts";

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
  readonly decisions: readonly Decision[];
}

/** The newest of its name: what admins have decided, or how many refresh tokens a grant has had. */
export type Decision = { readonly name: string; readonly version: number; readonly value: string };

const KEEP_END = `INSERT INTO ended (id, ended_at) VALUES (?1, ?2)
  ON CONFLICT (id) DO UPDATE SET ended_at = ?2 WHERE ended_at < ?2`;
/** An older fact may arrive late: what has ended stays ended. */
const KEEP_NEWEST = `INSERT INTO decisions (name, version, value)
  SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM ended WHERE id = ?1)
  ON CONFLICT (name) DO UPDATE SET version = ?2, value = ?3 WHERE version <= ?2`;

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
      keepGeneration(sql, generation);
    });
  }

  /** Notes what a restore must not undo. */
  async remember(facts: readonly Fact[]): Promise<void> {
    const sql = this.#open();
    if (FAILPOINTS) await failpoint("escrow.ending", sql);
    this.ctx.storage.transactionSync(() => {
      for (const { name, version, value } of facts) {
        if (value !== null) sql.exec(KEEP_NEWEST, name, version, value);
        else if (name === "") keepGeneration(sql, version);
        else {
          sql.exec(KEEP_END, name, version);
          sql.exec("DELETE FROM decisions WHERE name = ?", name);
        }
      }
    });
    await this.#schedule();
  }

  /** When `id` ended, if it has: epoch seconds. */
  async endedAt(id: string): Promise<number | undefined> {
    if (!this.#exists()) return undefined;
    const rows = this.#open().exec<{ at: number }>("SELECT ended_at AS at FROM ended WHERE id = ?", id);
    return rows.toArray()[0]?.at;
  }

  /**
   * What the object must not fall behind, as far as it concerns the ids in `open`. `facts` are noted first: the object
   * may have been stopped between writing them and saying so.
   */
  async witness(open: readonly string[], facts: readonly Fact[]): Promise<Witness> {
    if (facts.length > 0) await this.remember(facts);
    if (!this.#exists()) return { generation: 0, ended: [], decisions: [] };
    const sql = this.#open();
    const asked = new Set(open);
    const ended = [...sql.exec<{ id: string }>("SELECT id FROM ended")];
    const [spent] = [...sql.exec<{ generation: number }>("SELECT generation FROM witness")];
    return {
      generation: spent?.generation ?? 0,
      ended: ended.map(({ id }) => id).filter((id) => asked.has(id)),
      decisions: sql.exec<Decision>("SELECT * FROM decisions").toArray(),
    };
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

  #schedule(): Promise<void> {
    const now = nowSeconds();
    return scheduleAlarm(this.ctx.storage, now, [now + CLEAN_UP_SECONDS]);
  }

  #exists(): boolean {
    return schemaVersion(this.ctx.storage) > 0;
  }

  #open(): SqlStorage {
    migrate(this.ctx.storage, ESCROW_MIGRATIONS);
    return this.ctx.storage.sql;
  }
}

function keepGeneration(sql: SqlStorage, generation: number): void {
  sql.exec(
    `INSERT INTO witness (only, generation) VALUES (1, ?1)
     ON CONFLICT (only) DO UPDATE SET generation = max(generation, ?1)`,
    generation,
  );
}
