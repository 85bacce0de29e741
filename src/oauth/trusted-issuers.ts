// Issuers whose identity assertions are believed, from the TRUSTED_ISSUERS setting. Called by config.ts only; problems
// name the entry by its position and never quote it. Identity Assertion JWT Authorization Grant draft §4, RFC 7517 §5.

import { isJsonObject, parseStrictArray, type JsonObject } from "../json.ts";
import { documentUrlHost } from "./client-id-url.ts";
import { parseClientKeys, type ClientKeys } from "./client-keys.ts";

/** How an issuer's assertion leads to a person's connection. */
export type PersonClaim =
  /** The claim holds the Gong user id, after which the connection is named. */
  | { readonly kind: "gong_user"; readonly claim: string }
  /** The claim holds an e-mail address that Cloudflare Access saw when the person signed in at Gong. */
  | { readonly kind: "email"; readonly claim: string; readonly domains: ReadonlySet<string> };

export interface TrustedIssuer {
  /** `iss`, compared character for character. */
  readonly issuer: string;
  readonly keys: ClientKeys;
  /** The clients it may vouch to, by their client ids here. */
  readonly clientIds: ReadonlySet<string>;
  readonly person: PersonClaim;
}

export interface TrustedIssuers {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly problems: readonly string[];
}

const DOMAIN = /^(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*$/;

/**
 * Reads a JSON array of `{ issuer, jwks | jwks_uri, client_ids, gong_user_claim | email_claim, email_domains? }`.
 * E-mail addresses are believed for the named domains only: an issuer must not name people of another company.
 */
export function parseTrustedIssuers(text: string, publicUrl: string): TrustedIssuers {
  const issuers = new Map<string, TrustedIssuer>();
  const problems: string[] = [];
  const entries = parseStrictArray(text);
  if (entries === undefined) return { issuers, problems: ["must be a JSON array of issuers"] };
  for (const [position, entry] of entries.entries()) {
    const issuer = isJsonObject(entry) ? parseEntry(entry, publicUrl) : "is not an object";
    if (typeof issuer === "string") problems.push(`entry ${position + 1} ${issuer}`);
    else if (issuers.has(issuer.issuer)) problems.push(`entry ${position + 1} repeats an issuer`);
    else issuers.set(issuer.issuer, issuer);
  }
  return { issuers, problems };
}

function parseEntry(entry: JsonObject, publicUrl: string): TrustedIssuer | string {
  const { issuer, client_ids: clientIds } = entry;
  if (typeof issuer !== "string" || !URL.canParse(issuer) || !issuer.startsWith("https://")) {
    return "needs an issuer that is an https URL";
  }
  const keys = parseKeys(entry, publicUrl);
  if (keys === undefined) return "needs jwks with 1 to 20 public keys, or jwks_uri with an https URL";
  if (!isTextList(clientIds)) return "needs client_ids, a list of the clients it may vouch to";
  const person = parsePerson(entry);
  if (typeof person === "string") return person;
  return { issuer, keys, clientIds: new Set(clientIds), person };
}

function parseKeys({ jwks, jwks_uri: uri }: JsonObject, publicUrl: string): ClientKeys | undefined {
  if (uri !== undefined) {
    const isUsable = jwks === undefined && typeof uri === "string";
    return isUsable && documentUrlHost(uri, publicUrl) !== undefined ? { kind: "uri", uri } : undefined;
  }
  const keys = parseClientKeys(jwks);
  return keys === undefined ? undefined : { kind: "inline", keys };
}

function parsePerson(entry: JsonObject): PersonClaim | string {
  const { gong_user_claim: gongUser, email_claim: email, email_domains: domains } = entry;
  if (isClaimName(gongUser) && email === undefined && domains === undefined) {
    return { kind: "gong_user", claim: gongUser };
  }
  if (!isClaimName(email) || gongUser !== undefined) return "needs either gong_user_claim or email_claim";
  if (!isTextList(domains) || !domains.every((domain) => DOMAIN.test(domain))) {
    return "needs email_domains, the domains in lower case whose people it may name";
  }
  return { kind: "email", claim: email, domains: new Set(domains) };
}

function isClaimName(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,128}$/.test(value);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((text: unknown) => typeof text === "string");
}
