// Admin sign-in with ADMIN_TOKEN: attempts are counted per address before the token is compared, sessions are random,
// hashed, and end by themselves. Form tokens are derived from the session, so a form of one session is no use to
// another.

import { constantTimeEqual, encodeBase64Url, randomBytes, sha256 } from "../crypto/encoding.ts";
import { log } from "../log.ts";
import type { Gateway } from "./gateway.ts";

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
    log("warn", "admin.refused", { reason: "wrong_token" });
    return { kind: "refused", retryAfterSeconds: 0 };
  }
  const session = encodeBase64Url(randomBytes(32));
  await objects.admin().openSession(await sessionHash(gateway, session), addressHash);
  log("info", "admin.signed_in");
  return { kind: "signed_in", session };
}

/** What a session is stored as. ADMIN_TOKEN is part of it: a new one ends every session, restored ones included. */
function sessionHash(gateway: Gateway, session: string): Promise<string> {
  return sha256(`session ${session} ${gateway.config.adminToken ?? ""}`);
}

/** Whether `session` is a live admin session. Asking keeps it from idling out. */
export async function isAdminSession(gateway: Gateway, session: string | undefined): Promise<boolean> {
  if (session === undefined || !/^[A-Za-z0-9_-]{43}$/.test(session)) return false;
  return gateway.objects.admin().useSession(await sessionHash(gateway, session));
}

/** Ends the session on the server, so that a copied cookie ends with it. */
export async function signOutAdmin(gateway: Gateway, session: string | undefined): Promise<void> {
  if (session === undefined) return;
  await gateway.objects.admin().endSession(await sessionHash(gateway, session));
}

/** The token that every admin form of this session carries. */
export function formToken(session: string): Promise<string> {
  return sha256(`form ${session}`);
}

/** Whether `presented` is the form token of this session; compared in constant time. */
export async function isFormToken(session: string, presented: string | undefined): Promise<boolean> {
  return presented !== undefined && constantTimeEqual(await formToken(session), presented);
}
