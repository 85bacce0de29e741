// Accounts of people whom Cloudflare Access names: a person's connections are those
// that were recorded with their e-mail address when they signed in at Gong, so Gong
// need not be asked again. Nobody opens a connection that is not recorded so.

import { log } from "../log.ts";
import { mintAccountSession, signOutOfAccount, type AccountSession } from "./account-session.ts";
import type { Gateway } from "./gateway.ts";
import { connectionsOfPerson } from "./people.ts";

/** More connections than one person has; those that are older are reached by signing in at Gong. */
const MOST_LISTED = 20;

export interface PersonsConnection {
  readonly id: string;
  readonly state: string;
  /** Epoch seconds. */
  readonly since: number;
  /** As the clients call themselves. */
  readonly agentNames: readonly (string | undefined)[];
}

/** The connections of the person whom Access names, the newest first. */
export async function listConnectionsOf(
  gateway: Gateway,
  email: string,
): Promise<readonly PersonsConnection[]> {
  const ids = (await connectionsOfPerson(gateway, email)).slice(0, MOST_LISTED);
  const described = await Promise.all(
    ids.map(async (id) => {
      const description = await gateway.objects.connection(id).describe();
      if (description === undefined) return [];
      const { state, since, grants } = description;
      return [{ id, state, since, agentNames: grants.map(({ clientName }) => clientName) }];
    }),
  );
  return described.flat();
}

/**
 * Opens an account session on a connection of the person whom Access names; returns the cookie. Undefined for a
 * connection that is not recorded as theirs. The browser's session so far, `before`, ends (ASVS 7.2.4).
 */
export async function openAccountByAccess(
  gateway: Gateway,
  email: string,
  connectionId: string,
  before: string | undefined,
): Promise<string | undefined> {
  if (!(await connectionsOfPerson(gateway, email)).includes(connectionId)) return undefined;
  const session = await mintAccountSession(gateway, connectionId);
  if (!(await gateway.objects.connection(connectionId).openAccountSession(session.hash))) return undefined;
  await signOutOfAccount(gateway, before);
  log("info", "account.signed_in", { connection: connectionId, by: "access" }, gateway);
  return session.value;
}

/** Whether a session may be used by whom Access names now: another person at the same browser may not go on with it. */
export async function isSessionOf(
  gateway: Gateway,
  session: AccountSession,
  email: string,
): Promise<boolean> {
  return (await connectionsOfPerson(gateway, email)).includes(session.connectionId);
}
