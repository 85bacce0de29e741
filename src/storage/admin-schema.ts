// The tables of the AdminObject, and the rows that cross its border. storage/README.md says for every field whether it is
// sealed, hashed or plain, when it is written and when it is gone. Times are epoch seconds.

import type { Migration } from "./migrations.ts";

/** The schema, step by step: append only. */
export const ADMIN_MIGRATIONS: readonly Migration[] = [
  [
    "CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 1), key_sealed TEXT NOT NULL) STRICT",
    `CREATE TABLE sessions (
      hash TEXT PRIMARY KEY,
      created_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE sign_in_attempts (
      address_hash TEXT PRIMARY KEY,
      failures INTEGER NOT NULL,
      last_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE connections (
      id TEXT PRIMARY KEY,
      integration TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE client_connections (
      client_id TEXT NOT NULL,
      connection_id TEXT NOT NULL,
      PRIMARY KEY (client_id, connection_id)
    ) STRICT`,
    `CREATE TABLE approvals (
      transaction_id TEXT PRIMARY KEY,
      code TEXT NOT NULL,
      client_id TEXT NOT NULL,
      client_name TEXT,
      redirect_uri TEXT NOT NULL,
      requested_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT
    ) STRICT`,
  ],
  ["ALTER TABLE connections ADD COLUMN state TEXT NOT NULL DEFAULT 'connected'"],
];

export type ConnectionEntry = { readonly id: string; readonly integration: "main" | "shared" };

export type Approval = {
  readonly transaction_id: string;
  readonly code: string;
  readonly client_id: string;
  readonly client_name: string | null;
  readonly redirect_uri: string;
  readonly requested_at: number;
  readonly expires_at: number;
};
