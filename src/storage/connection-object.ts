// The ConnectionObject: one per authorization at Gong. It holds the sealed Gong tokens and every grant that may use
// them, so that a code, a token family and Gong's tokens change together. Each method is one atomic state change;
// expected outcomes are returned, only bugs are thrown.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { parseConfig, type IntegrationConfig, type IntegrationName } from "../config.ts";
import { createKeyring } from "../crypto/keyring.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { refreshDueAt } from "../gong/refresh-machine.ts";
import { log } from "../log.ts";
import type { AuthorizedCall, ConnectionDescription, GrantAndCode } from "./connection-rpc.ts";
import { CONNECTION_MIGRATIONS, type ConnectionRow } from "./connection-schema.ts";
import { createGongSeals, type GongSeals } from "./gong-seals.ts";
import { createGongTokenStore, type GongAuthorization, type GongTokenStore } from "./gong-tokens.ts";
import {
  deleteAccessToken,
  findGrant,
  liveGrants,
  nextSweepAt,
  revokeAllGrants,
  revokeGrant,
  sweepGrants,
} from "./grant-upkeep.ts";
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

/** Alarms never run more often than this, whatever is due. */
const SHORTEST_ALARM_SECONDS = 1;

export class ConnectionObject extends DurableObject<Env> {
  #created = false;
  readonly #id: string;
  readonly #integrations: readonly IntegrationConfig[];
  readonly #seals: GongSeals;
  readonly #gong: GongTokenStore;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const config = parseConfig(env);
    this.#id = ctx.id.name ?? ctx.id.toString();
    this.#integrations = config.integrations;
    this.#seals = createGongSeals(createKeyring(config.sealingKeys), config.publicUrl, this.#id);
    this.#gong = createGongTokenStore({
      id: this.#id,
      sql: ctx.storage.sql,
      seals: this.#seals,
      now: nowSeconds,
      row: () => this.#row(),
      integration: (row) => this.#integration(row.integration),
      schedule: () => this.#schedule(),
    });
  }

  /**
   * Puts Gong's answer to an authorization in place, sealed, as the next generation, and opens the grant it was made
   * for. An older refresh still in flight is fenced off. The tokens of every earlier grant stay good: the same
   * person's connection heals.
   */
  async connectGong(
    integration: IntegrationName,
    tokens: GongTokens,
    opened: GrantAndCode | undefined,
  ): Promise<void> {
    this.#create();
    const { access } = this.#integration(integration);
    for (;;) {
      const before = this.#row()?.generation ?? 0;
      const generation = before + 1;
      const sealed = await this.#seals.sealTokens(tokens, generation);
      const now = nowSeconds();
      const committed = this.ctx.storage.transactionSync(() => {
        if ((this.#row()?.generation ?? 0) !== before) return false;
        this.ctx.storage.sql.exec(
          `INSERT OR REPLACE INTO connection (only, integration, access, state, state_since, connected_at, generation,
             gong_access_token_sealed, gong_refresh_token_sealed, gong_expires_at, gong_scope, refreshed_at,
             refresh_due_at) VALUES (1, ?, ?, 'connected', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          integration,
          access,
          now,
          now,
          generation,
          sealed.accessTokenSealed,
          sealed.refreshTokenSealed,
          now + tokens.expiresInSeconds,
          tokens.scope?.join(" ") ?? null,
          now,
          refreshDueAt(now, tokens.expiresInSeconds, Math.random()),
        );
        if (opened !== undefined) insertGrant(this.ctx.storage.sql, opened.grant, opened.code, now);
        return true;
      });
      if (committed) break;
    }
    log("info", "connection.connected", { connection: this.#id, integration });
    await this.#schedule();
  }

  /** Opens a grant on a connection that exists: shared access, once an admin approved the client. */
  async openGrant(opened: GrantAndCode): Promise<boolean> {
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
    if (!this.#exists()) return { kind: "refused", reason: "connection_unknown" };
    const outcome = this.ctx.storage.transactionSync(() =>
      redeemCode(this.ctx.storage.sql, presented, tokens, nowSeconds()),
    );
    await this.#schedule();
    return outcome;
  }

  /** RFC 6749 §6, RFC 9700 §4.14.2. Never calls Gong: our tokens outlive an outage there. */
  async rotateRefreshToken(presented: PresentedRefreshToken, tokens: RotationTokens): Promise<TokenOutcome> {
    if (!this.#exists()) return { kind: "refused", reason: "connection_unknown" };
    const outcome = this.ctx.storage.transactionSync(() =>
      rotateRefreshToken(this.ctx.storage.sql, presented, tokens, nowSeconds()),
    );
    await this.#schedule();
    return outcome;
  }

  /** Checks an access token and hands out Gong's. RFC 6750 §3.1: every refusal of the token looks the same outside. */
  async authorize(accessHash: string): Promise<AuthorizedCall> {
    if (!this.#exists()) return { ok: false, reason: "invalid_token", detail: "connection_unknown" };
    const access = this.ctx.storage.transactionSync(() =>
      useAccessToken(this.ctx.storage.sql, accessHash, nowSeconds()),
    );
    if (!access.ok) return { ok: false, reason: "invalid_token", detail: access.reason };
    const gong = await this.#gong.authorization();
    if (!gong.ok) return gong;
    const { grant, token } = access;
    return {
      ok: true,
      grantId: grant.id,
      clientId: grant.client_id,
      scope: token.scope,
      expiresAt: Math.min(token.expires_at, grant.expires_at),
      gong,
    };
  }

  /** Gong answered 401 for the token of `generation`: a newer one if there is one, after one refresh at most. */
  async replaceRejectedGongToken(generation: number): Promise<GongAuthorization> {
    if (!this.#exists()) return { ok: false, reason: "not_connected", retryAfterSeconds: 0 };
    return this.#gong.replaceRejected(generation);
  }

  /** A Gong access token for the gateway's own calls on a shared connection. */
  async gongAuthorization(): Promise<GongAuthorization> {
    if (!this.#exists()) return { ok: false, reason: "not_connected", retryAfterSeconds: 0 };
    return this.#gong.authorization();
  }

  /** RFC 7009 §2.1: ends the token if it is `clientId`'s; a refresh token ends its whole grant. */
  async revokeToken(presented: {
    readonly kind: "access" | "refresh";
    readonly hash: string;
    readonly grantId: string;
    readonly clientId: string;
  }): Promise<boolean> {
    if (!this.#exists()) return false;
    if (presented.kind === "access") {
      return this.ctx.storage.transactionSync(() =>
        deleteAccessToken(this.ctx.storage.sql, presented.hash, presented.clientId),
      );
    }
    const owned = findGrant(this.ctx.storage.sql, presented.grantId)?.client_id === presented.clientId;
    return owned && this.endGrant(presented.grantId, "revoked_by_client");
  }

  /** Ends a grant at once. The last one takes a personal connection's Gong tokens with it. */
  async endGrant(grantId: string, reason: string): Promise<boolean> {
    if (!this.#exists()) return false;
    return this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      const grant = findGrant(sql, grantId);
      if (grant === undefined || grant.revoked_at !== null) return false;
      revokeGrant(sql, grantId, reason, nowSeconds());
      const personal = this.#row()?.access === "personal";
      if (personal && liveGrants(sql, nowSeconds()).length === 0) this.#forgetGongTokens("no_agent_left");
      return true;
    });
  }

  /** Ends the connection: every grant, and our copies of Gong's tokens. Gong itself offers no revocation. */
  async disconnect(reason: string): Promise<boolean> {
    if (!this.#exists()) return false;
    const ended = this.ctx.storage.transactionSync(() => {
      if (this.#row() === undefined) return false;
      revokeAllGrants(this.ctx.storage.sql, reason, nowSeconds());
      this.#forgetGongTokens(reason);
      return true;
    });
    if (ended) log("info", "connection.ended", { connection: this.#id, reason });
    return ended;
  }

  /** What a person may see of the connection; no token in it. Undefined when there is none. */
  async describe(): Promise<ConnectionDescription | undefined> {
    const row = this.#row();
    if (row === undefined) return undefined;
    return {
      access: row.access,
      state: row.state,
      reason: row.reason ?? undefined,
      since: row.state_since,
      connectedAt: row.connected_at,
      refreshedAt: row.refreshed_at,
      grants: liveGrants(this.ctx.storage.sql, nowSeconds()).map((grant) => ({
        id: grant.id,
        clientId: grant.client_id,
        clientName: grant.client_name ?? undefined,
        scope: grant.scope,
        createdAt: grant.created_at,
        lastUsedAt: grant.last_used_at,
      })),
    };
  }

  /** Early refresh and clean-up. May run twice or late: everything in it asks the rows what is due. */
  override async alarm(): Promise<void> {
    if (!this.#exists()) return;
    const now = nowSeconds();
    if (this.#wantsEarlyRefresh(now)) await this.#gong.refreshIfDue();
    this.ctx.storage.transactionSync(() => sweepGrants(this.ctx.storage.sql, now));
    await this.#schedule();
  }

  /** A personal connection that no agent can use is left to expire. */
  #wantsEarlyRefresh(now: number): boolean {
    const row = this.#row();
    if (row?.state !== "connected" || row.gong_refresh_token_sealed === null) return false;
    return row.access === "shared" || liveGrants(this.ctx.storage.sql, now).length > 0;
  }

  async #schedule(): Promise<void> {
    const now = nowSeconds();
    const sweepAt = nextSweepAt(this.ctx.storage.sql);
    const refreshAt = this.#wantsEarlyRefresh(now) ? this.#row()?.refresh_due_at : undefined;
    const due = Math.min(sweepAt ?? Number.POSITIVE_INFINITY, refreshAt ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(due)) return;
    const at = Math.max(due, now + SHORTEST_ALARM_SECONDS) * 1000;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at || set < now * 1000) await this.ctx.storage.setAlarm(at);
  }

  #forgetGongTokens(reason: string): void {
    this.ctx.storage.sql.exec(
      `UPDATE connection SET state = 'disconnected', reason = ?, state_since = ?, generation = generation + 1,
         gong_access_token_sealed = NULL, gong_refresh_token_sealed = NULL, gong_expires_at = 0,
         attempt_id = NULL, attempt_started_at = NULL, attempt_answer_sealed = NULL`,
      reason,
      nowSeconds(),
    );
  }

  #row(): ConnectionRow | undefined {
    if (!this.#exists()) return undefined;
    return this.ctx.storage.sql.exec<ConnectionRow>("SELECT * FROM connection").toArray()[0];
  }

  /** Whether the object was ever written; asking never writes. */
  #exists(): boolean {
    if (!this.#created && schemaVersion(this.ctx.storage) > 0) this.#create();
    return this.#created;
  }

  #create(): void {
    if (this.#created) return;
    migrate(this.ctx.storage, CONNECTION_MIGRATIONS);
    this.#created = true;
  }

  #integration(name: IntegrationName): IntegrationConfig {
    const integration = this.#integrations.find((candidate) => candidate.name === name);
    if (integration === undefined) throw new Error(`The ${name} integration is not configured`);
    return integration;
  }
}
