// A person's visit to /account as their connection sees it: it begins with Gong's proof, and leaves nothing behind that
// no agent can use.

import type { IntegrationName } from "../config.ts";
import type { GongTokens } from "../gong/oauth.ts";
import { openAccountSession, useAccountSession } from "./account-sessions.ts";
import { noteEvent } from "./connection-audit.ts";
import type { Authorization, ConnectOutcome } from "./connection-rpc.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { connectGong } from "./connection-life.ts";
import { notePerson } from "./connection-state.ts";
import { forgetUnused } from "./connection-use.ts";
import { endSessions } from "./outbox.ts";

/** See ConnectionObject.signInToAccount. */
export async function signInToAccount(
  core: ConnectionCore,
  name: IntegrationName,
  tokens: GongTokens,
  authorization: Authorization,
  sessionHash: string,
  person: string | undefined,
): Promise<ConnectOutcome> {
  return connectGong(core, name, tokens, authorization, (sql, now) => {
    notePerson(sql, person);
    openAccountSession(sql, sessionHash, now);
    noteEvent(sql, now, { action: "account.signed_in" });
    return true;
  });
}

/** See ConnectionObject.openAccountSession. */
export async function openSession(core: ConnectionCore, sessionHash: string): Promise<boolean> {
  if (!(await core.ready()) || core.row() === undefined) return false;
  core.transaction((sql, now) => {
    openAccountSession(sql, sessionHash, now);
    noteEvent(sql, now, { action: "account.signed_in" });
  });
  await core.schedule();
  return true;
}

/** See ConnectionObject.useAccountSession. */
export async function useSession(core: ConnectionCore, sessionHash: string): Promise<boolean> {
  if (!(await core.ready())) return false;
  return core.transaction((sql, now) => useAccountSession(sql, sessionHash, now));
}

/** See ConnectionObject.signOutOfAccount and signOutEverywhere: without `sessionHash`, every account session ends. */
export async function signOut(core: ConnectionCore, sessionHash: string | undefined): Promise<void> {
  if (!(await core.ready())) return;
  const ended = core.transaction((sql, now) => {
    const ended = endSessions(sql, "account_sessions", sessionHash, now);
    if (sessionHash !== undefined && !ended) return false;
    const action = sessionHash === undefined ? "account.signed_out_everywhere" : "account.signed_out";
    noteEvent(sql, now, { action });
    forgetUnused(sql, core.row(), now);
    return true;
  });
  if (ended) await core.tellEnds();
  await core.schedule();
}
