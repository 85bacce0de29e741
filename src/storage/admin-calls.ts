// The part of the AdminObject that sees agents' calls: the policy, the decision about each call that can cost credits,
// its place in the budgets, and what Gong's tools were seen to be. Each method is one atomic state change; the SQL is
// in the files beside it.

import { nowSeconds } from "../clock.ts";
import { integrationNamed, parseConfig } from "../config.ts";
import { AdminDirectory } from "./admin-directory.ts";
import type {
  BudgetUse,
  CallPermit,
  CallRequest,
  CallUse,
  ListRules,
  PolicyChange,
  PolicyVersion,
  SeenTool,
  ShownTool,
  ToolDecision,
  ToolPlace,
  UsageQuestion,
  UsageRow,
} from "./admin-rpc.ts";
import { readFrom, writeTo } from "./admin-rows.ts";
import { scheduleAlarm } from "./alarm.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { budgetUses, forgetPastCounters, pruneCounters } from "./budget-counters.ts";
import * as calls from "./call-reservations.ts";
import { dropEnded, hasEnds, type ConnectionReport } from "./connection-index.ts";
import { forgetPeople } from "./people.ts";
import { currentPolicy, defaultPolicy, setPolicy } from "./policy-store.ts";
import * as tools from "./seen-tools.ts";
import * as counters from "./usage-counters.ts";

/** How often what is too old is forgotten. */
const PRUNE_SECONDS = 86_400;

/** A layer of the AdminObject, and the one that has its alarm. */
export class AdminCalls extends AdminDirectory {
  /** The policy in force. */
  async policy(): Promise<PolicyVersion> {
    return readFrom(this.ctx.storage, defaultPolicy(), currentPolicy);
  }

  /** Puts a policy in force in place of version `before`; with an audit row of what changed. */
  async setPolicy(by: Actor, before: number, value: unknown): Promise<PolicyChange> {
    const changed = writeTo(this.ctx.storage, (sql, now) => setPolicy(sql, { by, before, value }, now));
    if (changed.ok) await this.tellEscrow();
    return changed;
  }

  /**
   * Decides a tool call by policy, cost guards and budgets, and counts it until it is settled; all at once, so that
   * parallel calls can't share the last place.
   */
  async reserveCall(request: CallRequest): Promise<CallPermit> {
    const { access } = integrationNamed(parseConfig(this.env), request.integration);
    const permit = writeTo(this.ctx.storage, (sql, now) => calls.reserveCall(sql, request, access, now));
    await this.#schedule();
    return permit;
  }

  /** What a connection tells about itself. What ends is forgotten some day, by alarm. */
  override async recordState(id: string, report: ConnectionReport): Promise<void> {
    await super.recordState(id, report);
    await this.#schedule();
  }

  /** Says how a reserved call ended, once: the first word counts. */
  async settleCall(reservationId: string, outcome: "spent" | "released", use: CallUse): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql) => calls.settleCall(sql, reservationId, outcome, use));
  }

  /** What decides which tools are listed on an integration, in a revision of MCP. */
  async listRules(place: ToolPlace): Promise<ListRules> {
    return readFrom(this.ctx.storage, { policy: defaultPolicy().policy, states: {}, approved: {} }, (sql) =>
      listRules(sql, place),
    );
  }

  /** Notes what Gong offers now, holding back what is new or changed as the policy says; the rules after that. */
  async noteTools(place: ToolPlace, listed: readonly ShownTool[], requestId: string): Promise<ListRules> {
    return writeTo(this.ctx.storage, (sql, now) => {
      tools.noteTools(sql, { ...place, listed, requestId }, currentPolicy(sql).policy, now);
      return listRules(sql, place);
    });
  }

  /** Every tool that was ever seen at Gong, with what waits for an admin. */
  async seenTools(): Promise<readonly SeenTool[]> {
    return readFrom(this.ctx.storage, [], tools.seenTools);
  }

  /** How many tools wait for an admin's decision. */
  async countWaitingTools(): Promise<number> {
    return readFrom(this.ctx.storage, 0, tools.countWaitingTools);
  }

  /** Approves a tool as it was shown, or holds it back; with an audit row. */
  async decideTool(decision: ToolDecision): Promise<"done" | "unknown_tool" | "changed_meanwhile"> {
    const outcome = readFrom<ReturnType<typeof tools.decideTool>>(
      this.ctx.storage,
      "unknown_tool",
      (sql, now) => tools.decideTool(sql, decision, now),
    );
    if (outcome === "done") await this.tellEscrow();
    return outcome;
  }

  /** How much of each budget of this day and month is used. */
  async budgetUses(): Promise<readonly BudgetUse[]> {
    return readFrom(this.ctx.storage, [], (sql, now) => budgetUses(sql, currentPolicy(sql).policy, now));
  }

  /** How many calls were served in which way, by day, connection, client, key or tool. */
  async usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => counters.usage(sql, question));
  }

  /** Takes a connection out of the counters by day, whose sums stay; with an audit row. */
  async recordErasure(by: Actor, connectionId: string): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => {
      counters.anonymiseUsage(sql, connectionId);
      forgetPastCounters(sql, currentPolicy(sql).policy, connectionId, now);
      writeAudit(sql, now, by, "ledger.erased", connectionId);
    });
  }

  /** Takes calls that nobody settled for spent, and forgets what is too old. May run twice or late. */
  override async alarm(): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql, now) => {
      calls.assumeSpent(sql, now);
      pruneCounters(sql, now);
      counters.pruneUsage(sql, now);
      dropEnded(sql, now);
      forgetPeople(sql, parseConfig(this.env).ledgerSeconds, now);
      return undefined;
    });
    await this.#schedule();
    await this.tellEscrow();
  }

  /** Sets the alarm for whatever is due first. */
  #schedule(): Promise<void> {
    const now = nowSeconds();
    const due = readFrom(this.ctx.storage, [], (sql) => [
      calls.nextSettlementAt(sql),
      counters.hasUsage(sql) || hasEnds(sql) ? now + PRUNE_SECONDS : undefined,
    ]);
    return scheduleAlarm(this.ctx.storage, now, due);
  }
}

const listRules = (sql: SqlStorage, { integration, revision }: ToolPlace): ListRules => ({
  policy: currentPolicy(sql).policy,
  states: tools.toolStates(sql, integration),
  approved: tools.approvedDefinitions(sql, integration, revision),
});
