// The tables of the ConnectionObject and their rows. storage/README.md says for every field whether it is sealed,
// hashed or plain, when it is written and when it is gone. Times are epoch seconds.

import type { GrantType } from "../oauth/client.ts";
import type { Migration } from "./migrations.ts";
import { OUTBOX_STEP } from "./outbox.ts";
import { CALL_CONTENTS_STEP, GONG_CREDITS_STEP, PAID_CALLS_STEP } from "./paid-schema.ts";

/** The schema, step by step: append only. */
export const CONNECTION_MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE connection (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      integration TEXT NOT NULL,
      access TEXT NOT NULL,
      state TEXT NOT NULL,
      reason TEXT,
      state_since INTEGER NOT NULL,
      connected_at INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      gong_access_token_sealed TEXT,
      gong_refresh_token_sealed TEXT,
      gong_expires_at INTEGER NOT NULL,
      gong_scope TEXT,
      refreshed_at INTEGER NOT NULL,
      refresh_due_at INTEGER NOT NULL,
      attempt_id TEXT,
      attempt_started_at INTEGER,
      attempt_answer_sealed TEXT,
      failures INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    `CREATE TABLE grants (
      id TEXT PRIMARY KEY,
      client_id TEXT NOT NULL,
      client_name TEXT,
      resource TEXT NOT NULL,
      scope TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      refresh_generation INTEGER NOT NULL DEFAULT 0,
      refresh_hash TEXT,
      refresh_expires_at INTEGER NOT NULL DEFAULT 0,
      previous_refresh_hash TEXT,
      previous_answer_sealed TEXT,
      rotated_at INTEGER NOT NULL DEFAULT 0,
      successor_used INTEGER NOT NULL DEFAULT 0,
      revoked_at INTEGER,
      revoked_reason TEXT
    ) STRICT`,
    `CREATE TABLE codes (
      hash TEXT PRIMARY KEY,
      grant_id TEXT NOT NULL REFERENCES grants (id),
      redirect_uri TEXT NOT NULL,
      code_challenge TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      kept_until INTEGER NOT NULL,
      redeemed_at INTEGER
    ) STRICT`,
    `CREATE TABLE access_tokens (
      hash TEXT PRIMARY KEY,
      grant_id TEXT NOT NULL REFERENCES grants (id),
      generation INTEGER NOT NULL,
      scope TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT`,
    "CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id)",
  ],
  ["ALTER TABLE connection ADD COLUMN gong_client_id TEXT", "ALTER TABLE grants ADD COLUMN refresh_kid TEXT"],
  ["ALTER TABLE connection ADD COLUMN quarantined_answer_sealed TEXT"],
  [
    `CREATE TABLE agent_keys (
      id TEXT PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      kid TEXT NOT NULL,
      name TEXT NOT NULL,
      scope TEXT NOT NULL,
      tools TEXT,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      last_used_at INTEGER,
      revoked_at INTEGER,
      revoked_by TEXT
    ) STRICT`,
  ],
  PAID_CALLS_STEP,
  GONG_CREDITS_STEP,
  ["ALTER TABLE grants ADD COLUMN grant_type TEXT NOT NULL DEFAULT 'authorization_code'"],
  [
    `CREATE TABLE account_sessions (
      hash TEXT PRIMARY KEY,
      created_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      action TEXT NOT NULL,
      target TEXT,
      name TEXT,
      reason TEXT
    ) STRICT`,
  ],
  ["ALTER TABLE connection ADD COLUMN used_on INTEGER NOT NULL DEFAULT 0"],
  [
    "ALTER TABLE connection ADD COLUMN authorization_id TEXT",
    "ALTER TABLE connection ADD COLUMN settled_at_ms INTEGER NOT NULL DEFAULT 0",
  ],
  ["ALTER TABLE connection ADD COLUMN person TEXT", "ALTER TABLE grants ADD COLUMN person TEXT"],
  CALL_CONTENTS_STEP,
  OUTBOX_STEP,
];

/** `connected`: usable. `needs_reconnect`: Gong ended it. `disconnected`: a person or an admin ended it. */
export type ConnectionState = "connected" | "needs_reconnect" | "disconnected";

export type ConnectionRow = {
  integration: "main" | "shared";
  access: "personal" | "shared";
  /** Null in a row that an older version wrote: then it is whatever client is configured. */
  gong_client_id: string | null;
  state: ConnectionState;
  reason: string | null;
  state_since: number;
  connected_at: number;
  generation: number;
  gong_access_token_sealed: string | null;
  gong_refresh_token_sealed: string | null;
  gong_expires_at: number;
  gong_scope: string | null;
  refreshed_at: number;
  refresh_due_at: number;
  attempt_id: string | null;
  attempt_started_at: number | null;
  attempt_answer_sealed: string | null;
  quarantined_answer_sealed: string | null;
  failures: number;
  /** The last day of use that the index was told, as the second at which it began in UTC. */
  used_on: number;
  /** The transaction of the sign-in that the connection is from; null in a row of an older version. */
  authorization_id: string | null;
  /** When Gong answered that sign-in, or the connection was ended by somebody, epoch milliseconds. */
  settled_at_ms: number;
  /**
   * Of personal access: who signed in at Gong last, as ledger rows
   * name people; null when Cloudflare Access named nobody.
   */
  person: string | null;
};

export type GrantRow = {
  id: string;
  /** What opened it: a person's approval, or one of the grant types without a code. */
  grant_type: GrantType;
  client_id: string;
  client_name: string | null;
  resource: string;
  scope: string;
  created_at: number;
  last_used_at: number;
  expires_at: number;
  refresh_generation: number;
  refresh_hash: string | null;
  refresh_kid: string | null;
  refresh_expires_at: number;
  previous_refresh_hash: string | null;
  previous_answer_sealed: string | null;
  rotated_at: number;
  successor_used: number;
  revoked_at: number | null;
  revoked_reason: string | null;
  /** Of shared access: who asked for it, as ledger rows name people. */
  person: string | null;
};

export type CodeRow = {
  hash: string;
  grant_id: string;
  redirect_uri: string;
  code_challenge: string;
  expires_at: number;
  kept_until: number;
  redeemed_at: number | null;
};

export type AccessTokenRow = {
  hash: string;
  grant_id: string;
  generation: number;
  scope: string;
  expires_at: number;
};

export type AgentKeyRow = {
  id: string;
  hash: string;
  kid: string;
  name: string;
  scope: string;
  /** A JSON array of names; null allows every tool. */
  tools: string | null;
  created_at: number;
  created_by: string;
  expires_at: number;
  last_used_at: number | null;
  revoked_at: number | null;
  revoked_by: string | null;
};
