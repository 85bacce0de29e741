// What the token endpoint's answers look like, usual and awkward. Called by oauth.ts and registration.ts. The fields
// are a third party's finding on Gong's REST surface (RFC 6749 §5.1, §5.2); those of the MCP surface are unknown.
import type { IssuedTokens } from "./grants.ts";
import type { World } from "./world.ts";

/** T6, T7, T8. 200 with the tokens, in the form that the knobs ask for. */
export function tokenResponse(world: World, tokens: IssuedTokens): Response {
  const { knobs } = world;
  if (knobs.tokenAnswer === "html") return htmlResponse(200, "<h1>Welcome to Gong</h1>");
  const body: Record<string, unknown> = {};
  if (knobs.tokenAnswer !== "no_access_token") body["access_token"] = tokens.accessToken;
  if (tokens.refreshToken !== undefined) body["refresh_token"] = tokens.refreshToken;
  if (knobs.expiresInForm === "number") body["expires_in"] = tokens.expiresInSeconds;
  if (knobs.expiresInForm === "string") body["expires_in"] = String(tokens.expiresInSeconds);
  // Lower case, as a third party saw it on REST; clients must compare without case (RFC 6749 §5.1).
  body["token_type"] = "bearer";
  if (knobs.scopeInAnswer) body["scope"] = tokens.grant.scopes.join(" ");
  if (knobs.apiBaseUrlInAnswer) body["api_base_url_for_customer"] = "https://company-17.api.gong.test";
  return Response.json(body, { headers: { "cache-control": "no-store", pragma: "no-cache" } });
}

/** T3, T9. An error in the form that the knob `errorBody` asks for; a 401 challenges for Basic (RFC 6749 §5.2). */
export function tokenErrorResponse(world: World, status: number, error: string): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  if (status === 401) headers.set("www-authenticate", 'Basic realm="gong"');
  const respond = (body: string | null, type: string): Response => {
    headers.set("content-type", type);
    return new Response(body, { status, headers });
  };
  switch (world.knobs.errorBody) {
    case "gong_rest":
      // Documented for REST.
      return respond(
        JSON.stringify({ requestId: "4al018gzaztcr8nbukw", errors: [error] }),
        "application/json",
      );
    case "html":
      return respond(`<html><body><h1>${status}</h1></body></html>`, "text/html");
    case "text":
      return respond(`${error}\n`, "text/plain");
    case "empty":
      return new Response(null, { status, headers });
    default:
      return respond(JSON.stringify({ error }), "application/json");
  }
}

function htmlResponse(status: number, body: string): Response {
  return new Response(`<html><body>${body}</body></html>`, {
    status,
    headers: { "content-type": "text/html" },
  });
}
