// Who a connection is kept for: agents, and the person while their account page is open. A personal connection that is
// kept for nobody holds no tokens of Gong's. SQL on the ConnectionObject's database, inside its transactions.

import { sweepAccountSessions } from "./account-sessions.ts";
import { hasAgent } from "./agent-keys.ts";
import { forgetGongTokens } from "./connection-state.ts";
import type { ConnectionRow } from "./connection-schema.ts";

/**
 * Lets go of a personal connection's Gong tokens when no agent can use it any more and no account session is open, such
 * as one that was made by a visit to /account and nothing else. Returns whether it did.
 */
export function forgetUnused(sql: SqlStorage, row: ConnectionRow | undefined, now: number): boolean {
  if (row?.access !== "personal" || row.state === "disconnected") return false;
  sweepAccountSessions(sql, now);
  const visited = sql.exec("SELECT 1 FROM account_sessions").toArray().length > 0;
  if (visited || hasAgent(sql, now)) return false;
  forgetGongTokens(sql, "unused", now);
  return true;
}
