// The tables of the AdminObject, and the rows that cross its border. storage/README.md says for every field whether it
// is sealed, hashed or plain, when it is written and when it is gone. Times are epoch seconds.

import { MACHINE_CLIENTS_STEP } from "./machine-clients.ts";
import type { Migration } from "./migrations.ts";
import { OUTBOX_STEP } from "./outbox.ts";
import { FIRST_FORMS_STEP } from "./seen-tools.ts";

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
  [
    `CREATE TABLE policies (
      version INTEGER PRIMARY KEY,
      policy TEXT NOT NULL,
      changed_at INTEGER NOT NULL,
      changed_by TEXT NOT NULL
    ) STRICT`,
    `CREATE TABLE budget_counters (
      scope TEXT NOT NULL,
      id TEXT NOT NULL,
      period TEXT NOT NULL,
      used INTEGER NOT NULL,
      PRIMARY KEY (scope, id, period)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE reservations (
      id TEXT PRIMARY KEY,
      reserved_at INTEGER NOT NULL,
      assumed INTEGER NOT NULL,
      tool TEXT NOT NULL,
      connection_id TEXT NOT NULL,
      client_id TEXT,
      key_id TEXT,
      weight INTEGER NOT NULL,
      day TEXT NOT NULL,
      month TEXT NOT NULL
    ) STRICT`,
    "CREATE INDEX reservations_by_time ON reservations (assumed, reserved_at)",
    `CREATE TABLE usage (
      day TEXT NOT NULL,
      connection_id TEXT NOT NULL,
      client_id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      tool TEXT NOT NULL,
      served TEXT NOT NULL,
      calls INTEGER NOT NULL,
      milliseconds INTEGER NOT NULL,
      PRIMARY KEY (day, connection_id, client_id, key_id, tool, served)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE tools (
      integration TEXT NOT NULL,
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      state_since INTEGER NOT NULL,
      PRIMARY KEY (integration, name)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE tool_definitions (
      integration TEXT NOT NULL,
      name TEXT NOT NULL,
      hash TEXT NOT NULL,
      definition TEXT NOT NULL,
      seen_at INTEGER NOT NULL,
      approved_at INTEGER,
      approved_by TEXT,
      PRIMARY KEY (integration, name, hash)
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    "ALTER TABLE sessions ADD COLUMN actor TEXT NOT NULL DEFAULT 'admin'",
    `CREATE TABLE people (
      email_hash TEXT PRIMARY KEY,
      email_sealed TEXT NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE connection_people (
      connection_id TEXT NOT NULL,
      email_hash TEXT NOT NULL,
      signed_in_at INTEGER NOT NULL,
      PRIMARY KEY (connection_id, email_hash)
    ) STRICT`,
    "CREATE INDEX connections_of_person ON connection_people (email_hash)",
  ],
  [
    `CREATE TABLE key_index (
      id TEXT PRIMARY KEY,
      connection_id TEXT NOT NULL,
      integration TEXT NOT NULL,
      name TEXT NOT NULL,
      created_by TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER,
      ended_at INTEGER NOT NULL
    ) STRICT`,
    "CREATE INDEX key_index_by_age ON key_index (created_at, id)",
    "CREATE INDEX key_index_by_end ON key_index (ended_at)",
    "CREATE INDEX key_index_by_connection ON key_index (connection_id)",
  ],
  MACHINE_CLIENTS_STEP,
  [
    "ALTER TABLE connections ADD COLUMN reason TEXT",
    "ALTER TABLE connections ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0",
    "UPDATE connections SET state_since = unixepoch()",
    "ALTER TABLE connections ADD COLUMN used_on INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE connections ADD COLUMN agents TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE connections ADD COLUMN agent_count INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE connections ADD COLUMN kid TEXT",
    "ALTER TABLE connections ADD COLUMN at_risk INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE connections ADD COLUMN person_due_at INTEGER",
    "ALTER TABLE connections ADD COLUMN person_due_for TEXT",
    "CREATE INDEX connections_by_age ON connections (created_at, id)",
    "CREATE INDEX connections_by_state ON connections (state, state_since)",
    "CREATE INDEX client_connections_by_connection ON client_connections (connection_id)",
    "ALTER TABLE audit ADD COLUMN request_id TEXT",
    "ALTER TABLE audit ADD COLUMN by_stranger INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX audit_by_cause ON audit (by_stranger, id)",
  ],
  [
    `CREATE TABLE client_index (
      client_id TEXT PRIMARY KEY,
      registration TEXT NOT NULL,
      name TEXT,
      redirect_uri TEXT,
      first_at INTEGER NOT NULL,
      used_on INTEGER NOT NULL
    ) STRICT`,
    "CREATE INDEX client_index_by_age ON client_index (first_at, client_id)",
    "CREATE INDEX client_index_by_use ON client_index (used_on)",
    `CREATE TABLE traces (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      kept_at INTEGER NOT NULL,
      client_id TEXT NOT NULL,
      name TEXT,
      step TEXT NOT NULL,
      reason TEXT,
      request_id TEXT,
      proven INTEGER NOT NULL
    ) STRICT`,
    "CREATE INDEX traces_by_client ON traces (client_id, id)",
    "CREATE INDEX traces_by_proof ON traces (proven, id)",
  ],
  [
    `CREATE TABLE setup_checks (
      id TEXT PRIMARY KEY,
      subject_hash TEXT NOT NULL,
      verdict TEXT NOT NULL,
      reason TEXT NOT NULL,
      detail TEXT,
      checked_at INTEGER NOT NULL,
      passed_at INTEGER
    ) STRICT`,
  ],
  [
    `CREATE TABLE handshakes (
      integration TEXT NOT NULL,
      opening TEXT NOT NULL,
      result TEXT NOT NULL,
      has_session INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      PRIMARY KEY (integration, opening)
    ) STRICT`,
  ],
  [
    "ALTER TABLE audit ADD COLUMN cause TEXT NOT NULL DEFAULT 'admin'",
    "UPDATE audit SET cause = 'stranger' WHERE by_stranger = 1",
    "DROP INDEX audit_by_cause",
    "ALTER TABLE audit DROP COLUMN by_stranger",
    "CREATE INDEX audit_by_cause ON audit (cause, id)",
  ],
  FIRST_FORMS_STEP,
  ["ALTER TABLE approvals ADD COLUMN asked_from TEXT NOT NULL DEFAULT ''"],
  OUTBOX_STEP,
  ["ALTER TABLE connections ADD COLUMN out_of_credits_since INTEGER"],
];

export type ConnectionEntry = { readonly id: string; readonly integration: "main" | "shared" };

export type AgentKeyEntry = {
  readonly id: string;
  readonly connection_id: string;
  readonly integration: "main" | "shared";
  readonly name: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly revoked_at: number | null;
};

export type Approval = {
  readonly transaction_id: string;
  readonly code: string;
  readonly client_id: string;
  readonly client_name: string | null;
  readonly redirect_uri: string;
  readonly requested_at: number;
  readonly expires_at: number;
  /**
   * Whose requests are counted together: a person's, where Cloudflare
   * Access says who they are, else those of one network.
   */
  readonly asked_from: string;
};
