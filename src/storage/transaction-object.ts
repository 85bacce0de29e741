// The TransactionObject: one per approved authorization, from the person's approval to
// the callback. It is taken once, by the browser that began it, keeps Gong's answer
// until the sign-in is finished, and deletes itself. RFC 6749 §10.12, RFC 9700 §4.7.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { createKeyring } from "../crypto/keyring.ts";
import { failpoint } from "../failpoints.ts";
import { errorFields, log } from "../log.ts";
import { adoptCodeAnswer } from "./code-answer.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";
import { objectsOf } from "./stubs.ts";

/** How long a person has at Gong, or an admin has to approve. */
export const TRANSACTION_TTL_SECONDS = 600;

/** A reload within this time gets the same outcome. */
const RELOAD_WINDOW_SECONDS = 60;

/** Discovery and the exchange take no longer: without an answer after this time, whoever asked has died. */
const EXCHANGE_SECONDS = 20;

/** How long whoever holds Gong's answer is left alone with it, and after which nobody comes back for it by himself. */
const FINISH_SECONDS = 10;
const ADOPT_AFTER_SECONDS = 60;

/** How often a sign-in is taken up again after Gong has answered. */
const MOST_TRIES = 5;

/** The schema, step by step: append only. */
export const TRANSACTION_MIGRATIONS: readonly Migration[] = [
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
  [
    "ALTER TABLE transaction_record ADD COLUMN decision TEXT",
    "ALTER TABLE transaction_record ADD COLUMN answer_sealed TEXT",
    "ALTER TABLE transaction_record ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
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
  /** An admin's; null at Gong. */
  decision: "approved" | "denied" | null;
  answer_sealed: string | null;
  tries: number;
};

export interface NewTransaction {
  readonly stateHash: string;
  /** Of the cookie that only the approving browser has. */
  readonly bindingHash: string;
  /** Everything needed to go on, sealed in the Worker. */
  readonly continuationSealed: string;
}

export type TakeOutcome =
  | {
      readonly kind: "taken";
      readonly continuationSealed: string;
      readonly denied: boolean;
      /** Gong's answer, which somebody kept who did not live to finish. */
      readonly answerSealed: string | undefined;
    }
  /** Whoever took it has died, and Gong's answer with it. */
  | { readonly kind: "lost"; readonly continuationSealed: string }
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
   * Until when somebody is at work on Gong's answer. A new instance
   * knows of nobody: the last one may have died with them.
   */
  #heldUntil = 0;

  /**
   * Records the approval and returns what to continue with. The same approval sent again, by a double click or a
   * replay, gets the first one's continuation and makes no second transaction.
   */
  async begin(transaction: NewTransaction): Promise<string> {
    migrate(this.ctx.storage, TRANSACTION_MIGRATIONS);
    const now = nowSeconds();
    const continuation = this.ctx.storage.transactionSync(() => {
      const known = this.#row();
      if (known !== undefined) return known.continuation_sealed;
      if (FAILPOINTS) void failpoint("transaction.beginning", this.ctx.storage.sql);
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

  /** Keeps Gong's sealed answer before anybody reads it. */
  async keepAnswer(answerSealed: string): Promise<void> {
    if (!this.#exists()) return;
    if (FAILPOINTS) await failpoint("answer.keeping", this.ctx.storage.sql);
    const now = nowSeconds();
    this.ctx.storage.sql.exec(
      "UPDATE transaction_record SET answer_sealed = ? WHERE status = 'taken'",
      answerSealed,
    );
    this.#heldUntil = now + FINISH_SECONDS;
    await this.ctx.storage.setAlarm((now + ADOPT_AFTER_SECONDS) * 1000);
  }

  /** Lets go of an answer that could not be finished with. Whether the browser may come back for it. */
  async release(): Promise<boolean> {
    const row = this.#exists() ? this.#row() : undefined;
    if (row === undefined || row.answer_sealed === null || row.tries >= MOST_TRIES) return false;
    this.#heldUntil = 0;
    return true;
  }

  /** Keeps where the browser was sent, for a reload within a minute. Gong's answer is needed no more. */
  async finish(outcomeSealed: string): Promise<void> {
    if (!this.#exists()) return;
    if (FAILPOINTS) await failpoint("transaction.finishing", this.ctx.storage.sql);
    this.ctx.storage.sql.exec(
      `UPDATE transaction_record SET status = 'done', outcome_sealed = ?, taken_at = ?, answer_sealed = NULL
       WHERE status = 'taken'`,
      outcomeSealed,
      nowSeconds(),
    );
  }

  /**
   * Puts the tokens of an answer that nobody came back for where they belong, and at last deletes everything: nobody
   * can come back to the transaction by then.
   */
  override async alarm(): Promise<void> {
    const row = this.#exists() ? this.#row() : undefined;
    const now = nowSeconds();
    const end = (row?.expires_at ?? 0) + RELOAD_WINDOW_SECONDS;
    const adopted = row?.answer_sealed == null || (await this.#adopt(row.answer_sealed));
    if (now >= end) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm((adopted ? end : Math.min(now + ADOPT_AFTER_SECONDS, end)) * 1000);
  }

  async #adopt(answerSealed: string): Promise<boolean> {
    const config = parseConfig(this.env);
    const deployment = {
      config,
      keyring: createKeyring(config.sealingKeys),
      objects: objectsOf(this.env),
    };
    try {
      await adoptCodeAnswer(deployment, this.ctx.id.name ?? "", answerSealed);
      return true;
    } catch (error) {
      log("warn", "callback.not_adopted", errorFields(error));
      return false;
    }
  }

  #take(belongs: (row: TransactionRow) => boolean, takeable: readonly TransactionStatus[]): TakeOutcome {
    if (!this.#exists()) return { kind: "refused", reason: "unknown" };
    const now = nowSeconds();
    return this.ctx.storage.transactionSync((): TakeOutcome => {
      const row = this.#row();
      if (row === undefined) return { kind: "refused", reason: "unknown" };
      if (!belongs(row)) return { kind: "refused", reason: "other_browser" };
      const { status, continuation_sealed: continuationSealed } = row;
      if (status === "done") {
        return row.outcome_sealed !== null && now - (row.taken_at ?? now) <= RELOAD_WINDOW_SECONDS
          ? { kind: "done", outcomeSealed: row.outcome_sealed }
          : { kind: "refused", reason: "used" };
      }
      if (status !== "taken" && row.expires_at <= now) return { kind: "refused", reason: "expired" };
      if (!takeable.includes(status === "taken" ? (row.decision ?? "waiting") : status)) {
        return status === "waiting"
          ? { kind: "waiting", continuationSealed }
          : { kind: "refused", reason: "unknown" };
      }
      if (status === "taken") return this.#takeAgain(row, now);
      if (FAILPOINTS) void failpoint("transaction.taking", this.ctx.storage.sql);
      const decision = status === "waiting" ? null : status;
      this.ctx.storage.sql.exec(
        "UPDATE transaction_record SET status = 'taken', taken_at = ?, decision = ?",
        now,
        decision,
      );
      return { kind: "taken", continuationSealed, denied: decision === "denied", answerSealed: undefined };
    });
  }

  /** For the browser that comes back while somebody is at work on the sign-in, or has died over it. */
  #takeAgain(row: TransactionRow, now: number): TakeOutcome {
    const { continuation_sealed: continuationSealed, answer_sealed: answerSealed, decision } = row;
    if (answerSealed === null && now - (row.taken_at ?? 0) <= EXCHANGE_SECONDS) return { kind: "busy" };
    if (answerSealed === null && decision === null) return { kind: "lost", continuationSealed };
    if (this.#heldUntil > now) return { kind: "busy" };
    if (row.tries >= MOST_TRIES) return { kind: "refused", reason: "failed" };
    this.#heldUntil = now + EXCHANGE_SECONDS;
    this.ctx.storage.sql.exec("UPDATE transaction_record SET tries = tries + 1");
    return {
      kind: "taken",
      continuationSealed,
      denied: decision === "denied",
      answerSealed: answerSealed ?? undefined,
    };
  }

  #exists(): boolean {
    if (schemaVersion(this.ctx.storage) === 0) return false;
    migrate(this.ctx.storage, TRANSACTION_MIGRATIONS);
    return true;
  }

  #row(): TransactionRow | undefined {
    return this.ctx.storage.sql.exec<TransactionRow>("SELECT * FROM transaction_record").toArray()[0];
  }
}
