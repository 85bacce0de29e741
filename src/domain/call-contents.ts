// What is kept of calls for admins to read: for how long, and the act of reading one. Called by the routes of
// /admin/spend, /account and /authorize.

import { log } from "../log.ts";
import type { OpenedContent } from "../storage/content-life.ts";
import { retrying } from "../storage/stubs.ts";
import type { Actor, Gateway } from "./gateway.ts";

/** The ids that the gateway gives to calls. */
const CALL_ID = /^[\w-]{1,64}$/;

/** A change of the policy is told to people after this long at most. */
const DAYS_KNOWN_SECONDS = 5;

/** As this isolate last read it, by the objects of the deployment: strangers can ask as often as they like. */
const known = new WeakMap<
  Gateway["objects"],
  { readonly days: number | undefined; readonly goodUntil: number }
>();

/** For how many days admins can read what agents ask; undefined while nothing is kept. May be five seconds old. */
export async function keptQuestionsDays(gateway: Gateway): Promise<number | undefined> {
  const { objects } = gateway;
  const recent = known.get(objects);
  if (recent !== undefined && recent.goodUntil > gateway.now()) return recent.days;
  const { policy } = await retrying(async () => objects.admin().policy());
  const days = policy.content?.keepDays;
  known.set(objects, { days, goodUntil: gateway.now() + DAYS_KNOWN_SECONDS });
  return days;
}

/** Has the next page of this isolate ask again: an admin has just changed the policy. */
export function forgetQuestionsDays(gateway: Gateway): void {
  known.delete(gateway.objects);
}

/**
 * Reads the kept arguments of a call as `by`, with an audit row of who read which call of which connection. Undefined
 * for a connection that is not in the index and for what is no call's id.
 */
export async function readCall(
  gateway: Gateway,
  connectionId: string,
  callId: string,
  by: Actor,
): Promise<OpenedContent | undefined> {
  const admin = gateway.objects.admin();
  if (!CALL_ID.test(callId) || !(await admin.hasConnection(connectionId))) return undefined;
  // Written first: nobody reads without a trace.
  await admin.recordAct(by, "call.read", `${connectionId} ${callId}`);
  log("info", "admin.acted", { action: "call.read", connection: connectionId }, gateway);
  const { policy } = await admin.policy();
  if (policy.content === undefined) return { kind: "gone" };
  return gateway.objects.connection(connectionId).openContent(callId, policy.content);
}
