// The TransactionObject: one per approved authorization, from the person's approval to the callback. It is taken
// exactly once, by the browser that began it, and deletes itself. RFC 6749 §10.12, RFC 9700 §4.7.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { failpoint } from "../failpoints.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";

/** How long a person has at Gong, or an admin has to approve. */
export const TRANSACTION_TTL_SECONDS = 600;

/** A reload within this time gets the same outcome; an exchange that takes longer has failed. */
const RELOAD_WINDOW_SECONDS = 60;

const MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE transaction_record (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      status TEXT NOT NULL,
      state_hash TEXT NOT NULL,
      binding_hash TEXT NOT NULL,
      continuation_sealed TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      taken_at INTEGER,
      outcome_sealed TEXT
    ) STRICT`,
  ],
];

/** `waiting`: at Gong, or for an admin. `approved` / `denied`: by an admin. `taken`: being exchanged. */
type TransactionStatus = "waiting" | "approved" | "denied" | "taken" | "done";

type TransactionRow = {
  status: TransactionStatus;
  state_hash: string;
  binding_hash: string;
  continuation_sealed: string;
  expires_at: number;
  taken_at: number | null;
  outcome_sealed: string | null;
};

export interface NewTransaction {
  readonly stateHash: string;
  /** Of the cookie that only the approving browser has. */
  readonly bindingHash: string;
  /** Everything needed to go on, sealed in the Worker. */
  readonly continuationSealed: string;
}

export type TakeOutcome =
  | { readonly kind: "taken"; readonly continuationSealed: string; readonly denied: boolean }
  /** The same browser again, within a minute: the same outcome. */
  | { readonly kind: "done"; readonly outcomeSealed: string }
  | { readonly kind: "busy" }
  /** Not approved by an admin yet. */
  | { readonly kind: "waiting"; readonly continuationSealed: string }
  | {
      readonly kind: "refused";
      readonly reason: "unknown" | "expired" | "used" | "other_browser" | "failed";
    };

export class TransactionObject extends DurableObject<Env> {
  /**
   * Records the approval and returns what to continue with. The same approval sent again, by a double click or a
   * replay, gets the first one's continuation and makes no second transaction.
   */
  async begin(transaction: NewTransaction): Promise<string> {
    migrate(this.ctx.storage, MIGRATIONS);
    const now = nowSeconds();
    const continuation = this.ctx.storage.transactionSync(() => {
      const known = this.#row();
      if (known !== undefined) return known.continuation_sealed;
      this.ctx.storage.sql.exec(
        `INSERT INTO transaction_record (only, status, state_hash, binding_hash, continuation_sealed, expires_at)
         VALUES (1, 'waiting', ?, ?, ?, ?)`,
        transaction.stateHash,
        transaction.bindingHash,
        transaction.continuationSealed,
        now + TRANSACTION_TTL_SECONDS,
      );
      return transaction.continuationSealed;
    });
    await this.ctx.storage.setAlarm((now + TRANSACTION_TTL_SECONDS + RELOAD_WINDOW_SECONDS) * 1000);
    return continuation;
  }

  /** Takes the transaction for the browser that holds both the state and the cookie; one winner. */
  async take(stateHash: string, bindingHash: string): Promise<TakeOutcome> {
    return this.#take((row) => row.state_hash === stateHash && row.binding_hash === bindingHash, ["waiting"]);
  }

  /** The same for a transaction that an admin decides: taken once it is decided, `waiting` until then. */
  async takeDecided(bindingHash: string): Promise<TakeOutcome> {
    return this.#take((row) => row.binding_hash === bindingHash, ["approved", "denied"]);
  }

  /** An admin's decision. False when there is nothing left to decide. */
  async decide(decision: "approved" | "denied"): Promise<boolean> {
    if (!this.#exists()) return false;
    const decided = this.ctx.storage.sql.exec(
      "UPDATE transaction_record SET status = ? WHERE status = 'waiting' AND expires_at > ?",
      decision,
      nowSeconds(),
    );
    return decided.rowsWritten > 0;
  }

  /** Keeps where the browser was sent, for a reload within a minute. */
  async finish(outcomeSealed: string): Promise<void> {
    if (!this.#exists()) return;
    if (FAILPOINTS) await failpoint("transaction.finishing", this.ctx.storage.sql);
    this.ctx.storage.sql.exec(
      "UPDATE transaction_record SET status = 'done', outcome_sealed = ?, taken_at = ? WHERE status = 'taken'",
      outcomeSealed,
      nowSeconds(),
    );
  }

  /** Deletes everything: nobody can come back to the transaction by now. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  #take(belongs: (row: TransactionRow) => boolean, takeable: readonly TransactionStatus[]): TakeOutcome {
    if (!this.#exists()) return { kind: "refused", reason: "unknown" };
    const now = nowSeconds();
    return this.ctx.storage.transactionSync((): TakeOutcome => {
      const row = this.#row();
      if (row === undefined) return { kind: "refused", reason: "unknown" };
      if (!belongs(row)) return { kind: "refused", reason: "other_browser" };
      const sinceTaken = now - (row.taken_at ?? now);
      if (row.status === "done") {
        return row.outcome_sealed !== null && sinceTaken <= RELOAD_WINDOW_SECONDS
          ? { kind: "done", outcomeSealed: row.outcome_sealed }
          : { kind: "refused", reason: "used" };
      }
      if (row.status === "taken") {
        return sinceTaken <= RELOAD_WINDOW_SECONDS ? { kind: "busy" } : { kind: "refused", reason: "failed" };
      }
      if (row.expires_at <= now) return { kind: "refused", reason: "expired" };
      if (!takeable.includes(row.status)) {
        return row.status === "waiting"
          ? { kind: "waiting", continuationSealed: row.continuation_sealed }
          : { kind: "refused", reason: "unknown" };
      }
      if (FAILPOINTS) void failpoint("transaction.taking", this.ctx.storage.sql);
      this.ctx.storage.sql.exec("UPDATE transaction_record SET status = 'taken', taken_at = ?", now);
      return {
        kind: "taken",
        continuationSealed: row.continuation_sealed,
        denied: row.status === "denied",
      };
    });
  }

  #exists(): boolean {
    return schemaVersion(this.ctx.storage) > 0;
  }

  #row(): TransactionRow | undefined {
    return this.ctx.storage.sql.exec<TransactionRow>("SELECT * FROM transaction_record").toArray()[0];
  }
}
