// The RegistryObject: one per shard of client ids, holding the clients that registered themselves (RFC 7591) and the
// assertions that clients have used (RFC 7523 §3). A registration that is never used expires soon, one in use is
// renewed, and each shard has its part of the quota.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import {
  REGISTRABLE_GRANT_TYPES,
  type Client,
  type GrantType,
  type TokenEndpointAuthMethod,
} from "../oauth/client.ts";
import { scheduleAlarm } from "./alarm.ts";
import * as devices from "./device-authorizations.ts";
import { migrate, schemaVersion, type Migration } from "./migrations.ts";
import { putOut, tell } from "./outbox.ts";
import { contains, pageOf } from "./page-of.ts";
import * as memory from "./registry-memory.ts";
import { objectsOf } from "./stubs.ts";

/** The schema, step by step: append only. */
export const REGISTRY_MIGRATIONS: readonly Migration[] = [
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
  [
    `CREATE TABLE used_assertions (
      client_hash TEXT NOT NULL,
      token_id_hash TEXT NOT NULL,
      usable_until INTEGER NOT NULL,
      PRIMARY KEY (client_hash, token_id_hash)
    ) STRICT, WITHOUT ROWID`,
    "CREATE INDEX used_assertions_by_end ON used_assertions (usable_until)",
  ],
  devices.DEVICE_MIGRATION,
  ["CREATE INDEX clients_by_age ON clients (created_at, id)"],
  memory.REGISTRY_MEMORY_STEP,
  devices.DEVICE_NETWORK_STEP,
];

/** A client in use is kept this long after its last use. */
const USED_CLIENT_SECONDS = 90 * 86_400;

/** Renewing at most once a day keeps use from writing. */
const RENEWAL_STEP_SECONDS = 86_400;

/** When the shard is full, registrations unused for this long make room. */
const EVICTABLE_AFTER_SECONDS = 3600;

/** More assertions of one client than this, all still usable, are not the work of a client. */
const MOST_ASSERTIONS_PER_CLIENT = 1_000;

/** A client's verified assertion; the hashes keep long client ids and ids with meaning out of the table. */
export interface UsedAssertion {
  /** SHA-256 of the client id. */
  readonly client: string;
  /** SHA-256 of `jti`. */
  readonly tokenId: string;
  /** Epoch seconds. */
  readonly usableUntil: number;
}

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

/** What the list of registrations shows of one. */
export type Registration = Omit<ClientRow, "secret_hash" | "grant_types">;

export class RegistryObject extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // A point-in-time restore starts a new instance: nothing is served before it knows what was removed or used since.
    void ctx.blockConcurrencyWhile(async () => {
      if (schemaVersion(ctx.storage) === 0) return;
      migrate(ctx.storage, REGISTRY_MIGRATIONS);
      await memory.catchUp(ctx.storage, this.#escrow);
    });
  }

  /** Keeps a new client for `unusedSeconds`. False when the shard holds `limit` clients and none can make room. */
  async register(client: Client, unusedSeconds: number, limit: number): Promise<boolean> {
    return this.#write((sql, now) => {
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
  }

  /** The client with this id, if it is registered and not expired. */
  async find(clientId: string): Promise<Client | undefined> {
    return this.#known(undefined, (sql, now) =>
      sql
        .exec<ClientRow>("SELECT * FROM clients WHERE id = ? AND expires_at > ?", clientId, now)
        .toArray()
        .map(toClient)
        .at(0),
    );
  }

  /** One page of this shard's registrations, the newest first. Searches id, name and redirect URIs. */
  async page({ search, cursor }: ListQuery): Promise<ListPage<Registration>> {
    return this.#known<ListPage<Registration>>(EMPTY_PAGE, (sql, now) => {
      const found = contains(["id", "name", "redirect_uris"], search);
      const columns = "id, name, redirect_uris, auth_method, created_at, used_at, expires_at";
      const where = ["expires_at > ?", ...found.where];
      const values = [now, ...found.values];
      return pageOf(sql, { table: "clients", columns, sort: "created_at", id: "id", where, values }, cursor);
    });
  }

  /** Forgets a registration, so that its client has to register again. False when there is none. */
  async remove(clientId: string): Promise<boolean> {
    const removed = this.#known(false, (sql, now) => {
      const known = sql.exec("DELETE FROM clients WHERE id = ?", clientId).rowsWritten > 0;
      if (known) putOut(sql, clientId, now);
      return known;
    });
    if (removed) await tell(this.ctx.storage, this.#escrow);
    return removed;
  }

  /** Notes that the client completed a sign-in or a refresh, which renews it. */
  async renew(clientId: string): Promise<void> {
    this.#known(undefined, (sql, now) =>
      sql
        .exec(
          "UPDATE clients SET used_at = ?1, expires_at = ?1 + ?2 WHERE id = ?3 AND (used_at IS NULL OR used_at <= ?1 - ?4)",
          now,
          USED_CLIENT_SECONDS,
          clientId,
          RENEWAL_STEP_SECONDS,
        )
        .toArray(),
    );
  }

  /**
   * Spends an assertion: true for the first of any number of equal calls, false for all others (RFC 7523 §3, item 7).
   * Also false while the client has 1000 others that could still be used, and for one that may have been used before a
   * restore of this shard.
   */
  async useAssertion({ client, tokenId, usableUntil }: UsedAssertion): Promise<boolean> {
    await this.#markUse();
    return this.#write((sql, now) => {
      if (memory.mayBeUsed(sql, usableUntil)) return false;
      sql.exec("DELETE FROM used_assertions WHERE usable_until < ?", now);
      const { n } = sql
        .exec<{ n: number }>("SELECT COUNT(*) AS n FROM used_assertions WHERE client_hash = ?", client)
        .one();
      if (n >= MOST_ASSERTIONS_PER_CLIENT) return false;
      const inserted = sql.exec(
        "INSERT INTO used_assertions (client_hash, token_id_hash, usable_until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        client,
        tokenId,
        usableUntil,
      );
      return inserted.toArray().length === 1;
    });
  }

  /** Keeps what a device asks for until a person answers: RFC 8628 §3.1. */
  async beginDevice(device: devices.DeviceAuthorization): Promise<"begun" | "taken" | "full"> {
    return this.#write((sql, now) => devices.beginDevice(sql, device, now));
  }

  /** What waits under a user code: RFC 8628 §3.3. */
  async findDevice(userCodeHash: string): Promise<devices.WaitingDevice | undefined> {
    return this.#known(undefined, (sql, now) => devices.findDevice(sql, userCodeHash, now));
  }

  /** The person's answer, once. False when it was answered before or its time is over. */
  async settleDevice(
    userCodeHash: string,
    grant: { readonly connectionId: string; readonly grantId: string } | undefined,
  ): Promise<boolean> {
    if (schemaVersion(this.ctx.storage) === 0) return false;
    await this.#markUse();
    return this.#write((sql, now) => devices.settleDevice(sql, userCodeHash, grant, now));
  }

  /** What the device is told: RFC 8628 §3.5. */
  async pollDevice(deviceCodeHash: string, clientId: string): Promise<devices.PollOutcome> {
    return this.#known({ kind: "expired_token" }, (sql, now) =>
      devices.pollDevice(sql, deviceCodeHash, clientId, now),
    );
  }

  /** Deletes what is over. */
  override async alarm(): Promise<void> {
    if (schemaVersion(this.ctx.storage) === 0) return;
    await this.#write((sql, now) => {
      sql.exec("DELETE FROM clients WHERE expires_at <= ?", now);
      sql.exec("DELETE FROM used_assertions WHERE usable_until < ?", now);
      devices.sweepDevices(sql, now);
      memory.closeMark(sql, now);
    });
    await tell(this.ctx.storage, this.#escrow);
  }

  readonly #escrow = () => objectsOf(this.env).escrow(this.ctx.id.name ?? "");

  async #markUse(): Promise<void> {
    migrate(this.ctx.storage, REGISTRY_MIGRATIONS);
    await memory.markUse(this.ctx.storage, this.#escrow);
  }

  /** One transaction on an object that exists; asking one that was never written does not write it. */
  #known<T>(otherwise: T, change: (sql: SqlStorage, now: number) => T): T {
    return schemaVersion(this.ctx.storage) === 0 ? otherwise : this.#transaction(change);
  }

  /** One transaction that may make the object, and the alarm for what it leaves. */
  async #write<T>(change: (sql: SqlStorage, now: number) => T): Promise<T> {
    const done = this.#transaction(change);
    await this.#schedule();
    return done;
  }

  #transaction<T>(change: (sql: SqlStorage, now: number) => T): T {
    migrate(this.ctx.storage, REGISTRY_MIGRATIONS);
    return this.ctx.storage.transactionSync(() => change(this.ctx.storage.sql, nowSeconds()));
  }

  async #schedule(): Promise<void> {
    const [row] = this.ctx.storage.sql
      .exec<{ due: number | null }>(
        `SELECT MIN(due) AS due FROM (
           SELECT MIN(expires_at) AS due FROM clients
           UNION ALL SELECT MIN(usable_until) + 1 FROM used_assertions
           UNION ALL SELECT marked_until FROM single_use WHERE is_open = 1
           UNION ALL SELECT MIN(expires_at) FROM device_authorizations)`,
      )
      .toArray();
    await scheduleAlarm(this.ctx.storage, nowSeconds(), [row?.due ?? undefined]);
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
  return REGISTRABLE_GRANT_TYPES.some((registrable) => registrable === value);
}
