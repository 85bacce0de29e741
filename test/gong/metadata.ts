// Discovery: the two documents Gong serves (RFC 8414, RFC 9728), and the statuses of the ones it does not serve.
// Called by stand-in.ts. Documented by Gong's own served documents of August 2026, as captured by a third party.
import type { Arrival } from "./arrival.ts";
import { challengeResponse } from "./challenge.ts";
import { SCOPES } from "./knobs.ts";
import { mcpUrl, type World } from "./world.ts";

/** D1, D2. The authorization server's metadata (RFC 8414), fields in the order that Gong serves. */
export function asMetadata(world: World): Record<string, unknown> {
  const endpoint = (name: string): string => `${world.appOrigin}/oauth2/${name}`;
  return {
    grant_types_supported: ["authorization_code", "refresh_token"],
    issuer: world.mcpOrigin,
    response_types_supported: ["code"],
    authorization_endpoint: endpoint("authorize"),
    token_endpoint: endpoint("generate-mcp-token"),
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    scopes_supported: [...SCOPES],
    code_challenge_methods_supported: ["S256"],
    // D2. Contested: absent in August 2026, seen by a third party in September 2026. Its place is unknown.
    ...(world.knobs.registrationEndpoint ? { registration_endpoint: endpoint("register") } : {}),
  };
}

/** D3. The protected resource's metadata (RFC 9728), fields in the order that Gong serves. */
export function resourceMetadata(world: World): Record<string, unknown> {
  return {
    authorization_servers: [world.mcpOrigin],
    resource: mcpUrl(world),
    scopes_supported: [...SCOPES],
  };
}

/** Answers a well-known path of the MCP origin. */
export function serveMcpWellKnown(world: World, arrival: Arrival): Response {
  if (arrival.method === "GET" && arrival.endpoint === "as_metadata") return Response.json(asMetadata(world));
  if (arrival.method === "GET" && arrival.endpoint === "resource_metadata") {
    return Response.json(resourceMetadata(world));
  }
  // D4. Third party: everything else on this origin, also the root document and openid-configuration, is 401, not 404.
  return challengeResponse(world, undefined);
}
