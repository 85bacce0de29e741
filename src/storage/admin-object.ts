// The AdminObject: one per deployment. Admin sessions and their lock-out, the index of connections and of clients, the
// approvals that wait for an admin, the key that connection ids are derived from, and the audit. Never on the path of
// an agent's call.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { ADMIN_MIGRATIONS, type Approval, type ConnectionEntry } from "./admin-schema.ts";
import { migrate, schemaVersion } from "./migrations.ts";

/** An admin session ends after this long without a request, and after the second figure in any case. */
const SESSION_IDLE_SECONDS = 30 * 60;
const SESSION_LONGEST_SECONDS = 8 * 3600;
const MOST_SESSIONS = 10;

/** Wrong tokens an address may try at once; then each one doubles the wait. */
const FREE_ATTEMPTS = 5;
const LONGEST_WAIT_SECONDS = 900;
const ATTEMPT_MEMORY_SECONDS = 86_400;
const MOST_ADDRESSES = 10_000;
const MOST_APPROVALS = 200;
const AUDIT_KEPT = 10_000;

export class AdminObject extends DurableObject<Env> {
  /** The sealed key that connection ids are derived from. The first candidate ever offered stays for good. */
  async identityKey(candidateSealed: string): Promise<string> {
    const sql = this.#open();
    return this.ctx.storage.transactionSync(() => {
      const [known] = sql.exec<{ key_sealed: string }>("SELECT key_sealed FROM identity").toArray();
      if (known !== undefined) return known.key_sealed;
      sql.exec("INSERT INTO identity (only, key_sealed) VALUES (1, ?)", candidateSealed);
      return candidateSealed;
    });
  }

  /** The sealed identity key as it is stored. */
  async currentIdentityKey(): Promise<string | undefined> {
    if (!this.#exists()) return undefined;
    return this.ctx.storage.sql.exec<{ key_sealed: string }>("SELECT key_sealed FROM identity").toArray()[0]
      ?.key_sealed;
  }

  /** The same key under another seal; nothing happens when somebody else was first. */
  async replaceIdentitySeal(before: string, after: string): Promise<void> {
    this.#open().exec("UPDATE identity SET key_sealed = ? WHERE key_sealed = ?", after, before);
  }

  /** Notes a connection and the client that uses it, so that both can be listed and ended. */
  async recordConnection(entry: ConnectionEntry, clientId: string | undefined): Promise<void> {
    const sql = this.#open();
    this.ctx.storage.transactionSync(() => {
      sql.exec(
        "INSERT OR IGNORE INTO connections (id, integration, created_at) VALUES (?, ?, ?)",
        entry.id,
        entry.integration,
        nowSeconds(),
      );
      if (clientId === undefined) return;
      sql.exec(
        "INSERT OR IGNORE INTO client_connections (client_id, connection_id) VALUES (?, ?)",
        clientId,
        entry.id,
      );
    });
  }

  /** The state of a connection, as it last reported it. */
  async recordState(id: string, state: string): Promise<void> {
    if (!this.#exists()) return;
    this.ctx.storage.sql.exec("UPDATE connections SET state = ? WHERE id = ?", state, id);
  }

  /** How many connections are in each state. */
  async countStates(): Promise<Readonly<Record<string, number>>> {
    if (!this.#exists()) return {};
    const rows = this.ctx.storage.sql
      .exec<{ state: string; n: number }>("SELECT state, COUNT(*) AS n FROM connections GROUP BY state")
      .toArray();
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }

  /** The newest connections first. */
  async listConnections(limit: number): Promise<readonly ConnectionEntry[]> {
    if (!this.#exists()) return [];
    return this.ctx.storage.sql
      .exec<ConnectionEntry>(
        "SELECT id, integration FROM connections ORDER BY created_at DESC, id LIMIT ?",
        limit,
      )
      .toArray();
  }

  /** Whether the connection is in the index: an id from a form is never taken on trust. */
  async hasConnection(id: string): Promise<boolean> {
    if (!this.#exists()) return false;
    return this.ctx.storage.sql.exec("SELECT 1 FROM connections WHERE id = ?", id).toArray().length > 0;
  }

  /** Puts a request for shared access before the admins. False when too many wait already. */
  async requestApproval(approval: Approval): Promise<boolean> {
    const sql = this.#open();
    return this.ctx.storage.transactionSync(() => {
      sql.exec("DELETE FROM approvals WHERE expires_at <= ?", nowSeconds());
      const { n } = sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM approvals").one();
      if (n >= MOST_APPROVALS) return false;
      sql.exec(
        `INSERT OR IGNORE INTO approvals
           (transaction_id, code, client_id, client_name, redirect_uri, requested_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        approval.transaction_id,
        approval.code,
        approval.client_id,
        approval.client_name,
        approval.redirect_uri,
        approval.requested_at,
        approval.expires_at,
      );
      return true;
    });
  }

  /** The requests for shared access that still wait, the oldest first. */
  async listApprovals(): Promise<readonly Approval[]> {
    if (!this.#exists()) return [];
    return this.ctx.storage.sql
      .exec<Approval>("SELECT * FROM approvals WHERE expires_at > ? ORDER BY requested_at", nowSeconds())
      .toArray();
  }

  /** Takes a request off the list, with the audit row of the decision. False when it is gone or too old. */
  async settleApproval(
    transactionId: string,
    decision: "approved" | "denied",
    actor: string,
  ): Promise<boolean> {
    if (!this.#exists()) return false;
    return this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      const settled = sql.exec(
        "DELETE FROM approvals WHERE transaction_id = ? AND expires_at > ?",
        transactionId,
        nowSeconds(),
      );
      if (settled.rowsWritten === 0) return false;
      this.#audit(actor, `approval.${decision}`, transactionId);
      return true;
    });
  }

  /** One audit row. */
  async recordAct(actor: string, action: string, target: string | undefined): Promise<void> {
    this.#open();
    this.ctx.storage.transactionSync(() => this.#audit(actor, action, target));
  }

  /**
   * Counts a sign-in attempt from an address before the token is compared, so that parallel guesses can't outrun the
   * count. Returns the seconds to wait, or 0 when the attempt may go on.
   */
  async admitSignIn(addressHash: string): Promise<number> {
    const sql = this.#open();
    const now = nowSeconds();
    return this.ctx.storage.transactionSync(() => {
      sql.exec("DELETE FROM sign_in_attempts WHERE last_at <= ?", now - ATTEMPT_MEMORY_SECONDS);
      const [known] = sql
        .exec<{ failures: number; last_at: number }>(
          "SELECT failures, last_at FROM sign_in_attempts WHERE address_hash = ?",
          addressHash,
        )
        .toArray();
      const failures = known?.failures ?? 0;
      const wait =
        failures < FREE_ATTEMPTS ? 0 : Math.min(2 ** (failures - FREE_ATTEMPTS), LONGEST_WAIT_SECONDS);
      const remaining = (known?.last_at ?? 0) + wait - now;
      if (wait > 0 && remaining > 0) return remaining;
      sql.exec(
        `INSERT INTO sign_in_attempts (address_hash, failures, last_at) VALUES (?1, 1, ?2)
         ON CONFLICT (address_hash) DO UPDATE SET failures = failures + 1, last_at = ?2`,
        addressHash,
        now,
      );
      sql.exec(
        `DELETE FROM sign_in_attempts WHERE address_hash IN (
           SELECT address_hash FROM sign_in_attempts ORDER BY last_at DESC LIMIT -1 OFFSET ?)`,
        MOST_ADDRESSES,
      );
      return 0;
    });
  }

  /** Opens an admin session and forgives the address its attempts. The oldest sessions over ten end. */
  async openSession(sessionHash: string, addressHash: string): Promise<void> {
    const sql = this.#open();
    const now = nowSeconds();
    this.ctx.storage.transactionSync(() => {
      sql.exec("DELETE FROM sign_in_attempts WHERE address_hash = ?", addressHash);
      sql.exec("INSERT INTO sessions (hash, created_at, seen_at) VALUES (?1, ?2, ?2)", sessionHash, now);
      sql.exec(
        "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
        MOST_SESSIONS,
      );
      this.#audit("admin", "session.opened", undefined);
    });
  }

  /** Whether the session lives; asking keeps it from idling out. */
  async useSession(sessionHash: string): Promise<boolean> {
    if (!this.#exists()) return false;
    const now = nowSeconds();
    const used = this.ctx.storage.sql.exec(
      "UPDATE sessions SET seen_at = ?1 WHERE hash = ?2 AND seen_at > ?1 - ?3 AND created_at > ?1 - ?4",
      now,
      sessionHash,
      SESSION_IDLE_SECONDS,
      SESSION_LONGEST_SECONDS,
    );
    return used.rowsWritten > 0;
  }

  /** Ends an admin session; nothing happens when it is over. */
  async endSession(sessionHash: string): Promise<void> {
    if (!this.#exists()) return;
    this.ctx.storage.sql.exec("DELETE FROM sessions WHERE hash = ?", sessionHash);
  }

  #audit(actor: string, action: string, target: string | undefined): void {
    const { sql } = this.ctx.storage;
    sql.exec(
      "INSERT INTO audit (at, actor, action, target) VALUES (?, ?, ?, ?)",
      nowSeconds(),
      actor,
      action,
      target ?? null,
    );
    sql.exec("DELETE FROM audit WHERE id <= (SELECT MAX(id) FROM audit) - ?", AUDIT_KEPT);
  }

  #open(): SqlStorage {
    migrate(this.ctx.storage, ADMIN_MIGRATIONS);
    return this.ctx.storage.sql;
  }

  /** Whether the object was ever written; asking never writes, but for an older schema, which is brought up to date. */
  #exists(): boolean {
    if (schemaVersion(this.ctx.storage) > 0) this.#open();
    return schemaVersion(this.ctx.storage) > 0;
  }
}
