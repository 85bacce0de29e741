// The client doctor's memory in the AdminObject: what clients tried, step by step, with the reason where a step failed.
// No token, code, URL or argument is in it. Bounded so that noise costs nobody else their trace: 40 rows for a client,
// 12 new ones a minute; whoever names no client that is known shares 12 a minute for each reason; clients that never
// got a token share 1,000 rows among themselves, those that did have 3,000 of their own.

import type { ListPage, ListQuery } from "../listing.ts";
import { writeAudit } from "./audit.ts";
import { contains, pageOf } from "./page-of.ts";

const MOST_OF_CLIENT = 40;
const MOST_A_MINUTE = 12;
const MOST_PROVEN = 3_000;
const MOST_UNPROVEN = 1_000;

/** One step that a client tried. `reason` is undefined when it worked. */
export interface Attempt {
  /** Epoch seconds. */
  readonly at: number;
  /** As it was presented, 200 characters at most; empty when there was none. */
  readonly clientId: string;
  readonly name: string | undefined;
  readonly step: string;
  readonly reason: string | undefined;
  readonly requestId: string | undefined;
}

export type TraceRow = {
  readonly id: number;
  readonly at: number;
  readonly client_id: string;
  readonly name: string | null;
  readonly step: string;
  readonly reason: string | null;
  readonly request_id: string | null;
};

const COLUMNS = "id, at, client_id, name, step, reason, request_id";

/** Keeps what was tried, within the bounds, and the decisions of people in the audit too. */
export function recordAttempts(sql: SqlStorage, attempts: readonly Attempt[], now: number): void {
  for (const attempt of attempts) {
    const { clientId, step, reason, requestId } = attempt;
    if (step === "consent" && (reason === undefined || reason === "denied_by_person")) {
      const action = reason === undefined ? "consent.approved" : "consent.denied";
      const by = { actor: "person", cause: "stranger", requestId: requestId ?? "" } as const;
      writeAudit(sql, now, by, action, clientId);
    }
    recordAttempt(sql, attempt, now);
  }
}

function recordAttempt(sql: SqlStorage, attempt: Attempt, now: number): void {
  const { clientId, reason } = attempt;
  const isNobody = clientId === "" || reason === "client_unknown";
  const [whose, value] = isNobody ? ["reason IS", reason ?? null] : ["client_id =", clientId];
  const { n } = sql
    .exec<{ n: number }>(`SELECT COUNT(*) AS n FROM traces WHERE ${whose} ? AND kept_at > ?`, value, now - 60)
    .one();
  if (n >= MOST_A_MINUTE) return;
  const proven =
    sql.exec("SELECT 1 FROM client_index WHERE client_id = ?", clientId).toArray().length > 0 ? 1 : 0;
  sql.exec(
    `INSERT INTO traces (at, kept_at, client_id, name, step, reason, request_id, proven)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    attempt.at,
    now,
    clientId,
    attempt.name ?? null,
    attempt.step,
    attempt.reason ?? null,
    attempt.requestId ?? null,
    proven,
  );
  if (proven === 1) sql.exec("UPDATE traces SET proven = 1 WHERE client_id = ? AND proven = 0", clientId);
  sql.exec(
    "DELETE FROM traces WHERE client_id = ?1 AND id <= (SELECT id FROM traces WHERE client_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    clientId,
    MOST_OF_CLIENT,
  );
  sql.exec(
    "DELETE FROM traces WHERE proven = ?1 AND id <= (SELECT id FROM traces WHERE proven = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    proven,
    proven === 1 ? MOST_PROVEN : MOST_UNPROVEN,
  );
}

// A refused call is traced without the client's name, which an earlier step told.
const LAST_STEPS = `(SELECT id, at, client_id, step, reason, request_id, COALESCE(
    name,
    (SELECT name FROM traces AS named WHERE named.client_id = traces.client_id AND name IS NOT NULL ORDER BY id DESC),
    (SELECT name FROM client_index WHERE client_index.client_id = traces.client_id)
  ) AS name FROM traces WHERE id IN (SELECT MAX(id) FROM traces GROUP BY client_id))`;

/**
 * The clients that tried something, the last first, each with its last step. Filter `outcome`: `failed` or `worked`.
 */
export function pageTraces(sql: SqlStorage, { search, filters, cursor }: ListQuery): ListPage<TraceRow> {
  const found = contains(["client_id", "name", "reason", "request_id"], search);
  const { outcome } = filters;
  const failed = outcome === "failed" ? ["reason IS NOT NULL"] : [];
  const worked = outcome === "worked" ? ["reason IS NULL"] : [];
  return pageOf(
    sql,
    {
      table: LAST_STEPS,
      columns: COLUMNS,
      sort: "id",
      id: "id",
      where: [...found.where, ...failed, ...worked],
      values: found.values,
    },
    cursor,
  );
}

/** What this client tried, the last first. */
export function traceOf(sql: SqlStorage, clientId: string): readonly TraceRow[] {
  return sql
    .exec<TraceRow>(
      `SELECT ${COLUMNS} FROM traces WHERE client_id = ? ORDER BY at DESC, id DESC LIMIT ?`,
      clientId,
      MOST_OF_CLIENT,
    )
    .toArray();
}
