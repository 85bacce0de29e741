// Clients that an admin made for machines, in the AdminObject: who they are, how they prove it, and when they end. A
// row stays after its end, so that an admin sees what there was. Runs inside the object's transactions.

import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import { CLIENT_CREDENTIALS, type Client } from "../oauth/client.ts";
import type { ClientKeys } from "../oauth/client-keys.ts";
import type { Migration } from "./migrations.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { putOut } from "./outbox.ts";
import { contains, pageOf } from "./page-of.ts";

/** Machine clients that can be alive at the same time. */
const MOST_MACHINE_CLIENTS = 200;

/** A write per token would make every start of a job a durable write here. */
const USED_STEP_SECONDS = 3600;

/** How long one that is over stays on the list. */
const OVER_KEPT_SECONDS = 90 * 86_400;

export const MACHINE_CLIENTS_STEP: Migration = [
  `CREATE TABLE machine_clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT,
    keys TEXT,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    ended_at INTEGER,
    ended_by TEXT
  ) STRICT`,
  "CREATE INDEX machine_clients_by_age ON machine_clients (created_at, id)",
];

export interface NewMachineClient {
  readonly id: string;
  readonly name: string;
  readonly proof:
    | { readonly kind: "secret"; readonly secretHash: string }
    | { readonly kind: "keys"; readonly keys: ClientKeys };
  readonly scope: readonly string[];
  /** Epoch seconds; undefined for never. */
  readonly expiresAt: number | undefined;
}

/** What an admin sees of a machine client; nothing in it helps to be it. Times in epoch seconds. */
export interface MachineClientDescription {
  readonly id: string;
  readonly name: string;
  readonly proof: "secret" | "keys" | "key_set_url";
  readonly scope: string;
  readonly state: "live" | "expired" | "ended";
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | undefined;
  /** To the hour; undefined before the first token. */
  readonly usedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly endedBy: string | undefined;
}

type Row = {
  id: string;
  name: string;
  secret_hash: string | null;
  keys: string | null;
  scope: string;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  used_at: number | null;
  ended_at: number | null;
  ended_by: string | null;
};

export type Added = "made" | "too_many" | "name_taken";

const LIVE = "ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?)";

/**
 * Keeps a new machine client, with its audit row. Writes nothing when there are too many, or a live one has the name: a
 * form that is sent twice makes one client.
 */
export function addMachineClient(sql: SqlStorage, client: NewMachineClient, by: Actor, now: number): Added {
  sql.exec("DELETE FROM machine_clients WHERE ended_at <= ?1 OR expires_at <= ?1", now - OVER_KEPT_SECONDS);
  const live = sql.exec<{ name: string }>(`SELECT name FROM machine_clients WHERE ${LIVE}`, now).toArray();
  if (live.some(({ name }) => name === client.name)) return "name_taken";
  if (live.length >= MOST_MACHINE_CLIENTS) return "too_many";
  const { proof } = client;
  sql.exec(
    `INSERT INTO machine_clients (id, name, secret_hash, keys, scope, created_at, created_by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    client.id,
    client.name,
    proof.kind === "secret" ? proof.secretHash : null,
    proof.kind === "keys" ? JSON.stringify(proof.keys) : null,
    client.scope.join(" "),
    now,
    by.actor,
    client.expiresAt ?? null,
  );
  writeAudit(sql, now, by, "machine_client.created", client.id);
  return "made";
}

/** The client with this id, if it has neither ended nor expired. */
export function findMachineClient(sql: SqlStorage, id: string, now: number): Client | undefined {
  const [row] = sql.exec<Row>(`SELECT * FROM machine_clients WHERE id = ? AND ${LIVE}`, id, now).toArray();
  return row === undefined ? undefined : toClient(row);
}

/** A page of the machine clients whose name or id contains the search, the newest first. */
export function listMachineClients(
  sql: SqlStorage,
  query: ListQuery,
  now: number,
): ListPage<MachineClientDescription> {
  const { where, values } = contains(["name", "id"], query.search);
  const page = pageOf<Row>(
    sql,
    { table: "machine_clients", columns: "*", sort: "created_at", id: "id", where, values },
    query.cursor,
  );
  return { ...EMPTY_PAGE, ...page, rows: page.rows.map((row) => describe(row, now)) };
}

/** Ends a machine client for good, with the audit row. False when it is gone or was ended before. */
export function endMachineClient(sql: SqlStorage, id: string, by: Actor, now: number): boolean {
  const ended = sql.exec(
    "UPDATE machine_clients SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL",
    now,
    by.actor,
    id,
  );
  if (ended.rowsWritten === 0) return false;
  putOut(sql, id, now);
  writeAudit(sql, now, by, "machine_client.ended", id);
  return true;
}

/** The connections that a machine client was ever let into; undefined when there is no such machine client. */
export function connectionsOfMachine(sql: SqlStorage, id: string): readonly string[] | undefined {
  if (sql.exec("SELECT 1 FROM machine_clients WHERE id = ?", id).toArray().length === 0) return undefined;
  return sql
    .exec<{ id: string }>("SELECT connection_id AS id FROM client_connections WHERE client_id = ?", id)
    .toArray()
    .map((row) => row.id);
}

/** Notes that the client got a token, to the hour. */
export function noteMachineUse(sql: SqlStorage, id: string, now: number): void {
  sql.exec(
    "UPDATE machine_clients SET used_at = ?1 WHERE id = ?2 AND (used_at IS NULL OR used_at <= ?1 - ?3)",
    now,
    id,
    USED_STEP_SECONDS,
  );
}

function toClient(row: Row): Client {
  const keys: ClientKeys | undefined = row.keys === null ? undefined : JSON.parse(row.keys);
  return {
    clientId: row.id,
    registration: "preregistered",
    clientName: row.name,
    redirectUris: [],
    tokenEndpointAuthMethod: keys === undefined ? "client_secret_basic" : "private_key_jwt",
    ...(keys === undefined ? { otherAuthMethods: ["client_secret_post"] } : { keys }),
    clientSecretHash: row.secret_hash ?? undefined,
    grantTypes: [CLIENT_CREDENTIALS],
    allowedScope: row.scope.split(" "),
    madeBy: row.created_by,
    ...(row.expires_at === null ? {} : { endsAt: row.expires_at }),
  };
}

function describe(row: Row, now: number): MachineClientDescription {
  const keys: ClientKeys | undefined = row.keys === null ? undefined : JSON.parse(row.keys);
  const isExpired = row.expires_at !== null && row.expires_at <= now;
  return {
    id: row.id,
    name: row.name,
    proof: keys === undefined ? "secret" : keys.kind === "inline" ? "keys" : "key_set_url",
    scope: row.scope,
    state: row.ended_at !== null ? "ended" : isExpired ? "expired" : "live",
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    usedAt: row.used_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    endedBy: row.ended_by ?? undefined,
  };
}
