// Where Gong's authorization server is: found from the MCP URL alone, so that the gateway follows Gong when it moves
// and works with anything that behaves like Gong. Called by whoever sends a person or a token request to Gong.
// RFC 9728 §3, RFC 8414 §3, MCP 2026-07-28 Authorization Server Discovery.
import * as oauth from "oauth4webapi";
import * as v from "valibot";
import { nowSeconds } from "../clock.ts";
import { GongError } from "../errors.ts";
import { log } from "../log.ts";
import { isLoopbackHttp } from "../oauth/loopback.ts";
import { boundedFetch, gongError, parseJsonObject, USER_AGENT } from "./answer.ts";

export interface GongEndpoints {
  readonly issuer: string;
  readonly authorizationEndpoint: URL;
  readonly tokenEndpoint: URL;
  readonly tokenEndpointAuthMethods: readonly string[];
  /** Whether callbacks carry `iss` (RFC 9207 §3). */
  readonly issuesIss: boolean;
  /** The scopes to ask for when nobody asks for less. */
  readonly scopes: readonly string[];
  /** Read from Gong now, or the values that Gong published before. */
  readonly source: "discovered" | "published";
}

const METADATA_BOUNDS = { longestBody: 64 * 1024, timeoutMs: 5000 };

const GONG_MCP_URL = "https://mcp.gong.io/mcp";

/** What Gong's own documents said, for the time when they can't be read. */
const PUBLISHED: GongEndpoints = {
  issuer: "https://mcp.gong.io",
  authorizationEndpoint: new URL("https://app.gong.io/oauth2/authorize"),
  tokenEndpoint: new URL("https://app.gong.io/oauth2/generate-mcp-token"),
  tokenEndpointAuthMethods: ["client_secret_basic", "client_secret_post"],
  issuesIss: false,
  scopes: ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"],
  source: "published",
};

/**
 * Reads Gong's metadata: the protected resource's (path-inserted well-known) and that of its first authorization
 * server (RFC 8414, else OpenID Connect Discovery). When that fails for Gong's own MCP URL, logs
 * `discovery.failed` and returns the values Gong has published; for any other URL throws GongError: "unavailable" when
 * a document is nowhere (Gong answers 401 for those), "malformed" when it is not for this resource or issuer, or names
 * endpoints that may not be used. RFC 9728 §3.3, RFC 8414 §3.3.
 */
export async function discoverGong(mcpUrl: URL, fetcher: typeof fetch = fetch): Promise<GongEndpoints> {
  try {
    return await readMetadata(mcpUrl, fetcher);
  } catch (error) {
    if (!(error instanceof GongError) || mcpUrl.href !== GONG_MCP_URL) throw error;
    log("warn", "discovery.failed", { kind: error.kind, status: error.status });
    return PUBLISHED;
  }
}

/** Whether these endpoints of Gong's own MCP URL are no longer the ones that Gong published before. */
export function haveMoved(mcpUrl: URL, { authorizationEndpoint, tokenEndpoint }: GongEndpoints): boolean {
  if (mcpUrl.href !== GONG_MCP_URL) return false;
  return (
    authorizationEndpoint.href !== PUBLISHED.authorizationEndpoint.href ||
    tokenEndpoint.href !== PUBLISHED.tokenEndpoint.href
  );
}

type Outcome = { readonly endpoints: GongEndpoints } | { readonly failure: GongError };

const SUCCESS_TTL_SECONDS = 3600;
const FAILURE_TTL_SECONDS = 10;
/** More than the MCP URLs of one deployment; a bound all the same. */
const MOST_CACHED = 16;

// Values, never promises: a promise that belongs to one request must not be awaited by another (the runtime refuses
// it), so two requests that miss at the same time both ask Gong.
const outcomes = new Map<string, { readonly outcome: Outcome; readonly expiresAt: number }>();

/**
 * Does what `discoverGong` does, at most once an hour per isolate and MCP URL; after a failure, or with published
 * values, again after 10 seconds. `now` is in epoch seconds.
 */
export async function cachedDiscovery(
  mcpUrl: URL,
  fetcher: typeof fetch = fetch,
  now: number = nowSeconds(),
): Promise<GongEndpoints> {
  const kept = outcomes.get(mcpUrl.href);
  if (kept !== undefined && kept.expiresAt > now) return endpointsOf(kept.outcome);
  const outcome = await attemptDiscovery(mcpUrl, fetcher);
  const fresh = "endpoints" in outcome && outcome.endpoints.source === "discovered";
  if (outcomes.size >= MOST_CACHED) outcomes.clear();
  outcomes.set(mcpUrl.href, {
    outcome,
    expiresAt: now + (fresh ? SUCCESS_TTL_SECONDS : FAILURE_TTL_SECONDS),
  });
  return endpointsOf(outcome);
}

async function attemptDiscovery(mcpUrl: URL, fetcher: typeof fetch): Promise<Outcome> {
  try {
    return { endpoints: await discoverGong(mcpUrl, fetcher) };
  } catch (error) {
    if (error instanceof GongError) return { failure: error };
    throw error;
  }
}

function endpointsOf(outcome: Outcome): GongEndpoints {
  if ("failure" in outcome) throw outcome.failure;
  return outcome.endpoints;
}

const Url = v.pipe(
  v.string(),
  v.check((url) => URL.canParse(url)),
);
const Name = v.pipe(
  v.string(),
  v.check((name) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name)),
);
const Names = v.array(Name);

/** RFC 9728 §2. */
const ResourceMetadata = v.object({
  resource: Url,
  authorization_servers: v.pipe(
    v.array(v.string()),
    v.check((servers) => servers.length > 0),
  ),
  scopes_supported: v.exactOptional(Names),
});

/** RFC 8414 §2, RFC 9207 §3. */
const ServerMetadata = v.object({
  issuer: Url,
  authorization_endpoint: v.string(),
  token_endpoint: v.string(),
  token_endpoint_auth_methods_supported: v.exactOptional(Names, ["client_secret_basic"]),
  code_challenge_methods_supported: Names,
  scopes_supported: v.exactOptional(Names),
  authorization_response_iss_parameter_supported: v.exactOptional(v.boolean(), false),
});

async function readMetadata(mcpUrl: URL, fetcher: typeof fetch): Promise<GongEndpoints> {
  const allowsHttp = isLoopbackHttp(mcpUrl);
  const options = {
    [oauth.customFetch]: boundedFetch<"GET", undefined>(fetcher, METADATA_BOUNDS),
    [oauth.allowInsecureRequests]: allowsHttp,
    headers: { "user-agent": USER_AGENT },
  };
  const resource = await readDocument(
    [() => oauth.resourceDiscoveryRequest(mcpUrl, options)],
    (response) => oauth.processResourceDiscoveryResponse(mcpUrl, response),
    ResourceMetadata,
  );
  const issuer = resource.authorization_servers[0] ?? "";
  const issuerUrl = endpoint(issuer, allowsHttp);
  const server = await readDocument(
    (["oauth2", "oidc"] as const).map(
      (algorithm) => () => oauth.discoveryRequest(issuerUrl, { ...options, algorithm }),
    ),
    (response) => oauth.processDiscoveryResponse(issuerUrl, response),
    ServerMetadata,
  );
  // RFC 8414 §3.3 asks for the same bytes; oauth4webapi compares normalised URLs.
  if (server.issuer !== issuer) throw gongError("malformed", "The metadata is that of another issuer.");
  if (!server.code_challenge_methods_supported.includes("S256")) {
    throw gongError("malformed", "The authorization server does not offer PKCE with S256.");
  }
  return {
    issuer,
    authorizationEndpoint: endpoint(server.authorization_endpoint, allowsHttp),
    tokenEndpoint: endpoint(server.token_endpoint, allowsHttp),
    tokenEndpointAuthMethods: secretMethods(server.token_endpoint_auth_methods_supported),
    issuesIss: server.authorization_response_iss_parameter_supported,
    scopes: resource.scopes_supported ?? server.scopes_supported ?? [],
    source: "discovered",
  };
}

/** Reads one metadata document: is it there, is it strictly JSON, does it fit the schema, is it the one asked for. */
async function readDocument<Schema extends v.GenericSchema>(
  requests: readonly (() => Promise<Response>)[],
  assertExpected: (response: Response) => Promise<unknown>,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  try {
    const response = await firstFound(requests);
    const bytes = new Uint8Array(await response.clone().arrayBuffer());
    const document = v.safeParse(schema, parseJsonObject(bytes));
    if (!document.success) throw gongError("malformed", "The metadata lacks a member or has a wrong one.");
    await assertExpected(response);
    return document.output;
  } catch (error) {
    if (error instanceof oauth.OperationProcessingError)
      throw gongError("malformed", error.code ?? "refused");
    throw error;
  }
}

/** The first answer that is a document. After a client error the next address is asked: the document may be there. */
async function firstFound(requests: readonly (() => Promise<Response>)[]): Promise<Response> {
  let status = 0;
  for (const request of requests) {
    const response = await request();
    if (response.status === 200) return response;
    await response.body?.cancel();
    ({ status } = response);
    if (status < 400 || status >= 500) break;
  }
  throw gongError("unavailable", "The metadata is not there.", { status });
}

function secretMethods(methods: readonly string[]): readonly string[] {
  if (methods.includes("client_secret_basic") || methods.includes("client_secret_post")) return methods;
  throw gongError("malformed", "The authorization server takes no client secret.");
}

/** An https URL without credentials or fragment; http on loopback where `allowsHttp`. RFC 8414 §2, RFC 6749 §3.1. */
function endpoint(value: string, allowsHttp: boolean): URL {
  const url = URL.parse(value);
  const isSafe = url !== null && (url.protocol === "https:" || (allowsHttp && isLoopbackHttp(url)));
  if (!isSafe || url.username !== "" || url.password !== "" || url.hash !== "") {
    throw gongError("malformed", "The metadata names an endpoint that may not be used.");
  }
  return url;
}
