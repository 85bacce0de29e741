// Gong's authorize page (RFC 6749 §4.1.1 and §4.1.2): checks the request, lets a person allow or deny, and sends the
// browser back. Called by stand-in.ts. No Gong page describes the MCP parameters; sources are at each rule.
import type { Arrival } from "./arrival.ts";
import { authorizePageHtml, errorPageHtml } from "./authorize-page.ts";
import type { Code, Grant } from "./grants.ts";
import type { Integration } from "./integrations.ts";
import { SCOPES } from "./knobs.ts";
import type { Person } from "./people.ts";
import { randomText } from "./random.ts";
import { answerAfter } from "./streams.ts";
import { mcpUrl, type World } from "./world.ts";

/** Answers GET /oauth2/authorize, and POST with the decision taken on the page. */
export async function serveAuthorize(world: World, arrival: Arrival): Promise<Response> {
  if (arrival.method === "POST") return serveDecision(world, new URLSearchParams(arrival.body));
  if (arrival.method !== "GET") return new Response(null, { status: 405, headers: { allow: "GET, POST" } });
  await answerAfter(world.knobs.authorizeDelayMs, world.ended.signal);
  const query = arrival.url.searchParams;
  const person = personAtBrowser(world, arrival.headers.get("cookie") ?? "");
  const { integration, problem } = checkClient(world, query);
  if (integration === undefined) return errorPage(problem);
  const refusal = checkRequest(world, query, integration, person);
  if (refusal !== undefined) return sendBack(world, query, refusal);
  const returning = world.consents.has(`${person.id} ${integration.clientId}`);
  if (world.knobs.skipConsentForReturningPerson && returning) return allow(world, query, integration, person);
  if (world.knobs.authorizePage === "approve") return allow(world, query, integration, person);
  if (world.knobs.authorizePage === "deny") return sendBack(world, query, { error: "access_denied" });
  const ticket = randomText("ticket");
  world.tickets.set(ticket, { query: query.toString(), person: person.id });
  const people = [...world.people.values()];
  return htmlResponse(await authorizePageHtml({ ticket, integration, person, people }));
}

/** The page's form: the ticket works once, and the person may sign in as somebody else there. */
async function serveDecision(world: World, form: URLSearchParams): Promise<Response> {
  const ticket = world.tickets.get(form.get("ticket") ?? "");
  if (ticket === undefined) return errorPage("This page was already answered. Start again.");
  world.tickets.delete(form.get("ticket") ?? "");
  const query = new URLSearchParams(ticket.query);
  const person = world.people.get(form.get("person") ?? ticket.person);
  const { integration, problem } = checkClient(world, query);
  if (person === undefined || integration === undefined) return errorPage(problem);
  const refusal = checkRequest(world, query, integration, person);
  const signIn = { "set-cookie": `gong_user=${person.id}; Path=/; HttpOnly; SameSite=Lax` };
  if (refusal !== undefined) return sendBack(world, query, refusal, signIn);
  // A3. Inferred from RFC 6749 §4.1.2.1; what Gong sends on denial is unknown.
  if (form.get("decision") !== "allow") return sendBack(world, query, { error: "access_denied" }, signIn);
  return allow(world, query, integration, person, signIn);
}

function personAtBrowser(world: World, cookie: string): Person {
  const named = /(?:^|;\s*)gong_user=([^;]*)/.exec(cookie)?.[1];
  const person = world.people.get(named ?? "") ?? world.people.get(world.knobs.signedInAs);
  if (person === undefined) throw new Error(`signedInAs names nobody: ${world.knobs.signedInAs}`);
  return person;
}

/**
 * A1. An unknown client, or a redirect URI that is not exactly one of the saved lines, gets a page and no redirect.
 * Exactness: third party. The page: inferred (RFC 6749 §4.1.2.1).
 */
function checkClient(
  world: World,
  query: URLSearchParams,
): { integration: Integration | undefined; problem: string } {
  const integration = world.integrations.get(query.get("client_id") ?? "");
  if (integration === undefined || integration.deleted || query.getAll("client_id").length > 1) {
    return { integration: undefined, problem: "Unknown integration." };
  }
  const redirectUris = query.getAll("redirect_uri");
  const [redirectUri] = redirectUris;
  if (
    redirectUris.length !== 1 ||
    redirectUri === undefined ||
    !integration.redirectUris.includes(redirectUri)
  ) {
    return { integration: undefined, problem: "The redirect URI is not registered for this integration." };
  }
  return { integration, problem: "" };
}

interface Refusal {
  error: string;
  description?: string;
}

/** What is wrong with the request, to be told to the client by redirect; undefined when nothing is. */
function checkRequest(
  world: World,
  query: URLSearchParams,
  integration: Integration,
  person: Person,
): Refusal | undefined {
  for (const name of new Set(query.keys())) {
    // RFC 6749 §3.1: parameters must not be repeated. RFC 8707 §2 lets `resource` repeat.
    if (name !== "resource" && query.getAll(name).length > 1) return { error: "invalid_request" };
  }
  if (query.get("response_type") !== "code") return { error: "unsupported_response_type" };
  const scopes = grantedScopes(world, query, integration);
  if (scopes === undefined) return { error: "invalid_scope" };
  return checkChallenge(world, query) ?? checkResource(world, query) ?? checkPerson(world, person);
}

/** A7. S256 is documented in the metadata; that `plain` is refused follows from it. */
function checkChallenge(world: World, query: URLSearchParams): Refusal | undefined {
  const challenge = query.get("code_challenge");
  const method = query.get("code_challenge_method");
  if (challenge === null) {
    const isNeeded = world.knobs.pkceRequired || method !== null;
    return isNeeded ? { error: "invalid_request", description: "code_challenge is required" } : undefined;
  }
  // RFC 7636 §4.2: an S256 challenge is 43 characters of base64url.
  if (method === "S256" && /^[A-Za-z0-9_-]{43}$/.test(challenge)) return undefined;
  return { error: "invalid_request", description: "code_challenge_method must be S256" };
}

/** A8. Presumably tolerated, because clients that send it are supported (inferred); validation is unknown. */
function checkResource(world: World, query: URLSearchParams): Refusal | undefined {
  if (world.knobs.resource !== "must_be_mcp_url") return undefined;
  const foreign = query.getAll("resource").some((resource) => resource !== mcpUrl(world));
  return foreign ? { error: "invalid_target" } : undefined;
}

/** A2. Needs a paid seat (documented); where people without one are stopped, and how, is unknown. */
function checkPerson(world: World, person: Person): Refusal | undefined {
  if (!person.active) return { error: "access_denied", description: "This person was deactivated" };
  if (person.seat === "paid" || world.knobs.seatRefusedAt !== "authorize") return undefined;
  return { error: "access_denied", description: "A paid seat is needed" };
}

/**
 * A5, A6. The scopes to grant, or undefined for `invalid_scope`. The list is documented. That a request without
 * `scope` gets all of the integration's scopes is an assumption.
 */
function grantedScopes(world: World, query: URLSearchParams, integration: Integration): string[] | undefined {
  const asked = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  if (asked.length === 0) return [...integration.scopes];
  const known: readonly string[] = SCOPES;
  if (asked.some((scope) => !known.includes(scope))) return undefined;
  const granted = asked.filter((scope) => integration.scopes.includes(scope));
  const isShort = granted.length < asked.length;
  if (isShort && world.knobs.scopeNotOnIntegration === "invalid_scope") return undefined;
  return granted;
}

function allow(
  world: World,
  query: URLSearchParams,
  integration: Integration,
  person: Person,
  headers: Record<string, string> = {},
): Response {
  const grant: Grant = {
    id: randomText("grant"),
    clientId: integration.clientId,
    person,
    access: integration.access,
    scopes: grantedScopes(world, query, integration) ?? [],
    resource: world.knobs.resource === "ignored" ? undefined : (query.get("resource") ?? undefined),
    revoked: false,
  };
  const code: Code = {
    value: randomText("gong_code"),
    grant,
    redirectUri: query.get("redirect_uri") ?? "",
    challenge: query.get("code_challenge") ?? undefined,
    expiresAtMs: world.nowMs() + world.knobs.codeLifeSeconds * 1000,
    redeemed: false,
  };
  world.book.codes.set(code.value, code);
  world.consents.add(`${person.id} ${integration.clientId}`);
  world.ledger.append({
    kind: "code_issued",
    code: code.value,
    clientId: grant.clientId,
    person: person.id,
    scopes: grant.scopes,
    ...(grant.resource === undefined ? {} : { resource: grant.resource }),
  });
  return sendBack(world, query, { code: code.value }, headers);
}

/** A3, A4, A9. Redirects to the (checked) redirect URI with a code or an error, and `state` exactly as it came. */
function sendBack(
  world: World,
  query: URLSearchParams,
  answer: Refusal | { code: string },
  headers: Record<string, string> = {},
): Response {
  const { callbackState, callbackExtra, callbackIss } = world.knobs;
  const target = new URL(query.get("redirect_uri") ?? "");
  const add = (name: string, value: string): void => target.searchParams.append(name, value);
  if ("code" in answer) add("code", answer.code);
  else {
    add("error", answer.error);
    if (answer.description !== undefined) add("error_description", answer.description);
  }
  const state = query.get("state");
  if (callbackState === "wrong") add("state", "not-the-state-that-was-sent");
  else if (state !== null && callbackState === "echoed") add("state", state);
  if (callbackExtra === "unknown_parameter") add("unasked", "1");
  if (callbackExtra === "code_twice" && "code" in answer) add("code", randomText("gong_code"));
  if (callbackExtra === "state_twice" && state !== null) add("state", state);
  if (callbackIss !== "absent") add("iss", callbackIss === "own" ? world.mcpOrigin : "https://evil.test");
  return new Response(null, { status: 302, headers: { ...headers, location: target.toString() } });
}

async function errorPage(problem: string): Promise<Response> {
  return htmlResponse(await errorPageHtml(problem), 400);
}

function htmlResponse(body: string, status = 200): Response {
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  return new Response(body, { status, headers });
}
