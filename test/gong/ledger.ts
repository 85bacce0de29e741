// The append-only ledger: every request, answer, code, token, redemption and tool call, in order. Written by every
// part of the stand-in, read by tests through ledger-questions.ts. It holds secrets in memory, for assertions only;
// `requestLog` is the form without them (L1).

export interface RequestEntry {
  kind: "request";
  seq: number;
  at: number;
  /** `elsewhere`: a host that is not Gong's; nothing may be sent there. */
  side: "mcp" | "app" | "elsewhere";
  host: string;
  method: string;
  path: string;
  hasAuthorization: boolean;
  grantType?: string;
  rpcMethod?: string;
  tool?: string;
  /** For assertions only, never in the request log: they hold credentials. */
  query: string;
  headers: Record<string, string>;
  body: string;
}

/** How a request ended. `client_gone`: the other side left before the last byte. `dropped`: the stand-in cut it. */
export interface AnswerEntry {
  kind: "answer";
  seq: number;
  at: number;
  request: number;
  outcome: "complete" | "client_gone" | "dropped";
  status?: number;
  fault?: string;
}

export interface CodeEntry {
  kind: "code_issued";
  seq: number;
  at: number;
  code: string;
  clientId: string;
  person: string;
  scopes: string[];
  /** A8. RFC 8707: what the code is for, when it was asked for and recorded. */
  resource?: string;
}

export interface TokensEntry {
  kind: "tokens_issued";
  seq: number;
  at: number;
  request: number;
  grant: string;
  clientId: string;
  person: string;
  via: "authorization_code" | "refresh_token";
  accessToken: string;
  refreshToken?: string;
}

export type RedemptionResult =
  | "accepted"
  /** The code or refresh token had been redeemed before. */
  | "reused"
  | "unknown"
  | "expired"
  | "wrong_client"
  | "mismatch"
  | "revoked";

export interface RedemptionEntry {
  kind: "redemption";
  seq: number;
  at: number;
  request: number;
  of: "code" | "refresh_token";
  /** The code or refresh token that was presented. */
  value: string;
  /** Who presented it. */
  clientId: string;
  result: RedemptionResult;
}

/** K6, K10. One entry per event in the life of a tool call. */
export interface ToolCallEntry {
  kind: "tool_call";
  seq: number;
  at: number;
  request: number;
  tool: string;
  person: string;
  event: "started" | "charged" | "answered" | "cancelled";
  credits?: number;
}

export type LedgerEntry =
  | RequestEntry
  | AnswerEntry
  | CodeEntry
  | TokensEntry
  | RedemptionEntry
  | ToolCallEntry;

type WithoutStamp<Entry> = Entry extends LedgerEntry ? Omit<Entry, "seq" | "at"> : never;
export type NewEntry = WithoutStamp<LedgerEntry>;

export interface Ledger {
  /** Adds an entry and returns its sequence number. Entries are never changed or removed. */
  append(entry: NewEntry): number;
  /** All entries so far, oldest first. */
  entries(): readonly LedgerEntry[];
}

/** A ledger that stamps entries with a sequence number and the time (epoch milliseconds). */
export function createLedger(nowMs: () => number): Ledger {
  const entries: LedgerEntry[] = [];
  return {
    append(entry) {
      const seq = entries.length + 1;
      entries.push(Object.freeze({ ...entry, seq, at: nowMs() }));
      return seq;
    },
    entries: () => entries,
  };
}

/** L1. A request as a log may show it: no query, no header, no body, no token value. */
export type LoggedRequest = Omit<RequestEntry, "query" | "headers" | "body">;

/** L1. The requests of `entries`, without anything secret. */
export function requestLog(entries: readonly LedgerEntry[]): LoggedRequest[] {
  return entries
    .filter((entry) => entry.kind === "request")
    .map(({ query: _query, headers: _headers, body: _body, ...logged }) => logged);
}
