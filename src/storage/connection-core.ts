// What every story of a connection stands on: its database, its one row, Gong's tokens, and the escrow that remembers
// what a restore can't turn back. Made once by the ConnectionObject; the stories in this folder work on it.

import { nowSeconds } from "../clock.ts";
import { integrationNamed, parseConfig, type Config } from "../config.ts";
import { createKeyring } from "../crypto/keyring.ts";
import { errorFields, log } from "../log.ts";
import { hasAgent, nextKeySweepAt } from "./agent-keys.ts";
import { scheduleAlarm } from "./alarm.ts";
import { nextContentSweepAt } from "./call-contents.ts";
import { CONNECTION_MIGRATIONS, type ConnectionRow } from "./connection-schema.ts";
import { nextAccountSessionEnd } from "./account-sessions.ts";
import { applyWitness, knownFacts, openIds } from "./connection-memory.ts";
import { reportOf } from "./connection-state.ts";
import type { Witness } from "./escrow-object.ts";
import { createGongSeals, type GongSeals } from "./gong-seals.ts";
import { GongTokenStore } from "./gong-tokens.ts";
import * as upkeep from "./grant-upkeep.ts";
import type { Holder } from "./presented-credential.ts";
import { migrate, schemaVersion } from "./migrations.ts";
import { nextLedgerPruneAt } from "./ledger-list.ts";
import { takeOut, tell, untold } from "./outbox.ts";
import { nextPaidSweepAt } from "./paid-ledger.ts";
import { createResultSeals, type ResultSeals } from "./result-seals.ts";
import { objectsOf, retrying, type Objects } from "./stubs.ts";

const DAY_SECONDS = 86_400;

export class ConnectionCore {
  readonly id: string;
  readonly objects: Objects;
  readonly config: Config;
  readonly seals: GongSeals;
  readonly results: ResultSeals;
  readonly gong: GongTokenStore;
  readonly #ctx: DurableObjectState;
  #created = false;
  #check: Promise<void> | undefined;
  #usedOn = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    const config = parseConfig(env);
    this.#ctx = ctx;
    this.id = ctx.id.name ?? ctx.id.toString();
    this.objects = objectsOf(env);
    this.config = config;
    const keyring = createKeyring(config.sealingKeys);
    this.seals = createGongSeals(keyring, config.publicUrl, this.id);
    this.results = createResultSeals(keyring, config.publicUrl, this.id);
    this.gong = new GongTokenStore({
      id: this.id,
      sql: ctx.storage.sql,
      seals: this.seals,
      row: () => this.row(),
      escrow: () => this.escrow(),
      transaction: (change) => this.transaction(change),
      integration: (row) => integrationNamed(config, row.integration),
      schedule: () => this.schedule(),
      stateChanged: () => this.reportState(),
    });
  }

  get sql(): SqlStorage {
    return this.#ctx.storage.sql;
  }

  /** Runs `change` as one transaction: all of it or nothing. Nothing can be awaited in it. */
  transaction<T>(change: (sql: SqlStorage, now: number) => T): T {
    return this.#ctx.storage.transactionSync(() => change(this.sql, nowSeconds()));
  }

  /** Keeps the object alive until `work` is done, also when the caller has gone. */
  keepAlive(work: Promise<unknown>): void {
    this.#ctx.waitUntil(work);
  }

  /** The connection, or undefined before the first sign-in at Gong. */
  row(): ConnectionRow | undefined {
    if (!this.#exists()) return undefined;
    return this.sql.exec<ConnectionRow>("SELECT * FROM connection").toArray()[0];
  }

  /** Brings the schema up to date. Only a write may call it. */
  create(): void {
    if (this.#created) return;
    migrate(this.#ctx.storage, CONNECTION_MIGRATIONS);
    this.#created = true;
  }

  /**
   * Whether the connection was ever written; asking never writes. The first time in the life of this instance, and
   * again after something has ended, it is compared with what the escrow remembers, once for all who wait: a
   * point-in-time restore starts a new instance. Throws when the escrow can't be asked.
   */
  async ready(): Promise<boolean> {
    if (!this.#exists()) return false;
    const check = (this.#check ??= this.#compare());
    try {
      await check;
    } catch (error) {
      if (this.#check === check) this.#check = undefined;
      throw error;
    }
    return true;
  }

  async #compare(): Promise<void> {
    const witness = await this.witness();
    const row = this.row();
    const restored =
      row !== undefined && this.transaction((sql, now) => applyWitness(sql, row, witness, now));
    if (restored) log("warn", "connection.restored", { connection: this.id });
  }

  /** What the escrow remembers of this connection, once it knows what the connection does. */
  async witness(): Promise<Witness> {
    const { sql } = this;
    const told = untold(sql);
    const facts = [...knownFacts(sql), ...told];
    const witness = await retrying(async () => this.escrow().witness(openIds(sql), facts));
    takeOut(sql, told);
    return witness;
  }

  escrow() {
    return this.objects.escrow(this.id);
  }

  /** Tells the escrow what is in the outbox. Throws when that fails; then the next use or alarm says it again. */
  tell(): Promise<void> {
    return tell(this.#ctx.storage, () => this.escrow());
  }

  /** The same, without anybody waiting for it. */
  tellSoon(): void {
    const failed = (error: unknown): void =>
      log("error", "connection.store_failed", { connection: this.id, ...errorFields(error) });
    this.keepAlive(this.tell().catch(failed));
  }

  /** Tells the escrow what has ended. If it fails, nothing is served before it knows. */
  async tellEnds(): Promise<void> {
    this.#check = undefined;
    await this.tell();
    this.reportState();
  }

  /** A personal connection that no agent can use is not refreshed: it is about to be let go. */
  wantsEarlyRefresh(now: number): boolean {
    const row = this.row();
    if (row?.state !== "connected" || row.gong_refresh_token_sealed === null) return false;
    return row.access === "shared" || hasAgent(this.sql, now);
  }

  /** Sets the alarm for whatever is due first. */
  schedule(): Promise<void> {
    const now = nowSeconds();
    const refreshAt = this.wantsEarlyRefresh(now) ? this.row()?.refresh_due_at : undefined;
    const due = [
      upkeep.nextSweepAt(this.sql),
      nextKeySweepAt(this.sql, now),
      nextAccountSessionEnd(this.sql),
      nextPaidSweepAt(this.sql),
      nextLedgerPruneAt(this.sql, this.config.ledgerSeconds),
      nextContentSweepAt(this.sql, now),
    ];
    return scheduleAlarm(this.#ctx.storage, now, [...due, refreshAt]);
  }

  /** Keeps the admin's index current; the index decides nothing, so a failure is only logged. */
  reportState(): void {
    const row = this.row();
    if (row === undefined) return;
    const told = reportOf(this.sql, row, nowSeconds());
    const report = retrying(async () => this.objects.admin().recordState(this.id, told));
    this.keepAlive(report.catch(() => log("warn", "connection.not_indexed", { connection: this.id })));
  }

  /** Tells the index on which day the connection was used: once a day, so that a call costs no more than before. */
  noteUse(now: number): void {
    const today = now - (now % DAY_SECONDS);
    if (this.#usedOn >= today) return;
    const changed = this.transaction(
      (sql) => sql.exec("UPDATE connection SET used_on = ?1 WHERE used_on < ?1", today).rowsWritten > 0,
    );
    this.#usedOn = today;
    if (changed) this.reportState();
  }

  /** Tells the client doctor that a sign-in came to its first call. */
  noteFirstCall({ clientId, clientName }: Holder): void {
    if (clientId === undefined) return;
    const first = { at: nowSeconds(), clientId, name: clientName, step: "call" } as const;
    const told = this.objects.admin().recordAttempts([{ ...first, reason: undefined, requestId: undefined }]);
    this.keepAlive(told.catch(() => log("warn", "client.not_traced", { connection: this.id })));
  }

  #exists(): boolean {
    if (!this.#created && schemaVersion(this.#ctx.storage) > 0) this.create();
    return this.#created;
  }
}
