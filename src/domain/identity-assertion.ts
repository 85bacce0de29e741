// Enterprise-managed authorization: a company's issuer vouches for a person to a client, and the client gets an access
// token for that person's connection, if there is one. Called by exchange-token.ts once the client is proven. Identity
// Assertion JWT Authorization Grant draft §4, RFC 7523 §2.1 and §3, MCP extension
// io.modelcontextprotocol/enterprise-managed-authorization.

import { lowerCaseEmail } from "../access-settings.ts";
import type { IntegrationConfig } from "../config.ts";
import { verifyAssertion } from "../crypto/client-assertion.ts";
import { sha256 } from "../crypto/encoding.ts";
import { ClientDocumentError, OAuthError } from "../errors.ts";
import { log } from "../log.ts";
import { JWT_BEARER } from "../oauth/client.ts";
import {
  readIdentityAssertion,
  refusedAssertion,
  type IdentityAssertion,
} from "../oauth/identity-assertion.ts";
import { resolveResource } from "../oauth/resource.ts";
import { narrowScope, SCOPES, type Scope } from "../oauth/scope.ts";
import type { AssertionRequest } from "../oauth/token-request.ts";
import type { PersonClaim, TrustedIssuer } from "../oauth/trusted-issuers.ts";
import type { ProvenClient } from "./authenticate-client.ts";
import { issueWithoutCode } from "./codeless-token.ts";
import { namedConnectionId } from "../storage/connection-names.ts";
import { integrationFor, type Gateway } from "./gateway.ts";
import { connectionsOfPerson } from "./people.ts";
import { verifyWithKeys } from "./published-key-sets.ts";
import type { TokenResponse } from "./token-response.ts";

/** In ASCII, as Cloudflare Access writes the addresses of almost everybody; another one finds nobody. */
const EMAIL = /^[\x21-\x7e]{1,64}@[a-z0-9.-]{1,255}$/;

/**
 * Issues an access token for the connection of the person that the assertion names, no refresh token (RFC 7521 §4.1).
 * Refuses a client that proved nothing (`unauthorized_client`), another resource (`invalid_target`), a scope outside
 * the assertion's (`invalid_scope`), and everything else with `invalid_grant`. An assertion is spent when all of it
 * holds and the person's connection is there; whoever presents it then again gets nothing.
 */
export async function grantByAssertion(
  gateway: Gateway,
  client: ProvenClient,
  request: AssertionRequest,
): Promise<TokenResponse> {
  if (client.provenBy === "none") {
    throw new OAuthError("unauthorized_client", "Prove the client by a secret or a signature.", {
      reason: "client_public",
    });
  }
  const { config, now } = gateway;
  const assertion = readIdentityAssertion(request.assertion, { audience: config.publicUrl, now: now() });
  if (assertion.clientId !== client.clientId) throw refusedAssertion("client");
  const issuer = config.trustedIssuers.get(assertion.issuer);
  if (issuer === undefined) throw refusedAssertion("issuer");
  if (!issuer.clientIds.has(client.clientId)) throw refusedAssertion("client_not_listed");
  await assertSigned(gateway, issuer, assertion);
  const integration = personalIntegration(gateway, assertion, request.resources);
  const grantScope = scopeOf(assertion);
  const scope = narrowScope(grantScope, request.scope);
  const connectionId = await connectionOf(gateway, integration, issuer.person, assertion);
  if (connectionId === undefined) throw notSignedIn(config.publicUrl);
  await spend(gateway, assertion);
  return issueWithoutCode(gateway, {
    client,
    grantType: JWT_BEARER,
    integration,
    connectionId,
    grantScope,
    scope,
    unusable: () => notSignedIn(config.publicUrl),
  });
}

async function assertSigned(
  gateway: Gateway,
  { keys }: TrustedIssuer,
  { jwt, algorithm }: IdentityAssertion,
): Promise<void> {
  try {
    const verdict = await verifyWithKeys(gateway, keys, (known) => verifyAssertion(jwt, algorithm, known));
    if (verdict !== "verified") throw refusedAssertion(verdict);
  } catch (error) {
    if (!(error instanceof ClientDocumentError)) throw error;
    log("error", "published_keys.unreadable", { of: "issuer", reason: error.problem }, gateway);
    throw new OAuthError(
      "temporarily_unavailable",
      "The keys of your company's issuer could not be read. Try again in a few seconds.",
      { reason: `issuer_keys_${error.problem}`, retryAfterSeconds: 5 },
    );
  }
}

/** The integration that the assertion is for; the request may say so again, and nothing else. RFC 8707 §2.2. */
function personalIntegration(
  { config }: Gateway,
  { resources }: IdentityAssertion,
  requested: readonly string[],
): IntegrationConfig {
  const resource = resolveResource([...resources, ...requested], config.resources);
  const integration = integrationFor(config, resource);
  if (integration.access === "personal") return integration;
  throw new OAuthError("invalid_target", "An identity assertion opens a person's own access only.", {
    reason: "shared_resource",
  });
}

/** The scopes here that the assertion allows; it may name others, which are for other servers. */
function scopeOf({ scope }: IdentityAssertion): readonly Scope[] {
  if (scope === undefined) return SCOPES;
  const names = scope.split(/\s+/);
  const allowed = SCOPES.filter((known) => names.includes(known));
  if (allowed.length > 0) return allowed;
  throw new OAuthError("invalid_scope", "The identity assertion allows none of this gateway's scopes.", {
    reason: "assertion_scope",
  });
}

/** The connection of the person, when there is one that can be used. */
async function connectionOf(
  gateway: Gateway,
  integration: IntegrationConfig,
  person: PersonClaim,
  { claims }: IdentityAssertion,
): Promise<string | undefined> {
  for (const id of await candidates(gateway, integration, person, claims[person.claim], claims)) {
    const connection = await gateway.objects.connection(id).describe();
    // Never somebody else's or the company's access, whatever an index says.
    if (connection?.access === "personal" && connection.state !== "disconnected") return id;
  }
  return undefined;
}

async function candidates(
  gateway: Gateway,
  integration: IntegrationConfig,
  person: PersonClaim,
  name: unknown,
  claims: IdentityAssertion["claims"],
): Promise<readonly string[]> {
  if (typeof name !== "string" || name === "") throw refusedAssertion("person");
  if (person.kind === "gong_user") {
    const id = await namedConnectionId(gateway, integration, name);
    return id === undefined ? [] : [id];
  }
  const email = lowerCaseEmail(name);
  const domain = email.slice(email.lastIndexOf("@") + 1);
  const isVerified = claims["email_verified"] === undefined || claims["email_verified"] === true;
  if (!EMAIL.test(email) || !person.domains.has(domain) || !isVerified) throw refusedAssertion("person");
  return connectionsOfPerson(gateway, email);
}

/** RFC 7523 §3, item 7: of any number of equal assertions at once, one goes on. */
async function spend(gateway: Gateway, assertion: IdentityAssertion): Promise<void> {
  const { issuer, subject, tokenId, usableUntil } = assertion;
  const isFirstUse = await gateway.objects.registry(issuer).useAssertion({
    client: await sha256(`identity assertion\n${issuer}\n${subject}`),
    tokenId: await sha256(tokenId),
    usableUntil,
  });
  if (!isFirstUse) throw refusedAssertion("replayed");
}

function notSignedIn(publicUrl: string): OAuthError {
  return new OAuthError(
    "invalid_grant",
    `This person has no connection to Gong here. They sign in once in a browser at ${publicUrl}/account.`,
    { reason: "person_not_connected" },
  );
}
