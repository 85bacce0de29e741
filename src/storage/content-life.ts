// How the arguments of a paid call are kept for an admin to read, where policy says so: sealed before the call is let
// in, opened by an admin's act, forgotten by alarm. Called by paid-arrival.ts, connection-life.ts and the
// ConnectionObject.

import { nowSeconds } from "../clock.ts";
import { Unsealable } from "../crypto/seal.ts";
import { errorFields, log } from "../log.ts";
import type { ContentSettings } from "../mcp/policy.ts";
import { findContent, forgetUnkept, sweepOver, type SealedContent } from "./call-contents.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { retrying } from "./stubs.ts";

/** Characters of a call's arguments that are kept; what is longer is cut off, and ends in "…". */
const LONGEST_KEPT = 65_536;

export type OpenedContent =
  | { readonly kind: "opened"; readonly keptAt: number; readonly arguments: string }
  /** It was never kept, or may no longer be read. */
  | { readonly kind: "gone" }
  /** Its key is missing from the ring. */
  | { readonly kind: "unreadable" };

/** Seals what policy keeps of a call; undefined while it keeps nothing. */
export async function sealContent(
  core: ConnectionCore,
  callId: string,
  given: unknown,
  kept: ContentSettings | undefined,
): Promise<SealedContent | undefined> {
  if (kept === undefined) return undefined;
  const json = given === undefined ? "" : JSON.stringify(given, undefined, 2);
  const text = json.length > LONGEST_KEPT ? `${json.slice(0, LONGEST_KEPT).toWellFormed()}…` : json;
  return { ...kept, sealed: await core.results.sealArguments(callId, text) };
}

/** See ConnectionObject.openContent. */
export async function openContent(
  core: ConnectionCore,
  callId: string,
  kept: ContentSettings,
): Promise<OpenedContent> {
  if (!(await core.ready())) return { kind: "gone" };
  const row = findContent(core.sql, callId, kept, nowSeconds());
  if (row === undefined) return { kind: "gone" };
  try {
    const text = await core.results.openArguments(callId, row.arguments_sealed);
    return { kind: "opened", keptAt: row.kept_at, arguments: text };
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    log("error", "record.unreadable", { connection: core.id, missingKid: error.missingKid });
    return { kind: "unreadable" };
  }
}

/** Deletes what is over, and what the policy in force no longer keeps. Asks policy only while something is kept. */
export async function sweepContents(core: ConnectionCore): Promise<void> {
  if (!core.transaction(sweepOver)) return;
  try {
    const { version, policy } = await retrying(async () => core.objects.admin().policy());
    core.transaction((sql, now) => forgetUnkept(sql, { version, content: policy.content }, now));
  } catch (error) {
    // It is asked again tomorrow; what is over by its own time is gone already.
    log("warn", "content.not_swept", { connection: core.id, ...errorFields(error) });
  }
}
