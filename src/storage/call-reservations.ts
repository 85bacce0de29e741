// Tool calls before and after they are made, in the AdminObject: decided by policy,
// counted against budgets while they run, and settled as spent or released.
// Decision and count are one transaction, so that no two calls get the last place.

import type { IntegrationConfig } from "../config.ts";
import { failpoint } from "../failpoints.ts";
import { allowedTool, type ToolVerdict } from "../mcp/allowed-tool.ts";
import { argumentsProblem } from "../mcp/cost-guards.ts";
import { toolSettingsOf, type Policy } from "../mcp/policy.ts";
import { periodName } from "../mcp/time-zone.ts";
import type { CallPermit, CallRefusal, CallRequest, CallUse } from "./admin-rpc.ts";
import { countBudgets, countersOf, fullBudget, releaseBudgets, type Counter } from "./budget-counters.ts";
import { currentPolicy } from "./policy-store.ts";
import { toolStates } from "./seen-tools.ts";
import { addUsage } from "./usage-counters.ts";

/** A call that nobody settled for this long is taken for spent. */
const UNSETTLED_SECONDS = 10 * 60;
/** After this long the truth about such a call no longer changes the count. */
const FORGOTTEN_SECONDS = 86_400;

type Reservation = {
  readonly id: string;
  readonly reserved_at: number;
  readonly assumed: number;
  readonly tool: string;
  readonly connection_id: string;
  readonly client_id: string | null;
  readonly key_id: string | null;
  readonly weight: number;
  readonly day: string;
  readonly month: string;
};

/**
 * Decides whether a call may be made and, if it pays, takes its place in every budget it counts against. Asked again
 * with the same id, it gives the same place. A call of a tool that costs nothing leaves no trace.
 */
export function reserveCall(
  sql: SqlStorage,
  request: CallRequest,
  access: IntegrationConfig["access"],
  now: number,
): CallPermit {
  assumeSpent(sql, now);
  if (FAILPOINTS) void failpoint("paid.reserving", sql);
  const { version, policy } = currentPolicy(sql);
  const settings = toolSettingsOf(policy, request.tool);
  const permit = {
    ok: true,
    policyVersion: version,
    pays: settings.pays,
    reuseSeconds: settings.reuseSeconds,
    shareResults: access === "shared" && policy.shareResults,
    ...(policy.content === undefined ? {} : { content: policy.content }),
  } as const;
  if (findReservation(sql, request.reservationId) !== undefined) return permit;
  const counted = settings.pays && request.pays;
  const weight = counted ? settings.weight : 0;
  const counters = counted ? countersOf(sql, policy, request, now) : [];
  const refused = refusal(sql, policy, request, access, counters, weight, now);
  if (refused !== undefined) {
    addUsage(sql, policy, { ...request, served: "refused", milliseconds: 0 }, 1, now);
    return refused;
  }
  if (!settings.pays) return permit;
  const warning = countBudgets(sql, counters, weight, policy, now);
  insertReservation(sql, request, weight, policy, now);
  return warning === undefined ? permit : { ...permit, warning };
}

function refusal(
  sql: SqlStorage,
  policy: Policy,
  request: CallRequest,
  access: IntegrationConfig["access"],
  counters: readonly Counter[],
  weight: number,
  now: number,
): Extract<CallPermit, { ok: false }> | undefined {
  const rules = { policy, states: toolStates(sql, request.integration) };
  const verdict = allowedTool(rules, { ...request, access }, request.tool);
  if (verdict !== "allowed") return TOOL_REFUSALS[verdict];
  if (toolSettingsOf(policy, request.tool).pays) {
    const problem = argumentsProblem(policy.guards, request.arguments, now);
    if (problem !== undefined) return refuse("arguments", problem);
  }
  const full = fullBudget(counters, weight, policy, now);
  return full === undefined ? undefined : refuse("budget", full);
}

const refuse = (reason: CallRefusal, message: string): Extract<CallPermit, { ok: false }> => ({
  ok: false,
  reason,
  message,
});

const TOOL_REFUSALS: Readonly<Record<Exclude<ToolVerdict, "allowed">, Extract<CallPermit, { ok: false }>>> = {
  not_allowed: refuse(
    "tool_not_allowed",
    "The company's policy does not allow this tool here. List the tools to see which ones are allowed.",
  ),
  held_back: refuse(
    "tool_held_back",
    "This tool is new or has changed at Gong. An admin must approve it on the gateway's /admin/tools page first.",
  ),
};

/**
 * Settles a call once: `released` gives its place back, `spent` keeps it; either
 * way the use is counted for the day. A call that was already taken for spent is
 * set right. Settling again, or an id that was never reserved, changes nothing.
 */
export function settleCall(
  sql: SqlStorage,
  reservationId: string,
  outcome: "spent" | "released",
  use: CallUse,
): void {
  const reservation = findReservation(sql, reservationId);
  if (reservation === undefined) return;
  const { policy } = currentPolicy(sql);
  if (FAILPOINTS) void failpoint("paid.settling", sql);
  if (outcome === "released") releaseBudgets(sql, reservation);
  if (reservation.assumed === 1) addUsage(sql, policy, assumedUse(reservation), -1, reservation.reserved_at);
  addUsage(sql, policy, use, 1, reservation.reserved_at);
  sql.exec("DELETE FROM reservations WHERE id = ?", reservationId);
}

/**
 * Takes calls that nobody settled in ten minutes for spent: Gong may
 * have charged them. Those that are a day old are forgotten.
 */
export function assumeSpent(sql: SqlStorage, now: number): void {
  const overdue = sql
    .exec<Reservation>(
      "SELECT * FROM reservations WHERE assumed = 0 AND reserved_at <= ?",
      now - UNSETTLED_SECONDS,
    )
    .toArray();
  if (overdue.length > 0) {
    const { policy } = currentPolicy(sql);
    for (const reservation of overdue) assumeOneSpent(sql, policy, reservation);
  }
  sql.exec("DELETE FROM reservations WHERE assumed = 1 AND reserved_at <= ?", now - FORGOTTEN_SECONDS);
}

function assumeOneSpent(sql: SqlStorage, policy: Policy, reservation: Reservation): void {
  // Without a place in a budget nothing was sent to Gong for it.
  if (reservation.weight === 0) {
    sql.exec("DELETE FROM reservations WHERE id = ?", reservation.id);
    return;
  }
  addUsage(sql, policy, assumedUse(reservation), 1, reservation.reserved_at);
  sql.exec("UPDATE reservations SET assumed = 1 WHERE id = ?", reservation.id);
}

const assumedUse = (reservation: Reservation): CallUse => ({
  tool: reservation.tool,
  connectionId: reservation.connection_id,
  clientId: reservation.client_id ?? undefined,
  keyId: reservation.key_id ?? undefined,
  served: "paid",
  milliseconds: 0,
});

/** When the next unsettled call is to be taken for spent, or forgotten; undefined when there is none. */
export function nextSettlementAt(sql: SqlStorage): number | undefined {
  const { due } = sql
    .exec<{ due: number | null }>(
      "SELECT MIN(reserved_at + CASE assumed WHEN 0 THEN ?1 ELSE ?2 END) AS due FROM reservations",
      UNSETTLED_SECONDS,
      FORGOTTEN_SECONDS,
    )
    .one();
  return due ?? undefined;
}

function findReservation(sql: SqlStorage, id: string): Reservation | undefined {
  return sql.exec<Reservation>("SELECT * FROM reservations WHERE id = ?", id).toArray()[0];
}

function insertReservation(
  sql: SqlStorage,
  request: CallRequest,
  weight: number,
  policy: Policy,
  now: number,
): void {
  sql.exec(
    `INSERT INTO reservations
       (id, reserved_at, assumed, tool, connection_id, client_id, key_id, weight, day, month)
     VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?)`,
    request.reservationId,
    now,
    request.tool,
    request.connectionId,
    request.clientId ?? null,
    request.keyId ?? null,
    weight,
    periodName("day", now, policy.timeZone),
    periodName("month", now, policy.timeZone),
  );
}
