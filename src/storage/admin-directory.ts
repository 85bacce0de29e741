// The part of the AdminObject that knows what there is in the deployment: the key that connection ids are derived from,
// and the index of connections, people, agent keys and machine clients. The index of connections decides nothing.

import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import type { Client } from "../oauth/client.ts";
import { AdminLists } from "./admin-lists.ts";
import { tellEscrow } from "./admin-memory.ts";
import { readFrom, writeTo } from "./admin-rows.ts";
import type { AgentKeyEntry, ConnectionEntry } from "./admin-schema.ts";
import * as keys from "./agent-key-index.ts";
import type { Actor } from "./audit.ts";
import * as index from "./connection-index.ts";
import * as identity from "./identity.ts";
import * as machines from "./machine-clients.ts";
import { findNamed, type NamedRow } from "./named-ids.ts";
import * as people from "./people.ts";

export class AdminDirectory extends AdminLists {
  /** Tells the escrow what has ended or was decided, before anybody hears of it. */
  protected tellEscrow(): Promise<void> {
    return tellEscrow(this.env, this.ctx.storage);
  }

  /** The sealed key that connection ids are derived from. The first candidate ever offered stays for good. */
  async identityKey(candidateSealed: string): Promise<string> {
    return writeTo(this.ctx.storage, (sql) => identity.identityKey(sql, candidateSealed));
  }

  /** The sealed identity key as it is stored. */
  async currentIdentityKey(): Promise<string | undefined> {
    return readFrom(this.ctx.storage, undefined, identity.currentIdentityKey);
  }

  /** The same key under another seal; nothing happens when somebody else was first. */
  async replaceIdentitySeal(before: string, after: string): Promise<void> {
    writeTo(this.ctx.storage, (sql) =>
      sql.exec("UPDATE identity SET key_sealed = ? WHERE key_sealed = ?", after, before).toArray(),
    );
  }

  /** Notes a connection, the client that uses it and the person who signed in, so that all can be found again. */
  async recordConnection(
    entry: ConnectionEntry,
    clientId: string | undefined,
    person?: people.PersonRow,
  ): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => {
      index.recordConnection(sql, entry, clientId, now);
      if (person !== undefined) people.recordPerson(sql, entry.id, person, now);
    });
  }

  /** The connections that the person with this hash signed in to, the newest sign-in first. */
  async connectionsOfPerson(emailHash: string): Promise<readonly string[]> {
    return readFrom(this.ctx.storage, [], (sql) => people.connectionsOfPerson(sql, emailHash));
  }

  /** Who signed in to these connections, with their sealed e-mail addresses. */
  async peopleOfConnections(ids: readonly string[]) {
    return readFrom(this.ctx.storage, [], (sql) => people.peopleOfConnections(sql, ids));
  }

  /** Notes a person on shared access, whose connection is not theirs. */
  async recordPerson(person: people.PersonRow): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => people.recordPerson(sql, undefined, person, now));
  }

  /** The people with these hashes, with their sealed e-mail addresses. */
  async findPeople(hashes: readonly string[]): Promise<readonly people.PersonRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => people.findPeople(sql, hashes));
  }

  /** People in the order of their hashes, from the one after `after`; for the key sweep. */
  async listPeople(after: string, limit: number): Promise<readonly people.PersonRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => people.listPeople(sql, after, limit));
  }

  /** The same addresses under other seals, all or none; where somebody else was first, nothing happens. */
  async replacePersonSeals(changes: readonly people.ResealedPerson[]): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql) => people.replacePersonSeals(sql, changes));
  }

  /** What a connection tells about itself. */
  async recordState(id: string, report: index.ConnectionReport): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql, now) => {
      index.recordState(sql, id, report);
      if (report.state === "disconnected") keys.endKeysOf(sql, id, now);
    });
  }

  /** Notes an agent key before its connection takes it, with the audit row of the act. */
  async recordAgentKey(key: keys.NewKeyEntry, by: Actor): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => keys.recordAgentKey(sql, key, by, now));
  }

  /** Takes an agent key off the list that its connection did not take, with an audit row. */
  async dropAgentKey(id: string, by: Actor): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => keys.dropAgentKey(sql, id, by, now));
  }

  /** Notes that an agent key was revoked, with the audit row of the act. */
  async recordAgentKeyEnd(id: string, by: Actor): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => keys.recordAgentKeyEnd(sql, id, by, now));
  }

  /** Where the agent key with this id belongs: an id from a form is never taken on trust. */
  async findAgentKey(id: string): Promise<AgentKeyEntry | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql) => keys.findAgentKey(sql, id));
  }

  /** One page of the agent keys of all connections, the newest first. */
  async listAgentKeys(query: ListQuery): Promise<ListPage<AgentKeyEntry>> {
    return readFrom<ListPage<AgentKeyEntry>>(this.ctx.storage, EMPTY_PAGE, (sql, now) =>
      keys.pageOfAgentKeys(sql, query, now),
    );
  }

  /** How many connections are in each state. */
  async countStates(): Promise<Readonly<Record<string, number>>> {
    return readFrom(this.ctx.storage, {}, index.countStates);
  }

  /** What these ids of connections, clients and agent keys stand for. */
  async findNamed(ids: readonly string[]): Promise<readonly NamedRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => findNamed(sql, ids));
  }

  /** The newest connections first. */
  async listConnections(limit: number): Promise<readonly ConnectionEntry[]> {
    return readFrom(this.ctx.storage, [], (sql) => index.listConnections(sql, limit));
  }

  /** Whether the connection is in the index: an id from a form is never taken on trust. */
  async hasConnection(id: string): Promise<boolean> {
    return readFrom(
      this.ctx.storage,
      false,
      (sql) => sql.exec("SELECT 1 FROM connections WHERE id = ?", id).toArray().length > 0,
    );
  }

  /** Keeps a machine client that an admin made; not when there are too many, or a live one has its name. */
  async addMachineClient(client: machines.NewMachineClient, by: Actor): Promise<machines.Added> {
    return writeTo(this.ctx.storage, (sql, now) => machines.addMachineClient(sql, client, by, now));
  }

  /** The machine client with this id, while it lives. */
  async findMachineClient(id: string): Promise<Client | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql, now) => machines.findMachineClient(sql, id, now));
  }

  /** A page of the machine clients, the newest first. */
  async listMachineClients(query: ListQuery): Promise<ListPage<machines.MachineClientDescription>> {
    return readFrom(this.ctx.storage, EMPTY_PAGE, (sql, now) => machines.listMachineClients(sql, query, now));
  }

  /** Ends a machine client for good. False when it is gone or was ended before. */
  async endMachineClient(id: string, by: Actor): Promise<boolean> {
    const ended = readFrom(this.ctx.storage, false, (sql, now) =>
      machines.endMachineClient(sql, id, by, now),
    );
    if (ended) await this.tellEscrow();
    return ended;
  }

  /** Notes that a machine client got a token, to the hour. */
  async noteMachineUse(id: string): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql, now) => machines.noteMachineUse(sql, id, now));
  }

  /** The connections that a machine client was ever let into; undefined when there is no such machine client. */
  async connectionsOfMachine(id: string): Promise<readonly string[] | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql) => machines.connectionsOfMachine(sql, id));
  }
}
