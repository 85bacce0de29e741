// A ConnectionObject whose tokens the stand-in Gong really issued, so that it can refresh them. Called by the
// integration tests of the refresh.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { onTestFinished } from "vitest";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { parseConfig } from "../../src/config.ts";
import { createGongSeals, type GongSeals } from "../../src/storage/gong-seals.ts";
import type { LedgerEntry } from "../gong/ledger.ts";
import { redemptionsOf, tokenRequests } from "../gong/ledger-questions.ts";
import { newAuthorization, newGrant, redeemAt, type Connection, connectionAt } from "./connection.ts";
import { PKCE } from "./flow.ts";
import { gong } from "./gong.ts";

const CALLBACK = "https://gateway.test/callback";
const BASIC = `Basic ${btoa("gong-client-personal:per%3Asonal%2Bsecret%25%2F1")}`;

interface GongAnswer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

/** What Gong's token endpoint answers to this form; the integration proves itself as the gateway does. */
export function askGongToken(form: Record<string, string>): Promise<Response> {
  return fetch("https://app.gong.test/oauth2/generate-mcp-token", {
    method: "POST",
    headers: { authorization: BASIC },
    body: new URLSearchParams(form),
  });
}

/** Ada's authorization at Gong, without a gateway in between. */
export async function authorizeAtGong(): Promise<GongAnswer> {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: "gong-client-personal",
    redirect_uri: CALLBACK,
    state: "state",
    code_challenge: PKCE.challenge,
    code_challenge_method: "S256",
  });
  const approved = await fetch(`https://app.gong.test/oauth2/authorize?${query}`, { redirect: "manual" });
  const code = new URL(approved.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const answer = await askGongToken({
    grant_type: "authorization_code",
    code,
    redirect_uri: CALLBACK,
    code_verifier: PKCE.verifier,
  });
  if (answer.status !== 200) throw new Error(`Gong answered ${answer.status}`);
  return answer.json();
}

/**
 * A connection with tokens of Gong's, one more grant, and our access token called `name`. Its alarm ends with the test:
 * a refresh that failed is tried again a second later, when it would take the fault of another test.
 */
export async function connectToGong(
  connection: Connection = connectionAt(),
  name = "1",
): Promise<{
  readonly connection: Connection;
  readonly grantId: string;
  /** Gong's refresh token, which nobody has presented yet. */
  readonly refreshToken: string;
}> {
  const answer = await authorizeAtGong();
  const opened = await newGrant();
  await connection.connectGong(
    "main",
    {
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresInSeconds: answer.expires_in,
      scope: undefined,
      userId: undefined,
    },
    newAuthorization(),
    opened,
  );
  await redeemAt(connection, opened.grant.id, name);
  onTestFinished(() => runInDurableObject(connection, (_, { storage }) => storage.deleteAlarm()));
  return { connection, grantId: opened.grant.id, refreshToken: answer.refresh_token };
}

/** The seals of the connection, for tests that play an interrupted or an older version of it. */
export function sealsOf(connection: Connection): GongSeals {
  const config = parseConfig(env);
  return createGongSeals(createKeyring(config.sealingKeys), config.publicUrl, connection.name ?? "");
}

/** How Gong saw `refreshToken` presented: the result of each time, oldest first. */
export async function presented(refreshToken: string): Promise<readonly string[]> {
  return redemptionsOf(await gong.ledger(), refreshToken).map(({ result }) => result);
}

/** How often Gong was asked to refresh anything. */
export async function refreshRequests(): Promise<number> {
  const entries: readonly LedgerEntry[] = await gong.ledger();
  return tokenRequests(entries, "refresh_token");
}
