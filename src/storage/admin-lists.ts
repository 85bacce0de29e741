// The half of the AdminObject that the admin's lists read: one page at a time, never more than a page. The other half
// is admin-object.ts; the SQL is in the files beside them.

import { DurableObject } from "cloudflare:workers";
import { EMPTY_PAGE, type ListPage, type ListQuery } from "../listing.ts";
import { readFrom, writeTo } from "./admin-rows.ts";
import type { Approval } from "./admin-schema.ts";
import * as approvals from "./approvals.ts";
import { auditChoices, exportAudit, pageAudit, type AuditRow } from "./audit.ts";
import * as clients from "./client-index.ts";
import * as index from "./connection-index.ts";
import * as traces from "./traces.ts";

export class AdminLists extends DurableObject<Env> {
  /** What needs somebody soon, as numbers. */
  async indexWarnings(): Promise<index.IndexWarnings> {
    return readFrom(this.ctx.storage, index.NO_WARNINGS, index.indexWarnings);
  }

  /** One page of the index of connections; see connection-index.ts for what can be searched. */
  async pageConnections(query: ListQuery): Promise<ListPage<index.IndexedConnection>> {
    return readFrom(this.ctx.storage, index.NO_CONNECTIONS, (sql, now) =>
      index.pageConnections(sql, query, now),
    );
  }

  /** The connection as the index knows it. */
  async findConnection(id: string): Promise<index.IndexedConnection | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql) => index.findConnection(sql, id));
  }

  /** At most `limit` ids of the index after the id `after`, in the order of ids. */
  async connectionIds(after: string, limit: number): Promise<readonly string[]> {
    return readFrom(this.ctx.storage, [], (sql) => index.connectionIds(sql, after, limit));
  }

  /** Where each part of `size` connections begins: after this id. */
  async connectionParts(size: number): Promise<readonly string[]> {
    return readFrom(this.ctx.storage, [""], (sql) => index.connectionParts(sql, size));
  }

  /** One page of the requests that still wait, the newest first. */
  async pageApprovals(query: ListQuery): Promise<ListPage<Approval>> {
    return readFrom<ListPage<Approval>>(this.ctx.storage, EMPTY_PAGE, (sql, now) =>
      approvals.pageApprovals(sql, query, now),
    );
  }

  /** One page of the audit, the newest first. */
  async pageAudit(query: ListQuery): Promise<ListPage<AuditRow>> {
    return readFrom<ListPage<AuditRow>>(this.ctx.storage, EMPTY_PAGE, (sql) => pageAudit(sql, query));
  }

  /** The next part of a download of the audit: what is older than the row `before`. */
  async exportAudit(query: ListQuery, before: number | undefined): Promise<readonly AuditRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => exportAudit(sql, query, before));
  }

  /** The actors and actions that the audit knows. */
  async auditChoices(): Promise<ReturnType<typeof auditChoices>> {
    return readFrom(this.ctx.storage, { actors: [], actions: [] }, auditChoices);
  }

  /** Notes that a client got a token. */
  async recordClient(client: clients.SeenClient): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => clients.recordClient(sql, client, now));
  }

  /** One page of the clients that got a token, the newest first. */
  async pageClients(query: ListQuery): Promise<ListPage<clients.IndexedClient>> {
    return readFrom<ListPage<clients.IndexedClient>>(this.ctx.storage, EMPTY_PAGE, (sql) =>
      clients.pageClients(sql, query),
    );
  }

  /** The client as the index knows it. */
  async findSeenClient(clientId: string): Promise<clients.IndexedClient | undefined> {
    return readFrom(this.ctx.storage, undefined, (sql) => clients.findSeenClient(sql, clientId));
  }

  /** Connections that the client signed in to, 400 at most, and how many there are in all. */
  async connectionsOfClient(clientId: string): Promise<ReturnType<typeof clients.connectionsOfClient>> {
    return readFrom(this.ctx.storage, { ids: [], total: 0 }, (sql) =>
      clients.connectionsOfClient(sql, clientId),
    );
  }

  /** The client uses these connections no more. */
  async dropClientConnections(clientId: string, ids: readonly string[]): Promise<void> {
    readFrom(this.ctx.storage, undefined, (sql) => clients.dropClientConnections(sql, clientId, ids));
  }

  /** Keeps what clients tried, within bounds; see traces.ts. */
  async recordAttempts(attempts: readonly traces.Attempt[]): Promise<void> {
    writeTo(this.ctx.storage, (sql, now) => traces.recordAttempts(sql, attempts, now));
  }

  /** The clients that tried something, the last first, each with its last step. */
  async pageTraces(query: ListQuery): Promise<ListPage<traces.TraceRow>> {
    return readFrom<ListPage<traces.TraceRow>>(this.ctx.storage, EMPTY_PAGE, (sql) =>
      traces.pageTraces(sql, query),
    );
  }

  /** What this client tried, the last first. */
  async traceOf(clientId: string): Promise<readonly traces.TraceRow[]> {
    return readFrom(this.ctx.storage, [], (sql) => traces.traceOf(sql, clientId));
  }
}
