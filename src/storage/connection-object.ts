// The ConnectionObject: one per authorization at Gong. It holds the sealed Gong tokens and every grant that may use
// them, so that a code, a token family and Gong's tokens change together. Each method is one atomic state change;
// expected outcomes are returned, only bugs are thrown.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { integrationNamed, parseConfig, type Config, type IntegrationName } from "../config.ts";
import { createKeyring } from "../crypto/keyring.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { log } from "../log.ts";
import { scheduleAlarm } from "./alarm.ts";
import type { AuthorizedCall, ConnectionDescription, GrantAndCode } from "./connection-rpc.ts";
import { CONNECTION_MIGRATIONS, type ConnectionRow } from "./connection-schema.ts";
import { applyWitness, describeConnection, forgetGongTokens, writeConnection } from "./connection-state.ts";
import { createGongSeals, type GongSeals } from "./gong-seals.ts";
import { createGongTokenStore, type GongAuthorization, type GongTokenStore } from "./gong-tokens.ts";
import * as upkeep from "./grant-upkeep.ts";
import {
  insertGrant,
  redeemCode,
  rotateRefreshToken,
  useAccessToken,
  type CandidateTokens,
  type PresentedCode,
  type PresentedRefreshToken,
  type RotationTokens,
  type TokenOutcome,
} from "./grants.ts";
import { migrate, schemaVersion } from "./migrations.ts";
import { EMPTY_REPORT, resealTokens, type SealReport } from "./reseal.ts";
import { objectsOf, retrying, type Objects } from "./stubs.ts";

const NOT_CONNECTED: GongAuthorization = { ok: false, reason: "not_connected", retryAfterSeconds: 0 };

export class ConnectionObject extends DurableObject<Env> {
  #created = false;
  #checked = false;
  readonly #id: string;
  readonly #objects: Objects;
  readonly #config: Config;
  readonly #seals: GongSeals;
  readonly #gong: GongTokenStore;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const config = parseConfig(env);
    this.#id = ctx.id.name ?? ctx.id.toString();
    this.#objects = objectsOf(env);
    this.#config = config;
    this.#seals = createGongSeals(createKeyring(config.sealingKeys), config.publicUrl, this.#id);
    this.#gong = createGongTokenStore({
      id: this.#id,
      sql: ctx.storage.sql,
      seals: this.#seals,
      now: nowSeconds,
      row: () => this.#row(),
      escrow: () => this.#objects.escrow(this.#id),
      integration: (row) => integrationNamed(config, row.integration),
      schedule: () => this.#schedule(),
      stateChanged: () => this.#reportState(),
    });
  }

  /**
   * Puts Gong's answer to an authorization in place, sealed, as the next generation, and opens the grant it was made
   * for. An older refresh still in flight is fenced off. The tokens of every earlier grant stay good: the same
   * person's connection heals.
   */
  async connectGong(
    name: IntegrationName,
    tokens: GongTokens,
    opened: GrantAndCode | undefined,
  ): Promise<void> {
    this.#create();
    const integration = integrationNamed(this.#config, name);
    const { generation: spent } = await this.#witness();
    for (;;) {
      const before = this.#row()?.generation ?? 0;
      // Never behind the witness: after a restore, what was spent stays spent.
      const generation = Math.max(before, spent) + 1;
      const sealed = await this.#seals.sealTokens(tokens, generation);
      const committed = this.ctx.storage.transactionSync(() => {
        if ((this.#row()?.generation ?? 0) !== before) return false;
        writeConnection(this.ctx.storage.sql, integration, tokens, sealed, generation, nowSeconds());
        if (opened !== undefined) insertGrant(this.ctx.storage.sql, opened.grant, opened.code, nowSeconds());
        return true;
      });
      if (!committed) continue;
      log("info", "connection.connected", { connection: this.#id, integration: name, generation });
      await retrying(async () => this.#objects.escrow(this.#id).settle(undefined, generation));
      break;
    }
    this.#reportState();
    await this.#schedule();
  }

  /** Opens a grant on a connection that exists: shared access, once an admin approved the client. */
  async openGrant(opened: GrantAndCode): Promise<boolean> {
    if (!(await this.#ready())) return false;
    const done = this.ctx.storage.transactionSync(() => {
      if (this.#row()?.state !== "connected") return false;
      insertGrant(this.ctx.storage.sql, opened.grant, opened.code, nowSeconds());
      return true;
    });
    if (done) await this.#schedule();
    return done;
  }

  /** RFC 6749 §4.1.3. */
  async redeemCode(presented: PresentedCode, tokens: CandidateTokens): Promise<TokenOutcome> {
    return this.#decide(presented.grantId, (sql, now) => redeemCode(sql, presented, tokens, now));
  }

  /** RFC 6749 §6, RFC 9700 §4.14.2. Never calls Gong: our tokens outlive an outage there. */
  async rotateRefreshToken(presented: PresentedRefreshToken, tokens: RotationTokens): Promise<TokenOutcome> {
    return this.#decide(presented.grantId, (sql, now) => rotateRefreshToken(sql, presented, tokens, now));
  }

  /** Checks an access token and hands out Gong's. RFC 6750 §3.1: every refusal of the token looks the same outside. */
  async authorize(accessHash: string): Promise<AuthorizedCall> {
    if (!(await this.#ready())) return { ok: false, reason: "invalid_token", detail: "connection_unknown" };
    const check = () =>
      this.ctx.storage.transactionSync(() => useAccessToken(this.ctx.storage.sql, accessHash, nowSeconds()));
    const before = check();
    const gong = before.ok ? await this.#gong.authorization() : NOT_CONNECTED;
    // A refresh takes seconds, in which the token may have been revoked.
    const access = before.ok ? check() : before;
    if (!access.ok) return { ok: false, reason: "invalid_token", detail: access.reason };
    if (!gong.ok) return gong;
    return {
      ok: true,
      grantId: access.grant.id,
      clientId: access.grant.client_id,
      scope: access.token.scope,
      expiresAt: Math.min(access.token.expires_at, access.grant.expires_at),
      gong,
    };
  }

  /** Gong answered 401 for the token of `generation`: a newer one if there is one, after one refresh at most. */
  async replaceRejectedGongToken(generation: number): Promise<GongAuthorization> {
    return (await this.#ready()) ? this.#gong.replaceRejected(generation) : NOT_CONNECTED;
  }

  /** RFC 7009 §2.1: ends the token if it is `clientId`'s; a refresh token ends its whole grant. */
  async revokeToken(presented: {
    readonly kind: "access" | "refresh";
    readonly hash: string;
    readonly grantId: string;
    readonly clientId: string;
  }): Promise<boolean> {
    if (!(await this.#ready())) return false;
    if (presented.kind === "access") {
      return this.ctx.storage.transactionSync(() =>
        upkeep.deleteAccessToken(this.ctx.storage.sql, presented.hash, presented.clientId),
      );
    }
    const owned = upkeep.findGrant(this.ctx.storage.sql, presented.grantId)?.client_id === presented.clientId;
    return owned && this.endGrant(presented.grantId, "revoked_by_client");
  }

  /** Ends a grant at once. The last one takes a personal connection's Gong tokens with it. */
  async endGrant(grantId: string, reason: string): Promise<boolean> {
    if (!(await this.#ready())) return false;
    const ended = this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      const grant = upkeep.findGrant(sql, grantId);
      if (grant === undefined || grant.revoked_at !== null) return false;
      upkeep.revokeGrant(sql, grantId, reason, nowSeconds());
      const personal = this.#row()?.access === "personal";
      if (personal && upkeep.liveGrants(sql, nowSeconds()).length === 0) {
        forgetGongTokens(sql, "no_agent_left", nowSeconds());
      }
      return true;
    });
    if (ended) await this.#noteEnded([grantId]);
    return ended;
  }

  /** Ends the connection: every grant, and our copies of Gong's tokens. Gong itself offers no revocation. */
  async disconnect(reason: string): Promise<boolean> {
    if (!(await this.#ready()) || this.#row() === undefined) return false;
    const { sql } = this.ctx.storage;
    const ended = this.ctx.storage.transactionSync(() => {
      const { open } = upkeep.grantIds(sql);
      for (const id of open) upkeep.revokeGrant(sql, id, reason, nowSeconds());
      forgetGongTokens(sql, reason, nowSeconds());
      return open;
    });
    log("info", "connection.ended", { connection: this.#id, reason });
    await this.#noteEnded(ended);
    return true;
  }

  /** What a person may see of the connection; no token in it. Undefined when there is none. */
  async describe(): Promise<ConnectionDescription | undefined> {
    if (!(await this.#ready())) return undefined;
    const row = this.#row();
    if (row === undefined) return undefined;
    return describeConnection(this.ctx.storage.sql, row, this.#gong.isRefreshing(), nowSeconds());
  }

  /** Seals Gong's tokens with the first key of the ring, where another one sealed them, and says what depends on which. */
  async reseal(): Promise<SealReport> {
    if (!(await this.#ready())) return EMPTY_REPORT;
    return resealTokens(this.ctx.storage.sql, this.#seals, this.#config.sealingKeys[0]?.kid, nowSeconds());
  }

  /** Early refresh and clean-up. May run twice or late: everything in it asks the rows what is due. */
  override async alarm(): Promise<void> {
    if (!(await this.#ready())) return;
    const now = nowSeconds();
    if (this.#wantsEarlyRefresh(now)) await this.#gong.refreshIfDue();
    this.ctx.storage.transactionSync(() => upkeep.sweepGrants(this.ctx.storage.sql, now));
    await this.#schedule();
  }

  /** One token decision in one transaction. What it revoked is noted outside before anybody hears of it. */
  async #decide(
    grantId: string,
    decision: (sql: SqlStorage, now: number) => TokenOutcome,
  ): Promise<TokenOutcome> {
    if (!(await this.#ready())) return { kind: "refused", reason: "connection_unknown" };
    const outcome = this.ctx.storage.transactionSync(() => decision(this.ctx.storage.sql, nowSeconds()));
    if (outcome.kind === "revoked") await this.#noteEnded([grantId]);
    await this.#schedule();
    return outcome;
  }

  /** Tells the escrow what has ended and how far the tokens have come. If it fails, the next use says it again. */
  async #noteEnded(grantIds: readonly string[]): Promise<void> {
    this.#checked = false;
    await retrying(async () => this.#objects.escrow(this.#id).endGrants(grantIds));
    const row = this.#row();
    if (row?.state !== "disconnected") return;
    await retrying(async () => this.#objects.escrow(this.#id).settle(undefined, row.generation));
    this.#reportState();
  }

  /**
   * Whether the connection was ever written; asking never writes. The first time in the life of this instance it is
   * compared with what the escrow remembers: a point-in-time restore starts a new instance.
   */
  async #ready(): Promise<boolean> {
    if (!this.#exists()) return false;
    if (this.#checked) return true;
    const witness = await this.#witness();
    const row = this.#row();
    const restored =
      row !== undefined &&
      this.ctx.storage.transactionSync(() => applyWitness(this.ctx.storage.sql, row, witness, nowSeconds()));
    if (restored) log("warn", "connection.restored", { connection: this.#id });
    this.#checked = true;
    return true;
  }

  #witness() {
    const { open, ended } = upkeep.grantIds(this.ctx.storage.sql);
    return retrying(async () => this.#objects.escrow(this.#id).witness(open, ended));
  }

  /** A personal connection that no agent can use is left to expire. */
  #wantsEarlyRefresh(now: number): boolean {
    const row = this.#row();
    if (row?.state !== "connected" || row.gong_refresh_token_sealed === null) return false;
    return row.access === "shared" || upkeep.liveGrants(this.ctx.storage.sql, now).length > 0;
  }

  #schedule(): Promise<void> {
    const now = nowSeconds();
    const refreshAt = this.#wantsEarlyRefresh(now) ? this.#row()?.refresh_due_at : undefined;
    return scheduleAlarm(this.ctx.storage, now, [upkeep.nextSweepAt(this.ctx.storage.sql), refreshAt]);
  }

  /** Keeps the admin's index current; the index decides nothing, so a failure is only logged. */
  #reportState(): void {
    const row = this.#row();
    if (row === undefined) return;
    const report = retrying(async () => this.#objects.admin().recordState(this.#id, row.state));
    this.ctx.waitUntil(report.catch(() => log("warn", "connection.not_indexed", { connection: this.#id })));
  }

  #row(): ConnectionRow | undefined {
    if (!this.#exists()) return undefined;
    return this.ctx.storage.sql.exec<ConnectionRow>("SELECT * FROM connection").toArray()[0];
  }

  #exists(): boolean {
    if (!this.#created && schemaVersion(this.ctx.storage) > 0) this.#create();
    return this.#created;
  }

  #create(): void {
    if (this.#created) return;
    migrate(this.ctx.storage, CONNECTION_MIGRATIONS);
    this.#created = true;
  }
}
