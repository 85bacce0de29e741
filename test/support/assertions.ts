// A client that signs: key pairs, its published keys, and assertions, good ones and ones with exactly one thing wrong.
// RFC 7523 §2.2 and §3.

import { base64url, CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from "jose";
import { aDocument, clientSites, newDocumentUrl } from "./client-site.ts";
import { ask, ORIGIN } from "./flow.ts";
import { expectOAuthError } from "./refusals.ts";

export type Algorithm = "RS256" | "PS256" | "ES256" | "EdDSA";

export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export interface Signer {
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  readonly alg: Algorithm;
}

/** A fresh key pair with this key id. RSA keys have 2048 bits unless said otherwise. */
export async function newSigner(
  alg: Algorithm,
  kid = "key-1",
  options: { readonly modulusLength?: number } = {},
): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
  return { publicJwk: { ...(await exportJWK(publicKey)), kid }, privateKey, alg };
}

/** What an assertion is made of. `undefined` as a member leaves it out. */
export interface AssertionParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Epoch seconds by the clock that the Worker sees. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** The claims of a good assertion of `clientId`, with changes. */
export function goodClaims(
  clientId: string,
  changes: AssertionParts["claims"] = {},
): Record<string, unknown> {
  const now = nowSeconds();
  return {
    iss: clientId,
    sub: clientId,
    aud: ORIGIN,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
    ...changes,
  };
}

/** An assertion of `clientId`, good but for what `parts` change. */
export function assertionOf(signer: Signer, clientId: string, parts: AssertionParts = {}): Promise<string> {
  const header = { alg: signer.alg, kid: signer.publicJwk.kid, ...parts.header };
  return signText(signer, JSON.stringify(goodClaims(clientId, parts.claims)), header);
}

/** Any text, signed. */
export function signText(
  signer: Signer,
  payload: string,
  header: Readonly<Record<string, unknown>> = { alg: signer.alg, kid: signer.publicJwk.kid },
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader(JSON.parse(JSON.stringify(header)) as { alg: string })
    .sign(signer.privateKey, { crit: { "x-critical": true } });
}

/** A JWS whose header jose would not write; the signature is made over it all the same. */
export async function signRaw(
  signer: Signer,
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const input = `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(claims))}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(algorithm, signer.privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** An HMAC over header and claims, with `secret` as its key: what a verifier must never take for a signature. */
export async function signSymmetrically(
  secret: string,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const input = `${base64url.encode('{"alg":"HS256","kid":"key-1"}')}.${base64url.encode(JSON.stringify(claims))}`;
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** Publishes a document of a client that signs; returns its client id. */
export async function serveSigner(changes: Readonly<Record<string, unknown>>): Promise<string> {
  const url = newDocumentUrl();
  await clientSites.serve(url, aDocument(url, { token_endpoint_auth_method: "private_key_jwt", ...changes }));
  return url;
}

/** Presents an assertion, with a refresh token that is none. An empty value leaves a field out. */
export function present(
  assertion: string,
  changes: Readonly<Record<string, string>> = {},
  path = "/token",
): Promise<Response> {
  const fields = {
    grant_type: "refresh_token",
    refresh_token: "grt_none",
    token: "grt_none",
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
    ...changes,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  return ask(path, { method: "POST", body: new URLSearchParams(given) });
}

/** Expects that only the refresh token was refused: the client was proven. */
export async function expectProven(response: Response): Promise<void> {
  await expectOAuthError(response, "invalid_grant");
}

/** Expects that the client was not proven (RFC 6749 §5.2). */
export async function expectUnproven(response: Response): Promise<void> {
  await expectOAuthError(response, "invalid_client", 401);
}
