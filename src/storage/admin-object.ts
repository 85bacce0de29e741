// The AdminObject: one per deployment. Admin sessions and their lock-out, the index of connections and of clients, the
// approvals that wait for an admin, the key that connection ids are derived from, policy, budgets and the audit. In
// four layers: admin-lists.ts, admin-directory.ts, admin-calls.ts, and this. Each method is one atomic state change;
// the SQL is in the files beside them.

import { AdminCalls } from "./admin-calls.ts";
import type { Approval } from "./admin-schema.ts";
import { catchUp } from "./admin-memory.ts";
import { readFrom, writeTo } from "./admin-rows.ts";
import { recallHandshake, rememberHandshake, type Handshake } from "./handshakes.ts";
import * as sessions from "./admin-sessions.ts";
import * as approvals from "./approvals.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { endSessions } from "./outbox.ts";
import * as setup from "./setup-checks.ts";

export class AdminObject extends AdminCalls {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // A point-in-time restore starts a new instance: nothing is served before it knows what was ended since.
    void ctx.blockConcurrencyWhile(() => catchUp(env, ctx.storage));
  }

  /** Puts a request for shared access before the admins. False when too many wait already. */
  async requestApproval(approval: Approval): Promise<boolean> {
    return writeTo(this.ctx.storage, (sql, now) => approvals.requestApproval(sql, approval, now));
  }

  /** The requests for shared access that still wait, the oldest first. */
  async listApprovals(): Promise<readonly Approval[]> {
    return readFrom(this.ctx.storage, [], approvals.listApprovals);
  }

  /** Takes a request off the list, with the audit row of the decision. False when it is gone or too old. */
  async settleApproval(transactionId: string, decision: "approved" | "denied", by: Actor): Promise<boolean> {
    return readFrom(this.ctx.storage, false, (sql, now) =>
      approvals.settleApproval(sql, transactionId, decision, by, now),
    );
  }

  /** Keeps what checks of the set-up came to. */
  async recordChecks(results: readonly setup.CheckResult[]): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => setup.recordChecks(sql, results, now));
  }

  /** The last result of each check of the set-up. */
  async listChecks(): Promise<readonly setup.CheckRow[]> {
    return readFrom(this.ctx.storage, [], setup.listChecks);
  }

  /** Keeps what Gong answered to the opening of a conversation, for when it is down. */
  async rememberHandshake(integration: string, opening: string, handshake: Handshake): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => rememberHandshake(sql, integration, opening, handshake, now));
  }

  /** What Gong last answered to the opening of a conversation. */
  async recallHandshake(integration: string, opening: string): Promise<Handshake | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql) => recallHandshake(sql, integration, opening));
  }

  /** One audit row. Of what strangers cause, 60 a minute at most. */
  async recordAct(by: Actor, action: string, target?: string): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => writeAudit(sql, now, by, action, target));
  }

  /**
   * Counts a sign-in attempt from an address before the token is compared, so that parallel guesses can't outrun the
   * count. Returns the seconds to wait, or 0 when the attempt may go on.
   */
  async admitSignIn(addressHash: string): Promise<number> {
    return writeTo(this.ctx.storage, (sql, now) => sessions.admitSignIn(sql, addressHash, now));
  }

  /** Takes back the last attempt of an address, which was right; earlier ones still count. */
  async takeBackAttempt(addressHash: string): Promise<void> {
    writeTo(this.ctx.storage, (sql) => sessions.takeBackAttempt(sql, addressHash));
  }

  /** Opens the admin session of `by`; a typed token also forgives its address. The oldest over ten end. */
  async openSession(sessionHash: string, addressHash: string | undefined, by: Actor): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => sessions.openSession(sql, sessionHash, addressHash, by, now));
  }

  /** Whose session it is while it lives; asking keeps it from idling out. */
  async useSession(sessionHash: string): Promise<string | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql, now) => sessions.useSession(sql, sessionHash, now));
  }

  /** The admin sessions that live, the last used first. */
  async listSessions(): Promise<readonly sessions.SessionEntry[]> {
    return readFrom(this.ctx.storage, [], sessions.listSessions);
  }

  /** Ends every admin session, the one of `by` included. */
  async endAllSessions(by: Actor): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => sessions.endAllSessions(sql, by, now));
    await this.tellEscrow();
  }

  /** Ends an admin session; nothing happens when it is over. */
  async endSession(sessionHash: string): Promise<void> {
    const ended = readFrom(this.ctx.storage, false, (sql, now) =>
      endSessions(sql, "sessions", sessionHash, now),
    );
    if (ended) await this.tellEscrow();
  }
}
