// Dynamic client registration (RFC 7591), off by default. Called by stand-in.ts. A third party saw the endpoint in
// Gong's metadata in September 2026; nobody recorded a request, so everything here is inferred.
import * as z from "zod";
import type { Arrival } from "./arrival.ts";
import { newIntegration } from "./integrations.ts";
import type { World } from "./world.ts";

const registrationRequest = z.looseObject({
  redirect_uris: z.array(z.string()).min(1),
  client_name: z.string().optional(),
  token_endpoint_auth_method: z.string().default("client_secret_basic"),
});

/** I7, D2. Registers a confidential client whose redirect URIs are all approved; refuses public clients. */
export function serveRegistration(world: World, arrival: Arrival): Response {
  if (!world.knobs.registrationEndpoint) return new Response("Not found\n", { status: 404 });
  if (arrival.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
  const request = registrationRequest.safeParse(parseJson(arrival.body)).data;
  if (request === undefined) return refusal("invalid_client_metadata");
  if (!["client_secret_basic", "client_secret_post"].includes(request.token_endpoint_auth_method)) {
    return refusal("invalid_client_metadata");
  }
  const isApproved = (uri: string): boolean => world.knobs.approvedRedirectUris.includes(uri);
  if (!request.redirect_uris.every(isApproved)) return refusal("invalid_redirect_uri");
  return registered(world, request);
}

function registered(world: World, request: z.output<typeof registrationRequest>): Response {
  const integration = newIntegration(world.knobs, {
    name: request.client_name ?? "Automatic",
    registration: "automatic",
    redirectUris: request.redirect_uris,
  });
  world.integrations.set(integration.clientId, integration);
  const answer = {
    client_id: integration.clientId,
    client_secret: integration.clientSecret,
    client_secret_expires_at: 0,
    redirect_uris: integration.redirectUris,
    token_endpoint_auth_method: request.token_endpoint_auth_method,
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  };
  return Response.json(answer, { status: 201, headers: { "cache-control": "no-store" } });
}

function refusal(error: string): Response {
  return Response.json({ error }, { status: 400 });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
