// The 401 of the MCP origin (RFC 6750 §3, RFC 9728 §5.1). Called by metadata.ts, mcp.ts and fault-answers.ts.
import type { World } from "./world.ts";

/**
 * C1, C2. 401 with Gong's challenge as a third party recorded it: realm "mcp" and, by default, an unquoted URL, which
 * strict parsers refuse. `error` is added only when the knob asks for it.
 */
export function challengeResponse(world: World, error: "invalid_token" | undefined): Response {
  const url = `${world.mcpOrigin}/.well-known/oauth-protected-resource/mcp`;
  const parts = [
    'Bearer realm="mcp"',
    `resource_metadata=${world.knobs.challengeUrlQuoted ? `"${url}"` : url}`,
  ];
  if (error !== undefined && world.knobs.challengeNamesInvalidToken) parts.push(`error="${error}"`);
  // The body is unknown; assumed to be small JSON.
  return Response.json(
    { error: "unauthorized" },
    { status: 401, headers: { "www-authenticate": parts.join(", ") } },
  );
}

/** C5. What an IP list or a firewall would answer: no JSON. Unknown at Gong. */
export function refusedAddressResponse(): Response {
  const body =
    "<html><head><title>403 Forbidden</title></head><body><h1>Request blocked</h1></body></html>\n";
  return new Response(body, { status: 403, headers: { "content-type": "text/html" } });
}
