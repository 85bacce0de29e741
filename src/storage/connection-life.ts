// How a connection begins and ends: Gong's tokens arrive, grants are opened and ended, the connection is let go.

import { nowSeconds } from "../clock.ts";
import { integrationNamed, type IntegrationName } from "../config.ts";
import { failpoint } from "../failpoints.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { log } from "../log.ts";
import * as keys from "./agent-keys.ts";
import { sweepContents } from "./content-life.ts";
import type { ConnectionCore } from "./connection-core.ts";
import type {
  AgentKeyCreation,
  Authorization,
  ConnectOutcome,
  GrantAndCode,
  PresentedForRevocation,
} from "./connection-rpc.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import { forgetGongTokens, writeConnection } from "./connection-state.ts";
import { forgetUnused } from "./connection-use.ts";
import * as upkeep from "./grant-upkeep.ts";
import { insertGrant } from "./grant-opening.ts";

/** See ConnectionObject.connectGong. `open` is what the tokens were fetched for, in the same transaction. */
export async function connectGong(
  core: ConnectionCore,
  name: IntegrationName,
  tokens: GongTokens,
  authorization: Authorization,
  open: (sql: SqlStorage, now: number) => boolean,
): Promise<ConnectOutcome> {
  core.create();
  const integration = integrationNamed(core.config, name);
  const { generation: spent } = await core.witness();
  if (FAILPOINTS) await failpoint("connect.witnessed", core.sql);
  for (;;) {
    const before = core.row()?.generation ?? 0;
    // Never behind the witness: after a restore, what was spent stays spent.
    const generation = Math.max(before, spent) + 1;
    const sealed = await core.seals.sealTokens(tokens, generation);
    const outcome = core.transaction((sql, now): ConnectOutcome | undefined => {
      const row = core.row();
      if ((row?.generation ?? 0) !== before) return undefined;
      const isNewer = row === undefined || isAfter(authorization, row);
      if (!isNewer && row.state === "disconnected") return "ended";
      if (isNewer) writeConnection(sql, integration, { tokens, sealed, generation, authorization }, now);
      return open(sql, now) ? "connected" : "used";
    });
    if (outcome === undefined) continue;
    if (FAILPOINTS) await failpoint("connect.stored", core.sql);
    log("info", "connection.connected", { connection: core.id, integration: name, generation, outcome });
    await core.tell();
    core.reportState();
    await core.schedule();
    return outcome;
  }
}

/**
 * Whether a sign-in is newer than what the connection is now. One that is finished
 * late, after a crash, brings back neither tokens that were spent since nor a
 * connection that was ended since. A time that has not come yet was a wrong clock's.
 */
function isAfter({ id, answeredAt }: Authorization, row: ConnectionRow): boolean {
  const { authorization_id: known, settled_at_ms: settledAt } = row;
  return known !== id && (settledAt <= answeredAt || settledAt > Date.now());
}

/** See ConnectionObject.openGrant. */
export async function openGrant(core: ConnectionCore, opened: GrantAndCode): Promise<boolean> {
  if (!(await core.ready())) return false;
  const done = core.transaction((sql, now) => {
    if (core.row()?.state !== "connected") return false;
    return insertGrant(sql, opened.grant, opened.code, now);
  });
  if (!done) return false;
  core.reportState();
  await core.schedule();
  return true;
}

/** See ConnectionObject.revokeToken. */
export async function revokeToken(core: ConnectionCore, presented: PresentedForRevocation): Promise<boolean> {
  if (!(await core.ready())) return false;
  const { kind, hash, grantId, clientId } = presented;
  if (kind === "access") {
    const ended = core.transaction((sql, now) => upkeep.deleteAccessToken(sql, hash, clientId, now));
    if (ended) await core.tellEnds();
    return ended;
  }
  const owned = upkeep.findGrant(core.sql, grantId)?.client_id === clientId;
  return owned && endGrant(core, grantId, "revoked_by_client");
}

/** See ConnectionObject.endGrant. */
export async function endGrant(core: ConnectionCore, grantId: string, reason: string): Promise<boolean> {
  return (await endGrants(core, (sql) => upkeep.openGrantIds(sql, { id: grantId }), reason)) > 0;
}

/** See ConnectionObject.endAllGrants and endClient. Ends the grants that `find` finds; how many there were. */
export async function endGrants(
  core: ConnectionCore,
  find: (sql: SqlStorage) => readonly string[],
  reason: string,
): Promise<number> {
  if (!(await core.ready())) return 0;
  const ended = core.transaction((sql, now) => {
    const ids = find(sql);
    for (const id of ids) upkeep.revokeGrant(sql, id, reason, now);
    if (ids.length > 0) forgetWithoutAgent(core, sql, now);
    return ids.length;
  });
  if (ended > 0) await core.tellEnds();
  return ended;
}

/** See ConnectionObject.createAgentKey. */
export async function createAgentKey(core: ConnectionCore, key: keys.NewAgentKey): Promise<AgentKeyCreation> {
  if (!(await core.ready())) return "not_connected";
  const outcome = core.transaction((sql, now): AgentKeyCreation => {
    if (core.row()?.state !== "connected") return "not_connected";
    return keys.insertAgentKey(sql, key, now);
  });
  if (outcome !== "created") return outcome;
  core.reportState();
  await core.schedule();
  return outcome;
}

/** See ConnectionObject.revokeAgentKey. */
export async function revokeAgentKey(core: ConnectionCore, id: string, by: string): Promise<boolean> {
  if (!(await core.ready())) return false;
  const ended = core.transaction((sql, now) => {
    if (!keys.endAgentKey(sql, id, by, now)) return false;
    forgetWithoutAgent(core, sql, now);
    return true;
  });
  if (ended) await core.tellEnds();
  return ended;
}

/** The last agent of a personal connection takes Gong's tokens with it. */
function forgetWithoutAgent(core: ConnectionCore, sql: SqlStorage, now: number): void {
  const row = core.row();
  const idle = row?.access === "personal" && row.state !== "disconnected" && !keys.hasAgent(sql, now);
  if (idle) forgetGongTokens(sql, "no_agent_left", now);
}

/** See ConnectionObject.disconnect. */
export async function disconnect(core: ConnectionCore, reason: string): Promise<boolean> {
  if (!(await core.ready()) || core.row() === undefined) return false;
  core.transaction((sql, now) => {
    for (const id of upkeep.openGrantIds(sql)) upkeep.revokeGrant(sql, id, upkeep.CONNECTION_ENDED, now);
    for (const id of keys.openKeyIds(sql)) keys.endAgentKey(sql, id, reason, now);
    forgetGongTokens(sql, reason, now);
    // Sign-ins that Gong answered before this are over, too.
    sql.exec("UPDATE connection SET settled_at_ms = ?", Date.now());
  });
  log("info", "connection.ended", { connection: core.id, reason });
  await core.tellEnds();
  return true;
}

/** Early refresh and clean-up; see ConnectionObject.alarm. */
export async function runAlarm(core: ConnectionCore, sweepPaidCalls: () => void): Promise<void> {
  if (!(await core.ready())) return;
  if (core.wantsEarlyRefresh(nowSeconds())) await core.gong.refreshIfDue();
  const { forgotten, swept } = core.transaction((sql, now) => {
    const before = upkeep.countGrants(sql);
    upkeep.sweepGrants(sql, now);
    keys.sweepAgentKeys(sql, now);
    const swept = upkeep.countGrants(sql) !== before;
    return { swept, forgotten: forgetUnused(sql, core.row(), now) };
  });
  if (forgotten) await core.tellEnds();
  else if (swept) core.reportState();
  core.tellSoon();
  sweepPaidCalls();
  await sweepContents(core);
  await core.schedule();
}
