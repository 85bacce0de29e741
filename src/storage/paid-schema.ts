// The tables of paid calls in the ConnectionObject: the ledger, and the results that were paid for and not delivered.
// storage/README.md describes every field. Times are epoch seconds.

/** One step of the ConnectionObject's schema. */
export const PAID_CALLS_STEP: readonly string[] = [
  `CREATE TABLE paid_calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    grant_id TEXT,
    client_id TEXT,
    client_name TEXT,
    key_id TEXT,
    key_name TEXT,
    person TEXT,
    tool TEXT NOT NULL,
    call_hash TEXT NOT NULL,
    served TEXT NOT NULL,
    paid_by TEXT,
    outcome TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    gong_status INTEGER,
    milliseconds INTEGER,
    request_bytes INTEGER NOT NULL,
    answer_bytes INTEGER
  ) STRICT`,
  "CREATE INDEX paid_calls_by_call ON paid_calls (call_hash, seq)",
  "CREATE INDEX paid_calls_running ON paid_calls (outcome) WHERE outcome = 'running'",
  `CREATE TABLE kept_results (
    call_id TEXT PRIMARY KEY,
    call_hash TEXT NOT NULL,
    is_error INTEGER NOT NULL,
    answered_at INTEGER NOT NULL,
    owed_until INTEGER NOT NULL,
    reusable_until INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX kept_results_by_call ON kept_results (call_hash)",
  `CREATE TABLE kept_parts (
    call_id TEXT NOT NULL,
    part INTEGER NOT NULL,
    result_sealed TEXT NOT NULL,
    PRIMARY KEY (call_id, part)
  ) STRICT`,
];

/** The next step: whether Gong has credits. */
export const GONG_CREDITS_STEP: readonly string[] = [
  `CREATE TABLE gong_credits (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    since INTEGER NOT NULL,
    probe_at INTEGER NOT NULL
  ) STRICT`,
];

/** A later step: arguments that policy has kept for admins to read. They go with their row of the ledger. */
export const CALL_CONTENTS_STEP: readonly string[] = [
  `CREATE TABLE call_contents (
    call_id TEXT PRIMARY KEY REFERENCES paid_calls (id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    kept_until INTEGER NOT NULL,
    arguments_sealed TEXT NOT NULL
  ) STRICT`,
  "CREATE INDEX call_contents_by_since ON call_contents (since, kept_at)",
  "CREATE INDEX call_contents_by_end ON call_contents (kept_until)",
];

/**
 * The person of a row, as far as known: `access:<hash>` is one whom Cloudflare
 * Access named, by the hash in the index of people; `gong-user` the one Gong user of
 * a personal connection; `made by <actor>` whoever made the key or machine client.
 */
export const GONG_USER = "gong-user";
export const byAccess = (emailHash: string): string => `access:${emailHash}`;
export const madeBy = (actor: string): string => `made by ${actor}`;

/** How a caller got its answer; only `paid` cost anything. */
export type Served = "paid" | "joined" | "recovered" | "reused" | "refused";

/** What became of a call. */
export type CallOutcome =
  /** Gong is being asked. */
  | "running"
  | "ok"
  /** A result with `isError`. */
  | "tool_error"
  /** A JSON-RPC error of Gong's. */
  | "rpc_error"
  /** Gong asks its caller something first (MCP 2026-07-28). */
  | "input_required"
  /** Gong's stream ended without an answer; the client may fetch it elsewhere (MCP 2025-11-25, Resumability). */
  | "unanswered"
  /** An HTTP error of Gong's that ran nothing: 4xx but for the next two. */
  | "refused_by_gong"
  | "rate_limited"
  | "out_of_credits"
  /** Gong was not asked: whoever was to pay was revoked, or everybody had left, before its turn had come. */
  | "not_sent"
  /** Our policy or budget, before Gong was asked. */
  | "refused"
  /** The answer was longer than the bound. */
  | "too_long"
  /** Gong may or may not have run and charged it: no answer, a broken one, a 5xx, or we crashed. */
  | "unknown";

/** One row of the ledger; content-free. */
export type PaidCallRow = {
  /** Grows with every row; the cursor of a page. */
  seq: number;
  id: string;
  started_at: number;
  grant_id: string | null;
  client_id: string | null;
  client_name: string | null;
  key_id: string | null;
  key_name: string | null;
  person: string | null;
  tool: string;
  /** SHA-256 of tool and arguments in canonical form. */
  call_hash: string;
  served: Served;
  /** The row of the call that was paid for this answer; null when it is this row. */
  paid_by: string | null;
  outcome: CallOutcome;
  /** 1 once the whole answer was handed to a live client. */
  delivered: number;
  gong_status: number | null;
  milliseconds: number | null;
  request_bytes: number;
  answer_bytes: number | null;
};

export type CallContentRow = {
  call_id: string;
  /** The version of the policy that switched keeping on. */
  since: number;
  kept_at: number;
  kept_until: number;
  arguments_sealed: string;
};

export type KeptResultRow = {
  call_id: string;
  call_hash: string;
  is_error: number;
  answered_at: number;
  owed_until: number;
  reusable_until: number;
};
