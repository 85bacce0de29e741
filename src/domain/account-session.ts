// Account sessions: a person's sign-in to /account, opened by proving at Gong that a connection is theirs. The cookie
// is a credential that names the connection, so a made-up one is refused before any object is woken, and a good one
// can't show anybody else's. OWASP ASVS 5.0 7.2, 7.4.

import { mintCredential, randomId, readCredential, type MintedCredential } from "../crypto/credential.ts";
import { LONGEST_ACCOUNT_SECONDS } from "../storage/account-sessions.ts";
import type { Gateway } from "./gateway.ts";

/** The account session. Strict: it is never sent along from another site. */
export const ACCOUNT_COOKIE = "__Host-account";

/** The longest life of an account session, in seconds. */
export const ACCOUNT_SECONDS = LONGEST_ACCOUNT_SECONDS;

export interface AccountSession {
  readonly connectionId: string;
  readonly hash: string;
}

/** Mints the session that opens the account of `connectionId` once the connection has recorded it. */
export function mintAccountSession(gateway: Gateway, connectionId: string): Promise<MintedCredential> {
  return mintCredential(gateway.keyring, "account", {
    connectionId,
    grantId: randomId(),
    generation: 0,
    expiresAt: gateway.now() + ACCOUNT_SECONDS,
    resource: accountUrl(gateway),
  });
}

/** Which connection `cookie` is a session of. Says nothing about whether it lives; undefined for anything made up. */
export async function readAccountSession(
  gateway: Gateway,
  cookie: string | undefined,
): Promise<AccountSession | undefined> {
  if (cookie === undefined) return undefined;
  const { keyring, now } = gateway;
  const claims = await readCredential(keyring, "account", cookie, [accountUrl(gateway)], now());
  return claims === undefined ? undefined : { connectionId: claims.connectionId, hash: claims.hash };
}

/** The live account session of `cookie`. Asking keeps it from idling out. */
export async function liveAccountSession(
  gateway: Gateway,
  cookie: string | undefined,
): Promise<AccountSession | undefined> {
  const session = await readAccountSession(gateway, cookie);
  if (session === undefined) return undefined;
  const lives = await gateway.objects.connection(session.connectionId).useAccountSession(session.hash);
  return lives ? session : undefined;
}

/** Ends the session on the server, so that a copied cookie ends with it. */
export async function signOutOfAccount(gateway: Gateway, cookie: string | undefined): Promise<void> {
  const session = await readAccountSession(gateway, cookie);
  if (session === undefined) return;
  await gateway.objects.connection(session.connectionId).signOutOfAccount(session.hash);
}

/** The page of the account itself. */
export const accountUrl = (gateway: Gateway): string => `${gateway.config.publicUrl}/account`;
