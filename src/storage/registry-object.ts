// The RegistryObject: one per shard of client ids, holding the clients that registered themselves (RFC 7591). A
// registration that is never used expires soon, one in use is renewed, and each shard has its part of the quota.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import type { Client, GrantType, TokenEndpointAuthMethod } from "../oauth/client.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";

const MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE clients (
      id TEXT PRIMARY KEY,
      name TEXT,
      redirect_uris TEXT NOT NULL,
      auth_method TEXT NOT NULL,
      secret_hash TEXT,
      grant_types TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      used_at INTEGER,
      expires_at INTEGER NOT NULL
    ) STRICT`,
    "CREATE INDEX clients_by_expiry ON clients (expires_at)",
  ],
];

/** A client in use is kept this long after its last use. */
const USED_CLIENT_SECONDS = 90 * 86_400;

/** Renewing at most once a day keeps use from writing. */
const RENEWAL_STEP_SECONDS = 86_400;

/** When the shard is full, registrations unused for this long make room. */
const EVICTABLE_AFTER_SECONDS = 3600;

type ClientRow = {
  id: string;
  name: string | null;
  redirect_uris: string;
  auth_method: TokenEndpointAuthMethod;
  secret_hash: string | null;
  grant_types: string;
  created_at: number;
  used_at: number | null;
  expires_at: number;
};

export class RegistryObject extends DurableObject<Env> {
  /** Keeps a new client for `unusedSeconds`. False when the shard holds `limit` clients and none can make room. */
  async register(client: Client, unusedSeconds: number, limit: number): Promise<boolean> {
    migrate(this.ctx.storage, MIGRATIONS);
    const now = nowSeconds();
    const registered = this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      sql.exec("DELETE FROM clients WHERE expires_at <= ?", now);
      if (this.#count() >= limit) this.#evictOldest(now);
      if (this.#count() >= limit) return false;
      sql.exec(
        `INSERT INTO clients (id, name, redirect_uris, auth_method, secret_hash, grant_types, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        client.clientId,
        client.clientName ?? null,
        JSON.stringify(client.redirectUris),
        client.tokenEndpointAuthMethod,
        client.clientSecretHash ?? null,
        client.grantTypes.join(" "),
        now,
        now + unusedSeconds,
      );
      return true;
    });
    await this.#schedule();
    return registered;
  }

  /** The client with this id, if it is registered and not expired. */
  async find(clientId: string): Promise<Client | undefined> {
    if (schemaVersion(this.ctx.storage) === 0) return undefined;
    const [row] = this.ctx.storage.sql
      .exec<ClientRow>("SELECT * FROM clients WHERE id = ? AND expires_at > ?", clientId, nowSeconds())
      .toArray();
    return row === undefined ? undefined : toClient(row);
  }

  /** Notes that the client completed a sign-in or a refresh, which renews it. */
  async renew(clientId: string): Promise<void> {
    if (schemaVersion(this.ctx.storage) === 0) return;
    const now = nowSeconds();
    this.ctx.storage.sql.exec(
      "UPDATE clients SET used_at = ?1, expires_at = ?1 + ?2 WHERE id = ?3 AND (used_at IS NULL OR used_at <= ?1 - ?4)",
      now,
      USED_CLIENT_SECONDS,
      clientId,
      RENEWAL_STEP_SECONDS,
    );
  }

  override async alarm(): Promise<void> {
    if (schemaVersion(this.ctx.storage) === 0) return;
    this.ctx.storage.sql.exec("DELETE FROM clients WHERE expires_at <= ?", nowSeconds());
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const [row] = this.ctx.storage.sql
      .exec<{ due: number | null }>("SELECT MIN(expires_at) AS due FROM clients")
      .toArray();
    if (row === undefined || row.due === null) return;
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(row.due * 1000);
  }

  #count(): number {
    return this.ctx.storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM clients").one().n;
  }

  #evictOldest(now: number): void {
    this.ctx.storage.sql.exec(
      `DELETE FROM clients WHERE id IN (
         SELECT id FROM clients WHERE used_at IS NULL AND created_at <= ? ORDER BY created_at LIMIT 1)`,
      now - EVICTABLE_AFTER_SECONDS,
    );
  }
}

function toClient(row: ClientRow): Client {
  const redirectUris: string[] = JSON.parse(row.redirect_uris);
  return {
    clientId: row.id,
    registration: "dynamic",
    clientName: row.name ?? undefined,
    redirectUris,
    tokenEndpointAuthMethod: row.auth_method,
    clientSecretHash: row.secret_hash ?? undefined,
    grantTypes: row.grant_types.split(" ").filter(isGrantType),
  };
}

function isGrantType(value: string): value is GrantType {
  return value === "authorization_code" || value === "refresh_token";
}
