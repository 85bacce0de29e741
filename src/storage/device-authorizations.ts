// Device authorizations in the RegistryObject: what a device asked for, until a person has answered and the device has
// fetched the answer. A user code names its shard, so that a made-up one wakes one of a fixed number of objects.
// SQL for one transaction each. RFC 8628.

import {
  DEVICE_CODE_TTL_SECONDS,
  POLL_INTERVAL_SECONDS,
  polledTooEarly,
} from "../oauth/device-authorization.ts";

/** All that wait in one shard; more is a flood. */
const MOST_IN_SHARD = 2_000;

/** All that wait of one client in one shard: a flood in the name of one leaves room for others. */
const MOST_OF_CLIENT = 50;

export type DeviceAuthorization = {
  readonly deviceCodeHash: string;
  readonly userCodeHash: string;
  readonly clientId: string;
  readonly resource: string;
  readonly scope: string;
  /** The network and country that the request came from, for the person to compare. */
  readonly askedFrom: string;
  /** Whose devices are counted together. */
  readonly network: string;
};

export type WaitingDevice = Omit<DeviceAuthorization, "userCodeHash" | "network"> & {
  readonly askedAt: number;
};

export type PollOutcome =
  | { readonly kind: "authorization_pending" | "slow_down" | "access_denied" | "expired_token" }
  | { readonly kind: "approved"; readonly connectionId: string; readonly grantId: string };

type Row = {
  device_code_hash: string;
  user_code_hash: string;
  client_id: string;
  resource: string;
  scope: string;
  asked_from: string;
  asked_at: number;
  expires_at: number;
  status: "waiting" | "approved" | "denied";
  connection_id: string | null;
  grant_id: string | null;
  poll_interval: number;
  polled_at: number | null;
};

export const DEVICE_MIGRATION: readonly string[] = [
  `CREATE TABLE device_authorizations (
    device_code_hash TEXT PRIMARY KEY,
    user_code_hash TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    asked_from TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    connection_id TEXT,
    grant_id TEXT,
    poll_interval INTEGER NOT NULL,
    polled_at INTEGER
  ) STRICT`,
  "CREATE INDEX device_authorizations_by_end ON device_authorizations (expires_at)",
  "CREATE INDEX device_authorizations_by_client ON device_authorizations (client_id)",
];

export const DEVICE_NETWORK_STEP: readonly string[] = [
  "ALTER TABLE device_authorizations ADD COLUMN network TEXT NOT NULL DEFAULT ''",
];

/**
 * Keeps a device authorization. `taken`: the user code is in use. `full`: too many are kept, of this client or in all,
 * and no room can be made.
 */
export function beginDevice(
  sql: SqlStorage,
  device: DeviceAuthorization,
  now: number,
): "begun" | "taken" | "full" {
  sweepDevices(sql, now);
  const { n, own } = sql
    .exec<{ n: number; own: number }>(
      "SELECT COUNT(*) AS n, COUNT(CASE WHEN client_id = ? THEN 1 END) AS own FROM device_authorizations",
      device.clientId,
    )
    .one();
  const isCrowded = own >= MOST_OF_CLIENT;
  if ((isCrowded || n >= MOST_IN_SHARD) && !makeRoom(sql, device, isCrowded)) return "full";
  const inserted = sql.exec(
    `INSERT INTO device_authorizations
       (device_code_hash, user_code_hash, client_id, resource, scope, asked_from, asked_at, expires_at, status, poll_interval, network)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?9, ?10) ON CONFLICT DO NOTHING RETURNING 1`,
    device.deviceCodeHash,
    device.userCodeHash,
    device.clientId,
    device.resource,
    device.scope,
    device.askedFrom,
    now,
    now + DEVICE_CODE_TTL_SECONDS,
    POLL_INTERVAL_SECONDS,
    device.network,
  );
  return inserted.toArray().length === 1 ? "begun" : "taken";
}

/**
 * Takes the newest device of the network that has most of them off the list, for one of a network with fewer; among
 * those of one client or among all. A flood pushes out its own devices, and never the only one of a network. What a
 * person with access has approved stays; a denial, which anybody can cause, keeps no place.
 */
function makeRoom(sql: SqlStorage, { clientId, network }: DeviceAuthorization, isCrowded: boolean): boolean {
  const taken = sql.exec(
    `WITH crowd AS (SELECT rowid AS place, network FROM device_authorizations
                    WHERE status <> 'approved' AND (?1 IS NULL OR client_id = ?1))
     DELETE FROM device_authorizations WHERE rowid =
       (SELECT MAX(place) FROM crowd GROUP BY network
        HAVING COUNT(*) > 1 + (SELECT COUNT(*) FROM crowd WHERE network = ?2)
        ORDER BY COUNT(*) DESC LIMIT 1)`,
    isCrowded ? clientId : null,
    network,
  );
  return taken.rowsWritten > 0;
}

/** What waits under a user code. */
export function findDevice(sql: SqlStorage, userCodeHash: string, now: number): WaitingDevice | undefined {
  const [row] = sql
    .exec<Row>(
      "SELECT * FROM device_authorizations WHERE user_code_hash = ? AND status = 'waiting' AND expires_at > ?",
      userCodeHash,
      now,
    )
    .toArray();
  if (row === undefined) return undefined;
  return {
    deviceCodeHash: row.device_code_hash,
    clientId: row.client_id,
    resource: row.resource,
    scope: row.scope,
    askedFrom: row.asked_from,
    askedAt: row.asked_at,
  };
}

/** The person's answer, once: a grant, or a denial. False when another was given before or its time is over. */
export function settleDevice(
  sql: SqlStorage,
  userCodeHash: string,
  grant: { readonly connectionId: string; readonly grantId: string } | undefined,
  now: number,
): boolean {
  const settled = sql.exec(
    `UPDATE device_authorizations SET status = ?1, connection_id = ?2, grant_id = ?3
     WHERE user_code_hash = ?4 AND (status = 'waiting' OR grant_id = ?3) AND expires_at > ?5`,
    grant === undefined ? "denied" : "approved",
    grant?.connectionId ?? null,
    grant?.grantId ?? null,
    userCodeHash,
    now,
  );
  return settled.rowsWritten > 0;
}

/**
 * What the device that holds this code is told now (RFC 8628 §3.5). A poll before its time makes every later interval
 * five seconds longer. A code of another client is one that does not exist.
 */
export function pollDevice(
  sql: SqlStorage,
  deviceCodeHash: string,
  clientId: string,
  now: number,
): PollOutcome {
  const [row] = sql
    .exec<Row>(
      "SELECT * FROM device_authorizations WHERE device_code_hash = ? AND client_id = ? AND expires_at > ?",
      deviceCodeHash,
      clientId,
      now,
    )
    .toArray();
  if (row === undefined) return { kind: "expired_token" };
  const early = polledTooEarly(row.polled_at ?? undefined, row.poll_interval, now);
  sql.exec(
    "UPDATE device_authorizations SET polled_at = ?, poll_interval = ? WHERE device_code_hash = ?",
    now,
    row.poll_interval + (early ? POLL_INTERVAL_SECONDS : 0),
    deviceCodeHash,
  );
  if (early) return { kind: "slow_down" };
  if (row.status === "denied") return { kind: "access_denied" };
  if (row.connection_id === null || row.grant_id === null) return { kind: "authorization_pending" };
  return { kind: "approved", connectionId: row.connection_id, grantId: row.grant_id };
}

/** Deletes what is over. */
export function sweepDevices(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM device_authorizations WHERE expires_at <= ?", now);
}
