// Admin sign-in: with ADMIN_TOKEN, whose attempts are counted per address before it is compared, or through Cloudflare
// Access as somebody in ADMIN_EMAILS. Sessions are random, tagged, hashed, and end by themselves. Form tokens are
// derived from the session, so a form of one session is no use to another.

import { mintCredential, randomId, readCredential } from "../crypto/credential.ts";
import { constantTimeEqual, sha256 } from "../crypto/encoding.ts";
import { log } from "../log.ts";
import { readAccessIdentity, type AccessReading, type HeadersOfRequest } from "./access-identity.ts";
import type { SessionEntry } from "../storage/admin-sessions.ts";
import { actorIn, type Actor, type Gateway } from "./gateway.ts";

/** Whoever signed in with ADMIN_TOKEN, in the audit: the token says no name. An e-mail address is never this. */
const TOKEN_ACTOR = "admin";

export type SignIn =
  | { readonly kind: "signed_in"; readonly session: string }
  | { readonly kind: "refused"; readonly retryAfterSeconds: number };

/** Opens an admin session for whoever knows ADMIN_TOKEN. `address` only slows down guessing, address by address. */
export async function signInAdmin(gateway: Gateway, token: string, address: string): Promise<SignIn> {
  const { config, objects } = gateway;
  const addressHash = await sha256(`address ${address}`);
  const wait = await objects.admin().admitSignIn(addressHash);
  if (wait > 0) return { kind: "refused", retryAfterSeconds: wait };
  const expected = config.adminToken;
  if (expected === undefined || !constantTimeEqual(await sha256(token), await sha256(expected))) {
    log("warn", "admin.refused", { reason: "wrong_token" }, gateway);
    await objects.admin().recordAct(actorIn(gateway, "stranger", "stranger"), "session.refused");
    return { kind: "refused", retryAfterSeconds: 0 };
  }
  return { kind: "signed_in", session: await openSession(gateway, addressHash, TOKEN_ACTOR) };
}

/** What Cloudflare Access makes of a request to /admin: an admin, somebody who is none, or why it names nobody. */
export type AdminByAccess =
  | Exclude<AccessReading, { readonly kind: "person" }>
  | { readonly kind: "admin" | "not_admin"; readonly email: string };

/** Whether Cloudflare Access names an admin. Passing Access is not enough: ADMIN_EMAILS says who may. */
export async function adminByAccess(gateway: Gateway, request: HeadersOfRequest): Promise<AdminByAccess> {
  const reading = await readAccessIdentity(gateway, request);
  if (reading.kind !== "person") return reading;
  const { email } = reading;
  return { kind: gateway.config.access?.adminEmails.has(email) === true ? "admin" : "not_admin", email };
}

/** Opens an admin session for an admin whom Cloudflare Access names. Undefined for everybody else. */
export async function signInAdminByAccess(
  gateway: Gateway,
  request: HeadersOfRequest,
): Promise<string | undefined> {
  const found = await adminByAccess(gateway, request);
  if (found.kind === "admin") return openSession(gateway, undefined, found.email);
  log("warn", "admin.refused", { reason: `access_${found.kind}` }, gateway);
  return undefined;
}

/** Whether an admin can sign in at all with these settings. */
export function hasAdminSignIn({ config }: Gateway): boolean {
  return config.adminToken !== undefined || (config.access?.adminEmails.size ?? 0) > 0;
}

/** At most; the AdminObject ends it sooner when it is idle. */
export const ADMIN_SESSION_SECONDS = 8 * 3600;

/** With a tag, so that a made-up cookie asks the one AdminObject nothing. */
async function mintSession({ keyring, now, config }: Gateway): Promise<string> {
  const session = await mintCredential(keyring, "admin", {
    connectionId: randomId(),
    grantId: randomId(),
    generation: 0,
    expiresAt: now() + ADMIN_SESSION_SECONDS,
    resource: config.publicUrl,
  });
  return session.value;
}

async function isTagged({ keyring, now, config }: Gateway, session: string): Promise<boolean> {
  return (await readCredential(keyring, "admin", session, [config.publicUrl], now())) !== undefined;
}

async function openSession(
  gateway: Gateway,
  addressHash: string | undefined,
  actor: string,
): Promise<string> {
  const session = await mintSession(gateway);
  await gateway.objects
    .admin()
    .openSession(await sessionHash(gateway, session), addressHash, actorIn(gateway, actor));
  log("info", "admin.signed_in", { by: actor === TOKEN_ACTOR ? "token" : "access" }, gateway);
  return session;
}

/** What a session is stored as. ADMIN_TOKEN is part of it: a new one ends every session, restored ones included. */
function sessionHash(gateway: Gateway, session: string): Promise<string> {
  return sha256(`session ${session} ${gateway.config.adminToken ?? ""}`);
}

/**
 * The admin whose live session this is, as the audit names them; undefined for everybody else. Asking keeps the session
 * from idling out. A session that was opened through Cloudflare Access serves only requests that Access lets through
 * for the same person, and only while that person is in ADMIN_EMAILS.
 */
export async function findAdmin(
  gateway: Gateway,
  session: string | undefined,
  request: HeadersOfRequest,
): Promise<string | undefined> {
  if (session === undefined || !(await isTagged(gateway, session))) return undefined;
  const actor = await gateway.objects.admin().useSession(await sessionHash(gateway, session));
  if (actor === undefined) return undefined;
  if (actor === TOKEN_ACTOR) return gateway.config.adminToken === undefined ? undefined : actor;
  const found = await adminByAccess(gateway, request);
  return found.kind === "admin" && found.email === actor ? actor : undefined;
}

/** Ends the session on the server, so that a copied cookie ends with it. */
export async function signOutAdmin(gateway: Gateway, session: string | undefined): Promise<void> {
  if (session === undefined || !(await isTagged(gateway, session))) return;
  await gateway.objects.admin().endSession(await sessionHash(gateway, session));
}

/** The admin sessions that live, the last used first. */
export function listAdminSessions({ objects }: Gateway): Promise<readonly SessionEntry[]> {
  return objects.admin().listSessions();
}

/** Ends every admin session, also that of `by`. */
export async function endAllAdminSessions(gateway: Gateway, by: Actor): Promise<void> {
  await gateway.objects.admin().endAllSessions(by);
  log("info", "admin.acted", { action: "sessions.ended" }, gateway);
}

/** The token that every admin form of this session carries. */
export function formToken(session: string): Promise<string> {
  return sha256(`form ${session}`);
}

/** Whether `presented` is the form token of this session; compared in constant time. */
export async function isFormToken(session: string, presented: string | undefined): Promise<boolean> {
  return presented !== undefined && constantTimeEqual(await formToken(session), presented);
}
