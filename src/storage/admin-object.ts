// The AdminObject: one per deployment. Admin sessions and their lock-out, the index of connections and of clients, the
// approvals that wait for an admin, the key that connection ids are derived from, and the audit. Each method is one
// atomic state change; this file is the table of contents, the SQL is in the files beside it.

import { nowSeconds } from "../clock.ts";
import { integrationNamed, parseConfig } from "../config.ts";
import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import type { Client } from "../oauth/client.ts";
import type {
  CallPermit,
  CallRequest,
  CallUse,
  PolicyChange,
  PolicyVersion,
  UsageQuestion,
  UsageRow,
} from "./admin-rpc.ts";
import type { AgentKeyEntry, Approval, ConnectionEntry } from "./admin-schema.ts";
import * as keys from "./agent-key-index.ts";
import { AdminLists } from "./admin-lists.ts";
import { readFrom, writeTo } from "./admin-rows.ts";
import * as sessions from "./admin-sessions.ts";
import { scheduleAlarm } from "./alarm.ts";
import * as approvals from "./approvals.ts";
import { pruneCounters } from "./budget-counters.ts";
import * as calls from "./call-reservations.ts";
import { writeAudit } from "./audit.ts";
import * as index from "./connection-index.ts";
import * as identity from "./identity.ts";
import * as machines from "./machine-clients.ts";
import { currentPolicy, defaultPolicy, setPolicy } from "./policy-store.ts";
import * as people from "./people.ts";
import * as counters from "./usage-counters.ts";

/** How often what is too old is forgotten. */
const PRUNE_SECONDS = 86_400;

export class AdminObject extends AdminLists {
  /** The sealed key that connection ids are derived from. The first candidate ever offered stays for good. */
  async identityKey(candidateSealed: string): Promise<string> {
    return this.#write((sql) => identity.identityKey(sql, candidateSealed));
  }

  /** The sealed identity key as it is stored. */
  async currentIdentityKey(): Promise<string | undefined> {
    return this.#read(undefined, identity.currentIdentityKey);
  }

  /** The same key under another seal; nothing happens when somebody else was first. */
  async replaceIdentitySeal(before: string, after: string): Promise<void> {
    this.#write((sql) =>
      sql.exec("UPDATE identity SET key_sealed = ? WHERE key_sealed = ?", after, before).toArray(),
    );
  }

  /** Notes a connection, the client that uses it and the person who signed in, so that all can be found again. */
  async recordConnection(
    entry: ConnectionEntry,
    clientId: string | undefined,
    person?: people.PersonRow,
  ): Promise<void> {
    this.#write((sql, now) => {
      index.recordConnection(sql, entry, clientId, now);
      if (person !== undefined) people.recordPerson(sql, entry.id, person, now);
    });
  }

  /** The connections that the person with this hash signed in to, the newest sign-in first. */
  async connectionsOfPerson(emailHash: string): Promise<readonly string[]> {
    return this.#read([], (sql) => people.connectionsOfPerson(sql, emailHash));
  }

  /** Who signed in to these connections, with their sealed e-mail addresses. */
  async peopleOfConnections(ids: readonly string[]) {
    return this.#read([], (sql) => people.peopleOfConnections(sql, ids));
  }

  /** People in the order of their hashes, from the one after `after`; for the key sweep. */
  async listPeople(after: string, limit: number): Promise<readonly people.PersonRow[]> {
    return this.#read([], (sql) => people.listPeople(sql, after, limit));
  }

  /** The same address under another seal; nothing happens when somebody else was first. */
  async replacePersonSeal(before: string, after: people.PersonRow): Promise<void> {
    this.#read(undefined, (sql) => people.replacePersonSeal(sql, before, after));
  }

  /** What a connection tells about itself. */
  async recordState(id: string, report: index.ConnectionReport): Promise<void> {
    this.#read(undefined, (sql, now) => {
      index.recordState(sql, id, report);
      if (report.state === "disconnected") keys.endKeysOf(sql, id, now);
    });
  }

  /** Notes an agent key before its connection takes it, with the audit row of the act. */
  async recordAgentKey(key: Omit<AgentKeyEntry, "created_at" | "revoked_at">): Promise<void> {
    this.#write((sql, now) => keys.recordAgentKey(sql, key, now));
  }

  /** Takes an agent key off the list that its connection did not take, with an audit row. */
  async dropAgentKey(id: string, actor: string): Promise<void> {
    this.#write((sql, now) => keys.dropAgentKey(sql, id, actor, now));
  }

  /** Notes that an agent key was revoked, with the audit row of the act. */
  async recordAgentKeyEnd(id: string, actor: string): Promise<void> {
    this.#write((sql, now) => keys.recordAgentKeyEnd(sql, id, actor, now));
  }

  /** Where the agent key with this id belongs: an id from a form is never taken on trust. */
  async findAgentKey(id: string): Promise<AgentKeyEntry | undefined> {
    return this.#read(undefined, (sql) => keys.findAgentKey(sql, id));
  }

  /** One page of the agent keys of all connections, the newest first. */
  async listAgentKeys(query: ListQuery): Promise<ListPage<AgentKeyEntry>> {
    return this.#read<ListPage<AgentKeyEntry>>(EMPTY_PAGE, (sql, now) =>
      keys.pageOfAgentKeys(sql, query, now),
    );
  }

  /** How many connections are in each state. */
  async countStates(): Promise<Readonly<Record<string, number>>> {
    return this.#read({}, index.countStates);
  }

  /** The newest connections first. */
  async listConnections(limit: number): Promise<readonly ConnectionEntry[]> {
    return this.#read([], (sql) => index.listConnections(sql, limit));
  }

  /** Whether the connection is in the index: an id from a form is never taken on trust. */
  async hasConnection(id: string): Promise<boolean> {
    return this.#read(
      false,
      (sql) => sql.exec("SELECT 1 FROM connections WHERE id = ?", id).toArray().length > 0,
    );
  }

  /** Puts a request for shared access before the admins. False when too many wait already. */
  async requestApproval(approval: Approval): Promise<boolean> {
    return this.#write((sql, now) => approvals.requestApproval(sql, approval, now));
  }

  /** The requests for shared access that still wait, the oldest first. */
  async listApprovals(): Promise<readonly Approval[]> {
    return this.#read([], approvals.listApprovals);
  }

  /** Takes a request off the list, with the audit row of the decision. False when it is gone or too old. */
  async settleApproval(
    transactionId: string,
    decision: "approved" | "denied",
    actor: string,
    requestId?: string,
  ): Promise<boolean> {
    return this.#read(false, (sql, now) =>
      approvals.settleApproval(sql, transactionId, decision, actor, now, requestId),
    );
  }

  /** One audit row. `requestId` is what our pages show of the request. */
  async recordAct(
    actor: string,
    action: string,
    target: string | undefined,
    requestId?: string,
  ): Promise<void> {
    this.#write((sql, now) => writeAudit(sql, now, actor, action, target, requestId));
  }

  /**
   * Counts a sign-in attempt from an address before the token is compared, so that parallel guesses can't outrun the
   * count. Returns the seconds to wait, or 0 when the attempt may go on.
   */
  async admitSignIn(addressHash: string): Promise<number> {
    return this.#write((sql, now) => sessions.admitSignIn(sql, addressHash, now));
  }

  /** Forgets the attempts of an address that proved itself. */
  async forgiveAddress(addressHash: string): Promise<void> {
    this.#read(undefined, (sql) => {
      sql.exec("DELETE FROM sign_in_attempts WHERE address_hash = ?", addressHash);
      return undefined;
    });
  }

  /** Opens the admin session of `actor`; a typed token also forgives its address. The oldest over ten end. */
  async openSession(sessionHash: string, addressHash: string | undefined, actor: string): Promise<void> {
    this.#write((sql, now) => sessions.openSession(sql, sessionHash, addressHash, actor, now));
  }

  /** Whose session it is while it lives; asking keeps it from idling out. */
  async useSession(sessionHash: string): Promise<string | undefined> {
    return this.#read(undefined, (sql, now) => sessions.useSession(sql, sessionHash, now));
  }

  /** The admin sessions that live, the last used first. */
  async listSessions(): Promise<readonly sessions.SessionEntry[]> {
    return this.#read([], sessions.listSessions);
  }

  /** Ends every admin session, the one of `actor` included. */
  async endAllSessions(actor: string): Promise<void> {
    this.#write((sql, now) => sessions.endAllSessions(sql, actor, now));
  }

  /** Ends an admin session; nothing happens when it is over. */
  async endSession(sessionHash: string): Promise<void> {
    this.#read(undefined, (sql) => {
      sql.exec("DELETE FROM sessions WHERE hash = ?", sessionHash);
      return undefined;
    });
  }

  /** The policy in force. */
  async policy(): Promise<PolicyVersion> {
    return this.#read(defaultPolicy(), currentPolicy);
  }

  /** Puts a policy in force in place of version `before`; with an audit row of what changed. */
  async setPolicy(actor: string, before: number, value: unknown): Promise<PolicyChange> {
    return this.#write((sql, now) => setPolicy(sql, { actor, before, value }, now));
  }

  /**
   * Decides a tool call by policy, cost guards and budgets, and counts it until it is settled; all at once, so that
   * parallel calls can't share the last place.
   */
  async reserveCall(request: CallRequest): Promise<CallPermit> {
    const { access } = integrationNamed(parseConfig(this.env), request.integration);
    const permit = this.#write((sql, now) => calls.reserveCall(sql, request, access, now));
    await this.#schedule();
    return permit;
  }

  /** Says how a reserved call ended, once: the first word counts. */
  async settleCall(reservationId: string, outcome: "spent" | "released", use: CallUse): Promise<void> {
    this.#read(undefined, (sql) => calls.settleCall(sql, reservationId, outcome, use));
  }

  /** How many calls were served in which way, by day, connection, client, key or tool. */
  async usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    return this.#read([], (sql) => counters.usage(sql, question));
  }

  /** Keeps a machine client that an admin made. False when there are too many. */
  async addMachineClient(client: machines.NewMachineClient, actor: string): Promise<boolean> {
    return this.#write((sql, now) => machines.addMachineClient(sql, client, actor, now));
  }

  /** The machine client with this id, while it lives. */
  async findMachineClient(id: string): Promise<Client | undefined> {
    return this.#read(undefined, (sql, now) => machines.findMachineClient(sql, id, now));
  }

  /** A page of the machine clients, the newest first. */
  async listMachineClients(query: ListQuery): Promise<ListPage<machines.MachineClientDescription>> {
    return this.#read(EMPTY_PAGE, (sql, now) => machines.listMachineClients(sql, query, now));
  }

  /** Ends a machine client for good. False when it is gone or was ended before. */
  async endMachineClient(id: string, actor: string): Promise<boolean> {
    return this.#read(false, (sql, now) => machines.endMachineClient(sql, id, actor, now));
  }

  /** Notes that a machine client got a token, to the hour. */
  async noteMachineUse(id: string): Promise<void> {
    this.#read(undefined, (sql, now) => machines.noteMachineUse(sql, id, now));
  }

  /** The connections that a machine client was ever let into; undefined when there is no such machine client. */
  async connectionsOfMachine(id: string): Promise<readonly string[] | undefined> {
    return this.#read(undefined, (sql) => machines.connectionsOfMachine(sql, id));
  }

  /** Takes calls that nobody settled for spent, and forgets what is too old. May run twice or late. */
  override async alarm(): Promise<void> {
    this.#read(undefined, (sql, now) => {
      calls.assumeSpent(sql, now);
      pruneCounters(sql, now);
      counters.pruneUsage(sql, now);
      return undefined;
    });
    await this.#schedule();
  }

  /** Sets the alarm for whatever is due first. */
  #schedule(): Promise<void> {
    const now = nowSeconds();
    const due = this.#read([], (sql) => [
      calls.nextSettlementAt(sql),
      counters.hasUsage(sql) ? now + PRUNE_SECONDS : undefined,
    ]);
    return scheduleAlarm(this.ctx.storage, now, due);
  }

  #write<T>(change: (sql: SqlStorage, now: number) => T): T {
    return writeTo(this.ctx.storage, change);
  }

  #read<T>(otherwise: T, query: (sql: SqlStorage, now: number) => T): T {
    return readFrom(this.ctx.storage, otherwise, query);
  }
}
