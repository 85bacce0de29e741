// The oracle: a small authorization server and protected resource on the field's library for Workers, with a consent
// page that has one button. Built and run by oracle.test.ts and by the bench. Its key-value store is this isolate's
// memory, which is faster and more consistent than the platform's.

import { AuthorizationError, OAuthProvider, type OAuthHelpers } from "@cloudflare/workers-oauth-provider";

interface OracleEnv {
  readonly PUBLIC_URL: string;
  /** Where calls of `/mcp` go on to, with `AUTHORIZATION`; without it they are answered here. */
  readonly UPSTREAM?: string;
  readonly AUTHORIZATION?: string;
  readonly OAUTH_PROVIDER: OAuthHelpers;
}

const SCOPES = ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"];

/** As much of KVNamespace as the library uses. */
const store = new Map<string, { readonly value: string; readonly until: number }>();
const memory = {
  async get(key: string, options?: { type?: "json" | "text" }): Promise<unknown> {
    const entry = store.get(key);
    if (entry === undefined || entry.until <= Date.now()) return null;
    return options?.type === "json" ? JSON.parse(entry.value) : entry.value;
  },
  async put(key: string, value: string, options: { expirationTtl?: number; expiration?: number } = {}) {
    const { expirationTtl, expiration } = options;
    const seconds =
      expiration ?? (expirationTtl === undefined ? undefined : Date.now() / 1000 + expirationTtl);
    store.set(key, { value, until: seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000 });
  },
  async delete(key: string) {
    store.delete(key);
  },
  async list({ prefix = "" }: { prefix?: string } = {}) {
    const keys = [...store.keys()].filter((name) => name.startsWith(prefix)).map((name) => ({ name }));
    return { keys, list_complete: true, cacheStatus: null };
  },
};

/** The one page that is the application's own: the person says yes. */
async function authorize(request: Request, { OAUTH_PROVIDER: provider }: OracleEnv): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (pathname !== "/authorize") return new Response("Not found", { status: 404 });
  try {
    const asked = await provider.parseAuthRequest(new Request(request.url));
    if (request.method !== "POST") return page("<form method=post><button>Approve</button></form>");
    const { redirectTo } = await provider.completeAuthorization({
      request: asked,
      userId: "person",
      metadata: {},
      scope: asked.scope.length === 0 ? SCOPES : asked.scope,
      props: {},
    });
    return new Response(null, { status: 302, headers: { location: redirectTo } });
  } catch (error) {
    if (!(error instanceof AuthorizationError)) throw error;
    const { redirectTo } = error;
    if (redirectTo === undefined) return page(`<p>${search.length} characters were refused</p>`, 400);
    return new Response(null, { status: 302, headers: { location: redirectTo } });
  }
}

function page(html: string, status = 200): Response {
  return new Response(`<!doctype html><title>Oracle</title>${html}`, {
    status,
    headers: { "content-type": "text/html" },
  });
}

/** The protected resource. */
async function answer(request: Request, { UPSTREAM, AUTHORIZATION = "" }: OracleEnv): Promise<Response> {
  if (UPSTREAM === undefined) return Response.json({ jsonrpc: "2.0", id: 1, result: {} });
  const outgoing = new Request(UPSTREAM, request);
  outgoing.headers.set("authorization", AUTHORIZATION);
  return fetch(outgoing);
}

let provider: OAuthProvider<OracleEnv> | undefined;

export default {
  fetch(request: Request, env: OracleEnv, context: ExecutionContext): Promise<Response> {
    provider ??= new OAuthProvider<OracleEnv>({
      apiRoute: "/mcp",
      apiHandler: { fetch: answer },
      defaultHandler: { fetch: authorize },
      authorizeEndpoint: "/authorize",
      tokenEndpoint: "/token",
      clientRegistrationEndpoint: "/register",
      scopesSupported: SCOPES,
      resourceMetadata: { resource: `${env.PUBLIC_URL}/mcp`, authorization_servers: [env.PUBLIC_URL] },
      requiredScopes: SCOPES,
      clientIdMetadataDocumentEnabled: true,
    });
    return provider.fetch(request, { ...env, OAUTH_KV: memory } as OracleEnv, context);
  },
};
