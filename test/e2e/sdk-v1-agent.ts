// The same unmodified agent as test/support/agent.ts, written with the TypeScript SDK 1 that most applications still
// have. Called by sdk-v1.test.ts.

import { type OAuthClientProvider, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from "@modelcontextprotocol/sdk/shared/auth.js";
import type { Person } from "../support/person.ts";
import { LOOPBACK_REDIRECT } from "./gateway.ts";

/** What the application keeps. */
export interface AgentMemory extends OAuthClientProvider {
  readonly held: { registration?: OAuthClientInformationMixed; tokens?: OAuthTokens; callback?: URL };
}

/** An empty memory; `person` stands where the browser would open. */
export function createMemory(person: Person): AgentMemory {
  const held: AgentMemory["held"] = {};
  let verifier = "";
  return {
    held,
    redirectUrl: LOOPBACK_REDIRECT,
    clientMetadata: clientMetadata(),
    clientInformation: () => held.registration,
    saveClientInformation: (registration) => void (held.registration = registration),
    tokens: () => held.tokens,
    saveTokens: (tokens) => void (held.tokens = tokens),
    redirectToAuthorization: async (url) => void (held.callback = await person.authorize(url)),
    saveCodeVerifier: (value) => void (verifier = value),
    codeVerifier: () => verifier,
    invalidateCredentials(scope) {
      if (scope === "all" || scope === "tokens") delete held.tokens;
      if (scope === "all" || scope === "client") delete held.registration;
    },
  };
}

/** Connects, signing in first when the server asks for it. */
export async function connect(mcpUrl: string, memory: AgentMemory): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: memory });
  const client = new Client({ name: "SDK 1 agent", version: "1.0.0" });
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await transport.finishAuth(memory.held.callback?.searchParams.get("code") ?? "");
  const signedIn = new Client({ name: "SDK 1 agent", version: "1.0.0" });
  await signedIn.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: memory }));
  return signedIn;
}

function clientMetadata(): OAuthClientMetadata {
  return {
    client_name: "SDK 1 agent",
    redirect_uris: [LOOPBACK_REDIRECT],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}
